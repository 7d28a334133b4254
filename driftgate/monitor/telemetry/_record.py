"""The telemetry record: one call of a model, and its Arrow form."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model in production; ``(trace_id, span_id)`` is its identity.

    Unknown numbers are ``None``, unknown labels empty.

    Examples
    --------
    >>> from datetime import UTC
    >>> call = ModelCall(datetime(2026, 3, 1, 9, tzinfo=UTC), "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    >>> to_arrow([call])["span_id"].to_pylist()
    ['eee19b7ec3c1b174']
    """

    time: datetime
    """When the call began; with a time zone."""
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    operation: str = "chat"
    """``gen_ai.operation.name``."""
    provider: str = ""
    """``gen_ai.provider.name``, for example ``azure.ai.openai``."""
    request_model: str = ""
    """The model that was asked for."""
    response_model: str = ""
    """The model that answered."""
    fingerprint: str = ""
    """The provider's ``system_fingerprint``."""
    prompt_hash: str = ""
    """Hash of the prompt template, or of the system message where only that is known."""
    slice: str = ""
    """The application's own label for the kind of request."""
    finish_reason: str = ""
    """Why the model stopped: ``stop``, ``length``, ``content_filter``."""
    error: str = ""
    """What went wrong, as a type; empty: nothing."""
    input_tokens: int | None = None
    """Tokens read."""
    output_tokens: int | None = None
    """Tokens written."""
    latency: float | None = None
    """Seconds."""
    output_chars: int | None = None
    """Characters of the answer."""
    refused: bool | None = None
    """Whether the answer is a refusal."""
    unparsed: bool | None = None
    """Whether the application could not make sense of the answer."""
    input_ngrams: tuple[int, ...] | None = field(default=None, repr=False)
    """Counts of hashed character 3-grams of the input, see :func:`driftgate.monitor.telemetry.input_ngrams`."""
    input_text: str | None = field(default=None, repr=False)
    """The input, redacted; kept only when the workspace turns content capture on."""
    output_text: str | None = field(default=None, repr=False)
    """The answer, redacted; kept only when the workspace turns content capture on."""
    weight: int = 1
    """How many calls this row stands for: above 1 where the source keeps a sample."""


COLUMNS = tuple(member.name for member in fields(ModelCall))

_TYPES = {
    "time": pa.timestamp("us", tz="UTC"),
    "input_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "latency": pa.float64(),
    "output_chars": pa.int64(),
    "refused": pa.bool_(),
    "unparsed": pa.bool_(),
    "input_ngrams": pa.list_(pa.int32()),
    "weight": pa.int64(),
}
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])
"""Of the spool, of the Parquet files and of the expressions over them."""


def to_arrow(calls: Iterable[ModelCall]) -> pa.RecordBatch:
    """Put calls into columns."""
    listed = list(calls)
    columns = [
        _ngram_column(listed)
        if column.name == "input_ngrams"
        else pa.array([getattr(call, column.name) for call in listed], column.type)
        for column in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _ngram_column(calls: Sequence[ModelCall]) -> pa.Array:
    """Put all counts side by side at once; Arrow's own conversion of nested lists is several times as slow."""
    counts = [call.input_ngrams or () for call in calls]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in counts], dtype=np.int32)], dtype=np.int32)
    values = np.fromiter(itertools.chain.from_iterable(counts), np.int32, offsets[-1])
    missing = pa.array([call.input_ngrams is None for call in calls], pa.bool_())
    return pa.ListArray.from_arrays(offsets, values, mask=missing)
