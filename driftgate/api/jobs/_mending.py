"""When open remediations are to be taken further."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from driftgate.api.jobs._asking import ask_for
from driftgate.api.jobs._rows import list_jobs
from driftgate.finetune.remediation import Remediation, events_of, remediations, stopped
from driftgate.ledger import Ledger

_AGAIN = timedelta(hours=1)
"""A step that failed, or waits for something, is tried again after so long."""
_SEEN_TO = timedelta(days=1)
"""One that waits for a person is looked at after so long: it may not wait for ever."""


def ask_for_mending(ledger: Ledger) -> None:
    """Ask for the job ``mend`` where a remediation was opened, was agreed to, or is to be tried again."""
    if stopped(ledger) is not None:
        return
    newest = next(iter(list_jobs(ledger, 1, name="mend")), None)
    if newest is not None and not newest.ended:
        return
    tried = newest.ended_at if newest is not None else None
    waiting = [one.id for one in remediations(ledger, state="open") if _can_go_on(ledger, one, tried)]
    if waiting:
        ask_for(ledger, "mend", "driftgate", cause="step", note=f"of remediation {waiting[0]}")


def _can_go_on(ledger: Ledger, remediation: Remediation, tried: datetime | None) -> bool:
    last = next(reversed(events_of(ledger, remediation.id)), None)
    if tried is None:
        return True
    ago = abs(datetime.now(UTC) - tried)
    if last is not None and last.status == "held" and last.detail.get("awaits"):
        return ago > _SEEN_TO  # a person is to agree first
    changed = remediation.opened_at if last is None else last.at
    return changed > tried or ago > _AGAIN
