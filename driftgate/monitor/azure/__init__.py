"""Azure Monitor: an outbox in the ledger, its delivery, and the templates of what reads it.

:func:`enqueue` makes a record durable, :func:`drain` sends what waits, :func:`monitoring` is what reads it in Azure
and :func:`container_app` the service there; :func:`instrument` is the service's own live telemetry.
"""

from driftgate.monitor.azure._container_app import container_app
from driftgate.monitor.azure._drain import Drained, drain
from driftgate.monitor.azure._expressions import Template
from driftgate.monitor.azure._facts import (
    alert_event,
    evaluation_results,
    finding_events,
    incident_event,
    look_event,
    remediation_events,
    run_trace,
    signal_values,
    verdict_events,
)
from driftgate.monitor.azure._foundry import Published, publish
from driftgate.monitor.azure._instrument import instrument, job_span, metrics_exporter
from driftgate.monitor.azure._monitoring import Expected, monitoring
from driftgate.monitor.azure._outbox import MAX_ATTEMPTS, Parked, enqueue, parked, unpark, unsent
from driftgate.monitor.azure._payloads import (
    AlertEvent,
    CellTrace,
    EvaluationResult,
    FindingEvent,
    IncidentEvent,
    LookEvent,
    NightEvent,
    Payload,
    RemediationEvent,
    RunTrace,
    SignalValue,
    VerdictEvent,
)

__all__ = [
    "MAX_ATTEMPTS",
    "AlertEvent",
    "CellTrace",
    "Drained",
    "EvaluationResult",
    "Expected",
    "FindingEvent",
    "IncidentEvent",
    "LookEvent",
    "NightEvent",
    "Parked",
    "Payload",
    "Published",
    "RemediationEvent",
    "RunTrace",
    "SignalValue",
    "Template",
    "VerdictEvent",
    "alert_event",
    "container_app",
    "drain",
    "enqueue",
    "evaluation_results",
    "finding_events",
    "incident_event",
    "instrument",
    "job_span",
    "look_event",
    "metrics_exporter",
    "monitoring",
    "parked",
    "publish",
    "remediation_events",
    "run_trace",
    "signal_values",
    "unpark",
    "unsent",
    "verdict_events",
]
