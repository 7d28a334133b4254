"""A person's agreement to what a remediation was shown to have proved, and to nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftgate.finetune.remediation._store import Event, Remediation, add_event, close, events_of, find_remediation
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, record_audit

_ENDS = ("held", "finished", "rejected", "failed")
"""How a step can end; what is between says nothing of whether it waits."""


@dataclass(frozen=True)
class Approval:
    """Who agreed to what, and when."""

    who: str
    what: str
    """Hash of what was agreed to; see :class:`driftgate.finetune.remediation.Held`."""
    at: datetime


def asked_for(ledger: Ledger, remediation: Remediation) -> str:
    """The hash of what a remediation waits for a person to agree to.

    Raises
    ------
    DriftgateError
        It waits for no approval: it has ended, or has not come to that, or is past it, or waits for something else.
    """
    now = find_remediation(ledger, remediation.id)
    events = events_of(ledger, now.id)
    ends = [event for event in events if event.status in _ENDS]
    awaited = str(ends[-1].detail.get("awaits", "")) if ends and ends[-1].status == "held" else ""
    if now.state != "open" or not awaited:
        raise DriftgateError(
            f"remediation {now.id} does not wait for an approval: {_standing(now, events)}",
            f"driftgate remediation list {now.id} shows how far it is; an approval counts only once it asks for one",
        )
    return awaited


def approval_of(ledger: Ledger, remediation: Remediation, what: str) -> Approval | None:
    """The first approval of just this; None where nobody gave one."""
    given = (e for e in events_of(ledger, remediation.id) if e.status == "approved" and e.detail["what"] == what)
    return next((Approval(str(e.detail["who"]), what, e.at) for e in given), None)


def approve(ledger: Ledger, remediation: Remediation, what: str, who: str) -> Approval:
    """Say that a person agrees to what a remediation waits with; where someone did already, theirs stands.

    Raises
    ------
    DriftgateError
        It waits for no approval, or for one of something else.
    """
    if asked_for(ledger, remediation) != what:
        raise DriftgateError(
            f"remediation {remediation.id} asks for the approval of something else than what was to be approved",
            f"look at it again: driftgate remediation list {remediation.id}",
        )
    if (given := approval_of(ledger, remediation, what)) is not None:
        return given
    add_event(ledger, remediation.id, "approve", "approved", {"who": who, "what": what}, f"approved by {who}")
    record_audit(ledger, who, "remediation.approve", remediation.id, f"slot {remediation.slot}")
    given = approval_of(ledger, remediation, what)
    assert given is not None
    return given


def reject(ledger: Ledger, remediation: Remediation, who: str, reason: str) -> Remediation:
    """End a remediation that waits for an approval without a promotion: a person does not agree.

    Raises
    ------
    DriftgateError
        It waits for no approval.
    """
    asked_for(ledger, remediation)
    told = f"rejected by {who}" + (f": {reason}" if reason else "")
    add_event(ledger, remediation.id, "approve", "rejected", {"who": who}, told)
    close(ledger, remediation.id, "rejected")
    return find_remediation(ledger, remediation.id)


def _standing(remediation: Remediation, events: Sequence[Event]) -> str:
    if remediation.state != "open":
        return f"it is {remediation.state}"
    if not events:
        return "it has not begun"
    last = events[-1]
    told = f": {last.message}" if last.message else ""
    return f"its step '{last.step}' is {last.status}{told}"
