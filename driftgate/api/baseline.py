"""A baseline as a file: written from one ledger, read into another."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import replace_file
from driftgate.ledger import Baseline, Ledger, RunRow, put_baseline, take_baseline

FORMAT = 1
_KIND = "driftgate baseline"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Exported:
    """A baseline that was written."""

    path: Path
    baseline: Baseline
    content: str
    """Hash of what it holds."""


@dataclass(frozen=True)
class Imported:
    """A baseline that a ledger holds."""

    name: str
    """What gates call it: ``baseline:NAME``."""
    run: RunRow
    baseline: Baseline


def export_baseline(ledger: Ledger, run: str, path: Path, *, with_text: bool = False) -> Exported:
    """Write what a comparison needs of a run to a file; the same run gives the same file.

    Parameters
    ----------
    with_text : bool
        See :func:`driftgate.ledger.take_baseline`.

    Raises
    ------
    DriftgateError
        The run cannot be a baseline, a file that is no baseline has that name, or it cannot be written.
    """
    baseline = take_baseline(ledger, run, with_text=with_text)
    if path.exists():
        _read(path)
    content = baseline.model_dump(mode="json", exclude_defaults=True)
    known = _hash(content)
    document = {"kind": _KIND, "format": FORMAT, "hash": known, "content": content}
    try:
        replace_file(path, (json.dumps(document, ensure_ascii=False, indent=0) + "\n").encode())
    except OSError as problem:
        raise DriftgateError(f"cannot write {path}: {problem.strerror}", "choose another place") from problem
    return Exported(path, baseline, known)


def import_baseline(ledger: Ledger, path: Path, name: str = "") -> Imported:
    """Read a baseline into the ledger; what is there already is left as it is.

    Parameters
    ----------
    name : str
        What gates call it; by default the file's name without its ending.

    Raises
    ------
    DriftgateError
        The file cannot be read, is no baseline, is of a newer driftgate, or is damaged; or the name is none.
    """
    name = name or path.stem
    if not _NAME.fullmatch(name):
        raise DriftgateError(f"a baseline cannot be called '{name}'", "give it letters, digits, _ . - with --name")
    content, known = _read(path)
    try:
        baseline = Baseline.model_validate_json(json.dumps(content))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "its content"
        raise DriftgateError(f"{path} is no baseline: {where}: {first['msg']}", "export it again") from problem
    return Imported(name, put_baseline(ledger, baseline, known, name), baseline)


def _read(path: Path) -> tuple[Any, str]:
    """The content of a file and its hash.

    Raises
    ------
    DriftgateError
        It cannot be read, is no baseline, is of a newer driftgate, or is damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise DriftgateError(f"cannot read {path}: {problem.strerror}", "name a file that is there") from problem
    except (ValueError, RecursionError) as problem:
        raise DriftgateError(f"{path} is no baseline: it is not JSON", _EXPORT) from problem
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise DriftgateError(f"{path} is no baseline of driftgate", _EXPORT)
    found = document.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise DriftgateError(f"{path} has format {found}, this driftgate knows {FORMAT}", "upgrade driftgate")
    if found != FORMAT:
        raise DriftgateError(f"{path} is no baseline: its format is {found!r}", _EXPORT)
    content = document.get("content")
    known = _hash(content)
    if document.get("hash") != known:
        raise DriftgateError(
            f"{path} is damaged: what it holds does not give the hash that it names", "export it again"
        )
    return content, known


_EXPORT = "make one with: driftgate baseline export RUN FILE"


def _hash(content: Any) -> str:
    """SHA-256 of the content, however its file is laid out."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
