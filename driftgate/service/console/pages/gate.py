"""Why gates decided as they did of a run, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftgate.benchmarks.report import VerdictView, verdict_views
from driftgate.ledger import verdicts_of
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._runs import run_named
from driftgate.service.console._table import Column, Table, in_memory

RULES = (
    Column("gate", filter=True),
    Column("verdict", "status", filter=True),
    Column("cell", filter=True),
    Column("rule", "long"),
    Column("reason", "long", sort=False),
    Column("judged", "time"),
)


@dataclass(frozen=True)
class GateFacts:
    """What gates say of a run."""

    run: str
    suite: str
    began: datetime
    verdicts: Sequence[VerdictView]
    gates: Sequence[str]
    """Gates of the workspace that judge the suite and have not judged this run."""


def _load(console: Console, asked: Asked) -> Content:
    run = run_named(console, asked.path["run"])
    rows = verdicts_of(console.workspace.ledger, run.id)
    views = verdict_views(rows)
    known = console.workspace.files.config.gates
    judged = {view.gate for view in views}
    lacking = [name for name, gate in known.items() if gate.suite == run.suite and name not in judged]
    rules = [
        {
            "gate": row.gate,
            "verdict": rule.get("verdict", ""),
            "cell": rule.get("cell", ""),
            "rule": rule.get("says") or rule.get("rule", ""),
            "reason": rule.get("reason", ""),
            "judged": row.created_at,
        }
        for row in rows
        for rule in row.details.get("rules", ())
    ]
    facts = GateFacts(run.id, run.suite, run.created_at, views, lacking)
    return Content(facts, (Table("rules", RULES, in_memory(rules), sort="-judged"),), run.id)


PAGE = Page("/gates/{run}", "gate", _load, section="runs")
