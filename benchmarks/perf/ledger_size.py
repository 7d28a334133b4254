"""What a sample takes in the ledger, before and after its details move to the archive, and after its texts expired.

Run from the project's root::

    python -m benchmarks.perf.ledger_size --samples 35030

Nights of made-up questions of KMMLU's length go into a new SQLite ledger as a run records them: rendered prompt, reply,
extracted answer, six evaluations. The words are drawn anew for each question, so that they compress as texts do and not
as repetitions. The yardstick is gzip: the very texts and numbers that move, as JSON lines at level 9.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.flows.engines import NodeResult
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import (
    Ledger,
    Record,
    add_cell,
    archive_details,
    check_ledger,
    expire_texts,
    finish_run,
    latest_runs,
    open_ledger,
    pending_samples,
    record,
    start_run,
)

_VOCABULARY = 8_000
_BATCH = 64
"""Records of a transaction, as a busy run writes them."""


def questions(count: int) -> list[Sample]:
    """Questions of about a hundred syllables, their choices included."""
    rng = random.Random(0)
    words = ["".join(chr(rng.randint(0xAC00, 0xD7A3)) for _ in range(rng.randint(1, 4))) for _ in range(_VOCABULARY)]

    def say(least: int, most: int) -> str:
        return " ".join(rng.choices(words, k=rng.randint(least, most)))

    return [
        make_sample(
            "kmmlu",
            "test",
            n,
            {"question": say(8, 24), "choices": [say(1, 6) for _ in range(4)], "answer": "ABCD"[n % 4]},
            category=f"category {n % 45}",
            super_category="STEM",
        )
        for n in range(count)
    ]


def outcome(cell: int, sample_id: int, sample: Sample, rng: random.Random) -> Record:
    """What a run of the shipped flow keeps of a question."""
    choices = "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", sample.data["choices"], strict=True))
    answer = rng.choice("ABCD")
    correct = float(answer == sample.data["answer"])
    seconds = rng.uniform(0.2, 0.9)
    nodes = (
        NodeResult("render", "completed", f"{sample.data['question']}\n{choices}\n답:\n", rng.uniform(1e-4, 3e-4)),
        NodeResult("ask", "completed", {"text": answer, "finish_reason": "stop", "first_token": None}, seconds),
        NodeResult("extract", "completed", {"answer": answer, "rule": "first_line/letter"}, rng.uniform(1e-5, 9e-5)),
    )
    evaluations = (
        Evaluation("render", "prompt", "complete", 1.0),
        Evaluation("render", "prompt", "share", 1.0),
        Evaluation("ask", "reply", "characters", 1.0),
        Evaluation("ask", "reply", "within", 1.0),
        Evaluation("extract", "choice", "answer", None, answer),
        Evaluation("extract", "choice", "correct", correct),
    )
    return Record(
        cell_id=cell,
        sample_id=sample_id,
        round=0,
        outcome="answered",
        answer=answer,
        correct=correct,
        rule="first_line/letter",
        error="",
        finish_reason="stop",
        input_tokens=rng.randint(90, 260),
        output_tokens=2,
        cost=rng.uniform(1e-5, 4e-5),
        latency=seconds,
        seconds=seconds + 0.001,
        served_model="gpt-4.1-mini-2025-04-14",
        fingerprint="fp_0123456789",
        attempts=1,
        cached=False,
        finished_at=datetime.now(UTC),
        nodes=nodes,
        evaluations=evaluations,
        asked=("model",),
    )


def night(ledger: Ledger, samples: Sequence[Sample], seed: int) -> Iterator[Record]:
    """One run of one model over all samples; what it recorded."""
    rng = random.Random(seed)
    run = start_run(ledger, "nightly", {"cells": [{}]}, "hash", 0, "0.1")
    details = {"nodes": ["render", "ask", "extract"]}
    row = {"model": "model", "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": details}
    cell = add_cell(ledger, run.id, 0, row, samples)
    todo = pending_samples(ledger, cell)
    records = [outcome(cell, todo[sample.key][0], sample, rng) for sample in samples]
    for start in range(0, len(records), _BATCH):
        record(ledger, records[start : start + _BATCH])
    finish_run(ledger, run.id)
    yield from records


def as_lines(entry: Record) -> Iterator[str]:
    """What moves of a record, as JSON lines."""
    for node in entry.nodes:
        yield json.dumps([entry.sample_id, node.node, node.status, node.output, node.seconds], ensure_ascii=False)
    for one in entry.evaluations:
        yield json.dumps([entry.sample_id, one.node, one.evaluator, one.metric, one.value, one.label])


def main() -> None:
    """Print bytes a sample and night."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", type=int, default=5_000, help="samples of a night; KMMLU has 35,030")
    parser.add_argument("--nights", type=int, default=2)
    given = parser.parse_args()
    samples = questions(given.samples)
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger("ledger.db", Path(folder))
        lines = [line for n in range(given.nights) for entry in night(ledger, samples, n) for line in as_lines(entry)]
        asked = given.samples * given.nights

        def say(what: str) -> None:
            checked = check_ledger(ledger)
            texts = next(one.bytes for one in checked.tables if one.name == "samples") or 0
            database, archive = ((checked.bytes or 0) - texts) / asked, checked.archive.bytes / asked
            print(f"| {what} | {database:,.0f} | {archive:,.0f} | {database + archive:,.0f} |")

        print(f"{given.nights} nights of {given.samples:,} samples; the questions, kept once, are not counted")
        print("| bytes a sample | database | archive | together |\n|---|---|---|---|")
        say("as recorded")
        began = time.perf_counter()
        done = archive_details(ledger)
        took = time.perf_counter() - began
        say("archived")
        for run in latest_runs(ledger):
            expire_texts(ledger, run=run.id)
        say("expired")
        began = time.perf_counter()
        zipped = len(gzip.compress("\n".join(lines).encode(), 9))
        yardstick = time.perf_counter() - began
        print(f"moved in {took:.1f} s, {took / yardstick:.1f} times as long as gzip -9 takes for the same rows")
        print(
            f"archive {done.bytes / zipped:.2f} times as large as gzip -9 makes them ({zipped / asked:,.0f} a sample)"
        )
        ledger.close()


if __name__ == "__main__":
    main()
