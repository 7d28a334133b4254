"""The switch that stops every remediation of a ledger at once, and who turned it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, Text, insert, select

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, UtcDateTime, create_tables, record_audit

metadata = MetaData()

_switch = Table(
    "remediation_switch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stopped", Boolean, nullable=False),
    Column("who", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Stopped:
    """Somebody stopped all remediations."""

    who: str
    reason: str
    at: datetime

    @property
    def told(self) -> str:
        """In words, with what to do."""
        return f"repairs were stopped by {self.who}: {self.reason} (driftgate remediation resume)"


def stop(ledger: Ledger, who: str, reason: str) -> Stopped:
    """Stop every remediation: none is opened, and none goes on, until they are resumed.

    Raises
    ------
    DriftgateError
        No reason is given.
    """
    if not reason.strip():
        raise DriftgateError("repairs are stopped for a reason", "say why: --reason WHY")
    _turn(ledger, who, reason, stopped=True)
    found = stopped(ledger)
    assert found is not None
    return found


def resume(ledger: Ledger, who: str) -> bool:
    """Let remediations go on; False where nobody had stopped them."""
    if stopped(ledger) is None:
        return False
    _turn(ledger, who, "", stopped=False)
    return True


def stopped(ledger: Ledger) -> Stopped | None:
    """Who stopped all remediations, and why; None where they may go on."""
    create_tables(ledger, metadata)
    query = select(_switch).order_by(_switch.c.id.desc()).limit(1)
    with ledger.read() as connection:
        row = connection.execute(query).one_or_none()
    return Stopped(row.who, row.message, row.at) if row is not None and row.stopped else None


def _turn(ledger: Ledger, who: str, reason: str, *, stopped: bool) -> None:
    create_tables(ledger, metadata)
    row = {"stopped": stopped, "who": told(who)[:200], "message": told(reason), "at": datetime.now(UTC)}
    with ledger.write() as connection:
        connection.execute(insert(_switch).values(**row))
        action = "remediation.stop" if stopped else "remediation.resume"
        record_audit(ledger, who, action, "all remediations", reason, connection=connection)
