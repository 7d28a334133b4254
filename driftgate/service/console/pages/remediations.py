"""Repairs of regressions: those under way and those that ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import get_args

from driftgate.api.repair import switched_off
from driftgate.finetune.remediation import remediations, stopped
from driftgate.finetune.remediation._store import State
from driftgate.service.console._concerns import approvals
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import Column, Table, in_memory

COLUMNS = (
    Column("remediation", link="/remediations/{remediation}"),
    Column("slot", filter=True),
    Column("state", "status", filter=True),
    Column("cause", "long"),
    Column("champion"),
    Column("opened", "time"),
    Column("closed", "time"),
    Column("waits", "long", sort=False),
)
SHOWN = 500


@dataclass(frozen=True)
class RemediationsFacts:
    """Whether repairs are made at all."""

    switched_off: str
    """Why none is opened or goes on; empty where they are."""
    stopped: bool
    """Somebody stopped them, and they can be resumed here."""


def _load(console: Console, asked: Asked) -> Content:
    waits = {one.id: told for one, told, _ in approvals(console)}
    rows = [
        {
            "remediation": one.id,
            "slot": one.slot,
            "state": one.state,
            "cause": one.cause,
            "champion": one.champion,
            "opened": one.opened_at,
            "closed": one.closed_at,
            "waits": waits.get(one.id, ""),
        }
        for one in remediations(console.workspace.ledger, SHOWN)
    ]
    ledger = console.workspace.ledger
    facts = RemediationsFacts(switched_off(console.workspace.files, ledger), stopped(ledger) is not None)
    known: Mapping[str, Collection[str]] = {"slot": console.workspace.files.config.champions, "state": get_args(State)}
    return Content(facts, tables=(Table("remediations", COLUMNS, in_memory(rows), sort="-opened", known=known),))


PAGE = Page("/remediations", "remediations", _load, menu=60)
