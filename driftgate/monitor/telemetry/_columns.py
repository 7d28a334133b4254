"""Model calls as columns, which is how they are kept and read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

import numpy as np
import pyarrow as pa

from driftgate.monitor.ngrams import NGrams
from driftgate.monitor.telemetry._record import COLUMNS, NGRAMS, TRUTHS, ModelCall

_TYPES = {
    "time": pa.timestamp("us", tz="UTC"),
    "input_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "latency": pa.float64(),
    "output_chars": pa.int64(),
    **dict.fromkeys(TRUTHS, pa.bool_()),
    "input_ngrams": pa.list_(pa.int32()),
    "output_ngrams": pa.list_(pa.int32()),
    "weight": pa.int64(),
    "time_to_first_token": pa.float64(),
    "reasoning_tokens": pa.int64(),
    "cached_tokens": pa.int64(),
    "tool_calls": pa.int64(),
    "evaluations": pa.list_(pa.string()),
}
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])
"""Of the spool, of the Parquet files and of the expressions over them."""
LABELS = tuple(
    column.name
    for column in SCHEMA
    if column.type == pa.string() and column.name not in ("trace_id", "span_id", "error", "input_text", "output_text")
)
"""Columns of which an unknown value is the empty text; of ``error`` it is null."""
_values_of = attrgetter(*COLUMNS)


def to_arrow(calls: Iterable[ModelCall]) -> pa.RecordBatch:
    """Put calls into columns."""
    values = list(zip(*map(_values_of, calls), strict=True)) or [()] * len(COLUMNS)
    columns = [
        _ngram_column(held) if column.name in NGRAMS else pa.array(held, column.type)
        for column, held in zip(SCHEMA, values, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _ngram_column(kept: Sequence[Sequence[int] | None]) -> pa.Array:
    """Put all counts side by side at once; Arrow's own conversion of nested lists is several times as slow."""
    data = [b"" if each is None else each.data if isinstance(each, NGrams) else _data(each) for each in kept]
    offsets = np.concatenate([[0], np.cumsum([len(each) // 4 for each in data], dtype=np.int32)], dtype=np.int32)
    missing = pa.array([each is None for each in kept], pa.bool_())
    return pa.ListArray.from_arrays(offsets, np.frombuffer(b"".join(data), np.int32), mask=missing)


def _data(numbers: Sequence[int]) -> bytes:
    return np.fromiter(numbers, np.int32, len(numbers)).tobytes()
