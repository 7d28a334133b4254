"""Runs of a suite whose outcomes a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import GateConfig, GateVerdict, RuleVerdict, judge
from driftgate.benchmarks.scores import score_run
from driftgate.ledger import Ledger, Record, add_cell, finish_run, open_ledger, pending_samples, record, start_run

Samples = Callable[..., list[Sample]]
Cells = dict[str, Sequence[Any]]
Changes = Callable[[int], dict[str, Any]]


class World:
    """A ledger with runs of a suite ``s``."""

    def __init__(self, ledger: Ledger, samples: Samples, entry: Callable[..., Record]) -> None:
        self.ledger, self.samples, self.entry = ledger, samples, entry

    def run(
        self,
        cells: Cells,
        *,
        complete: bool = True,
        suite: str = "s",
        each: Changes | None = None,
        cell: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A run with a cell for each model; returns its id. ``each(n)`` changes the record of sample n."""
        run = start_run(self.ledger, suite, {}, "hash", 0, "0.1")
        for ordinal, (model, found) in enumerate(cells.items()):
            asked = self.samples(len(found))
            row = {"model": model, "flow": "f", "variant": "v", "dataset": "d", "signature": "x", "details": {}}
            cell_id = add_cell(self.ledger, run.id, ordinal, row | (cell or {}), asked)
            todo = pending_samples(self.ledger, cell_id)
            records = [
                self.entry(
                    cell_id,
                    todo[sample.key][0],
                    outcome=outcome,
                    correct=correct,
                    **(changes | (each(number) if each else {})),
                )
                for number, (sample, (outcome, correct)) in enumerate(zip(asked, found, strict=True))
            ]
            record(self.ledger, records)
        if complete:
            finish_run(self.ledger, run.id)
        return run.id

    def judge(self, run: str, *rules: dict[str, Any], champion: str | None = None) -> GateVerdict:
        gate = GateConfig.model_validate({"suite": "s", "rules": list(rules)})
        return judge(self.ledger, "g", gate, run, score_run(self.ledger, run, store=False), champion=champion)

    def say(self, run: str, rule: dict[str, Any], *, champion: str | None = None) -> RuleVerdict:
        """What the only rule says of the only cell that it is about."""
        (said,) = self.judge(run, rule, champion=champion).rules
        return said


@pytest.fixture
def world(tmp_path: Path, samples: Samples, entry: Callable[..., Record]) -> Any:
    ledger = open_ledger("ledger.db", tmp_path)
    yield World(ledger, samples, entry)
    ledger.close()
