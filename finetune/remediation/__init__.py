"""The repair of a regression: a durable state machine from an alert or a failed gate to a promotion or a rejection."""

from finetune.remediation._machine import STEPS, Held, Progress, Rejected, Step, advance
from finetune.remediation._store import (
    Event,
    Remediation,
    approve,
    events_of,
    find_remediation,
    open_remediation,
    remediations,
)

__all__ = [
    "STEPS",
    "Event",
    "Held",
    "Progress",
    "Rejected",
    "Remediation",
    "Step",
    "advance",
    "approve",
    "events_of",
    "find_remediation",
    "open_remediation",
    "remediations",
]
