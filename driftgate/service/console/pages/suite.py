"""A suite over its nights: every cell's accuracy with its interval, and what gates decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.ledger import browse_runs, latest_runs
from driftgate.service.console._chart import Point, Series
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._runs import headline_scores, with_accuracy
from driftgate.service.console._table import Table, from_ledger
from driftgate.service.console.pages.runs import COLUMNS

NIGHTS = 60
"""Runs that a chart goes back."""


@dataclass(frozen=True)
class SuiteTrend:
    """A suite over its runs."""

    suite: str
    nights: int
    cells: Sequence[Series]
    left_out: int
    """Runs among them that are not complete, which have no point."""


def _load(console: Console, asked: Asked) -> Content:
    name = asked.path["suite"]
    ledger = console.workspace.ledger
    runs = latest_runs(ledger, NIGHTS, suite=name)
    if not runs and name not in console.workspace.files.config.suites:
        raise Missing(f"no run is of a suite '{name[:80]}'", "see the runs")
    scores = headline_scores(console, [run.id for run in runs])
    lines: dict[str, list[Point]] = {}
    for one in scores:
        status = "" if one.value is not None else "unmeasurable"
        told = f"n {one.n}"
        lines.setdefault(one.cell.name, []).append(
            Point(one.began, one.value, one.low, one.high, status=status, told=told)
        )
    scored = {one.run_id for one in scores}
    gone = [run for run in runs if run.id not in scored]
    for points in lines.values():
        points += [Point(run.created_at, None, status=run.status, told=run.reason) for run in gone]
    facts = SuiteTrend(name, len(runs), [Series(cell, points) for cell, points in lines.items()], len(gone))

    def finish(rows: Sequence[Any]) -> Sequence[Any]:
        return with_accuracy(console, [dict(row) for row in rows])

    whole = browse_runs()
    own = whole.where(whole.selected_columns.suite == name)
    source = from_ledger(ledger, own, searched=("run", "reason"), finish=finish)
    return Content(facts, (Table("runs", COLUMNS, source, sort="-began"),), name)


PAGE = Page("/suites/{suite}", "suite", _load, section="runs")
