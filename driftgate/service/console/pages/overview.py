"""Is anything wrong, since when, what is being done, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftgate.ledger import RunProgress, latest_runs, progress_of
from driftgate.service.console import _concerns
from driftgate.service.console._concerns import Concern, Grade, Waiting
from driftgate.service.console._fresh import Freshness, freshness
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import first_page
from driftgate.service.console._watch import watched
from driftgate.service.console.pages.champions import champions_table
from driftgate.service.console.pages.monitors import monitors_table
from driftgate.service.console.pages.run import CellFacts, facts_of
from driftgate.service.console.pages.runs import runs_table

_RUNS = 8
_UNDER_WAY = 5


@dataclass(frozen=True)
class SuiteFacts:
    """The newest run of a suite in short."""

    suite: str
    run: str
    status: str
    began: datetime
    cells: Sequence[CellFacts]


@dataclass(frozen=True)
class OverviewFacts:
    """The whole workspace at a glance."""

    grade: Grade
    since: datetime | None
    """Since when the oldest of what is wrong is so."""
    concerns: Sequence[Concern]
    waiting: Sequence[Waiting]
    under_way: Sequence[RunProgress]
    suites: Sequence[SuiteFacts]
    telemetry: Freshness


def _load(console: Console, asked: Asked) -> Content:
    standing = watched(console)
    fresh = freshness(console)
    handled = _concerns.open_incidents(console)
    newest = _concerns.newest_of_suites(console)
    concerns = [
        *_concerns.of_incidents(console, handled),
        *_concerns.of_monitors(console, standing, handled),
        *_concerns.of_runs(console, newest),
        *_concerns.of_stalled(console),
        *_concerns.of_jobs(console),
        *_concerns.of_channels(console),
        *_concerns.of_deployments(console),
        *_concerns.of_telemetry(fresh),
    ]
    concerns.sort(key=lambda one: one.grade != "wrong")
    grade = _concerns.grade_of(concerns)
    begun = [one.since for one in concerns if one.since is not None and one.grade == grade]
    running = latest_runs(console.workspace.ledger, _UNDER_WAY, status="running")
    suites = [
        SuiteFacts(run.suite, run.id, run.status, run.created_at, facts_of(console, run).cells)
        for run in newest
        if run.status != "refused"
    ]
    facts = OverviewFacts(
        grade,
        min(begun, default=None),
        concerns,
        [*_concerns.waiting_for_approval(console), *_concerns.waiting_incidents(handled)],
        [progress_of(console.workspace.ledger, run.id) for run in running],
        suites,
        fresh,
    )
    tables = (monitors_table(console), first_page(runs_table(console), _RUNS), champions_table(console))
    return Content(facts, tables)


PAGE = Page("/", "overview", _load, menu=10)
