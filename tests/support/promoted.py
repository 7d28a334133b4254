"""Champions that came by the only door there is: a stored pass that names the runs it rests on."""

from __future__ import annotations

from datetime import UTC, datetime

from driftgate.benchmarks.datasets import make_sample
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.scores import score_run
from driftgate.ledger import (
    Ledger,
    Record,
    add_cell,
    add_verdict,
    finish_run,
    pending_samples,
    promote,
    record,
    start_run,
)

GATE = GateConfig.model_validate({"rules": [{"min": 0.5}]})


def passing_run(ledger: Ledger, model: str, *, asked: int = 20) -> str:
    """A complete run in which a model is right every time, judged by the gate ``easy``; returns its id."""
    run = start_run(ledger, "proof", {"cells": []}, "hash", 0, "0.1")
    samples = [make_sample("proof", "test", n, {"question": f"{n}?"}, id=f"p{n}") for n in range(asked)]
    row = {"model": model, "flow": "f", "variant": "v", "dataset": "proof", "signature": "v1", "details": {}}
    cell = add_cell(ledger, run.id, 0, row, samples)
    record(ledger, [right_answer(cell, number) for number, _ in pending_samples(ledger, cell).values()])
    finish_run(ledger, run.id)
    verdict = judge(ledger, "easy", GATE, run.id, score_run(ledger, run.id, store=False))
    add_verdict(ledger, run.id, verdict.gate, verdict.verdict, verdict.as_json())
    return run.id


def right_answer(cell: int, sample: int, *, round: int = 0) -> Record:
    """A sample answered right."""
    return Record(
        cell_id=cell,
        sample_id=sample,
        round=round,
        outcome="answered",
        answer="A",
        correct=1.0,
        rule="letter",
        error="",
        finish_reason="stop",
        input_tokens=10,
        output_tokens=1,
        cost=0.0,
        latency=0.1,
        seconds=0.1,
        served_model="served",
        fingerprint="",
        attempts=1,
        cached=False,
        finished_at=datetime.now(UTC),
    )


def put_in_place(ledger: Ledger, slot: str, model: str, *, reason: str, who: str = "minsu") -> None:
    """Make a model champion by a run that it passes."""
    run = passing_run(ledger, model)
    promote(ledger, slot, model, run_id=run, gates={"easy": GATE.content_hash()}, reason=reason, who=who)
