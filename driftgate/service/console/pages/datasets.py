"""Every dataset of the workspace and of the ledger."""

from __future__ import annotations

from driftgate.ledger import datasets_held
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import Column, Table, in_memory

COLUMNS = (
    Column("dataset", link="/datasets/{dataset}"),
    Column("source", filter=True),
    Column("samples", "number"),
    Column("editions", "number"),
    Column("categories", "number"),
)


def _load(console: Console, asked: Asked) -> Content:
    ledger = console.workspace.ledger
    held = console.memo.get("datasets", 60.0, lambda: datasets_held(ledger))
    named = console.workspace.files.config.datasets
    rows = [
        {
            "dataset": one.dataset,
            "source": named[one.dataset].kind if one.dataset in named else "",
            "samples": one.samples,
            "editions": one.editions,
            "categories": one.categories,
        }
        for one in held
    ]
    there = {one.dataset for one in held}
    rows += [
        {"dataset": name, "source": config.kind, "samples": None, "editions": None, "categories": None}
        for name, config in named.items()
        if name not in there
    ]
    return Content(tables=(Table("datasets", COLUMNS, in_memory(rows), sort="dataset"),))


PAGE = Page("/datasets", "datasets", _load, menu=70)
