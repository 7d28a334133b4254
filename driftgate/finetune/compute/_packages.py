"""The packages that driftgate needs on another machine, each at the version that is installed here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from driftgate.finetune._azure_jobs import pinned_lines
from driftgate.flows.errors import DriftgateError

_NEED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_SIGN_IN = "azure-identity"


def packages(extras: Collection[str], requirements: Path | None) -> list[str]:
    """Requirements of driftgate and of some extras, each at the version that is installed here, and those of a file.

    Raises
    ------
    DriftgateError
        There is no such extra or file, a package is not installed here, or a line of the file names no version.

    Examples
    --------
    >>> [name.partition("==")[0] for name in packages(["documents"], None) if name.startswith("pypdf")]
    ['pypdf']
    """
    if requirements is not None and not requirements.is_file():
        raise DriftgateError(f"there is no file of requirements at {requirements}", "name it in azureml.requirements")
    named = dict.fromkeys(_needs("", extras))
    found = []
    for name in named:
        try:
            found.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            raise DriftgateError(
                f"the package {name} is not installed here, so that nothing says which version the jobs should take",
                f"pip install '{name}'",
            ) from None
    with suppress(PackageNotFoundError):  # nobody who submits jobs is without it
        found.append(f"{_SIGN_IN}=={version(_SIGN_IN)}")
    return sorted({*found, *(pinned_lines(requirements) if requirements is not None else ())})


def _needs(extra: str, extras: Collection[str]) -> Iterator[str]:
    """Names of what driftgate, or one of its extras, requires, and of what ``extras`` do."""
    about = distribution("driftgate")
    if unknown := sorted({*extras, *filter(None, [extra])} - set(about.metadata.get_all("Provides-Extra") or ())):
        raise DriftgateError(f"driftgate has no extra '{unknown[0]}'", "see azureml.extras in driftgate.yaml")
    for line in about.requires or ():
        parts = _NEED.fullmatch(line)
        assert parts is not None
        of = _EXTRA.search(parts["marker"] or "")
        if (of[1] if of else "") != extra:
            continue
        if parts["name"].lower() == "driftgate":
            for inner in re.split(r"[,\s]+", parts["extras"] or ""):
                yield from _needs(inner, ())
        else:
            yield parts["name"]
    for one in extras:
        yield from _needs(one, ())
