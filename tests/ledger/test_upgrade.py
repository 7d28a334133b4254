"""Ledgers that an older driftgate wrote, in which unknown tokens and costs were 0, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.scores import score_cell
from driftgate.ledger import Ledger, cells_of, open_ledger, outcome_frame, record, run_hash

EMPTY = ("input_tokens", "output_tokens", "cost")


def make_old(ledger: Ledger) -> None:
    """Put a ledger back into format 1."""
    with ledger.write() as connection:
        if connection.dialect.name == "postgresql":
            for name in EMPTY:
                connection.execute(text(f"ALTER TABLE outcomes ALTER COLUMN {name} SET NOT NULL"))
        else:
            sql = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'outcomes'")).scalar_one()
            for name, kind in zip(EMPTY, ("INTEGER", "INTEGER", "FLOAT"), strict=True):
                assert f"{name} {kind}," in sql
                sql = sql.replace(f"{name} {kind},", f"{name} {kind} NOT NULL,")
            connection.execute(text("CREATE TABLE kept AS SELECT * FROM outcomes"))
            connection.execute(text("DROP TABLE outcomes"))
            connection.execute(text(sql))
            connection.execute(text("INSERT INTO outcomes SELECT * FROM kept"))
            connection.execute(text("DROP TABLE kept"))
        connection.execute(text("UPDATE meta SET value = '1' WHERE key = 'version'"))


def may_be_empty(ledger: Ledger) -> dict[str, bool]:
    with ledger.read() as connection:
        columns = {column["name"]: column["nullable"] for column in inspect(connection).get_columns("outcomes")}
    return {name: bool(columns[name]) for name in (*EMPTY, "outcome")}


def test_an_older_ledger_is_upgraded_when_it_is_opened_and_no_row_changes(
    ledger: Ledger,
    location: str,
    tmp_path: Path,
    samples: Callable[..., list[Sample]],
    add: Callable[..., Any],
    entry: Callable[..., Any],
) -> None:
    run, cell, ids = add(ledger, samples(5))
    first, second, third, *_ = ids.values()
    record(ledger, [entry(cell, first), entry(cell, second, input_tokens=0, output_tokens=0, cost=0.0)])
    make_old(ledger)
    assert may_be_empty(ledger) == {"input_tokens": False, "output_tokens": False, "cost": False, "outcome": False}
    before, rows = run_hash(ledger, run.id), outcome_frame(ledger, cell)
    opened = open_ledger(location, tmp_path)
    assert may_be_empty(opened) == {"input_tokens": True, "output_tokens": True, "cost": True, "outcome": False}
    assert run_hash(opened, run.id) == before
    assert outcome_frame(opened, cell).equals(rows)
    record(opened, [entry(cell, third, input_tokens=None, output_tokens=None, cost=None)])
    frame = outcome_frame(opened, cell)
    assert frame["cost"].isna().tolist() == [False, False, True, True, True]
    opened.close()


def test_processes_that_open_an_older_ledger_at_once_upgrade_it_once(
    ledger: Ledger, location: str, tmp_path: Path, samples: Callable[..., list[Sample]], fill: Any, add: Any
) -> None:
    _, cell, ids = add(ledger, samples(200))
    fill(ledger, cell, ids, [("answered", 1.0)] * 200)
    make_old(ledger)
    ledger.close()
    problems: list[BaseException] = []

    def open_one() -> None:
        try:
            open_ledger(location, tmp_path).close()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=open_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    opened = open_ledger(location, tmp_path)
    assert len(outcome_frame(opened, cell)) == 200
    assert all(may_be_empty(opened)[name] for name in EMPTY)
    opened.close()


Change = dict[str, Any]
HOSTED = {"provider": "openai", "prices": {"input": 1.0, "output": 2.0, "currency": "USD"}}
UNPRICED = {"provider": "openai", "prices": {"input": 0.0, "output": 0.0, "currency": "USD"}}
LOCAL = {"provider": "local", "prices": {"input": 0.0, "output": 0.0, "currency": "USD"}}
IMPORTED = {"provider": "recorded", "file": "answers.csv"}


@pytest.mark.parametrize(
    ("config", "changes", "cost"),
    [
        (HOSTED, [{}, {}], 0.002),
        (HOSTED, [{}, {"input_tokens": 0, "output_tokens": 0, "cost": 0.0}], None),
        (HOSTED, [{}, {"output_tokens": 0, "cost": 0.00002}], None),
        (HOSTED, [{}, {"input_tokens": -20, "cost": -0.00002}], None),
        (HOSTED, [{}, {"outcome": "failed", "input_tokens": 0, "output_tokens": 0, "cost": 0.0}], 0.001),
        (HOSTED, [{}, {"cached": True, "cost": 0.0}], 0.001),
        (UNPRICED, [{"cost": 0.0}, {"cost": 0.0}], None),
        (LOCAL, [{"cost": 0.0}, {"cost": 0.0, "input_tokens": 0}], 0.0),
        (IMPORTED, [{"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 0, "output_tokens": 0}], 0.002),
        (IMPORTED, [{}, {"input_tokens": 0, "output_tokens": 0, "cost": 0.0}], None),
    ],
)
def test_0_in_an_older_run_is_unknown_where_it_cannot_have_been_stated(
    ledger: Ledger,
    samples: Callable[..., list[Sample]],
    add: Callable[..., Any],
    entry: Callable[..., Any],
    config: Change,
    changes: Sequence[Change],
    cost: float | None,
) -> None:
    run, cell, ids = add(ledger, samples(2), details={"model_config": config})
    record(ledger, [entry(cell, sample, **change) for sample, change in zip(ids.values(), changes, strict=True)])
    (row,) = cells_of(ledger, run.id)
    found = score_cell(ledger, row).get("cost")
    assert found is not None
    assert found.value == (None if cost is None else pytest.approx(cost))
