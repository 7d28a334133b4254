"""Reading the telemetry: one Ibis expression over the Parquet files and the spool, run by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.monitor.telemetry import _parquet, _spool
from driftgate.monitor.telemetry._buckets import BUCKET, bucketed, drawn, few_texts, with_buckets
from driftgate.monitor.telemetry._columns import LABELS, SCHEMA
from driftgate.monitor.telemetry._joined import joined
from driftgate.monitor.telemetry._places import places
from driftgate.monitor.telemetry._record import COLUMNS, NGRAMS, STEPS, TRUTHS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from ibis.backends.duckdb import Backend

Result = TypeVar("Result")

_SELECTING = (*LABELS, "error")
_FEW = ("time_to_first_token", "reasoning_tokens", "cached_tokens", "tool_calls")
_NUMBERS = ("input_tokens", "output_tokens", "latency", "output_chars", *TRUTHS, "weight", *_FEW)
_YOUNG = tuple(name for name in COLUMNS[COLUMNS.index("weight") + 1 :] if name in LABELS)
"""Labels that older files do not have."""
_ORDER = ("time", "trace_id", "span_id")
_AT_ONCE = 300
"""Seconds."""
_ATTEMPTS = 5
_APART = timedelta(hours=1)
"""How far apart in time what belongs to one call may be."""


@dataclass(frozen=True)
class Sample:
    """Some calls of a period."""

    calls: pd.DataFrame
    """As :func:`frame` gives them; the ``weight`` of each says for how many calls it stands."""
    share: float
    """Of the period's calls; 1 where they are all."""


def frame(
    folder: Path,
    start: datetime,
    end: datetime,
    *,
    only: Mapping[str, str] | None = None,
    columns: tuple[str, ...] = COLUMNS,
    graded: tuple[float, int] | None = None,
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
    graded : (float, int), optional
        A rate and a seed: only calls that these draw to be graded (`driftgate.monitor.sampling.is_drawn`), and those of
        which an application tells an evaluation. The others are never held.

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
    return sample(folder, start, end, only=only, columns=columns, graded=graded).calls


def sample(
    folder: Path,
    start: datetime,
    end: datetime,
    *,
    only: Mapping[str, str] | None = None,
    columns: tuple[str, ...] = COLUMNS,
    most: int | None = None,
    most_texts: int | None = None,
    graded: tuple[float, int] | None = None,
) -> Sample:
    """Return no more calls of ``[start, end)`` than are needed, so that what is held does not grow with the traffic.

    Parameters
    ----------
    folder, start, end, only, columns, graded
        As of :func:`frame`.
    most : int, optional
        Of more calls than this about so many are read: whole traces, drawn at random, at every reading the same ones.
    most_texts : int, optional
        Of about how many calls n-grams are read, of whole traces again; None: of all.

    Raises
    ------
    DriftgateError
        A column is not known, or a time has no time zone.
    """
    for name in {*(only or {}), *columns}:
        if name not in COLUMNS or (only and name in only and name not in _SELECTING):
            raise DriftgateError(f"telemetry has no label '{name}'", nearest(name, _SELECTING if only else COLUMNS))

    def read(connection: Backend) -> Sample:
        rows, share = rows_between(connection, folder, start - _APART, end + _APART), 1.0
        if most is not None:
            rows, share = drawn(connection, rows, start, end, only or {}, most)
        if most_texts is not None:
            rows = few_texts(connection, rows, [name for name in NGRAMS if name in columns], most_texts)
        calls = _calls(connection, rows, start, end)
        for name, value in (only or {}).items():
            calls = calls.filter(calls[name] == value)
        if graded is not None:
            calls = calls.filter(_drawn_to_be_graded(calls, *graded) | calls.evaluations.notnull())
        wanted = dict.fromkeys([*columns, *_ORDER])
        typed = [calls[name].cast("float64").name(name) if name in _NUMBERS else calls[name] for name in wanted]
        table = connection.to_pyarrow(calls.select(typed))
        # Sorted here: the database would sort rows with all that they hold.
        order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in _ORDER])
        found: pd.DataFrame = table.select(list(columns)).take(order).to_pandas()
        if "time" in found:
            found["time"] = found["time"].astype("datetime64[ns, UTC]")
        if "weight" in found:
            found["weight"] /= share
        return Sample(found, share)

    return _query(start, end, read)


