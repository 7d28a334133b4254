"""Telemetry: the calls of models in production, received, kept and read back.

:class:`Store` keeps :class:`ModelCall` records; :func:`router` feeds it by OTLP/HTTP, the sources of
:mod:`driftgate.monitor.telemetry.sources` from elsewhere; :func:`frame` reads it.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._columns import SCHEMA, to_arrow
    from driftgate.monitor.telemetry._content import Clock, Intake
    from driftgate.monitor.telemetry._forget import Gone
    from driftgate.monitor.telemetry._frame import Sample, frame, sample, steps, volumes
    from driftgate.monitor.telemetry._http import router
    from driftgate.monitor.telemetry._instances import compact_others, forget_user, open_free
    from driftgate.monitor.telemetry._otlp import Decoded, Refused, decode, decode_logs
    from driftgate.monitor.telemetry._places import places
    from driftgate.monitor.telemetry._reasons import Reason, in_words
    from driftgate.monitor.telemetry._record import COLUMNS, ModelCall
    from driftgate.monitor.telemetry._retention import Removed, removed, removed_in_words
    from driftgate.monitor.telemetry._span import Span
    from driftgate.monitor.telemetry._store import Busy, Compaction, InUse, Store, compact_folder
    from driftgate.monitor.telemetry._tally import left_out
    from driftgate.monitor.telemetry._users import pseudonyms
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "COLUMNS",
    "SCHEMA",
    "Busy",
    "Clock",
    "Compaction",
    "Decoded",
    "Gone",
    "InUse",
    "Intake",
    "ModelCall",
    "Reason",
    "Refused",
    "Removed",
    "Sample",
    "Span",
    "Store",
    "compact_folder",
    "compact_others",
    "decode",
    "decode_logs",
    "forget_user",
    "frame",
    "in_words",
    "left_out",
    "open_free",
    "places",
    "pseudonyms",
    "removed",
    "removed_in_words",
    "router",
    "sample",
    "steps",
    "to_arrow",
    "volumes",
]
