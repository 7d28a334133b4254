"""What a share gave, as files: parts that are written while it goes on, and at its end a manifest that names them all.

A part is whole or it does not count: its name holds the hash of its content. So what was answered, and paid for, before
a machine was lost comes back; and a share without its manifest was not done, whatever its job's state says.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from driftgate.flows.private_files import make_folder, replace_file
from driftgate.ledger import Ledger, LineAt, TakenCell, TakenLine, add_taken, take_cells, take_lines

MANIFEST = "share.json"
_PART = re.compile(r"part-(\d{5})-([0-9a-f]{64})\.json\.gz")


@dataclass(frozen=True)
class Manifest:
    """How a share ended."""

    run: str
    plan_hash: str
    share: str
    """``2/4``."""
    parts: Sequence[str]
    """Names of its files."""
    lines: int
    """Samples' lines in them."""
    spent: float
    seconds: float
    problem: str
    """Why it was not done; empty where it was."""
    remedy: str

    def write(self, folder: Path, aside: Path) -> None:
        """Write it, last of all; see :func:`write_part`."""
        _hand_over(folder, aside, MANIFEST, json.dumps(asdict(self), ensure_ascii=False).encode(errors="replace"))

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read it; None where there is none, or no whole one."""
        try:
            return cls(**json.loads((folder / MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def parts_in(folder: Path) -> dict[str, bytes]:
    """The parts in a folder that are whole, by name, in the order they were written."""
    found = {}
    for file in sorted(folder.glob("part-*")) if folder.is_dir() else ():
        named, content = _PART.fullmatch(file.name), file.read_bytes()
        if named and hashlib.sha256(content).hexdigest() == named[2]:
            found[file.name] = content
    return found


def write_part(folder: Path, aside: Path, ledger: Ledger, run: str, known: set[LineAt]) -> str:
    """Write what is recorded of a run and not ``known`` yet as a further part, and know it from then on.

    Parameters
    ----------
    folder : Path
        Where it is handed over: storage that is mounted, and may know neither rights nor renaming.
    aside : Path
        A folder of this machine.

    Returns
    -------
    str
        The part's name; empty where there is nothing new.
    """
    lines = list(take_lines(ledger, run, known))
    if not lines:
        return ""
    content = gzip.compress(_written(take_cells(ledger, run), lines), mtime=0)
    number = sum(1 for _ in folder.glob("part-*")) + 1
    name = f"part-{number:05}-{hashlib.sha256(content).hexdigest()}.json.gz"
    _hand_over(folder, aside, name, content)
    known.update(line.at for line in lines)
    return name


def add_part(ledger: Ledger, run: str, content: bytes) -> list[LineAt]:
    """Add a part to the run in a ledger, and return which lines it holds; lines that are there stay as they are.

    Raises
    ------
    DriftgateError
        It is not of this run, or the ledger refuses.
    """
    given = json.loads(gzip.decompress(content))
    cells = [TakenCell(**one) for one in given["cells"]]
    lines = [TakenLine(LineAt(*one["at"]), one["rows"]) for one in given["lines"]]
    add_taken(ledger, run, cells, lines)
    return [line.at for line in lines]


def _hand_over(folder: Path, aside: Path, name: str, content: bytes) -> None:
    make_folder(aside)
    replace_file(aside / name, content)
    shutil.copyfile(aside / name, folder / name)


def _written(cells: Sequence[TakenCell], lines: Sequence[TakenLine]) -> bytes:
    told: dict[str, Any] = {
        "cells": [asdict(cell) for cell in cells],
        "lines": [{"at": [line.at.cell, line.at.key, line.at.round], "rows": line.rows} for line in lines],
    }
    return json.dumps(told, ensure_ascii=False).encode()
