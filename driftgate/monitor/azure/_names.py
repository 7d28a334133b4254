"""Names of what driftgate sends to Azure Monitor beyond the GenAI conventions; the workbook reads by the same ones.

On a metric only what has few values: metric, signal, model, slice, unit. Azure Monitor has no cardinality cap, so an
identifier never becomes a dimension.
"""

from __future__ import annotations

from typing import Final

SERVICE: Final = "driftgate"

CUSTOM_EVENT: Final = "microsoft.custom_event.name"  # what makes a log record a custom event (AppEvents)
ALERT_EVENT: Final = "driftgate.alert"
LOOK_EVENT: Final = "driftgate.look"
INCIDENT_EVENT: Final = "driftgate.incident"
FINDING_EVENT: Final = "driftgate.finding"
VERDICT_EVENT: Final = "driftgate.verdict"
NIGHT_EVENT: Final = "driftgate.night"
REMEDIATION_EVENT: Final = "driftgate.remediation"
SIGNAL_EVENT: Final = "driftgate.signal"  # a signal's value that is too old to be a metric
SIGNAL_METRIC: Final = "driftgate.signal."  # and the signal's name

# Of every event and span.
KEY: Final = "driftgate.key"  # equal for every delivery of one record
AT: Final = "driftgate.at"  # when it happened, ISO 8601; the envelope's own time may be that of delivery

SIGNAL: Final = "driftgate.signal"
MODEL: Final = "driftgate.model"
SLICE: Final = "driftgate.slice"
UNIT: Final = "driftgate.unit"
VALUE: Final = "driftgate.value"

ALERT: Final = "driftgate.alert.key"
MOVED: Final = "driftgate.alert.moved"
CAUSE: Final = "driftgate.alert.cause"
DETECTOR: Final = "driftgate.alert.detector"
P_VALUE: Final = "driftgate.alert.p_value"
EFFECT: Final = "driftgate.alert.effect"
EFFECT_LOW: Final = "driftgate.alert.effect_low"
EFFECT_HIGH: Final = "driftgate.alert.effect_high"
EFFECT_UNIT: Final = "driftgate.alert.effect_unit"
FLOOR: Final = "driftgate.alert.floor"
SUMMARY: Final = "driftgate.alert.summary"
REPORT: Final = "driftgate.alert.report"

LOOK: Final = "driftgate.look.key"
MONITOR: Final = "driftgate.look.monitor"
LOOKED_AT: Final = "driftgate.look.of"
RESULT: Final = "driftgate.look.result"
REASON: Final = "driftgate.look.reason"
REMEDY: Final = "driftgate.look.remedy"

LOW: Final = "driftgate.finding.low"
HIGH: Final = "driftgate.finding.high"
REFERENCE: Final = "driftgate.finding.reference"
BAND_LOW: Final = "driftgate.finding.band_low"
BAND_HIGH: Final = "driftgate.finding.band_high"
HAS_MOVED: Final = "driftgate.finding.moved"
N: Final = "driftgate.finding.n"

INCIDENT: Final = "driftgate.incident.id"
INCIDENT_NAME: Final = "driftgate.incident.name"
INCIDENT_STATE: Final = "driftgate.incident.state"
SEVERITY: Final = "driftgate.incident.severity"
SINCE: Final = "driftgate.incident.since"
BY: Final = "driftgate.incident.acknowledged_by"

GATE: Final = "driftgate.gate"
CHAMPION: Final = "driftgate.champion"
WHY: Final = "driftgate.why"

REMEDIATION: Final = "driftgate.remediation.key"
SLOT: Final = "driftgate.remediation.slot"
STATE: Final = "driftgate.remediation.state"
STEP: Final = "driftgate.remediation.step"

RUN: Final = "driftgate.run"
SUITE: Final = "driftgate.suite"
STATUS: Final = "driftgate.status"
VERDICT: Final = "driftgate.verdict"
CELLS: Final = "driftgate.cells"
CELL: Final = "driftgate.cell"
FLOW: Final = "driftgate.flow"
VARIANT: Final = "driftgate.variant"
DATASET: Final = "driftgate.dataset"
ASKED: Final = "driftgate.asked"
OUTCOME: Final = "driftgate.outcome."  # and the outcome's name: number of samples
ACCURACY: Final = "driftgate.accuracy"
ACCURACY_LOW: Final = "driftgate.accuracy_low"
ACCURACY_HIGH: Final = "driftgate.accuracy_high"
SCORE_LOW: Final = "driftgate.score_low"
SCORE_HIGH: Final = "driftgate.score_high"
SCORE_N: Final = "driftgate.score_n"
COST: Final = "driftgate.cost"
CURRENCY: Final = "driftgate.currency"

EVALUATE: Final = "evaluate"  # the operation of a cell: not one in which a model answers, so no source takes it for one

JOB: Final = "driftgate.job"
SCHEDULED_AT: Final = "driftgate.scheduled_at"
EXIT_CODE: Final = "driftgate.exit_code"
