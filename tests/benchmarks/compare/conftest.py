"""Cells written straight into a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.ledger import (
    CellRow,
    Ledger,
    Record,
    add_cell,
    cells_of,
    finish_run,
    open_ledger,
    pending_samples,
    record,
    start_run,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def questions() -> Callable[..., list[Sample]]:
    """``questions(n)``: four choices, key D, three categories in two super-categories."""

    def make(n: int, *, start: int = 0, passage: int = 0, dataset: str = "exam") -> list[Sample]:
        return [
            make_sample(
                dataset,
                "test",
                i,
                {"question": f"문제 {i}?", "choices": [*"가나다라"], "answer": "D"},
                id=f"q{i}",
                category=("Law", "Math", "Art")[i % 3],
                super_category="HUMSS" if i % 3 != 1 else "STEM",
                cluster=f"p{i // passage}" if passage else "",
            )
            for i in range(start, start + n)
        ]

    return make


@pytest.fixture
def put(store: Ledger) -> Callable[..., CellRow]:
    """``put(model, samples, answers)``: a complete run of one cell; an answer is a letter, a grade, or an outcome.

    A latency may be one of each sample.
    """

    def write(model: str, samples: Sequence[Sample], answers: Sequence[Any], **more: Any) -> CellRow:
        latency, cost = more.pop("latency", None), more.pop("cost", 0.0)
        run = start_run(
            store, more.pop("suite", "small"), {"cells": [{}]}, "hash", 0, "0.1", kind=more.pop("kind", "benchmark")
        )
        row = {"model": model, "flow": "f", "variant": "v", "dataset": "exam", "signature": "v1", "details": {}} | more
        cell_id = add_cell(store, run.id, 0, row, samples)
        ids = pending_samples(store, cell_id)
        records = []
        for place, (sample, answer) in enumerate(zip(samples, answers, strict=True)):
            if answer == "missing":
                continue
            outcome = answer if isinstance(answer, str) and len(answer) > 1 else "answered"
            grade = answer if isinstance(answer, float) else float(answer == sample.data["answer"])
            records.append(
                Record(
                    cell_id=cell_id,
                    sample_id=ids[sample.key][0],
                    round=0,
                    outcome=outcome,
                    answer=str(answer) if outcome == "answered" else None,
                    correct=grade if outcome == "answered" else None,
                    rule="",
                    error="",
                    finish_reason="stop",
                    input_tokens=1,
                    output_tokens=1,
                    cost=cost,
                    latency=latency[place] if isinstance(latency, list) else latency,
                    seconds=0.1,
                    served_model="",
                    fingerprint="",
                    attempts=1,
                    cached=False,
                    finished_at=datetime.now(UTC),
                )
            )
        record(store, records)
        finish_run(store, run.id)
        (cell,) = cells_of(store, run.id)
        return cell

    return write
