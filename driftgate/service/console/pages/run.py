"""One run: its cells, scores and verdicts, all its samples, and how it goes while it is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from driftgate.benchmarks.evaluated import evaluated_in
from driftgate.benchmarks.report import VerdictView, verdict_views
from driftgate.flows.errors import DriftgateError, cut
from driftgate.ledger import (
    ORDERS,
    CellRow,
    Evaluated,
    OutputsSearched,
    RunProgress,
    RunRow,
    SampleFilter,
    ScoreRow,
    aggregations_of,
    as_they_stand,
    categories_of,
    expired_at,
    find_samples,
    outcome_counts,
    progress_of,
    sample_rows,
    scores_of,
    search_outputs,
    verdicts_of,
)
from driftgate.service.console._memo import BRIEF, SETTLED
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._runs import ANSWERED, cells_named, run_named
from driftgate.service.console._table import Column, Found, Searched, Source, Table, Wanted, in_memory

_OUTCOMES = ("answered", "unparsed", "truncated", "filtered", "failed", "missing")
_SLICES = ("category", "super_category")
_FIRST = 0.2
"""Seconds for which the outputs of nodes are searched before a page tells how far that is."""
_ON = 8.0
"""Likewise, where somebody asks that it go on."""
_WHOLE = 25.0
"""Likewise, for a file of all that was found."""
_EVALUATORS = 60
"""Metrics of evaluators that samples can be filtered by, at most."""

SAMPLES = (
    Column("id", link="/runs/{run}/{cell}/{sample_id}", sort=False),
    Column("model", sort=False),
    Column("category", filter=True),
    Column("question", "long", sort=False),
    Column("gold", sort=False),
    Column("answer"),
    Column("outcome", "status", filter=True, options=_OUTCOMES),
    Column("correct", "number"),
    Column("latency", "seconds"),
    Column("cost", "money"),
    Column("error", "long", sort=False),
)
SCORES = (
    Column("cell"),
    Column("metric", filter=True),
    Column("slice_kind", filter=True),
    Column("slice"),
    Column("value", "score"),
    Column("n", "number"),
)


@dataclass(frozen=True)
class CellFacts:
    """A cell on its run's page."""

    ordinal: int
    name: str
    model: str
    dataset: str
    signature: str
    stopped: str
    outcomes: Mapping[str, int]
    accuracy: ScoreRow | None
    if_right: float | None
    """The accuracy if all had been right that was not answered, where that differs."""
    evaluators: Sequence[Mapping[str, Any]]
    """What became of every node evaluator, the worst first."""
    aggregations: int

    @property
    def total(self) -> int:
        """Samples that were asked for."""
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class RunFacts:
    """What a run's page says beside its tables."""

    run: str
    suite: str
    kind: str
    status: str
    reason: str
    began: datetime
    finished: datetime | None
    version: str
    expired: datetime | None
    how_to_finish: str
    cells: Sequence[CellFacts]
    verdicts: Sequence[VerdictView]
    progress: RunProgress | None
    """None of a run that has ended."""


@dataclass(frozen=True)
class RunView:
    """What the page's forms offer."""

    metrics: Sequence[str]
    categories: Sequence[str]


def _load(console: Console, asked: Asked) -> Content:
    run = run_named(console, asked.path["run"])
    facts = facts_of(console, run)
    own = cells_named(console, run)
    metrics = [f"{e['key']}.{m['metric']}" for c in facts.cells for e in c.evaluators for m in e["metrics"]]
    view = RunView(list(dict.fromkeys(metrics))[:_EVALUATORS], _categories(console, run, own))
    return Content(facts, (samples_table(console, run, own), _scores_table(console, run, own)), run.id, view)