def _drawn_to_be_graded(calls: ir.Table, rate: float, seed: int) -> ir.BooleanValue:
    """What `driftgate.monitor.sampling.is_drawn` says, where the calls are."""
    import ibis

    @ibis.udf.scalar.builtin  # type: ignore[untyped-decorator] # Ibis does not say
    def sha256(text: str) -> str:
        """In hexadecimal digits."""
        raise NotImplementedError("DuckDB has it")

    if rate >= 1.0:
        return calls.trace_id.notnull()
    digits = sha256(ibis.literal(f"{seed}:") + calls.trace_id + ":" + calls.span_id)[:16]
    return digits < f"{round(rate * 2**64):016x}"


def steps(folder: Path, start: datetime, end: datetime) -> pd.DataFrame:
    """What agents and tools did in ``[start, end)``, a row each, in order of time.

    Returns
    -------
    pandas.DataFrame
        ``time``, ``trace_id``, ``span_id``, ``kind`` (``agent`` or ``tool``), ``step`` (its name), ``operation``,
        ``parent_id`` (the span around it: a call, an agent, or one that was not kept), ``error``, ``latency``,
        ``conversation``, ``user``, ``tenant``; ``calls``, ``input_tokens`` and ``output_tokens``: of the calls of
        models that were made right within it.

    Raises
    ------
    DriftgateError
        A time has no time zone.
    """
    columns = ("operation", "parent_id", "error", "latency", "conversation", "user", "tenant")

    def read(connection: Backend) -> pd.DataFrame:
        calls = _calls(connection, rows_between(connection, folder, start - _APART, end + _APART), start, end)
        rows = rows_between(connection, folder, start, end)
        kept = rows.filter(rows.part.isin(STEPS))
        kept = kept.select("time", "trace_id", "span_id", "step", *columns, kind=kept.part).distinct()
        inner = calls.filter(calls.parent_id != "").drop("span_id").rename(span_id="parent_id")
        made = inner.group_by(["trace_id", "span_id"]).aggregate(
            calls=inner.count(), input_tokens=inner.input_tokens.sum(), output_tokens=inner.output_tokens.sum()
        )
        both = kept.left_join(made, ["trace_id", "span_id"])
        wanted = both.mutate(calls=both.calls.fill_null(0)).order_by(["time", "trace_id", "span_id"])
        names = ("time", "trace_id", "span_id", "kind", "step", *columns, "calls", "input_tokens", "output_tokens")
        found: pd.DataFrame = connection.to_pyarrow(wanted.select(list(names))).to_pandas()
        return found

    return _query(start, end, read)


