"""Files of model calls: JSON, tables and Parquet, with the record's own column names or others mapped to them; and what
an OpenTelemetry Collector wrote to files."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from driftgate.benchmarks.datasets._encoding import known_encoding
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.path_settings import READ
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry import _otlp_json
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._logs import Logs
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._received import Spans, readers
from driftgate.monitor.telemetry._record import COLUMNS, ModelCall
from driftgate.monitor.telemetry._rows import call_from_row, identified
from driftgate.monitor.telemetry._tables import columns_of_file, is_imported, record_columns, record_import
from driftgate.monitor.telemetry.sources._file_kinds import (
    AT_AN_END,
    KINDS,
    MOST,
    OTLP,
    TABLES,
    HalfWritten,
    Item,
    first_and_last,
    is_left,
    items,
    kind_of,
    says_nothing_two_ways,
)
from driftgate.monitor.telemetry.sources._seen import Seen, counted
from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig
from driftgate.monitor.telemetry.sources._usual_names import OF_SUCCESS, unread, usual_form

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._store import Store

log = logging.getLogger(__name__)

_CHUNK = 5_000
_TOLD = 30
"""Columns that an error names at most."""
_NOTES = 3
_NEWEST = 3
"""Files whose rows are looked at before they are wanted."""
_WITH_HEADER = (*TABLES, ".parquet")
_IDENTITY = ("trace_id", "span_id")
HOW_TO_TELL_ERRORS = (
    "name the column under 'columns', as error: NAME, or say absent_error: none where it is written only of calls that "
    "failed"
)
_LATER = {"encoding", "latency_unit", "absent_error"}
"""Further settings that decide what a row says; where they are not set, what was read before is known as it was."""


class FilesConfig(SourceConfig):
    """Files of a folder."""

    folder: Annotated[Path, READ]
    """Where the files are."""
    pattern: str = "*.jsonl"
    """Which of them; the ending says what they are: ``.jsonl``, ``.json`` (rows, OTLP, or a Collector's export),
    ``.csv``, ``.tsv``, all of them also with ``.gz``, or ``.parquet``."""
    columns: dict[str, str] = {}
    """The file's name of a field where it has another one, for example ``request_model: deployment``."""
    encoding: str | None = None
    """Of texts that are not in UTF-8 and have no byte order mark, for example ``cp949``."""
    latency_unit: Literal["s", "ms"] = "s"
    """What the column for ``latency`` counts: seconds or milliseconds."""
    time_zone: str = "UTC"
    """Time zone of times that do not say theirs."""
    absent_error: Literal["unknown", "none"] = "unknown"
    """What is known of a row of JSON without the key for ``error``: ``unknown``, not whether its call failed; ``none``,
    that it did not, where the application writes the key of calls that failed and of no others."""

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
            if not kind_of(path):
                yield f"it reads {path.name}, which is none of {', '.join(KINDS)}", "correct 'pattern'"
                return

    def seen(self) -> Iterator[tuple[str, str]]:
        """What the newest files tell of calls, by their first rows and their last."""
        found = sorted(filter(kind_of, self.folder.glob(self.pattern)), key=lambda path: path.stat().st_mtime)
        if not found:
            return
        seen, rows, newest, note = Seen(), 0, found[-_NEWEST:], ""
        for path in newest:
            some, held, all_of_it = first_and_last(path, self.encoding)
            reader = _Reader(path, self, Intake(pseudonym=str), some)
            for call in (call for number, item in some for call in reader.calls(number, item)):
                seen.add(call)
            seen.left.update(reader.left)
            rows, note = rows + len(some), note or reader.note
            if len(some) < held or not all_of_it:
                note = note or f"of large files the first and last {AT_AN_END:,} rows, and none beyond {MOST:,}"
        fit = f"{counted(len(found), 'file')} {'fits' if len(found) == 1 else 'fit'} its pattern"
        of_newest = f" of the newest {len(newest)}" if len(found) > 1 else ""
        told = f"{fit}, {counted(rows, 'row')}{of_newest} {'was' if rows == 1 else 'were'} read: {seen.in_words}"
        yield "; ".join(filter(None, (told, note))), "; ".join(seen.lacks(HOW_TO_TELL_ERRORS))

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
        for name, theirs in columns.items():
            if name not in COLUMNS:
                raise ValueError(f"there is no field '{name}'; {nearest(name, COLUMNS)}")
            if name == "error" and usual_form(theirs) in OF_SUCCESS:
                raise ValueError(
                    f"'{theirs}' says of a call that it went well, and error is what went wrong; map the column that "
                    "holds the kind or the status of the error"
                )
        return columns

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        return None if name is None else known_encoding(name)

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
    total, found = 0, sorted(config.folder.glob(config.pattern))
    problems: list[DriftgateError] = []
    notes: list[str] = []
    for path in found:
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, "sha256")
        hashed.update(config.model_dump_json(include={"columns", "time_zone"}).encode())  # mended: read again
        hashed.update(config.model_dump_json(include=_LATER, exclude_defaults=True).removeprefix("{}").encode())
        digest = hashed.hexdigest()
        if not is_imported(ledger, digest):
            try:
                count, whole, said = _import(path, config, store, ledger, intake)
            except DriftgateError as problem:  # the other files are read all the same
                problems.append(problem)
                continue
            total, notes = total + count, [*notes, *filter(None, [said])]
            if whole:
                record_import(ledger, digest, path.name, count)
    if problems:
        more = f" (and {len(problems) - 1} more files)" if len(problems) > 1 else ""
        raise DriftgateError(f"{problems[0].message}{more}", problems[0].remedy)
    if not found:
        notes.append(f"no file in {config.folder} fits its pattern '{config.pattern}'")
    return Collected(total, now, "; ".join(notes[:_NOTES]))


