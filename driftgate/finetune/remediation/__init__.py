"""The repair of a regression: a durable state machine from an alert or a failed gate to a promotion or a rejection."""

from driftgate.finetune.remediation._approval import Approval, approval_of, approve, asked_for, reject
from driftgate.finetune.remediation._machine import STEPS, Held, Progress, Rejected, Step, advance
from driftgate.finetune.remediation._store import (
    Event,
    Remediation,
    events_of,
    find_remediation,
    open_remediation,
    remediations,
)

__all__ = [
    "STEPS",
    "Approval",
    "Event",
    "Held",
    "Progress",
    "Rejected",
    "Remediation",
    "Step",
    "advance",
    "approval_of",
    "approve",
    "asked_for",
    "events_of",
    "find_remediation",
    "open_remediation",
    "reject",
    "remediations",
]