def volumes(
    folder: Path, start: datetime, end: datetime, labels: Sequence[str], *, only: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return how many calls came in every five minutes of ``[start, end)``, by labels; of copies each counts.

    Returns
    -------
    pandas.DataFrame
        ``time`` (of the last of them), the labels, and ``weight``, the calls.

    Raises
    ------
    DriftgateError
        A time has no time zone.
    """

    def read(connection: Backend) -> pd.DataFrame:
        rows = rows_between(connection, folder, start, end)
        calls = rows.filter(rows.part == "")
        for name, value in (only or {}).items():
            calls = calls.filter(calls[name] == value)
        at_once = calls.group_by([*labels, (calls.time.epoch_seconds() // _AT_ONCE).name("at")])
        counted = at_once.aggregate(time=calls.time.max(), weight=calls.weight.sum().cast("float64"))
        found: pd.DataFrame = connection.to_pyarrow(counted.select("time", *labels, "weight")).to_pandas()
        found["time"] = found["time"].astype("datetime64[ns, UTC]")
        return found.sort_values(["time", *labels], ignore_index=True)

    return _query(start, end, read)


def _calls(connection: Backend, rows: ir.Table, start: datetime, end: datetime) -> ir.Table:
    """The calls of ``[start, end)`` among rows that reach further, each once."""
    calls = joined(connection, rows.drop(BUCKET))
    return calls.filter((calls.time >= start) & (calls.time < end))


def rows_between(connection: Backend, folder: Path, start: datetime, end: datetime) -> ir.Table:
    """The expression everything else builds on: all that was received of ``[start, end)``, with its bucket.

    Parameters
    ----------
    connection : ibis DuckDB backend
        Where it will be run.
    folder : Path
        The store's folder.
    start, end : datetime
        With a time zone.
    """
    rows = stored_rows(connection, folder, (start, end))
    return rows.filter((rows.time >= start) & (rows.time < end))


def stored_rows(connection: Backend, folder: Path, days: tuple[datetime, datetime] | None = None) -> ir.Table:
    """Every row as it is stored, copies and parts of calls among them, with its bucket.

    Parameters
    ----------
    days : tuple of datetime, optional
        Only files of the days from the first to the second are needed.
    """
    import ibis

    # The spool before the Parquet files: a call on its way from one to the other is then seen at least once.
    stores = places(folder)
    rows: ir.Table = ibis.memtable(with_buckets(_spooled([store / "spool" for store in stores])))
    every = [*COLUMNS, BUCKET]
    files = [
        path
        for store in stores
        for path in (_parquet.every_part(store) if days is None else _parquet.files_between(store, *days))
    ]
    for older in (False, True):
        alike = [str(path) for path in files if (BUCKET not in pq.read_schema(path).names) is older]
        if alike:
            kept = connection.read_parquet(alike, hive_partitioning=False, union_by_name=True)
            kept = bucketed(kept) if older else kept
            young = {name: _unknown(rows[name], name) for name in COLUMNS if name not in kept.columns}
            young |= {name: kept[name].fill_null("") for name in _YOUNG if name in kept.columns}  # of files without it
            rows = ibis.union(kept.mutate(**young).select(every), rows)
    return rows


def _unknown(column: ir.Value, name: str) -> ir.Value:
    """What a file has of a column that there was not yet when it was written."""
    import ibis

    return ibis.literal("") if name in LABELS else ibis.null(column.type())


def _query(start: datetime, end: datetime, read: Callable[[Backend], Result]) -> Result:
    if start.tzinfo is None or end.tzinfo is None:
        raise DriftgateError("a period of telemetry was given without a time zone", "use datetime(..., tzinfo=UTC)")
    return asked(read)


def asked(read: Callable[[Backend], Result]) -> Result:
    """Ask DuckDB something of a folder that may be written at the same time."""
    import duckdb
    import ibis

    for attempt in range(_ATTEMPTS):
        connection: Any = ibis.duckdb.connect()
        try:
            connection.raw_sql("SET TimeZone = 'UTC'")
            return read(connection)
        except (duckdb.IOException, FileNotFoundError):
            # The writer merged files away between their listing and their reading: what replaced them is there now.
            if attempt == _ATTEMPTS - 1:
                raise
        finally:
            connection.disconnect()
    raise AssertionError("not reached")


def _spooled(spools: Sequence[Path]) -> pa.Table:
    tables = [SCHEMA.empty_table()]
    for path in (path for spool in spools for path in _spool.segments(spool)):
        try:
            tables.append(_spool.read_segment(path).rows)
        except FileNotFoundError:  # compacted since it was listed; the Parquet files are listed after this
            continue
    return pa.concat_tables(tables)
