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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Float, Integer, Table

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.private_files import make_folder, opened
from driftgate.ledger._pages import Row
from driftgate.ledger._schema import DETAILS

SUFFIX = ".parquet"
HALF = ".part"
"""Of a file that is being written, or was when its process was killed."""
_PART = "part"
"""The column that says of which table a row is; what a table does not have is empty in its rows."""
_OWNER = "driftgate"
"""In a file's metadata: whose it is."""
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


@dataclass(frozen=True)
class Owner:
    """Whose a file is."""

    ledger: str
    """By what the ledger that wrote it knows it, in hexadecimal digits."""
    run: str
    cell: int


def path_of(folder: Path, name: str) -> Path:
    """Where a file of the archive is."""
    return folder / f"{name}{SUFFIX}"


def missing_file(path: Path, run: str) -> tuple[str, str]:
    """What is wrong, and what to do, where a file of a run's cell is not there."""
    return (
        f"the archive's file {path} is missing: it has node outputs of run {run}",
        "restore a copy of it, or name the folder where it is: keep.archive in driftgate.yaml",
    )


def write_file(folder: Path, of: Owner, batches: Iterable[tuple[str, Batch]]) -> File:
    """Write rows of tables to a new file of a cell; when it has its name, all of it is on disk.

    Parameters
    ----------
    of : Owner
        Whose it is; it stands in the file, so that no two cells share one.
    batches : iterable of tuple
        A table's name and rows of it by column, JSON as text. Each batch can be read without the others.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    DriftgateError
        The folder cannot be written to.
    """
    arrow, parquet = _pyarrow()
    types = {name: _type(arrow, name) for name in _COLUMNS}
    schema = arrow.schema([(_PART, arrow.string()), *types.items()], metadata={_OWNER: json.dumps(asdict(of))})
    half = folder / f"{of.ledger}-{secrets.token_hex(8)}{HALF}"
    rows = 0
    try:
        make_folder(folder)
        with (
            opened(half) as sink,
            parquet.ParquetWriter(sink, schema, compression="zstd", compression_level=9) as writer,
        ):
            for part, batch in batches:
                columns = {name: _values(arrow, name, kind, batch) for name, kind in types.items()}
                writer.write_table(arrow.table({_PART: [part] * len(batch)} | columns, schema=schema))
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
    with _readable(arrow, path):
        found = parquet.read_table(path, columns=list(names), filters=wanted).to_pydict()
    decoded = [
        [None if value is None else json.loads(value) for value in found[name]] if name in _TEXTS else found[name]
        for name in names
    ]
    make: Any = namedtuple("Row", names)  # type: ignore[misc]
    return [make(*values) for values in zip(*decoded, strict=True)]


def parts_of(path: Path, table: Table) -> dict[int, int]:
    """The parts of a file that have rows of a table, each with how many rows it has.

    Raises
    ------
    FileNotFoundError
        It is not there.
    DriftgateError
        It is damaged.
    """
    arrow, parquet = _pyarrow()
    with _readable(arrow, path):
        told = parquet.read_metadata(path)
        place = told.schema.names.index(_PART)
        groups = [(n, told.row_group(n)) for n in range(told.num_row_groups)]
        # What is written at once is of one table: see write_file.
        return {n: group.num_rows for n, group in groups if group.column(place).statistics.min == table.name}


def read_part(path: Path, place: int, names: Sequence[str]) -> list[Row]:
    """Some columns of a part of a file, JSON as text; as :func:`parts_of`."""
    arrow, parquet = _pyarrow()
    with _readable(arrow, path), parquet.ParquetFile(path) as file:
        found = file.read_row_group(place, columns=list(names)).to_pydict()
    return list(zip(*(found[name] for name in names), strict=True))


@contextmanager
def _readable(arrow: Any, path: Path) -> Iterator[None]:
    """Says of a file that is damaged what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, arrow.ArrowException) as problem:
        raise DriftgateError(
            f"the archive's file {path} cannot be read: {' '.join(str(problem).split())[:200]}",
            "restore a copy of it: what is in it is nowhere else",
        ) from problem


def stray_files(folder: Path, named: Collection[str], ledger: str, expired: Collection[str]) -> list[Path]:
    """Files in a folder that no row names and that are a ledger's: written by it, or of a run that was expired."""
    found = [path for path in folder.glob(f"{ledger}-*{HALF}") if _HALF.fullmatch(path.name)]
    for path in folder.glob(f"*{SUFFIX}"):
        if _NAME.fullmatch(path.stem) and path.stem not in named:
            of = _owner_of(path)
            if of is not None and (of.ledger == ledger or of.run in expired):
                found.append(path)
    return sorted(found)


def _owner_of(path: Path) -> Owner | None:
    """Whose a file is; None where it does not say."""
    arrow, parquet = _pyarrow()
    try:
        return Owner(**json.loads((parquet.read_schema(path).metadata or {})[_OWNER.encode()]))
    except (OSError, arrow.ArrowException, KeyError, TypeError, ValueError):
        return None


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


def _values(arrow: Any, name: str, kind: Any, batch: Batch) -> Any:
    """A column; empty where the rows' table does not have it."""
    return arrow.array([row[name] for row in batch], kind) if name in batch[0] else arrow.nulls(len(batch), kind)


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
