"""Where the paths of a workspace may lead: into its folder, and below the roots that it or its machine allows.

Whoever may change ``driftgate.yaml`` may change ``allowed_roots`` too; against them stands the variable
``DRIFTGATE_ALLOWED_ROOTS``, which a pipeline sets and the file cannot widen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.path_settings import path_settings
from driftgate.flows.text import on_disk

VARIABLE = "DRIFTGATE_ALLOWED_ROOTS"
_FROM_ENVIRONMENT = re.compile(r"\$\{env:[^}]+\}")
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?:file:)?([^?]*)")
_REMEDY = "keep it inside the workspace, or name its folder under allowed_roots"


@dataclass(frozen=True)
class Roots:
    """The folder of a workspace, and what else its paths may lead to."""

    folder: Path
    others: tuple[Path, ...] = ()

    @classmethod
    def of(cls, folder: Path, named: Sequence[str], where: str = "allowed_roots") -> Roots:
        """Those that a workspace names, and those that the environment does.

        Raises
        ------
        DriftgateError
            The environment says which there are, and the workspace names another.
        """
        wanted = [_resolved(folder, one) for one in named]
        if (said := os.environ.get(VARIABLE)) is None:
            return cls(folder, tuple(wanted))
        allowed = tuple(Path(one).resolve() for one in said.split(os.pathsep) if one)
        for one in wanted:
            if not any(one.is_relative_to(root) for root in allowed):
                raise DriftgateError(
                    f"{where}: {one} lies in no root of {VARIABLE}", f"take it out, or have {VARIABLE} name it"
                )
        return cls(folder, allowed)

    def inside(self, path: str, setting: str) -> Path:
        """Where a path of a setting leads.

        Raises
        ------
        DriftgateError
            It leads out of the workspace and of every root.
        """
        if "${env:" in path:
            raise DriftgateError(
                f"'{setting}' takes a part of its path from the environment", "take it whole, or write it"
            )
        try:
            found = _resolved(self.folder, path)
        except (RuntimeError, OSError) as problem:  # RuntimeError before Python 3.13
            said = f"'{setting}' is a link that leads round to itself"
            raise DriftgateError(said, "name the file itself") from problem
        self._check(found, setting)
        return found

    def ledger(self, location: str, setting: str) -> None:
        """Check a ledger's place, unless it is a server's; what comes whole from the environment is the machine's.

        Raises
        ------
        DriftgateError
            It leads out of the workspace and of every root.
        """
        if _FROM_ENVIRONMENT.fullmatch(location.strip()):
            return
        file = _SQLITE.match(location)
        if file is not None or "://" not in location:
            self.inside(file[1] if file else location, setting)

    def faults(self, config: Any) -> Iterator[tuple[tuple[str | int, ...], DriftgateError]]:
        """Every path setting of a configuration that leads elsewhere, links below what is read included."""
        for location, path, mark in path_settings(config):
            setting = ".".join(map(str, location))
            try:
                if setting == "ledger" or _FROM_ENVIRONMENT.fullmatch(path):
                    self.ledger(path, setting)
                    continue
                found = self.inside(path, setting)
                if mark.read and found.is_dir():
                    self._check_below(found, setting)
            except DriftgateError as problem:
                yield location, problem

    def _check(self, found: Path, setting: str) -> None:
        if not any(found.is_relative_to(root) for root in (self.folder.resolve(), *self.others)):
            raise DriftgateError(f"'{setting}' leads to {found}, outside the workspace", _REMEDY)

    def _check_below(self, folder: Path, setting: str) -> None:
        """Follow the links in a folder, each once."""
        seen = {folder}
        waiting = [folder]
        while waiting:
            for parent, folders, files in os.walk(waiting.pop()):
                for entry in (Path(parent, name) for name in (*folders, *files)):
                    if not entry.is_symlink():
                        continue
                    target = Path(os.path.realpath(entry))  # a link to itself leads nowhere
                    self._check(target, f"{setting}: {entry.relative_to(parent)}")
                    if target.is_dir() and target not in seen:
                        seen.add(target)
                        waiting.append(target)


def _resolved(folder: Path, path: str) -> Path:
    return on_disk(folder / Path(path).expanduser()).resolve()
