"""Who may use the service, and who did what: keys and the audit log."""

from __future__ import annotations

import getpass
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError, check_known, cut, nearest
from driftgate.ledger import AuditRow, KeyRow, Ledger, NewKey, audit_of, audited, create_key, keys_of, revoke_key

_ACTIONS = (
    "champion.install", "champion.promote", "champion.rollback", "incident.acknowledge", "incident.reopen",
    "incident.resolve", "incident.silence", "job.cancel", "job.run", "key.create", "key.revoke",
    "remediation.abandon", "remediation.approve", "remediation.reject", "remediation.resume", "remediation.stop",
    "review.label", "sign_in.accept", "sign_in.refuse",
)  # fmt: skip
"""What may be recorded, though nobody may have done it yet."""
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True)
class Access:
    """The part of :class:`driftgate.api.facade.Workspace` that says who may use its service."""

    files: OpenWorkspace
    ledger: Ledger

    def create_key(self, name: str, scopes: Collection[str], *, expires: str = "") -> NewKey:
        """Make a key of the HTTP interface; its secret is in what is returned, and nowhere else.

        Parameters
        ----------
        name : str
            Who or what uses it.
        scopes : collection of str
            ``ingest``, ``read`` or ``operate``; none holds another.
        expires : str
            A day (``2027-06-30``, whose end is meant, UTC) or how long (``90d``, ``12h``, ``4w``); empty: never.

        Raises
        ------
        DriftgateError
            A name, scope or time that cannot be.
        """
        until = expiry(expires, datetime.now(UTC)) if expires else None
        return create_key(self.ledger, name, scopes, by=getpass.getuser(), expires_at=until)

    def keys(self) -> list[KeyRow]:
        """Every key there ever was, without its secret, the newest first."""
        return keys_of(self.ledger)

    def revoke_key(self, name: str) -> list[KeyRow]:
        """End a key by its id, or every valid one of a name; returns those that ended.

        Raises
        ------
        DriftgateError
            None is valid that has this id or name.
        """
        return revoke_key(self.ledger, name, by=getpass.getuser())

    def audit(self, limit: int = 100, *, action: str = "", who: str = "", before: int = 0) -> list[AuditRow]:
        """Who did what, the newest first; see :func:`driftgate.ledger.audit_of`.

        Raises
        ------
        DriftgateError
            There is no such action, or nothing is recorded of such a one.
        """
        found = audit_of(self.ledger, limit, action=action, who=who, before=before)
        if not found and (action or who):
            known = audited(self.ledger)
            actions = {*_ACTIONS, *known.actions}
            if action:
                check_known("action", action, {*actions, *(one.partition(".")[0] for one in actions)})
            if who and who not in known.by:
                raise DriftgateError(f"nothing is recorded that '{cut(who)}' did", nearest(who, known.by))
        return found


def expiry(text: str, now: datetime) -> datetime:
    """When something ends that is said to last until a day, or so long.

    Raises
    ------
    DriftgateError
        It is neither.

    Examples
    --------
    >>> expiry("90d", datetime(2026, 11, 27, tzinfo=UTC)).isoformat()
    '2027-02-25T00:00:00+00:00'
    >>> expiry("2027-06-30", datetime(2026, 11, 27, tzinfo=UTC)).isoformat()
    '2027-07-01T00:00:00+00:00'
    """
    try:
        if found := re.fullmatch(r"(\d{1,5})([hdw])", text.strip(), re.ASCII):
            return now + int(found[1]) * _UNITS[found[2]]
        return datetime.combine(date.fromisoformat(text.strip()), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise DriftgateError(
            f"'{text}' is neither a day nor how long", "expected 2027-06-30, or 90d, 12h or 4w"
        ) from None