def facts_of(console: Console, run: RunRow) -> RunFacts:
    """What is said of a run; of one that has ended it is read once in a while."""
    ledger = console.workspace.ledger
    verdicts = verdict_views(verdicts_of(ledger, run.id))
    ended, standing = run.status == "complete", as_they_stand(ledger, [run])[0]
    key = ("run", run.id, run.status, run.finished_at)
    cells = console.memo.get(
        key, SETTLED if ended else BRIEF, lambda: [_cell(console, cell, ended) for cell in cells_named(console, run)]
    )
    return RunFacts(
        run=run.id,
        suite=run.suite,
        kind=run.kind,
        status=standing.status,
        reason=standing.reason,
        began=run.created_at,
        finished=run.finished_at,
        version=run.version,
        expired=expired_at(ledger, run.id),
        how_to_finish="" if ended else run.how_to_finish,
        cells=cells,
        verdicts=verdicts,
        progress=progress_of(ledger, run.id) if run.status == "running" else None,
    )


def _cell(console: Console, cell: CellRow, ended: bool) -> CellFacts:
    ledger = console.workspace.ledger
    rows = {row.metric: row for row in scores_of(ledger, cell.id, cell.signature) if row.slice_kind == "all"}
    accuracy, best = rows.get("accuracy"), rows.get("accuracy_if_right")
    if accuracy is not None and (answered := rows.get(ANSWERED)) is not None and not answered.value:
        accuracy, best = replace(accuracy, value=None, low=None, high=None), None
    higher = accuracy is not None and best is not None and (best.value or 0.0) > (accuracy.value or 0.0)
    return CellFacts(
        ordinal=cell.ordinal,
        name=cell.name,
        model=cell.model,
        dataset=cell.dataset,
        signature=cell.signature,
        stopped=cell.stopped,
        outcomes=(_by_shares(cell, rows) if ended else None) or outcome_counts(ledger, cell),
        accuracy=accuracy,
        if_right=best.value if higher and best is not None else None,
        evaluators=[one.as_json() | {"trouble": one.trouble} for one in evaluated_in(ledger, cell)] if ended else [],
        aggregations=len(aggregations_of(ledger, cell.id)),
    )


def _by_shares(cell: CellRow, rows: Mapping[str, ScoreRow]) -> dict[str, int] | None:
    """The counts that the shares among a cell's scores stand for; None where they do not tell all of them.

    So no sample of a run that has ended is read to draw a bar.
    """
    shares = [rows.get(f"share.{name}") for name in _OUTCOMES]
    if cell.repeats > 1 or cell.stopped:
        return None
    counts = [round(one.value * one.n) for one in shares if one is not None and one.value is not None]
    whole = {one.n for one in shares if one is not None}
    if len(counts) != len(_OUTCOMES) or whole != {sum(counts)}:
        return None
    return {name: n for name, n in zip(_OUTCOMES, counts, strict=True) if n}


def _categories(console: Console, run: RunRow, own: Sequence[CellRow]) -> Sequence[str]:
    def read() -> Sequence[str]:
        """By the scores, which name them all; before there are any, by the samples."""
        scored = {row["slice"] for row in _score_rows(console, run, own) if row["slice_kind"] in _SLICES}
        return sorted(scored - {""}) or categories_of(console.workspace.ledger, own)

    return console.memo.get(("categories", run.id, run.status), SETTLED, read)


def samples_table(console: Console, run: RunRow, own: Sequence[CellRow]) -> Table:
    """All samples of a run, cell after cell."""
    return Table(
        "samples",
        SAMPLES,
        _samples(console, run, own),
        extra=("cell", "show", "below", "in", "searched"),
        filters=("outcome", "category"),
    )


