"""Reading the telemetry: one Ibis expression over the Parquet files and the spool, run by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.monitor.telemetry import _parquet, _spool
from driftgate.monitor.telemetry._columns import SCHEMA
from driftgate.monitor.telemetry._record import COLUMNS, NGRAMS, TRUTHS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from ibis.backends.duckdb import Backend

Result = TypeVar("Result")

_LABELS = tuple(name for name in COLUMNS if SCHEMA.field(name).type == pa.string() and not name.endswith("_text"))
_NUMBERS = ("input_tokens", "output_tokens", "latency", "output_chars", *TRUTHS, "weight")
_ATTEMPTS = 5


def frame(
    folder: Path,
    start: datetime,
    end: datetime,
    *,
    only: Mapping[str, str] | None = None,
    columns: tuple[str, ...] = COLUMNS,
    texts_a_day: int | None = None,
) -> pd.DataFrame:
    """Return the model calls of ``[start, end)``, one row each, in order of time.

    Parameters
    ----------
    folder : Path
        The store's folder; it may be written at the same time.
    start, end : datetime
        With a time zone.
    only : mapping of str to str, optional
        Labels a call must have, for example ``{"slice": "billing"}``.
    columns : tuple of str
        The columns wanted; leaving out n-grams and texts saves most of the memory.
    texts_a_day : int, optional
        Of how many calls of a day (UTC) n-grams are read, drawn by the calls' identities; None: of all.

    Returns
    -------
    pandas.DataFrame
        ``time`` is ``datetime64[ns, UTC]``; labels are str, "" if unknown; ``error`` is str, "" where nothing went
        wrong and None if unknown; numbers are float, NaN if unknown, with truths as 0 and 1;
        n-grams are arrays as `driftgate.monitor.ngrams` reads them, empty where they are there and were not read, None
        where the text was not told; texts are str or None.

    Raises
    ------
    DriftgateError
        A column is not known, or a time has no time zone.
    """
    for name in {*(only or {}), *columns}:
        if name not in COLUMNS or (only and name in only and name not in _LABELS):
            raise DriftgateError(f"telemetry has no label '{name}'", nearest(name, _LABELS if only else COLUMNS))

    def read(connection: Backend, calls: ir.Table) -> pd.DataFrame:
        for name, value in (only or {}).items():
            calls = calls.filter(calls[name] == value)
        if texts_a_day is not None:
            calls = _some_texts(calls, [name for name in NGRAMS if name in columns], texts_a_day)
        wanted = calls.order_by(["time", "trace_id", "span_id"]).select(
            [calls[name].cast("float64").name(name) if name in _NUMBERS else calls[name] for name in columns]
        )
        rows: pd.DataFrame = connection.to_pyarrow(wanted).to_pandas()
        if "time" in rows:
            rows["time"] = rows["time"].astype("datetime64[ns, UTC]")
        return rows

    return _query(folder, start, end, read)


def _some_texts(calls: ir.Table, names: Sequence[str], most: int) -> ir.Table:
    """Empty the n-grams of all but some calls of each day."""
    import ibis

    for name in names:
        of_day = [calls.time.cast("timestamp").date(), calls[name].notnull()]
        drawn = (calls.trace_id + calls.span_id).hash()
        place = ibis.row_number().over(ibis.window(group_by=of_day, order_by=[drawn, calls.time]))
        calls = calls.mutate(**{name: ibis.ifelse(place < most, calls[name], calls[name][:0])})
    return calls


def calls_between(connection: Backend, folder: Path, start: datetime, end: datetime) -> ir.Table:
    """The expression everything else builds on: the calls of ``[start, end)``, each once.

    Parameters
    ----------
    connection : ibis DuckDB backend
        Where it will be run.
    folder : Path
        The store's folder.
    start, end : datetime
        With a time zone.
    """
    import ibis

    # The spool before the Parquet files: a call on its way from one to the other is then seen at least once.
    spooled = _spooled(folder / "spool")
    files = [str(path) for path in _parquet.files_between(folder, start, end)]
    calls: ir.Table = ibis.memtable(spooled)
    if files:
        kept = connection.read_parquet(files, hive_partitioning=False, union_by_name=True)
        young = {name: ibis.null(calls[name].type()) for name in COLUMNS if name not in kept.columns}
        calls = ibis.union(kept.mutate(**young).select(list(COLUMNS)), calls)
    calls = calls.filter((calls.time >= start) & (calls.time < end))
    # Of copies of a call, one that tells whether it failed.
    told = calls.error.isnull()
    same = ibis.window(group_by=["trace_id", "span_id"], order_by=[told, calls.time, calls.latency])
    return calls.mutate(repeat=ibis.row_number().over(same)).filter(ibis._.repeat == 0).drop("repeat")


def _query(folder: Path, start: datetime, end: datetime, read: Callable[[Backend, ir.Table], Result]) -> Result:
    if start.tzinfo is None or end.tzinfo is None:
        raise DriftgateError("a period of telemetry was given without a time zone", "use datetime(..., tzinfo=UTC)")
    import duckdb
    import ibis

    for attempt in range(_ATTEMPTS):
        connection: Any = ibis.duckdb.connect()
        try:
            connection.raw_sql("SET TimeZone = 'UTC'")
            return read(connection, calls_between(connection, folder, start, end))
        except duckdb.IOException:
            # The writer merged files away between their listing and their reading: what replaced them is there now.
            if attempt == _ATTEMPTS - 1:
                raise
        finally:
            connection.disconnect()
    raise AssertionError("not reached")


def _spooled(spool: Path) -> pa.Table:
    tables = [SCHEMA.empty_table()]
    for path in _spool.segments(spool):
        try:
            tables.append(_spool.read_segment(path).rows)
        except FileNotFoundError:  # compacted since it was listed; the Parquet files are listed after this
            continue
    return pa.concat_tables(tables)
