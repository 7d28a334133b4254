"""The custom events: the name of each, and the attributes that say its fields."""

from __future__ import annotations

from typing import Any

from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._payloads import (
    AlertEvent,
    EvaluationResult,
    FindingEvent,
    IncidentEvent,
    LookEvent,
    NightEvent,
    RemediationEvent,
    SignalValue,
    VerdictEvent,
)
from driftgate.monitor.telemetry import _conventions as conventions

Event = (
    SignalValue
    | AlertEvent
    | LookEvent
    | FindingEvent
    | IncidentEvent
    | VerdictEvent
    | NightEvent
    | RemediationEvent
    | EvaluationResult
)
Attributes = dict[str, Any]


def event_of(payload: Event) -> tuple[str, Attributes]:
    """Name and attributes of the event that a payload is sent as; what is None or empty in it is not sent.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> name, attributes = event_of(NightEvent(at=datetime(2026, 11, 27, tzinfo=UTC), exit_code=0))
    >>> name, attributes["driftgate.exit_code"]
    ('driftgate.night', 0)
    """
    match payload:
        case SignalValue():
            late = {names.SIGNAL: payload.signal, names.VALUE: payload.value}
            return names.SIGNAL_EVENT, dimensions(payload) | late
        case AlertEvent():
            return names.ALERT_EVENT, _alert(payload)
        case LookEvent():
            return names.LOOK_EVENT, _look(payload)
        case FindingEvent():
            return names.FINDING_EVENT, _finding(payload)
        case IncidentEvent():
            return names.INCIDENT_EVENT, _incident(payload)
        case VerdictEvent():
            return names.VERDICT_EVENT, _verdict(payload)
        case NightEvent():
            return names.NIGHT_EVENT, {names.EXIT_CODE: payload.exit_code, names.WHY: payload.why}
        case RemediationEvent():
            return names.REMEDIATION_EVENT, _remediation(payload)
        case EvaluationResult():
            return conventions.EVALUATION_EVENT, _evaluation(payload)


def dimensions(value: SignalValue) -> Attributes:
    """Of a signal's value, as a metric or as an event."""
    return {names.MODEL: value.model, names.SLICE: value.slice, names.UNIT: value.unit}


def provider(name: str) -> Attributes:
    """Of everything that concerns a model's provider; the portal tells GenAI spans by the older name alone."""
    return {conventions.SYSTEM: name, conventions.PROVIDER: name}


def _alert(alert: AlertEvent) -> Attributes:
    return {
        names.ALERT: alert.alert,
        names.LOOK: alert.look,
        names.MONITOR: alert.monitor,
        names.LOOKED_AT: alert.of,
        names.MODEL: alert.model,
        names.SIGNAL: alert.signal,
        names.MOVED: alert.moved,
        names.SLICE: ", ".join(alert.slices) or "all",
        names.CAUSE: alert.cause,
        names.DETECTOR: alert.detector,
        names.P_VALUE: alert.p_value,
        names.EFFECT: alert.effect,
        names.EFFECT_LOW: alert.effect_low,
        names.EFFECT_HIGH: alert.effect_high,
        names.EFFECT_UNIT: alert.effect_unit,
        names.FLOOR: alert.floor,
        names.SUMMARY: alert.summary,
        names.REPORT: alert.report,
    }


def _look(look: LookEvent) -> Attributes:
    return {
        names.LOOK: look.look,
        names.MONITOR: look.monitor,
        names.LOOKED_AT: look.of,
        names.MODEL: look.model,
        names.RESULT: look.result,
        names.REASON: look.reason,
        names.REMEDY: look.remedy,
    }


def _finding(finding: FindingEvent) -> Attributes:
    return {
        names.LOOK: finding.look,
        names.MONITOR: finding.monitor,
        names.LOOKED_AT: finding.of,
        names.MODEL: finding.model,
        names.SIGNAL: finding.signal,
        names.SLICE: finding.slice,
        names.UNIT: finding.unit,
        names.VALUE: finding.value,
        names.LOW: finding.low,
        names.HIGH: finding.high,
        names.REFERENCE: finding.reference,
        names.BAND_LOW: finding.band_low,
        names.BAND_HIGH: finding.band_high,
        names.HAS_MOVED: finding.moved,
        names.N: finding.n,
    }


def _incident(incident: IncidentEvent) -> Attributes:
    return {
        names.INCIDENT: incident.incident,
        names.MONITOR: incident.monitor,
        names.CAUSE: incident.cause,
        names.INCIDENT_NAME: incident.name,
        names.INCIDENT_STATE: incident.state,
        names.SEVERITY: incident.severity,
        names.SINCE: incident.since.isoformat(),
        names.SUMMARY: incident.summary,
        names.REMEDY: incident.remedy,
        names.BY: incident.acknowledged_by,
    }


def _verdict(verdict: VerdictEvent) -> Attributes:
    return {
        names.GATE: verdict.gate,
        names.RUN: verdict.run,
        names.SUITE: verdict.suite,
        names.VERDICT: verdict.verdict,
        names.CHAMPION: verdict.champion,
        names.WHY: verdict.why,
    }


def _remediation(event: RemediationEvent) -> Attributes:
    return {
        names.REMEDIATION: event.remediation,
        names.SLOT: event.slot,
        names.CAUSE: event.cause,
        names.CHAMPION: event.champion,
        names.STATE: event.state,
        names.STEP: event.step,
        names.STATUS: event.status,
        names.WHY: event.why,
    }


def _evaluation(result: EvaluationResult) -> Attributes:
    return {
        conventions.EVALUATION_NAME: result.name,
        conventions.EVALUATION_SCORE: result.value,
        conventions.EVALUATION_LABEL: result.label,
        conventions.EVALUATION_EXPLANATION: result.explanation,
        conventions.RESPONSE_ID: result.response_id,
        **provider(result.provider),
        names.SCORE_LOW: result.low,
        names.SCORE_HIGH: result.high,
        names.SCORE_N: result.n,
        names.MODEL: result.model,
        names.FLOW: result.flow,
        names.DATASET: result.dataset,
        names.RUN: result.run,
        names.CELL: result.cell,
    }
