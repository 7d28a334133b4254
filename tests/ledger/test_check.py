"""``driftgate ledger check``: a whole ledger, and everything that can be missing from one, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from driftgate.ledger import (
    Ledger,
    add_verdict,
    check_ledger,
    finish_run,
    open_ledger,
    record,
    run_hash,
    start_run,
)


@pytest.fixture
def run(ledger: Ledger, samples: Any, add: Any, fill: Any) -> str:
    """A complete run of five samples that a gate passed."""
    row, cell, ids = add(ledger, samples(5))
    fill(ledger, cell, ids, [("answered", 1.0)] * 5)
    finish_run(ledger, row.id)
    add_verdict(ledger, row.id, "small", "pass", {"runs": {row.id: run_hash(ledger, row.id)}})
    return str(row.id)


def change(ledger: Ledger, *statements: str) -> None:
    """As somebody does by hand, without the references being held."""
    with ledger.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
        connection.invalidate()


def test_a_whole_ledger_says_what_it_takes(ledger: Ledger, run: str) -> None:
    checked = check_ledger(ledger)
    assert checked.faults == ()
    assert (checked.samples, checked.verdicts) == (5, 1)
    rows = {one.name: one.rows for one in checked.tables}
    assert (rows["runs"], rows["outcomes"], rows["samples"]) == (1, 5, 5)
    assert all(one.bytes is None or one.bytes > 0 for one in checked.tables if one.rows)
    assert checked.bytes_per_sample is not None and checked.bytes_per_sample > 100
    sizes = [one.bytes or 0 for one in checked.tables]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM runs", "1 rows of cells refer to runs that are not there"),
        ("DELETE FROM samples WHERE id = 1", "1 rows of outcomes refer to samples that are not there"),
        ("DELETE FROM asked WHERE sample_id = 1", "1 rows of outcomes are of samples that their cell did not ask for"),
        ("DELETE FROM outcomes WHERE sample_id < 3", "is called complete, and 2 of its samples have no outcome"),
        (
            "UPDATE outcomes SET correct = 1.0, answer = 'B' WHERE sample_id = 1",
            "has changed since gate 'small' said pass",
        ),
        ("UPDATE outcomes SET finished_at = '2020-01-01 00:00:00' WHERE sample_id = 2", "has changed since gate"),
        ("UPDATE cells SET signature = 'v2'", "has changed since gate 'small' said pass of run"),
        ("UPDATE runs SET id = 'another'", "is not there any more since gate 'small' said pass"),
    ],
)
def test_what_was_changed_by_hand_is_found(ledger: Ledger, run: str, statement: str, found: str) -> None:
    change(ledger, statement)
    faults = check_ledger(ledger).faults
    assert any(found in fault.found for fault in faults), faults
    assert all(fault.remedy for fault in faults)


def test_what_may_be_so_is_no_fault(
    ledger: Ledger, run: str, samples: Any, add: Any, entry: Callable[..., Any]
) -> None:
    other, cell, ids = add(ledger, samples(4))  # of a run that goes on
    record(ledger, [entry(cell, ids["q0"])])
    assert check_ledger(ledger).faults == ()
    add_verdict(ledger, other.id, "small", "inconclusive", {"runs": {other.id: run_hash(ledger, other.id)}})
    record(ledger, [entry(cell, ids["q1"])])
    assert len(check_ledger(ledger).faults) == 1
    add_verdict(ledger, other.id, "small", "inconclusive", {"runs": {other.id: run_hash(ledger, other.id)}})
    assert check_ledger(ledger).faults == ()  # what was judged again
    change(ledger, f"UPDATE runs SET kind = 'import', status = 'complete' WHERE id = '{other.id}'")
    assert check_ledger(ledger).faults == ()  # recorded answers that lack some


def test_a_damaged_file_is_a_fault(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    for n in range(300):
        start_run(ledger, "small", {"cells": ["x" * 400]}, "hash", 0, "0.1", id=f"run-{n}")
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        index = "SELECT rootpage FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_runs%'"
        page = connection.exec_driver_sql(index).scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    ledger.close()
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek((page - 1) * size + size - 64)
        file.write(b"z" * 64)
    again = open_ledger("ledger.db", tmp_path)
    assert any("damaged" in fault.found for fault in check_ledger(again).faults)
    again.close()
