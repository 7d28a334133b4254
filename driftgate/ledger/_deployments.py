"""What was learnt of deployments: what each takes, whom it serves, and the day on which it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import desc, func, insert, select

from driftgate.ledger._plain import plain
from driftgate.ledger._schema import deployments
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class DeploymentRow:
    """What was known of a deployment at one time."""

    target: str
    """Hash of who was asked: provider, address and name, without parameters."""
    model: str
    """The name in the workspace under which it was asked."""
    capabilities: Mapping[str, Any] | None
    """As :class:`driftgate.flows.models.Capabilities` has it as JSON; None where nobody asked it."""
    served: str
    """The model that the service says it serves; empty where it does not say."""
    ends: date | None
    """The day on which it ends; None where that is not known."""
    at: datetime


def add_deployment(ledger: Ledger, row: DeploymentRow) -> None:
    """Add what is known of a deployment now."""
    values = {name: getattr(row, name) for name in DeploymentRow.__dataclass_fields__}
    values |= {"capabilities": plain(row.capabilities), "ends": row.ends.isoformat() if row.ends else None}
    with ledger.write() as connection:
        connection.execute(insert(deployments).values(**values))


def deployment_of(ledger: Ledger, target: str, model: str = "") -> DeploymentRow | None:
    """The newest that is known of a deployment; with ``model``, that was learnt under this name."""
    query = select(deployments).where(deployments.c.target == target).order_by(desc(deployments.c.id)).limit(1)
    if model:
        query = query.where(deployments.c.model == model)
    with ledger.read() as connection:
        found = connection.execute(query).one_or_none()
    return None if found is None else _row(found)


def deployments_by_model(ledger: Ledger) -> dict[str, DeploymentRow]:
    """The newest that is known of each model of the workspace, by its name there."""
    newest = select(func.max(deployments.c.id)).group_by(deployments.c.model).scalar_subquery()
    with ledger.read() as connection:
        rows = connection.execute(select(deployments).where(deployments.c.id.in_(newest)).order_by(deployments.c.model))
        return {row.model: row for row in map(_row, rows)}


def _row(found: Any) -> DeploymentRow:
    values = {name: getattr(found, name) for name in DeploymentRow.__dataclass_fields__}
    row = DeploymentRow(**{**values, "ends": None})
    return replace(row, ends=date.fromisoformat(found.ends)) if found.ends else row


def ends_soon(day: date, today: date | None = None) -> str:
    """What to say of the day on which a deployment ends.

    Examples
    --------
    >>> ends_soon(date(2027, 2, 6), date(2026, 11, 26))
    'this deployment ends on 2027-02-06, in 72 days'
    >>> ends_soon(date(2026, 10, 14), date(2026, 11, 26))
    'this deployment ended on 2026-10-14, 43 days ago'
    """
    left = (day - (today or datetime.now(UTC).date())).days
    if left < 0:
        return f"this deployment ended on {day}, {-left} day{'s' * (left != -1)} ago"
    when = "today" if left == 0 else f"in {left} day{'s' * (left != 1)}"
    return f"this deployment ends on {day}, {when}"
