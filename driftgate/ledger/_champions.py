"""Champions and the models that were trained for their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, desc, insert, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._audit import record_audit
from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import promotions, trained_models
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class PromotionRow:
    """One move of a champion pointer."""

    id: int
    slot: str
    """The place in production that a champion fills, for example ``tickets``."""
    model: str
    action: str
    """``install``, ``promote`` or ``rollback``."""
    run_id: str
    """The run whose verdict allowed it; empty for an installation."""
    reason: str
    who: str
    at: datetime


def champion_history(ledger: Ledger, slot: str) -> list[PromotionRow]:
    """Every move of a slot's pointer, the newest first."""
    query = select(promotions).where(promotions.c.slot == slot).order_by(desc(promotions.c.id))
    with ledger.read() as connection:
        return [PromotionRow(**row._mapping) for row in connection.execute(query)]


def champion_of(ledger: Ledger, slot: str) -> str | None:
    """The model that is live in a slot."""
    history = champion_history(ledger, slot)
    return history[0].model if history else None


def install_champion(ledger: Ledger, slot: str, model: str, who: str) -> None:
    """Put the first champion into a slot; a slot that has one keeps it."""
    if champion_of(ledger, slot) is None:
        with ledger.write() as connection:
            move(ledger, connection, slot, model, "install", "", "named in the workspace", who)


@dataclass(frozen=True)
class Reversal:
    """What taking back the present champion of a slot means."""

    undone: PromotionRow
    """The promotion that put it in place."""
    back_to: PromotionRow
    """How the champion before it had come to its place."""


def standing_promotions(ledger: Ledger, slot: str) -> list[PromotionRow]:
    """How the present champion and those it can be rolled back to came to their place, the present one last.

    What was rolled back is out of the way: nobody is led back to it.
    """
    standing: list[PromotionRow] = []
    for row in reversed(champion_history(ledger, slot)):
        if row.action != "rollback":
            standing.append(row)
        else:
            while standing and standing[-1].model != row.model:
                standing.pop()
    return standing


def reversal(ledger: Ledger, slot: str) -> Reversal:
    """Whom the present champion took its place from, and by which promotion.

    Raises
    ------
    DriftgateError
        There was none before.
    """
    standing = standing_promotions(ledger, slot)
    if len(standing) < 2:
        raise DriftgateError(f"slot '{slot}' has no champion to go back to", "see: driftgate champion list")
    return Reversal(undone=standing[-1], back_to=standing[-2])


def rollback(ledger: Ledger, slot: str, *, reason: str, who: str, undoing: PromotionRow | None = None) -> str:
    """Move a slot's pointer back to the champion before the present one, and return its name.

    Only the pointer moves; whether traffic had moved with it, :func:`traffic_of` says.

    Parameters
    ----------
    undoing : PromotionRow, optional
        The promotion that is to be undone, where something else was done for it already.

    Raises
    ------
    DriftgateError
        There was none before, or another champion has come since ``undoing``.
    """
    found = reversal(ledger, slot)
    if undoing is not None and found.undone != undoing:
        raise DriftgateError(
            f"the champion of '{slot}' is {found.undone.model} by now, and {undoing.model} was to be rolled back",
            "look who is champion: driftgate champion list",
        )
    with ledger.write() as connection:
        move(ledger, connection, slot, found.back_to.model, "rollback", "", reason, who)
    return found.back_to.model


def add_trained_model(ledger: Ledger, name: str, config: Mapping[str, Any], lineage: Mapping[str, Any]) -> None:
    """Register a trained model under a name; the first registration under a name stays."""
    row = {"name": name, "config": dict(config), "lineage": dict(lineage), "created_at": datetime.now(UTC)}
    with ledger.write() as connection:
        insert_new(connection, trained_models, [row])


def trained_model(ledger: Ledger, name: str) -> dict[str, Any] | None:
    """The workspace configuration of a trained model, or None."""
    query = select(trained_models.c.config).where(trained_models.c.name == name)
    with ledger.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else dict(found)


def move(
    ledger: Ledger, connection: Connection, slot: str, model: str, action: str, run_id: str, reason: str, who: str
) -> int:
    """Add a move of a slot's pointer and return its number; whether it may be made was asked before."""
    record_audit(ledger, who, f"champion.{action}", slot, f"{model}: {reason}", connection=connection)
    row = {"slot": slot, "model": model, "action": action, "run_id": run_id, "reason": reason, "who": who}
    added = connection.execute(insert(promotions).values(**row, at=datetime.now(UTC)))
    assert added.inserted_primary_key is not None
    return int(added.inserted_primary_key[0])
