"""One finding: what moved, since when and by how much, who is suspected, and the calls behind it."""

from __future__ import annotations

from dataclasses import dataclass

from driftgate.api.explaining import Explanation, explain
from driftgate.flows.errors import DriftgateError
from driftgate.monitor.suspects import registered
from driftgate.service.console._memo import SETTLED
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Table, in_memory

LOOKS = (Column("when", "time"), Column("result", "status"), Column("told", "long", sort=False))
SLICES = (Column("slice"), Column("told", "long", sort=False), Column("moved", "status", filter=True))


@dataclass(frozen=True)
class FindingFacts:
    """What is known of a finding."""

    key: str
    explained: Explanation
    of_canaries: bool


def _load(console: Console, asked: Asked) -> Content:
    key = asked.path["key"]
    workspace = console.workspace
    try:
        told = console.memo.get(("finding", key), SETTLED / 10, lambda: explain(workspace.files, workspace.ledger, key))
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem
    looks = [{"when": one.at, "result": one.result, "told": one.told} for one in told.looks]
    slices = [
        {"slice": name, "told": words, "moved": "moved" if moved else "quiet"} for name, words, moved in told.slices
    ]
    signal = registered(told.alert.signal)
    facts = FindingFacts(told.alert.key, told, signal is not None and signal.of_canaries)
    tables = (Table("looks", LOOKS, in_memory(looks), sort="-when"), Table("slices", SLICES, in_memory(slices)))
    return Content(facts, tables, f"{told.monitor}: {told.alert.title}")


PAGE = Page("/findings/{key}", "finding", _load, section="monitors")
