"""Canaries of two looks are paired by what they ask, wherever they stand in their file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from driftgate.benchmarks.datasets import make_sample
from driftgate.ledger import Ledger, RunRow, add_cell, open_ledger, start_run
from driftgate.monitor.watch import canary_frame


def look(ledger: Ledger, questions: list[str]) -> RunRow:
    """A run of canaries that have no ids."""
    run = start_run(ledger, "canary-watch", {"cells": [{}]}, "hash", 0, "0.1", id=f"look-{datetime.now(UTC):%f}")
    row = {"model": "m", "flow": "f", "variant": "", "dataset": "d", "signature": "v1", "details": {}}
    canaries = [
        make_sample("own", "test", place, {"question": question}, subset="canaries")
        for place, question in enumerate(questions)
    ]
    add_cell(ledger, run.id, 0, row, canaries)
    return run


def test_a_canary_that_was_taken_out_does_not_shift_the_others(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    before = canary_frame(ledger, look(ledger, ["하나?", "둘?", "셋?"]))
    after = canary_frame(ledger, look(ledger, ["하나?", "셋?"]))
    assert list(after["key"]) == [before["key"][0], before["key"][2]]
    ledger.close()
