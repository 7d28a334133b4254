"""One incident: what it is, since when, who does what about it, and everything that happened to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.incidents import Incident
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Table, in_memory

HISTORY = (
    Column("happened", "time"),
    Column("what", "status", filter=True),
    Column("who", filter=True),
    Column("severity", "status"),
    Column("note", "long", sort=False),
)


@dataclass(frozen=True)
class IncidentFacts:
    """An incident."""

    incident: Incident
    silenced: bool
    signals: tuple[str, ...]
    finding: str
    """The key of the finding that explains it; empty where none does."""


def _load(console: Console, asked: Asked) -> Content:
    try:
        one = console.workspace.incident(asked.path["incident"])
        happened = console.workspace.incident_history(one.id)
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem
    rows = [
        {"happened": each.at, "what": each.what, "who": each.who, "severity": each.severity, "note": each.note}
        for each in happened
    ]
    explains = re.search(r"monitor explain ([0-9a-f]{6,})", one.remedy)
    facts = IncidentFacts(one, one.silenced(), one.signals, explains[1] if explains else "")
    return Content(facts, (Table("history", HISTORY, in_memory(rows), sort="-happened"),), one.id)


PAGE = Page("/incidents/{incident}", "incident", _load, section="incidents")
