"""What a file of telemetry holds: rows of calls, or what an OpenTelemetry Collector or SDK wrote down.

The ending says how a file is read, ``.gz`` behind it that it is compressed. Of JSON each document says what it is: one
with ``resourceSpans`` or ``resourceLogs`` is OTLP, in a file of its own or one a line, as the Collector's file exporter
writes them; any other is a row.
"""

from __future__ import annotations

import gzip
import json
import logging
import time
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from driftgate.benchmarks.datasets._encoding import decode
from driftgate.benchmarks.datasets._rows import csv_rows
from driftgate.flows.errors import DriftgateError

log = logging.getLogger(__name__)

KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""Endings of files that are read; the texts among them also with ``.gz``."""
OTLP = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
"""What the documents of OTLP hold, of which metrics and profiles tell of no call."""
_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
"""Of which every value is a text, and nothing and an empty text are the same."""
_BATCH = 5_000
_SETTLED = 60.0
"""Seconds after which a last row without an end is whole: some programs write none."""

_LEFT = 3600.0
"""Seconds after which nobody goes on with a file that is half written."""

AT_AN_END = 500
"""Rows at each end of a file that are looked at."""
MOST = 50_000
"""Rows beyond which a file is not looked at."""

Item = tuple[int, Mapping[str, Any]]
"""The number of a row or document, from 1, and what it says."""


class HalfWritten(Exception):
    """The end of the file is still written; what came before it was read."""


def kind_of(path: Path) -> str:
    """The ending that says how a file is read; empty of one that is not read.

    Examples
    --------
    >>> kind_of(Path("traces-2026.json.gz")), kind_of(Path("a.CSV")), kind_of(Path("a.xlsx"))
    ('.json', '.csv', '')
    """
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    found = next((kind for kind in KINDS if plain.endswith(kind)), "")
    return "" if found == ".parquet" and name != plain else found


def is_left(path: Path) -> bool:
    """Whether nobody writes to a file any more: what it lacks by now does not come."""
    return time.time() - path.stat().st_mtime >= _LEFT


def items(path: Path, encoding: str | None) -> Iterator[Item]:
    """Yield what a file holds, in its order.

    Raises
    ------
    HalfWritten
        At the end of a file that is still written.
    DriftgateError
        It is of another kind than its ending says, or not in its encoding; the sentence names the file and the row.
    """
    kind = kind_of(path)
    try:
        if kind == ".parquet":
            yield from _of_parquet(path)
        elif kind in TABLES:
            yield from _of_table(path, encoding)
        elif kind in _LINES or kind == ".json":
            yield from _of_json(path, encoding)
        else:
            raise DriftgateError(
                f"{path.name} is neither {', '.join(KINDS[:-1])} nor {KINDS[-1]}", "see 'pattern' of the source 'files'"
            )
    except EOFError:  # a gzip file without its end
        if is_left(path):
            told = (
                f"{path.name} ends in the middle: its gzip stream is cut off, and nobody has written to it for an hour"
            )
            raise DriftgateError(told, "write it anew, or take it away once you know which calls are missing") from None
        raise HalfWritten from None
    except (gzip.BadGzipFile, zlib.error) as problem:
        raise DriftgateError(f"{path.name} is no gzip file: {problem}", "write it anew") from None


def first_and_last(path: Path, encoding: str | None) -> tuple[list[Item], int, bool]:
    """The first and the last rows of a file, how many it has as far as it was read, and whether that was to its end.

    Raises
    ------
    DriftgateError
        As of :func:`items`.
    """
    first: list[Item] = []
    last: deque[Item] = deque(maxlen=AT_AN_END)
    count = 0
    try:
        for item in items(path, encoding):
            count += 1
            (first if count <= AT_AN_END else last).append(item)
            if count >= MOST:
                return [*first, *last], count, False
    except HalfWritten:
        pass
    return [*first, *last], count, True


def says_nothing_two_ways(path: Path, column: str) -> bool:
    """Whether a column of a Parquet file has empty texts beside nulls: of these two only the text says "nothing".

    Raises
    ------
    DriftgateError
        It is no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        there = file.schema_arrow.field(column).type if column in file.schema_arrow.names else pa.null()
        if not (pa.types.is_string(there) or pa.types.is_large_string(there)):
            return False
        held = file.read(columns=[column]).column(column)
    except pa.ArrowInvalid as problem:
        raise DriftgateError(f"{path.name} is no Parquet file: {problem}") from problem
    return bool(held.null_count) and bool(pc.any(pc.equal(held, "")).as_py())


def _of_parquet(path: Path) -> Iterator[Item]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except pa.ArrowInvalid as problem:
        raise DriftgateError(f"{path.name} is no Parquet file: {problem}") from problem


def _of_table(path: Path, encoding: str | None) -> Iterator[Item]:
    with _opened(path) as file:
        text = decode(Path(path.name), file.read(), encoding, settable=True)
    # Half a row can look like a whole one: 12 of 123.
    ends = text.rfind("\n") + 1
    half = ends < len(text) and time.time() - path.stat().st_mtime < _SETTLED
    for row in csv_rows(Path(path.name), text[:ends] if half else text):
        yield row.number, row.values
    if half:
        raise HalfWritten


def _of_json(path: Path, encoding: str | None) -> Iterator[Item]:
    with _opened(path) as file:
        first = next((line for line in file if line.strip()), b"")
    if kind_of(path) == ".json" and _parsed(first.decode("utf-8-sig", "replace")) is None:
        yield from _of_document(path, encoding)
        return
    if encoding is not None or first.startswith((b"\xff\xfe", b"\xfe\xff")):
        with _opened(path) as file:
            whole = decode(Path(path.name), file.read(), encoding, settable=True).encode()
        yield from _of_lines(path, iter(whole.splitlines(keepends=True)))
        return
    with _opened(path) as file:
        yield from _of_lines(path, file)


def _of_lines(path: Path, lines: Iterator[bytes] | IO[bytes]) -> Iterator[Item]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        ended = line.endswith(b"\n")
        try:
            text = decode(Path(path.name), line, settable=True)
        except DriftgateError as problem:
            if not ended:
                raise HalfWritten from None
            raise DriftgateError(f"{path.name}, row {number}: {problem.message}", problem.remedy) from None
        found = _parsed(text)
        if found is None and not ended and not _is_json(text):
            raise HalfWritten
        if found is None:
            raise DriftgateError(f"{path.name}, row {number} is no JSON object", "write one JSON object a line")
        yield number, found


def _of_document(path: Path, encoding: str | None) -> Iterator[Item]:
    """One document over many lines: of OTLP, or a list of rows."""
    with _opened(path) as file:
        text = decode(Path(path.name), file.read(), encoding, settable=True)
    if not text.strip():
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        if time.time() - path.stat().st_mtime < _SETTLED:
            raise HalfWritten from None
        raise DriftgateError(f"{path.name} is no JSON: {str(problem)[:100]}", "write it anew") from None
    rows = found if isinstance(found, list) else [found]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise DriftgateError(f"{path.name}, row {number} is no JSON object", "write a list of objects")
        yield number, row


def _opened(path: Path) -> IO[bytes]:
    if path.name.lower().endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_json(text: str) -> bool:
    """Whether a text is JSON of whatever kind, or nested too deep to say."""
    try:
        json.loads(text)
    except ValueError:
        return False
    except RecursionError:
        pass
    return True
