"""Files of model calls: JSONL and Parquet, with the record's own column names or others mapped to them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.path_settings import READ
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._record import COLUMNS, ModelCall
from driftgate.monitor.telemetry._rows import call_from_row, identified
from driftgate.monitor.telemetry._tables import is_imported, record_import
from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._store import Store

log = logging.getLogger(__name__)

_CHUNK = 5_000
_READ = (".jsonl", ".parquet")


class FilesConfig(SourceConfig):
    """Files of a folder."""

    folder: Annotated[Path, READ]
    """Where the files are."""
    pattern: str = "*.jsonl"
    """Which of them; the ending says what they are: ``.jsonl`` or ``.parquet``."""
    columns: dict[str, str] = {}
    """The file's name of a field where it has another one, for example ``request_model: deployment``."""
    time_zone: str = "UTC"
    """Time zone of times that do not say theirs."""

    @property
    def name(self) -> str:
        """What messages and the ledger call it."""
        return f"{self.source} {self.folder.as_posix()}/{self.pattern}"

    def placed(self, inside: Callable[[str, str], Path]) -> Self:
        """The same with its folder in the workspace."""
        return self.model_copy(update={"folder": inside(str(self.folder), "telemetry.folder")})

    def doubts(self) -> Iterator[tuple[str, str]]:
        """The folder is not there, nothing in it fits the pattern, or what fits cannot be read."""
        if not self.folder.is_dir():
            yield f"its folder {self.folder} does not exist", "make it, or correct 'folder'"
            return
        found = sorted(self.folder.glob(self.pattern))
        if not found:
            yield f"no file in {self.folder} fits its pattern '{self.pattern}'", "correct 'pattern', or write the files"
        for path in found:
            if path.suffix not in _READ:
                yield f"it reads {path.name}, which is neither .jsonl nor .parquet", "correct 'pattern'"
                return

    @field_validator("pattern")
    @classmethod
    def _inside(cls, pattern: str) -> str:
        path = PurePath(pattern)
        if not path.parts or path.is_absolute() or PureWindowsPath(pattern).anchor or ".." in path.parts:
            raise ValueError(f"'{pattern}' is no pattern of files in the folder; for example *.jsonl or 2026/*.parquet")
        if any("**" in part and part != "**" for part in path.parts):
            raise ValueError(f"'**' in '{pattern}' is to stand alone between slashes, as in **/*.jsonl")
        return pattern

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns:
            if name not in COLUMNS:
                raise ValueError(f"there is no field '{name}'; {nearest(name, COLUMNS)}")
        return columns

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone '{name}'; for example Asia/Seoul") from None
        return name


def collect(config: FilesConfig, store: Store, ledger: Ledger, intake: Intake, now: datetime) -> Collected:
    """Read the files that have not been read yet; a file that has grown is read again, its calls count once.

    Raises
    ------
    DriftgateError
        The folder is not there, or a row is no model call; the sentence names the file and the line.
    """
    if not config.folder.is_dir():
        raise DriftgateError(
            f"the telemetry folder {config.folder} does not exist", "see 'folder' of the source 'files'"
        )
    total = 0
    for path in sorted(config.folder.glob(config.pattern)):
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, "sha256")
        hashed.update(config.model_dump_json(include={"columns", "time_zone"}).encode())  # mended: read again
        digest = hashed.hexdigest()
        if not is_imported(ledger, digest):
            total += (count := _import(path, config, store, intake))
            record_import(ledger, digest, path.name, count)
    return Collected(total, now)


def _import(path: Path, config: FilesConfig, store: Store, intake: Intake) -> int:
    zone = ZoneInfo(config.time_zone)
    seen: Counter[str] = Counter()
    error = config.columns.get("error", "error")
    told = error if any(error in row for _, row in _rows(path)) else None
    chunk: list[ModelCall] = []
    count = 0
    for number, row in _rows(path):
        try:
            named = {**row, **{ours: row.get(theirs) for ours, theirs in config.columns.items()}}
            chunk.append(call_from_row(_telling(identified(named, seen), row, told), intake, zone))
        except DriftgateError as problem:
            raise DriftgateError(f"{path.name}, row {number}: {problem.message}", problem.remedy) from problem
        if len(chunk) == _CHUNK:
            store.append(chunk)
            count, chunk = count + len(chunk), []
    store.append(chunk)
    return count + len(chunk)


def _telling(named: Mapping[str, Any], row: Mapping[str, Any], error: str | None) -> Mapping[str, Any]:
    """A row with its error, from the file's column for it.

    Some write the column only where there is an error, so a row without it has none if another row of the file has it.
    Of a file that never has it, it is not known which calls failed.
    """
    if error is not None:
        return {**named, "error": row.get(error)}
    return {name: value for name, value in named.items() if name != "error"}


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield rows with their numbers, from 1."""
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        number = 0
        try:
            for batch in pq.ParquetFile(path).iter_batches(batch_size=_CHUNK):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except pa.ArrowInvalid as problem:
            raise DriftgateError(f"{path.name} is no Parquet file: {problem}") from problem
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not _half(path, number, line):
                    yield number, _object(path, number, line)
    else:
        raise DriftgateError(f"{path.name} is neither .jsonl nor .parquet", "see 'pattern' of the source 'files'")


def _half(path: Path, number: int, line: str) -> bool:
    """Whether a line is still written: it has no end yet, and is no JSON. The file will have grown next time."""
    if line.endswith("\n"):
        return False
    try:
        json.loads(line)
    except ValueError:
        log.warning("%s, row %d is half written and is not read yet", path.name, number)
        return True
    except RecursionError:
        pass
    return False


def _object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise DriftgateError(f"{path.name}, row {number} is no JSON object", "write one JSON object a line")
    return row


SOURCE = Source(config=FilesConfig, collect=collect)
