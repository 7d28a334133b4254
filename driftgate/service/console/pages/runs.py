"""Every run of the ledger."""

from __future__ import annotations

from driftgate.ledger import KINDS, browse_runs
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._runs import with_accuracy
from driftgate.service.console._table import Column, Table, from_ledger

COLUMNS = (
    Column("run", link="/runs/{run}"),
    Column("suite", link="/suites/{suite}", filter=True),
    Column("kind", filter=True, options=tuple(KINDS)),
    Column(
        "status", "status", filter=True, options=("running", "stalled", "complete", "interrupted", "stopped", "refused")
    ),
    Column(
        "verdict", "status", link="/gates/{run}", filter=True, options=("pass", "inconclusive", "unmeasurable", "fail")
    ),
    Column("accuracy", "score", sort=False),
    Column("began", "time"),
    Column("reason", "long", sort=False),
)


def runs_table(console: Console) -> Table:
    """The runs, the newest first."""
    source = from_ledger(
        console.workspace.ledger,
        browse_runs(),
        searched=("run", "suite", "reason"),
        finish=lambda rows: with_accuracy(console, [dict(row) for row in rows]),
    )
    return Table("runs", COLUMNS, source, sort="-began", known={"suite": console.workspace.files.config.suites})


def _load(console: Console, asked: Asked) -> Content:
    return Content(tables=(runs_table(console),))


PAGE = Page("/runs", "runs", _load, menu=40)