def _import(path: Path, config: FilesConfig, store: Store, ledger: Ledger, intake: Intake) -> tuple[int, bool, str]:
    """How many calls a file brought, whether it was read to its end, and what a person should know of it."""
    file = hashlib.sha256(f"{config.pattern}\n{path.relative_to(config.folder).as_posix()}".encode()).hexdigest()
    reader = _Reader(path, config, intake, apart=columns_of_file(ledger, file))
    chunk: list[ModelCall] = []
    count = 0
    whole, cut_off = True, ""
    try:
        for number, item in items(path, config.encoding):
            chunk += reader.calls(number, item)
            if len(chunk) >= _CHUNK:
                store.append(chunk)
                count, chunk = count + len(chunk), []
    except HalfWritten:
        log.warning("the end of %s is half written and is not read yet", path.name)
        whole = False
        if is_left(path):
            cut_off = f"the last row of {path.name} is cut off, and nobody has written to it for an hour"
    store.append(chunk)
    store.note_of_file(path.name, reader.left)
    if reader.apart is None and reader.names:
        record_columns(ledger, file, reader.names)
    return count + len(chunk), whole, "; ".join(filter(None, (reader.note, reader.untold, cut_off)))


class _Reader:
    """What is known of a file while its rows are read one after the other."""

    def __init__(
        self,
        path: Path,
        config: FilesConfig,
        intake: Intake,
        some: Sequence[Item] | None = None,
        apart: frozenset[str] = frozenset(),
    ) -> None:
        self.left: Counter[Reason] = Counter()
        self.note = ""
        self._path, self._config, self._intake = path, config, intake
        self._zone = ZoneInfo(config.time_zone)
        self._seen: Counter[str] = Counter()
        self._error = config.columns.get("error", "error")
        self._rows = 0
        self._null_is_unknown = kind_of(path) == ".parquet" and says_nothing_two_ways(path, self._error)
        self._rows, self._with_error, self._last_with_error = 0, 0, 0
        rows = (
            _rows(path, config) if some is None else (one for one in some if not any(name in one[1] for name in OTLP))
        )
        named = _names(rows, {*config.columns.values(), self._error, *apart})
        self.apart = apart if apart and apart <= named.keys() else None
        """The columns that tell its rows apart: what it had when it was read first, or None for all. What an export
        has more by now makes its calls no others."""
        self.names: set[str] = set()
        """Of all columns that rows without ids have."""
        if apart and self.apart is None and kind_of(path) in _WITH_HEADER:
            gone = ", ".join(sorted(apart - named.keys())[:_TOLD])
            self.note = f"{path.name} was read before with {gone}: its calls are others now, and may count twice"
        if named:
            self._check(named)

    def calls(self, number: int, item: Mapping[str, Any]) -> list[ModelCall]:
        """The calls of a row or of a document."""
        try:
            if any(name in item for name in OTLP):
                return self._of_otlp(item)
            row = self._named(identified(item, self._seen, self.apart), item)
            self.names.update(item)
            self._rows += 1
            if "error" in row:
                self._with_error, self._last_with_error = self._with_error + 1, number
            return [call_from_row(row, self._intake, self._zone)]
        except (DriftgateError, ValueError) as problem:
            said, remedy = (problem.message, problem.remedy) if isinstance(problem, DriftgateError) else (problem, "")
            raise DriftgateError(f"{self._path.name}, row {number}: {said}", remedy) from problem

    @property
    def untold(self) -> str:
        """Of how many rows it is not known whether their call failed, in words; empty where it is known of all."""
        without = self._rows - self._with_error
        if not without:
            return ""
        found = f"no row of {self._path.name} has '{self._error}'"
        if self._with_error:
            found = (
                f"{without:,} of {self._rows:,} rows of {self._path.name} do not have '{self._error}', which row "
                f"{self._last_with_error:,} was the last to have"
            )
        return f"{found}, so that it is not known whether their calls failed; {HOW_TO_TELL_ERRORS}"

    def _check(self, names: Mapping[str, None]) -> None:
        """That every column is there that the map names, and one for the time.

        A table has all of its columns or never; a row of JSON may leave out what it has nothing for, so of a file in
        which none has it that is only said.

        Raises
        ------
        DriftgateError
            One is not; the sentence names those that are.
        """
        held = f"its columns are {', '.join(list(names)[:_TOLD])}" + (", ..." if len(names) > _TOLD else "")
        # A line of JSON may leave a key out, as where nothing failed; a table says in its header what it has.
        table = kind_of(self._path) in _WITH_HEADER
        for ours, theirs in self._config.columns.items():
            if theirs in names:
                continue
            found = f"{self._path.name} has no column '{theirs}', which 'columns' names for {ours}; {held}"
            if table or ours == "time":
                raise DriftgateError(found, nearest(theirs, names))
            self.note = self.note or found
        meant = unread(names, self._config.columns)
        # Of JSON, a key may come in a later row: where another one is usual for the time, it does not.
        if self._config.columns.get("time", "time") not in names and (table or "time" in meant):
            found = f"{self._path.name} has no column 'time'; {held}"
            name = meant.get("time", "NAME")
            raise DriftgateError(found, f"name the column that holds the time under 'columns', as time: {name}")
        if meant and not self.note:
            under = ", ".join(f"{ours}: {theirs}" for ours, theirs in meant.items())
            self.note = f"{self._path.name} has columns that are not read; under 'columns' they would be {under}"

    def _named(self, row: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row under the record's names, with its error from the file's column for it.

        Some write the column only where there is an error. That a row is without it tells so only where a person says
        that they do: an application that ceased to write it looks the same.
        """
        named = {**row, **{ours: item.get(theirs) for ours, theirs in self._config.columns.items()}}
        if kind_of(self._path) in TABLES:  # an empty cell tells nothing, but that an answer is empty
            named = {name: None if told == "" and name != "output_text" else told for name, told in named.items()}
        named |= {name: row[name] for name in _IDENTITY if not named.get(name)}
        named.pop("error", None)
        if self._error in item or self._config.absent_error == "none":
            named["error"] = item.get(self._error)
        if self._null_is_unknown and named.get("error") is None:
            named["error"] = "unknown"
        if self._config.latency_unit == "ms" and named.get("latency") is not None:
            named["latency"] = _seconds(named["latency"])
        return named

    def _of_otlp(self, document: Mapping[str, Any]) -> list[ModelCall]:
        spans, logs = Spans(self._intake), Logs(self._intake)
        spans.take(readers(_otlp_json.span_of, _otlp_json.scoped(document, ("resourceSpans", "scopeSpans", "spans"))))
        records = _otlp_json.scoped(document, ("resourceLogs", "scopeLogs", "logRecords"))
        for read in readers(_otlp_json.record_of, records):
            logs.take(read)
        found = [*spans.once(), *logs.parts()]
        self.left.update(spans.left)
        self.left.update(logs.left)
        return found


def _rows(path: Path, config: FilesConfig) -> Iterator[Item]:
    """The rows of a file without its documents of OTLP, as far as it is written."""
    try:
        for number, item in items(path, config.encoding):
            if not any(name in item for name in OTLP):
                yield number, item
    except HalfWritten:
        return


def _names(rows: Iterable[Item], wanted: set[str]) -> dict[str, None]:
    """The names of columns that rows have, until all that are wanted were seen; in the order of the file."""
    found: dict[str, None] = {}
    for _, row in rows:
        found |= dict.fromkeys(row)
        if wanted <= found.keys():
            break
    return found


def _seconds(milliseconds: Any) -> Any:
    """What is no number is told of as what it is."""
    try:
        return float(milliseconds) / 1000
    except (TypeError, ValueError):
        return milliseconds


SOURCE = Source(config=FilesConfig, collect=collect)
