"""Where people's word is wanted: judges of the newest runs, and how far their samples are labelled."""

from __future__ import annotations

from driftgate.benchmarks.reviewing import judges_in, reviewed
from driftgate.ledger import latest_runs
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._runs import cells_named
from driftgate.service.console._table import Column, Table, in_memory

RUNS = 30
WANTED = 30
"""Labels from which on a judge's rate can be corrected by them; see docs/gate.md."""
COLUMNS = (
    Column("judge", link="/review/{run}/{cell}?judge={judge}", filter=True),
    Column("model", filter=True),
    Column("dataset", filter=True),
    Column("labelled", "number"),
    Column("looked_at", "number"),
    Column("enough", "status", filter=True),
    Column("run", link="/runs/{run}"),
    Column("began", "time"),
)


def _load(console: Console, asked: Asked) -> Content:
    ledger = console.workspace.ledger
    runs = latest_runs(ledger, RUNS, status="complete")
    judged = [(run, cell) for run in runs for cell in cells_named(console, run) if judges_in(cell)]
    known = {(one.cell_id, one.judge): one for one in reviewed(ledger, [cell.id for _, cell in judged])}
    rows = []
    for run, cell in judged:
        for judge in judges_in(cell):
            one = known.get((cell.id, judge))
            labelled = one.labelled if one is not None else 0
            rows.append(
                {
                    "judge": judge,
                    "model": cell.model,
                    "dataset": cell.dataset,
                    "labelled": labelled,
                    "looked_at": one.looked_at if one is not None else 0,
                    "enough": "done" if labelled >= WANTED else "waiting",
                    "run": run.id,
                    "cell": cell.ordinal,
                    "began": run.created_at,
                }
            )
    return Content(tables=(Table("reviews", COLUMNS, in_memory(rows), sort="-began"),))


PAGE = Page("/review", "reviews", _load, menu=90)
