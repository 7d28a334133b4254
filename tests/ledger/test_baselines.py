"""Baselines on both databases: what was put in says the same as what was taken, in any round and of any outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from ledger_fixtures import make_samples

from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.scores import score_run
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import (
    AggregationRow,
    AnchorRow,
    Baseline,
    Ledger,
    Record,
    add_aggregation,
    add_anchor_grades,
    add_cell,
    add_left_out,
    anchor_grades_of,
    baseline_named,
    cells_of,
    finish_run,
    names_of_baselines,
    open_ledger,
    outcome_frame,
    pending_samples,
    put_baseline,
    record,
    start_run,
    take_baseline,
)

LONG = "긴 오류\x00 " * 40
MADE_HERE = ("sample_id", "answer", "error")
"""What an import numbers anew, and what is left at home."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("home.db", tmp_path)
    yield opened
    opened.close()


def fill(ledger: Ledger, entry: Callable[..., Record]) -> str:
    """A run with every outcome, a second round, grades, parameters left out, an aggregation and anchors."""
    run = start_run(ledger, "s", {"config": {"prompt": "비밀 프롬프트", "flow": "f"}, "cells": []}, "hash", 7, "0.1")
    asked = make_samples(24)
    row = {"model": "m", "flow": "f", "variant": "v", "dataset": "d", "signature": "x:1", "details": {"n": 24}}
    cell = add_cell(ledger, run.id, 0, row, asked)
    known = ("answered", "unparsed", "truncated", "filtered", "failed")
    for round_ in (0, 1):
        todo = pending_samples(ledger, cell, retry_failed=True)
        entries = []
        for number, sample in enumerate(asked[:-1]):  # of the last nothing became of
            if sample.key not in todo:
                continue
            outcome = known[number % 5] if round_ == 0 or number % 2 else "answered"
            right = float(number % 3 == 0) if outcome == "answered" else None
            grades = [Evaluation("ask", "judge", "grade", float(number % 5), label="잘했다")]
            grades += [Evaluation("ask", "other", "", None, error=LONG)] if number % 4 == 0 else []
            entries.append(
                entry(
                    cell, todo[sample.key][0], round=round_, outcome=outcome, correct=right, error=LONG, answer="답",
                    cost=0.001 * number, latency=0.1 * number, evaluations=grades,
                )
            )  # fmt: skip
        record(ledger, entries)
    add_left_out(ledger, cell, "m", {"temperature": "not supported"})
    add_aggregation(ledger, cell, AggregationRow(23, {"mean": 0.25}))
    add_anchor_grades(ledger, run.id, [AnchorRow("pin", "texts", f"a{n}", float(n), "gpt", "") for n in range(12)])
    score_run(ledger, run.id)
    finish_run(ledger, run.id)
    return run.id


def moved(home: Ledger, ledger: Ledger, run: str, content: str = "ab" * 32) -> tuple[Baseline, str]:
    """The run through its text into the other ledger: the baseline and its run there."""
    baseline = take_baseline(home, run)
    read = Baseline.model_validate_json(baseline.model_dump_json(exclude_defaults=True))
    assert read == baseline
    return read, put_baseline(ledger, read, content, "main").id


def test_everything_that_a_comparison_needs_comes_through(
    home: Ledger, ledger: Ledger, entry: Callable[..., Record]
) -> None:
    run = fill(home, entry)
    _, there = moved(home, ledger, run)
    (mine,), (theirs,) = cells_of(home, run), cells_of(ledger, there)
    assert theirs.signature == mine.signature == "x:1|without:temperature"
    before, after = outcome_frame(home, mine.id), outcome_frame(ledger, theirs.id)
    shared = [name for name in before.columns if name not in MADE_HERE]
    pd.testing.assert_frame_equal(before[shared], after[shared], check_dtype=False)
    scored, again = (score_run(one, of, store=False)[0] for one, of in ((home, run), (ledger, there)))
    assert again.rows == scored.rows
    assert [(one.metrics, one.n) for one in again.aggregations] == [({"mean": 0.25}, 23)]
    assert [one.errors for one in again.evaluators] == [one.errors for one in scored.evaluators]
    assert anchor_grades_of(ledger, there) == anchor_grades_of(home, run)


def test_what_was_said_stays_at_home(home: Ledger, ledger: Ledger, entry: Callable[..., Record]) -> None:
    run = fill(home, entry)
    text = take_baseline(home, run).model_dump_json()
    for word in ("긴 오류", "잘했다", "문제 3번", "비밀 프롬프트", '"답"'):
        assert word not in text
    full = take_baseline(home, run, with_text=True).model_dump_json()
    for word in ("긴 오류", "잘했다", "문제 3번", "비밀 프롬프트", '"답"'):
        assert word in full


def test_the_newest_name_counts(home: Ledger, ledger: Ledger, entry: Callable[..., Record]) -> None:
    assert (baseline_named(ledger, "main"), names_of_baselines(ledger)) == (None, [])
    run = fill(home, entry)
    baseline, first = moved(home, ledger, run)
    second = put_baseline(ledger, baseline, "cd" * 32, "main").id
    assert baseline_named(ledger, "main") == second != first
    assert put_baseline(ledger, baseline, "ab" * 32, "main").id == first
    assert baseline_named(ledger, "main") == first
    assert names_of_baselines(ledger) == ["main"]


def test_a_run_is_paired_with_it_by_what_was_asked(home: Ledger, ledger: Ledger, entry: Callable[..., Record]) -> None:
    run = fill(home, entry)
    moved(home, ledger, run)
    later = fill(ledger, entry)
    gate = GateConfig.model_validate({"suite": "s", "rules": [{"no_worse_than": "baseline:main", "margin": 0.3}]})
    (said,) = judge(ledger, "g", gate, later, score_run(ledger, later, store=False)).rules
    assert said.value == 0.0
    assert "shared" not in said.reason and "unpaired" not in said.reason


def test_many_import_the_same_file_at_once(home: Ledger, ledger: Ledger, entry: Callable[..., Record]) -> None:
    baseline = take_baseline(home, fill(home, entry))
    put_baseline(ledger, baseline, "00" * 32, "other")
    with ThreadPoolExecutor(6) as workers:
        runs = list(workers.map(lambda number: put_baseline(ledger, baseline, "ab" * 32, "main").id, range(12)))
    assert len(set(runs)) == 1
    (cell,) = cells_of(ledger, runs[0])
    assert len(outcome_frame(ledger, cell.id)) == 24
