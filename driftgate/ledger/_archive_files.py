"""Files of the archive: what nodes and evaluators did on the samples of a cell, as compressed Parquet.

A file is named by the SHA-256 of its content and never changes; it has its name only once all of it is on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections import namedtuple
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Float, Integer, Table

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.ledger._plain import to_json
from driftgate.ledger._schema import DETAILS

SUFFIX = ".parquet"
HALF = ".part"
"""Of a file that is being written, or was when its process was killed."""
_PART = "part"
"""The column that says of which table a row is; what a table does not have is empty in its rows."""
_OWNER = "driftgate.ledger"
"""In a file's metadata: the ledger that wrote it."""
_CELL = "driftgate.cell"
"""In a file's metadata: the cell, so that no two cells share a file."""
_NAME = re.compile("[0-9a-f]{64}")
_HALF = re.compile("[0-9a-f]+-[0-9a-f]{16}" + re.escape(HALF))
_COLUMNS = {column.name: column for table in DETAILS for column in table.c if column.name != "cell_id"}
_TEXTS = {name for name, column in _COLUMNS.items() if isinstance(column.type, JSON)}

Batch = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class File:
    """A file of the archive."""

    name: str
    """SHA-256 of its content."""
    rows: int
    bytes: int


def path_of(folder: Path, name: str) -> Path:
    """Where a file of the archive is."""
    return folder / f"{name}{SUFFIX}"


def missing_file(path: Path, run: str) -> tuple[str, str]:
    """What is wrong, and what to do, where a file of a run's cell is not there."""
    return (
        f"the archive's file {path} is missing: it has node outputs of run {run}",
        "restore a copy of it, or name the folder where it is: keep.archive in driftgate.yaml",
    )


def write_file(folder: Path, owner: str, cell_id: int, batches: Iterable[tuple[str, Batch]]) -> File:
    """Write rows of tables to a new file of a cell; when it has its name, all of it is on disk.

    Parameters
    ----------
    owner : str
        By what its ledger knows it, in hexadecimal digits.
    batches : iterable of tuple
        A table's name and rows of it by column. Each batch can be read without the others.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    DriftgateError
        The folder cannot be written to.
    """
    arrow, parquet = _pyarrow()
    types = {name: _type(arrow, name) for name in _COLUMNS}
    schema = arrow.schema([(_PART, arrow.string()), *types.items()], metadata={_OWNER: owner, _CELL: str(cell_id)})
    half = folder / f"{owner}-{secrets.token_hex(8)}{HALF}"
    rows = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with parquet.ParquetWriter(half, schema, compression="zstd", compression_level=9) as writer:
            for part, batch in batches:
                columns = {_PART: [part] * len(batch)} | {name: _values(name, batch) for name in _COLUMNS}
                writer.write_table(arrow.table(columns, schema=schema))
                rows += len(batch)
        with half.open("rb+") as file:
            os.fsync(file.fileno())
            name = hashlib.file_digest(file, "sha256").hexdigest()
        size = half.stat().st_size
        half.replace(path_of(folder, name))
        _sync(folder)
    except OSError as problem:
        raise DriftgateError(
            f"the archive {folder} cannot be written to: {problem.strerror or problem}",
            "free space or correct its rights; nothing was moved",
        ) from problem
    finally:
        half.unlink(missing_ok=True)
    return File(name, rows, size)


def read_file(
    path: Path,
    table: Table,
    names: Sequence[str],
    *,
    samples: Collection[int] | None = None,
    equal: Mapping[str, str] | None = None,
) -> list[Any]:
    """Rows of a table in a file, with an attribute for each of some columns.

    Parameters
    ----------
    samples : collection of int, optional
        Only rows of these samples.
    equal : Mapping, optional
        Only rows that have these values in these columns.

    Raises
    ------
    FileNotFoundError
        It is not there.
    DriftgateError
        It is damaged.
    """
    arrow, parquet = _pyarrow()
    wanted: list[tuple[str, str, Any]] = [(_PART, "=", table.name)]
    wanted += [(name, "=", value) for name, value in (equal or {}).items()]
    if samples is not None:
        wanted.append(("sample_id", "in", sorted(samples)))
    try:
        found = parquet.read_table(path, columns=list(names), filters=wanted).to_pydict()
    except FileNotFoundError:
        raise
    except (OSError, arrow.ArrowException) as problem:
        raise DriftgateError(
            f"the archive's file {path} cannot be read: {' '.join(str(problem).split())[:200]}",
            "restore a copy of it: what is in it is nowhere else",
        ) from problem
    decoded = [
        [None if value is None else json.loads(value) for value in found[name]] if name in _TEXTS else found[name]
        for name in names
    ]
    make: Any = namedtuple("Row", names)  # type: ignore[misc]
    return [make(*values) for values in zip(*decoded, strict=True)]


def stray_files(folder: Path, named: Collection[str], owner: str) -> list[Path]:
    """Files in a folder that belong to a ledger and that it does not name."""
    found = [path for path in folder.glob(f"{owner}-*{HALF}") if _HALF.fullmatch(path.name)]
    for path in folder.glob(f"*{SUFFIX}"):
        if _NAME.fullmatch(path.stem) and path.stem not in named and _owner_of(path) == owner:
            found.append(path)
    return sorted(found)


def _owner_of(path: Path) -> str:
    """By what the ledger that wrote a file knows it; empty where the file does not say."""
    arrow, parquet = _pyarrow()
    try:
        said = parquet.read_schema(path).metadata or {}
    except (OSError, arrow.ArrowException):
        return ""
    return str(said.get(_OWNER.encode(), b"").decode(errors="replace"))


def check_pyarrow() -> None:
    """Say what is missing where the archive cannot be used.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    """
    if not installed("pyarrow"):
        raise MissingExtra("parquet", "the ledger's archive")


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _values(name: str, batch: Batch) -> list[Any]:
    values = [row.get(name) for row in batch]
    return [None if value is None else to_json(value) for value in values] if name in _TEXTS else values


def _type(arrow: Any, name: str) -> Any:
    kind: Any = _COLUMNS[name].type
    if isinstance(kind, Integer):
        return arrow.int64()
    return arrow.float64() if isinstance(kind, Float) else arrow.string()


def _sync(folder: Path) -> None:
    """Let the names in a folder be on disk; Windows keeps them in order itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _pyarrow() -> tuple[Any, Any]:
    check_pyarrow()
    import pyarrow
    import pyarrow.parquet

    return pyarrow, pyarrow.parquet
