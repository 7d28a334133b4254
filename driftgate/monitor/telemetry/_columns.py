"""Model calls as columns, which is how they are kept and read: no secret gets into one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from driftgate.flows.scrubbing import holds_secret, scrub, told, told_label
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
_HEXADECIMAL = re.compile("[0-9a-f]*")
_Values = Sequence[Any]


def to_arrow(calls: Iterable[ModelCall]) -> pa.RecordBatch:
    """Put calls into columns, with secrets and personal data in labels and texts blanked, whoever put them there.

    Raises
    ------
    ValueError, TypeError, OverflowError
        A value does not fit its column.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> call = ModelCall(datetime(2026, 3, 1, 9, tzinfo=UTC), "5b" * 16, "ee" * 8, slice="kim@example.kr")
    >>> to_arrow([call]).column("slice").to_pylist()
    ['<EMAIL_ADDRESS>']
    """
    held = list(calls)
    columns = [_column(member, list(map(attrgetter(member.name), held))) for member in SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _column(member: pa.Field, held: _Values) -> pa.Array:
    if member.name in NGRAMS:
        return _ngram_column(held)
    clean = _CLEANED.get(member.name, _as_they_are)
    # Most columns hold one value, and to see that takes a tenth of the time of putting each into the column.
    if len(held) > 1 and not isinstance(held[0], tuple) and held.count(held[0]) == len(held):
        return pa.repeat(pa.scalar(clean(held[:1])[0], member.type), len(held))
    return pa.array(clean(held), member.type)


def _as_they_are(held: _Values) -> _Values:
    return held


def _clean_labels(held: _Values) -> _Values:
    """Labels are few and come again and again: each is looked at once."""
    changed = {label: cleaned for label in set(held) if label and (cleaned := told_label(label)) != label}
    return [changed.get(label, label) for label in held] if changed else held


def _clean_texts(held: _Values) -> _Values:
    return [text and told(text) for text in held] if any(held) else held


def _clean_ids(held: _Values) -> _Values:
    """Of a span they are random: one that looks like the number of a card is none."""
    if _HEXADECIMAL.fullmatch("".join(held)) and not holds_secret("\n".join(held)):
        return held
    return [scrub(text) if text and _HEXADECIMAL.fullmatch(text) else told(text) for text in held]


def _clean_results(held: _Values) -> _Values:
    return [results and tuple(map(told, results)) for results in held] if any(held) else held


_OURS = ("response_hash", "dialect", "part", "input_from", "output_from")
"""Labels that nobody else can have written."""
_CLEANED: Mapping[str, Callable[[_Values], _Values]] = {
    **dict.fromkeys(("error", *(name for name in LABELS if name not in _OURS)), _clean_labels),
    **dict.fromkeys(("input_text", "output_text"), _clean_texts),
    **dict.fromkeys(("trace_id", "span_id", "parent_id"), _clean_ids),
    "evaluations": _clean_results,
}
"""How the values of a column lose what must not be kept."""


def _ngram_column(kept: Sequence[Sequence[int] | None]) -> pa.Array:
    """Put all counts side by side at once; Arrow's own conversion of nested lists is several times as slow."""
    if all(each is None for each in kept):
        return pa.nulls(len(kept), pa.list_(pa.int32()))
    data = [b"" if each is None else each.data if isinstance(each, NGrams) else _data(each) for each in kept]
    offsets = np.concatenate([[0], np.cumsum([len(each) // 4 for each in data], dtype=np.int32)], dtype=np.int32)
    missing = pa.array([each is None for each in kept], pa.bool_())
    return pa.ListArray.from_arrays(offsets, np.frombuffer(b"".join(data), np.int32), mask=missing)


def _data(numbers: Sequence[int]) -> bytes:
    return np.fromiter(numbers, np.int32, len(numbers)).tobytes()
