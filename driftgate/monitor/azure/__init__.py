"""Azure Monitor: an outbox in the ledger, its delivery, and the workbook that reads what was delivered.

:func:`enqueue` makes a record durable, :func:`drain` sends what waits, :func:`arm_template` is what reads it in Azure;
:func:`instrument` is the service's own live telemetry.
"""

from driftgate.monitor.azure._drain import Drained, drain
from driftgate.monitor.azure._facts import alert_event, evaluation_results, look_event, run_trace, signal_values
from driftgate.monitor.azure._instrument import instrument, job_span
from driftgate.monitor.azure._outbox import MAX_ATTEMPTS, Parked, enqueue, parked, unpark, unsent
from driftgate.monitor.azure._payloads import (
    AlertEvent,
    CellTrace,
    EvaluationResult,
    LookEvent,
    Payload,
    RunTrace,
    SignalValue,
)

__all__ = [
    "MAX_ATTEMPTS",
    "AlertEvent",
    "CellTrace",
    "Drained",
    "EvaluationResult",
    "LookEvent",
    "Parked",
    "Payload",
    "RunTrace",
    "SignalValue",
    "alert_event",
    "drain",
    "enqueue",
    "evaluation_results",
    "instrument",
    "job_span",
    "look_event",
    "parked",
    "run_trace",
    "signal_values",
    "unpark",
    "unsent",
]
