"""Repairs of regressions: those under way and those that ended."""

from __future__ import annotations

from driftgate.finetune.remediation import remediations
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
    return Content(tables=(Table("remediations", COLUMNS, in_memory(rows), sort="-opened"),))


PAGE = Page("/remediations", "remediations", _load, menu=60)
