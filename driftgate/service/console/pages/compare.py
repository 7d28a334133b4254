"""Two cells side by side, sample by sample: what was lost, what was gained, and whether the difference is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.benchmarks.compare import Difference, Pair, compare_two, flips
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, latest_runs, sample_data
from driftgate.service.console._memo import SETTLED
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._runs import cells_named, run_named
from driftgate.service.console._table import Column, Found, Source, Table, Wanted, in_memory

_OFFERED = 60
"""Cells that the form offers."""
FLIPS = (
    Column("id", link="/runs/{run}/{cell}/{sample_id}", sort=False),
    Column("direction", "status", filter=True, options=("lost", "gained")),
    Column("category", filter=True),
    Column("question", "long", sort=False),
    Column("gold", sort=False),
    Column("before"),
    Column("after"),
    Column("outcome_before", "status", filter=True),
    Column("outcome_after", "status", filter=True),
)
SLICES = (
    Column("kind", filter=True),
    Column("slice"),
    Column("finding", "status", filter=True),
    Column("difference", "points"),
    Column("before", "share"),
    Column("after", "share"),
    Column("n", "number"),
    Column("p", "number"),
)


@dataclass(frozen=True)
class Side:
    """A cell that is compared."""

    name: str
    """``RUN/PLACE``."""
    run: str
    label: str
    score: float | None


@dataclass(frozen=True)
class CompareFacts:
    """What is said of two cells."""

    before: Side | None
    after: Side | None
    shared: int
    lost: int
    gained: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    finding: str
    """``higher`` and ``lower`` are significant; a difference that unanswered samples could turn is unmeasurable."""
    bounds: tuple[float | None, float | None] | None
    """The difference if what was not answered had been the worst and the best."""
    design: str
    offered: Sequence[tuple[str, str]]
    """Cells to choose from, by name: of the newest runs."""


def _load(console: Console, asked: Asked) -> Content:
    names = (asked.query.get("a", ""), asked.query.get("b", ""))
    offered = _offered(console)
    if names[1] and not names[0]:
        names = (_before(offered, names[1]), names[1])
    if not all(names):
        nothing = CompareFacts(None, None, 0, 0, 0, None, None, None, None, "", None, "", offered)
        return Content(nothing, ())
    cells = [_cell(console, name) for name in names]
    key = ("compare", *(cell.id for cell in cells), *(run_named(console, cell.run_id).finished_at for cell in cells))
    pair, rows = console.memo.get(key, SETTLED, lambda: _pair(console, cells))
    overall = pair.overall
    interval = overall.comparison.interval
    facts = CompareFacts(
        Side(names[0], cells[0].run_id, cells[0].name, overall.reference),
        Side(names[1], cells[1].run_id, cells[1].name, overall.candidate),
        pair.shared,
        sum(row["direction"] == "lost" for row in rows),
        sum(row["direction"] == "gained" for row in rows),
        overall.comparison.difference,
        interval.low,
        interval.high,
        overall.p,
        overall.finding,
        None if overall.bounds is None else (overall.bounds.low.estimate, overall.bounds.high.estimate),
        pair.design,
        offered,
    )
    slices = [_slice(one) for one in pair.differences[1:]]
    tables = (Table("flips", FLIPS, _flips(console, rows)), Table("slices", SLICES, in_memory(slices)))
    return Content(facts, tables, f"{cells[0].name} → {cells[1].name}")


def _offered(console: Console) -> list[tuple[str, str]]:
    runs = latest_runs(console.workspace.ledger, 20, status="complete", kinds=["benchmark", "import", "proof"])
    found = [
        (f"{run.id}/{cell.ordinal}", f"{run.created_at:%m-%d %H:%M} · {cell.name}")
        for run in runs
        for cell in cells_named(console, run)
    ]
    return found[:_OFFERED]


def _before(offered: Sequence[tuple[str, str]], name: str) -> str:
    """The cell of the run before that is called as this one is."""
    told = dict(offered)
    own = told.get(name, "").partition(" · ")[2]
    names = [one for one, words in offered if words.partition(" · ")[2] == own]
    return names[names.index(name) + 1] if name in names and names.index(name) + 1 < len(names) else ""


def _cell(console: Console, name: str) -> CellRow:
    run, _, place = name.rpartition("/")
    if not run:
        raise Missing(f"'{name[:80]}' names no cell", "give RUN/PLACE, such as latest/0")
    row = run_named(console, run)
    found = next((cell for cell in cells_named(console, row) if str(cell.ordinal) == place), None)
    if found is None:
        raise Missing(f"run {row.id} has no cell {place[:40]}", "its cells are counted from 0")
    return found


def _pair(console: Console, cells: Sequence[CellRow]) -> tuple[Pair, list[dict[str, Any]]]:
    if cells[0].id == cells[1].id:
        raise DriftgateError("the two are the same cell", "choose another one")
    pair = compare_two(console.workspace.ledger, cells[1], cells[0])
    if not pair.shared:
        raise DriftgateError("the two cells share no samples", "choose cells of one dataset")
    moved = flips(pair)
    frame = moved.astype(object).where(moved.notna(), None)
    return pair, [_flip(row, cells[1]) for row in frame.to_dict("records")]


def _flip(row: dict[Any, Any], cell: CellRow) -> dict[str, Any]:
    return {
        "id": row["upstream_id"],
        "sample_id": row["sample_id"],
        "run": cell.run_id,
        "cell": cell.ordinal,
        "direction": row["direction"],
        "category": row["category"],
        "before": row["answer_reference"],
        "after": row["answer"],
        "outcome_before": row["outcome_reference"],
        "outcome_after": row["outcome"],
        "score_before": row["score_reference"],
        "score_after": row["score"],
    }


def _slice(one: Difference) -> dict[str, Any]:
    interval = one.comparison.interval
    return {
        "kind": one.kind,
        "slice": one.name,
        "finding": one.finding,
        "difference": one.comparison.difference,
        "before": one.reference,
        "after": one.candidate,
        "n": interval.n,
        "p": one.p,
        "low": interval.low,
        "high": interval.high,
    }


def _flips(console: Console, rows: Sequence[dict[str, Any]]) -> Source:
    source = in_memory(rows)

    def read(wanted: Wanted) -> Found:
        found = source(wanted)
        asked = sample_data(console.workspace.ledger, [int(row["sample_id"]) for row in found.rows])
        told = [
            {
                **row,
                "question": str(asked.get(int(row["sample_id"]), {}).get("question") or ""),
                "gold": asked.get(int(row["sample_id"]), {}).get("answer"),
            }
            for row in found.rows
        ]
        return Found(told, found.total, found.options)

    return read


PAGE = Page("/compare", "compare", _load, menu=45, query=("a", "b"))
