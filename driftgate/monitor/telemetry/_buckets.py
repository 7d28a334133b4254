"""Traces in buckets, so that a look reads as many of a window's calls as it needs, however many there are.

What belongs to one call, its log records and the calls around it, has its trace, and is drawn or left with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftgate.monitor.telemetry._columns import LABELS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

BUCKET = "bucket"
"""The column by which the Parquet files are sorted."""
BUCKETS = 2**16


def with_buckets(rows: pa.Table) -> pa.Table:
    """Add the column :data:`BUCKET`, by a hash that no later version may change.

    Examples
    --------
    >>> with_buckets(pa.table({"trace_id": ["4bf92f3577b34da6a3ce929d0e0e4736", "", "a"]})).column(BUCKET).to_pylist()
    [34518, 14918, 49104]
    """
    from pandas.util import hash_array

    traces = rows.column("trace_id").to_numpy().astype(object)
    buckets = (hash_array(traces, categorize=False) % BUCKETS).astype(np.uint16)
    return rows.append_column(BUCKET, pa.array(buckets, pa.uint16()))


def bucketed(rows: ir.Table) -> ir.Table:
    """Rows of files that do not have the column yet, with one that tells their traces apart as well."""
    trace: Any = rows.trace_id
    return rows.mutate(**{BUCKET: (trace.hash().abs() % BUCKETS).cast("uint16")})


def drawn(
    connection: Backend, rows: ir.Table, start: datetime, end: datetime, only: Mapping[str, str], most: int
) -> tuple[ir.Table, float]:
    """The rows of as many whole buckets as hold no more than so many calls, at least of one, and their share of all.

    Parameters
    ----------
    rows : table
        With the column :data:`BUCKET`.
    start, end, only
        Which calls are counted. A label that a row does not tell may be told by another of its call.
    most : int
        Calls.

    Returns
    -------
    tuple of table and float
        Each call is in it with the same probability, which the share estimates.
    """
    counted = rows.filter((rows.part == "") & (rows.time >= start) & (rows.time < end))
    for name, value in only.items():
        counted = counted.filter(counted[name].isin(["", value] if name in LABELS else [value]))
    last, share = _last(connection, counted, most)
    return rows if last is None else rows.filter(rows[BUCKET] <= last), share


def few_texts(connection: Backend, rows: ir.Table, names: Sequence[str], most: int) -> ir.Table:
    """Empty the n-grams of all but about so many rows, before anything is sorted or joined that has them.

    Parameters
    ----------
    names : sequence of str
        Columns of n-grams.
    most : int
        Rows that have any.
    """
    import ibis

    for name in names:
        last, _ = _last(connection, rows.filter(rows[name].notnull()), most)
        if last is not None:
            kept = rows[name].isnull() | (rows[BUCKET] <= last)
            rows = rows.mutate(**{name: ibis.ifelse(kept, rows[name], rows[name][:0])})
    return rows


def _last(connection: Backend, rows: ir.Table, most: int) -> tuple[int | None, float]:
    """The last bucket up to which there are no more than so many rows, and their share; None where it is all."""
    found = connection.to_pyarrow(rows.group_by(BUCKET).aggregate(rows=rows.count()).order_by(BUCKET))
    up_to = np.cumsum(found["rows"].to_numpy())
    if not up_to.size or up_to[-1] <= most:
        return None, 1.0
    place = max(int(np.searchsorted(up_to, most, side="right")) - 1, 0)
    return int(found[BUCKET][place].as_py()), float(up_to[place] / up_to[-1])
