"""The content hash of a run: the same for the same content, another for any other, on either database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import Ledger, Record, open_ledger, record, run_hash

Samples = Callable[..., list[Sample]]
AT = datetime(2026, 11, 25, 3, 0, 0, 123456, tzinfo=UTC)
JUDGED = [
    Evaluation("나", "b", "x", 0.5),
    Evaluation("가", "a", "y", None, label="good", error="none"),
    Evaluation("z", "Z", "", 1 / 3),
]


@pytest.fixture
def filled(
    add: Callable[..., Any], fill: Callable[..., None], samples: Samples
) -> Callable[..., tuple[str, int, dict[str, int]]]:
    """``filled(ledger)``: a run of twelve samples with evaluations; returns its id, its cell and its samples' ids."""

    def make(ledger: Ledger) -> tuple[str, int, dict[str, int]]:
        run, cell, ids = add(ledger, samples(12))
        found = [("answered", float(n % 2)) for n in range(10)] + [("failed", None), None]
        fill(ledger, cell, ids, found, finished_at=AT, latency=0.1 + 0.2, cost=1e-7, evaluations=JUDGED)
        return run.id, cell, ids

    return make


def test_the_hash_changes_with_whatever_is_added(
    ledger: Ledger, filled: Callable[..., Any], entry: Callable[..., Record]
) -> None:
    run, cell, ids = filled(ledger)
    seen = [run_hash(ledger, run)]
    assert run_hash(ledger, run) == seen[0]
    record(ledger, [entry(cell, ids["q11"], finished_at=AT)])  # the one that was missing
    seen.append(run_hash(ledger, run))
    record(ledger, [entry(cell, ids["q10"], finished_at=AT, round=1)])  # one asked again
    seen.append(run_hash(ledger, run))
    record(ledger, [entry(cell, ids["q10"], finished_at=AT, round=2, evaluations=JUDGED[:1])])
    seen.append(run_hash(ledger, run))
    assert len(set(seen)) == 4


def test_tokens_of_reasoning_and_of_the_cache_are_content(
    tmp_path: Path, add: Callable[..., Any], entry: Callable[..., Record], samples: Samples
) -> None:
    hashes = []
    for place, said in enumerate(({}, {"reasoning_tokens": 8}, {"reasoning_tokens": 9}, {"cached_tokens": 8})):
        opened = open_ledger(f"ledger{place}.db", tmp_path)
        run, cell, ids = add(opened, samples(2))
        record(opened, [entry(cell, one, finished_at=AT, **said) for one in ids.values()])
        hashes.append(run_hash(opened, run.id))
        opened.close()
    assert len(set(hashes)) == 4


def test_the_same_content_has_the_same_hash_on_either_database(
    tmp_path: Path, postgres: Callable[[], str], filled: Callable[..., Any], add: Callable[..., Any], samples: Samples
) -> None:
    hashes = []
    for location in ("ledger.db", postgres()):
        opened = open_ledger(location, tmp_path)
        if location != "ledger.db":
            add(opened, samples(3, subset="before"))  # so that row numbers differ
        hashes.append(run_hash(opened, filled(opened)[0]))
        opened.close()
    assert hashes[0] == hashes[1]


def test_another_plan_is_another_run(ledger: Ledger, add: Callable[..., Any], samples: Samples) -> None:
    hashes = {
        run_hash(ledger, add(ledger, samples(2), **change)[0].id)
        for change in ({}, {"model": "n"}, {"details": {"x": 1}})
    }
    assert len(hashes) == 3
    assert run_hash(ledger, add(ledger, samples(2))[0].id) in hashes
