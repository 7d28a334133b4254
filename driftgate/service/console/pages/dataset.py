"""One dataset: its samples as they were asked, those that are there twice, and keys that strong models doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Duplicate, browse_dataset, datasets_held, duplicates_in
from driftgate.service.console._memo import SETTLED
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Row, Table, from_ledger, in_memory

SAMPLES = (
    Column("id", sort=False),
    Column("category", filter=True),
    Column("super_category", filter=True),
    Column("question", "long", sort=False),
    Column("gold"),
)
DUPLICATES = (
    Column("standing", "status", filter=True),
    Column("question", "long", sort=False),
    Column("ids", "long", sort=False),
    Column("answers", sort=False),
)
SUSPECTS = (
    Column("id", sort=False),
    Column("category", filter=True),
    Column("question", "long", sort=False),
    Column("gold"),
    Column("letter"),
    Column("agree", "number"),
    Column("with_key", "number"),
    Column("log_odds", "number"),
)


@dataclass(frozen=True)
class Suspects:
    """Keys that strong models doubt."""

    strong: Sequence[str]
    looked_at: int
    expected: float
    rows: Sequence[Row]
    reason: str
    """Why none were looked for."""


@dataclass(frozen=True)
class DatasetFacts:
    """What is said of a dataset."""

    dataset: str
    source: str
    samples: int
    duplicates: int
    contradictions: int
    looked: bool
    """Whether duplicates and suspect keys were looked for, which takes a while and is done when asked for."""
    strong: Sequence[str]
    expected: float
    reason: str


def _load(console: Console, asked: Asked) -> Content:
    name = asked.path["dataset"]
    ledger, config = console.workspace.ledger, console.workspace.files.config.datasets
    held = {one.dataset: one for one in console.memo.get("datasets", 60.0, lambda: datasets_held(ledger))}
    if name not in held and name not in config:
        raise Missing(f"there is no dataset '{name[:80]}'", f"there are: {', '.join([*held, *config][:12]) or 'none'}")
    samples = Table(
        "samples",
        SAMPLES,
        from_ledger(ledger, browse_dataset(name), searched=("content", "id", "key"), finish=_without_content),
    )
    looked = asked.query.get("look") == "closer"
    twice: Sequence[Duplicate] = ()
    suspects = Suspects([], 0, 0.0, [], "")
    tables: tuple[Table, ...] = (samples,)
    if looked:
        twice = console.memo.get(("duplicates", name), SETTLED, lambda: duplicates_in(ledger, name))
        suspects = console.memo.get(("suspects", name), SETTLED, lambda: _suspects(console, name))
        tables = (
            samples,
            Table("duplicates", DUPLICATES, in_memory([_twice(one) for one in twice])),
            Table("suspects", SUSPECTS, in_memory(suspects.rows), sort="-log_odds"),
        )
    facts = DatasetFacts(
        name,
        config[name].kind if name in config else "",
        held[name].samples if name in held else 0,
        len(twice),
        sum(one.contradict for one in twice),
        looked,
        suspects.strong,
        suspects.expected,
        suspects.reason,
    )
    return Content(facts, tables, name)


def _without_content(rows: Sequence[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "content"} for row in rows]


def _twice(one: Duplicate) -> dict[str, Any]:
    return {
        "standing": "contradiction" if one.contradict else "repeated",
        "question": one.question,
        "ids": ", ".join(str(each["id"]) for each in one.samples[:20]),
        "answers": ", ".join(str(each["answer"]) for each in one.samples[:20]),
    }


def _suspects(console: Console, name: str) -> Suspects:
    from driftgate.ledger import sample_data

    try:
        found = console.workspace.compare(datasets=[name])
    except DriftgateError as problem:
        return Suspects([], 0, 0.0, [], problem.message)
    mine = next((one.suspects for one in found.datasets if one.dataset == name), None)
    if mine is None or mine.reason:
        return Suspects([], 0, 0.0, [], mine.reason if mine is not None else "no two cells of it can be compared")
    asked = sample_data(console.workspace.ledger, [int(one) for one in mine.samples["sample_id"]])
    rows = [
        {
            "id": row["upstream_id"],
            "category": row["category"],
            "question": str(asked.get(int(row["sample_id"]), {}).get("question") or ""),
            **{key: row[key] for key in ("gold", "letter")},
            "agree": int(row["agree"]),
            "with_key": int(row["with_key"]),
            "log_odds": float(row["log_odds"]),
        }
        for row in mine.samples.to_dict("records")
    ]
    return Suspects(list(mine.strong), mine.looked_at, mine.expected, rows, "")


PAGE = Page("/datasets/{dataset}", "dataset", _load, section="datasets", query=("look",))