def _samples(console: Console, run: RunRow, own: Sequence[CellRow]) -> Source:
    by_id = {cell.id: cell for cell in own}

    def read(wanted: Wanted) -> Found:
        equal = wanted.equal
        cells = [cell for cell in own if not equal.get("cell") or str(cell.ordinal) == equal["cell"]]
        show = equal.get("show", "")
        if show not in ("", "wrong", "failed", "trouble"):
            raise DriftgateError(f"show is '{show[:40]}'", "it may be: wrong, failed, trouble")
        if equal.get("in", "") not in ("", "outputs"):
            raise DriftgateError(f"in is '{cut(equal['in'])}'", "it may be: outputs")
        if not own:  # it has not come so far yet, or never will
            return Found([], 0)
        if not cells:
            raise Missing(f"run {run.id} has no cell {equal['cell'][:40]}", f"it has {len(own)}, counted from 0")
        sought = _outputs(console, run, cells, wanted) if equal.get("in") and wanted.search else None
        chosen = SampleFilter(
            outcome=equal.get("outcome", ""),
            wrong=show in ("wrong", "trouble"),
            failed=show in ("failed", "trouble"),
            category=equal.get("category", ""),
            text=wanted.search,
            evaluated=_evaluated(equal.get("below", "")),
            said=sought.found if sought is not None else None,
        )
        order = wanted.sort if wanted.sort in ORDERS else "place"
        total, places = find_samples(
            console.workspace.ledger,
            cells,
            chosen,
            order=order,
            descending=wanted.descending,
            offset=wanted.offset,
            limit=wanted.size,
        )
        rows = [
            {**row, "run": run.id, "cell": by_id[row["cell_id"]].ordinal, "model": by_id[row["cell_id"]].model}
            for row in sample_rows(console.workspace.ledger, places)
        ]
        searched = Searched(sought.done, sought.of) if sought is not None else None
        return Found(rows, total, {"category": _categories(console, run, own)}, searched)

    return read


def _outputs(console: Console, run: RunRow, cells: Sequence[CellRow], wanted: Wanted) -> OutputsSearched:
    """Which samples have a text in what a node gave, as far as that could be looked for in the time there is."""
    past = wanted.equal.get("searched", "")
    if past and not (past.isascii() and past.isdigit() and len(past) < 12):
        raise DriftgateError(f"searched is '{cut(past)}'", "give the number of outputs after which the search goes on")
    seconds = _WHOLE if wanted.whole else _ON if past else _FIRST
    key = (run.id, tuple(cell.id for cell in cells), wanted.search)
    begin = partial(search_outputs, console.workspace.ledger, cells, wanted.search)
    return console.searches.go_on(key, begin, seconds, past=int(past) if past and not wanted.whole else -1)


def _evaluated(text: str) -> Evaluated | None:
    """``node.evaluator.metric:0.5``, as the page's form has it.

    Examples
    --------
    >>> _evaluated("reply.match.match:1")
    Evaluated(node='reply', evaluator='match', metric='match', below=1.0)
    """
    if not text:
        return None
    name, _, limit = text.rpartition(":")
    parts = name.split(".")
    try:
        below = float(limit)
    except ValueError:
        below = float("nan")
    if len(parts) < 3 or below != below:
        raise DriftgateError(f"below is '{text[:80]}'", "give node.evaluator.metric:VALUE")
    return Evaluated(parts[0], parts[1], ".".join(parts[2:]), below)


def _score_rows(console: Console, run: RunRow, own: Sequence[CellRow]) -> list[dict[str, Any]]:
    """Every score of a run; of one that has ended they are read once in a while."""

    def rows() -> list[dict[str, Any]]:
        return [
            {
                "cell": cell.name,
                "metric": row.metric,
                "slice_kind": row.slice_kind,
                "slice": row.slice,
                "value": row.value,
                "value_low": row.low,
                "value_high": row.high,
                "n": row.n,
            }
            for cell in own
            for row in scores_of(console.workspace.ledger, cell.id, cell.signature)
        ]

    key = ("scores", run.id, run.status, run.finished_at)
    return console.memo.get(key, SETTLED if run.status == "complete" else BRIEF, rows)


def _scores_table(console: Console, run: RunRow, own: Sequence[CellRow]) -> Table:
    return Table("scores", SCORES, lambda wanted: in_memory(_score_rows(console, run, own))(wanted))


PAGE = Page("/runs/{run}", "run", _load, section="runs", unkept="in")
