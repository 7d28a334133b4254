"""The next sample for a person to label, without what the judge says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.labelled import texts_of
from driftgate.benchmarks.reviewing import human_labels, judges_in, next_to_review, scale_of
from driftgate.ledger import sample_data
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._runs import cell_named, run_named
from driftgate.service.console._table import Column, Table, in_memory

LABELS = (
    Column("labelled_at", "time"),
    Column("sample", link="/runs/{run}/{cell}/{sample}", sort=False),
    Column("grade", "number"),
    Column("passed", filter=True),
    Column("who", filter=True),
)
_GRADES = 11
"""Grades that are offered as buttons, at most; a finer scale gets a field."""


@dataclass(frozen=True)
class ReviewFacts:
    """What a person is asked."""

    run: str
    cell: int
    cell_name: str
    judge: str
    judges: Sequence[str]
    low: float
    high: float
    grades: Sequence[int]
    """Those that are offered; empty where the scale has none or too many."""
    labelled: int
    left: bool
    sample: int | None
    question: str
    passage: str
    gold: str
    reply: str


def _load(console: Console, asked: Asked) -> Content:
    ledger = console.workspace.ledger
    run = run_named(console, asked.path["run"])
    cell = cell_named(console, run, asked.path["cell"])
    judges = judges_in(cell)
    judge = asked.query.get("judge") or (judges[0] if judges else "")
    if judge not in judges:
        raise Missing(f"{cell.name} has no judge '{judge[:80]}'", f"it has: {', '.join(judges) or 'none'}")
    low, high = scale_of(cell, judge)
    whole = low.is_integer() and high.is_integer() and 1 < high - low < _GRADES
    kept = human_labels(ledger, cell.id, judge)
    sample = next(next_to_review(ledger, cell, judge, asked.who), None)
    data = sample_data(ledger, [sample])[sample] if sample is not None else {}
    reply = texts_of(ledger, cell.id, judge.partition(".")[0], [sample])[sample] if sample is not None else ""
    facts = ReviewFacts(
        run.id,
        cell.ordinal,
        cell.name,
        judge,
        judges,
        low,
        high,
        range(int(low), int(high) + 1) if whole else (),
        sum(one.grade is not None or one.passed is not None for one in kept),
        sample is not None,
        sample,
        str(data.get("question") or data.get("query") or ""),
        str(data.get("passage") or ""),
        str(data.get("answer") or ""),
        reply or "",
    )
    rows = [
        {
            "labelled_at": one.at,
            "sample": one.sample_id,
            "grade": one.grade,
            "passed": "" if one.passed is None else str(one.passed).lower(),
            "who": one.who,
            "run": run.id,
            "cell": cell.ordinal,
        }
        for one in kept
    ]
    return Content(facts, (Table("labels", LABELS, in_memory(rows), sort="-labelled_at"),), judge)


PAGE = Page("/review/{run}/{cell}", "review", _load, section="reviews", personal=True, query=("judge",))
