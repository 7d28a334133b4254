"""Who is live in each slot, how it came to be, and when its deployment ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from driftgate.api.deployments import ending
from driftgate.ledger import champion_history, deployments_by_model, ends_soon
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import Column, Table, in_memory

LIVE = (
    Column("slot"),
    Column("model"),
    Column("since", "time"),
    Column("served"),
    Column("deployment", "long", sort=False),
)
HISTORY = (
    Column("promoted", "time"),
    Column("slot", filter=True),
    Column("model", filter=True),
    Column("action", filter=True),
    Column("who", filter=True),
    Column("reason", "long", sort=False),
    Column("run", link="/runs/{run}", sort=False),
)


@dataclass(frozen=True)
class SlotFacts:
    """A place in production."""

    slot: str
    model: str
    since: datetime | None
    served: str
    ends: date | None
    told: str
    """What to say of the day on which its deployment ends; empty where that is not soon."""
    before: str
    """Who was champion before; empty where nobody was."""


def slots(console: Console) -> list[SlotFacts]:
    """Every slot of the workspace with its champion."""
    ledger = console.workspace.ledger
    known = deployments_by_model(ledger)
    found = []
    for slot, named in console.workspace.files.config.champions.items():
        history = champion_history(ledger, slot)
        model = history[0].model if history else named
        row = known.get(model)
        day = ending(console.workspace.files, ledger, [model]).get(model)
        found.append(
            SlotFacts(
                slot,
                model,
                history[0].at if history else None,
                row.served if row else "",
                row.ends if row else None,
                ends_soon(day) if day is not None else "",
                next((one.model for one in history[1:] if one.model != model), ""),
            )
        )
    return found


def champions_table(console: Console) -> Table:
    """Who is live in each slot."""
    rows = [
        {
            "slot": one.slot,
            "model": one.model,
            "since": one.since,
            "served": one.served,
            "deployment": one.told or (f"{one.ends:%Y-%m-%d}" if one.ends else ""),
        }
        for one in slots(console)
    ]
    return Table("champions", LIVE, in_memory(rows))


def _history(console: Console) -> Sequence[dict[str, Any]]:
    return [
        {
            "promoted": row.at,
            "slot": row.slot,
            "model": row.model,
            "action": row.action,
            "who": row.who,
            "reason": row.reason,
            "run": row.run_id,
        }
        for slot in console.workspace.files.config.champions
        for row in champion_history(console.workspace.ledger, slot)
    ]


def _load(console: Console, asked: Asked) -> Content:
    tables = (champions_table(console), Table("history", HISTORY, in_memory(_history(console)), sort="-promoted"))
    return Content(tables=tables)


PAGE = Page("/champions", "champions", _load, menu=50)
