"""Telemetry: the calls of models in production, received, kept and read back.

:class:`Store` keeps :class:`ModelCall` records; :func:`router` feeds it by OTLP/HTTP, the sources of
:mod:`driftgate.monitor.telemetry.sources` from elsewhere; :func:`frame` and :func:`daily` read it.
"""

from driftgate.monitor.telemetry._content import Intake, input_ngrams
from driftgate.monitor.telemetry._frame import DAILY_COLUMNS, LATENCY_EDGES, calls_between, daily, frame
from driftgate.monitor.telemetry._http import router
from driftgate.monitor.telemetry._otlp import Decoded, Refused, decode
from driftgate.monitor.telemetry._record import COLUMNS, SCHEMA, ModelCall, from_arrow, to_arrow
from driftgate.monitor.telemetry._spans import Span, is_model_call, model_call
from driftgate.monitor.telemetry._store import Busy, Compaction, Store

__all__ = [
    "COLUMNS",
    "DAILY_COLUMNS",
    "LATENCY_EDGES",
    "SCHEMA",
    "Busy",
    "Compaction",
    "Decoded",
    "Intake",
    "ModelCall",
    "Refused",
    "Span",
    "Store",
    "calls_between",
    "daily",
    "decode",
    "frame",
    "from_arrow",
    "input_ngrams",
    "is_model_call",
    "model_call",
    "router",
    "to_arrow",
]
