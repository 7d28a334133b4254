"""A person's word on a remediation: agreement to what it was shown to have proved, refusal, or its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftgate.finetune.remediation._store import (
    Event,
    Remediation,
    Status,
    add_event,
    ending,
    events_of,
    find_remediation,
    is_open,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, record_audit

_ENDS = ("held", "finished", "rejected", "abandoned", "proposed", "failed")
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
    awaited = _awaited(events)
    if now.state != "open" or not awaited:
        raise DriftgateError(
            f"remediation {now.id} does not wait for an approval: {_standing(now, events)}",
            f"driftgate remediation show {now.id} shows how far it is; an approval counts only once it asks for one",
        )
    return awaited


def _awaited(events: Sequence[Event]) -> str:
    ends = [event for event in events if event.status in _ENDS]
    return str(ends[-1].detail.get("awaits", "")) if ends and ends[-1].status == "held" else ""


def approval_of(ledger: Ledger, remediation: Remediation, what: str) -> Approval | None:
    """The first approval of just this; None where nobody gave one."""
    given = (e for e in events_of(ledger, remediation.id) if e.status == "approved" and e.detail["what"] == what)
    return next((Approval(str(e.detail["who"]), what, e.at) for e in given), None)


def approve(ledger: Ledger, remediation: Remediation, what: str, who: str) -> Approval:
    """Say that a person agrees to what a remediation waits with.

    Raises
    ------
    DriftgateError
        It waits for no approval, or for one of something else; somebody has agreed already, whose word stands; or
        nobody is named.
    """
    if asked_for(ledger, remediation) != what:
        raise DriftgateError(
            f"remediation {remediation.id} asks for the approval of something else than what was to be approved",
            f"look at it again: driftgate remediation show {remediation.id}",
        )
    given = approval_of(ledger, remediation, what)
    if given is None:
        _say(ledger, remediation, "approve", "approved", who, f"approved by {who}", what=what)
        given = approval_of(ledger, remediation, what)
        assert given is not None
        if given.who == who:
            return given
    raise DriftgateError(
        f"remediation {remediation.id} does not wait for an approval: {given.who} gave it at {given.at:%Y-%m-%d %H:%M} "
        "UTC",
        "driftgate remediation run goes on with it; reject or abandon it where it is not to go on",
    )


def reject(ledger: Ledger, remediation: Remediation, who: str, reason: str) -> None:
    """Say that a person does not agree to what a remediation waits with; it ends.

    Raises
    ------
    DriftgateError
        It waits for no approval, or no reason is given.
    """
    asked_for(ledger, remediation)
    _check_reason(reason)
    _say(ledger, remediation, "approve", "rejected", who, f"rejected by {who}: {reason}")


def abandon(ledger: Ledger, remediation: Remediation, who: str, reason: str) -> None:
    """Say that a person ends a remediation, however far it is.

    Raises
    ------
    DriftgateError
        It has ended, or no reason is given.
    """
    _check_reason(reason)
    now = find_remediation(ledger, remediation.id)
    events = events_of(ledger, now.id)
    if now.state != "open" or ending(events) is not None:
        state = now.state if now.state != "open" else "being ended"
        raise DriftgateError(f"remediation {now.id} is {state} already", "there is nothing to abandon")
    step = events[-1].step if events else "synthesise"
    _say(ledger, now, step, "abandoned", who, f"abandoned by {who}: {reason}")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise DriftgateError("a remediation is ended for a reason", "say why: --reason WHY")


def _say(
    ledger: Ledger, remediation: Remediation, step: str, status: Status, who: str, message: str, *, what: str = ""
) -> None:
    """Keep a person's word, and that they said it, together or not at all.

    Raises
    ------
    DriftgateError
        Nobody is named, or it has ended meanwhile.
    """
    if not who.strip():
        raise DriftgateError("nobody is named who says so", "sign in, or use a key of your own")
    action = {"approved": "approve", "rejected": "reject", "abandoned": "abandon"}[status]
    with ledger.write() as connection:
        detail = {"who": who, "what": what} if what else {"who": who}
        add_event(ledger, remediation.id, step, status, detail, message, connection=connection)
        if not is_open(connection, remediation.id):  # asked after the first write, which lets no other one in
            raise DriftgateError(
                f"remediation {remediation.id} has ended meanwhile", "there is nothing to say any more"
            )
        record_audit(ledger, who, f"remediation.{action}", remediation.id, message, connection=connection)


def _standing(remediation: Remediation, events: Sequence[Event]) -> str:
    if remediation.state != "open":
        return f"it is {remediation.state}"
    if not events:
        return "it has not begun"
    last = events[-1]
    told = f": {last.message}" if last.message else ""
    return f"its step '{last.step}' is {last.status}{told}"
