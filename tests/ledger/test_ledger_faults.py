"""A ledger that cannot be opened or written says why, and keeps what it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.engines import NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, Record, open_ledger, outcome_frame, pending_samples, record

Add = Callable[..., Any]
Entry = Callable[..., Record]


def leave_pages(ledger: Ledger, spare: int) -> None:
    """Let the database grow by ``spare`` pages only; then SQLite says what it says on a full disk (SQLITE_FULL)."""

    def limit(connection: Any, _: Any) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {used + spare}")

    ledger.engine.dispose()
    event.listen(ledger.engine, "connect", limit)


def test_a_full_disk_is_said_and_costs_nothing_that_was_written(
    tmp_path: Path, samples: Callable[..., list[Sample]], add: Add, entry: Entry
) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    _, cell, ids = add(ledger, samples(200))
    leave_pages(ledger, spare=20)
    written = 0
    with pytest.raises(DriftgateError, match=r"the disk of the ledger sqlite:.*ledger\.db is full") as refused:
        for number in ids.values():
            record(ledger, [entry(cell, number, nodes=[NodeResult("ask", "completed", "긴 글" * 500, 0.1)])])
            written += 1
    assert refused.value.remedy == "free space, then resume the run"
    assert 0 < written < 200
    ledger.close()
    again = open_ledger("ledger.db", tmp_path)
    assert int((outcome_frame(again, cell)["outcome"] == "answered").sum()) == written
    assert len(pending_samples(again, cell)) == 200 - written
    record(again, [entry(cell, list(ids.values())[written])])  # once there is space it goes on
    again.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("notes.txt", r"notes\.txt cannot be used: file is not a database"),
        ("folder", "cannot be used: unable to open database file"),
        ("postgresql://127.0.0.1:1/nothing", "cannot be used"),
        ("oracle://127.0.0.1/x", "neither a path nor a database URL|needs the package"),
        ("nonsense://", "neither a path nor a database URL"),
        ("notes.txt/below/ledger.db", "notes.txt"),
    ],
)
def test_a_ledger_that_cannot_be_opened(tmp_path: Path, location: str, said: str) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to look like one\n" * 50, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DriftgateError, match=said) as refused:
        open_ledger(location, tmp_path)
    assert refused.value.remedy
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8").startswith("not a database")


def test_a_password_never_stands_in_an_error(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError) as refused:
        open_ledger("postgresql://someone:s3cret@127.0.0.1:1/nothing", tmp_path)
    assert "s3cret" not in str(refused.value)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    open_ledger("deep/er/ledger.db", tmp_path).close()
    assert (tmp_path / "deep/er/ledger.db").is_file()


def test_a_lost_connection_is_said(
    postgres: Callable[[], str], tmp_path: Path, samples: Callable[..., list[Sample]], add: Add, entry: Entry
) -> None:
    import psycopg

    url = postgres()
    ledger = open_ledger(url, tmp_path)
    _, cell, ids = add(ledger, samples(3))
    first, second, _ = ids.values()
    record(ledger, [entry(cell, first)])
    with pytest.raises(DriftgateError, match="cannot be used"), ledger.write() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        connection.exec_driver_sql("SELECT 1")
    record(ledger, [entry(cell, second)])  # the next transaction gets a fresh connection
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["answered", "answered", "missing"]
    ledger.close()
