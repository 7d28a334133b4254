"""A ledger of an earlier format opens, holds what it held, and its runs are paired with those of today.

``formats/1.sql.gz`` is the dump of a ledger that the last version of format 1 wrote (``driftgate bench`` twice, commit
38ffcf2): ten questions of a CSV file with a row number, of which two are asked twice; the same without the second row;
six of a JSON Lines file; nine of KMMLU's layout, three of which are one question in one file.
"""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from old_ledgers import bring
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.scores import score_run
from driftgate.ledger import (
    Ledger,
    ScoreRow,
    cells_of,
    find_run,
    open_ledger,
    outcome_frame,
    run_hash,
    scores_of,
    start_run,
)
from driftgate.ledger._schema import VERSION, metadata, samples

DUMP = Path(__file__).parent / "formats/1.sql.gz"
RUNS = {  # the hash that format 1 gave each run
    "20261126-144821-small-c334": "8cc6631286222402f61cf4778ea6921cf78eb413feb9263f4d5a3e63be56ef99",
    "20261126-144834-small-5b4a": "9f4cc454ed83391fad2c8fa79e721d33a8d1b37d6fe02a6a1e7073a042bda0b7",
}
FIRST, SECOND = RUNS


@pytest.fixture
def old(location: str, tmp_path: Path) -> str:
    """Where a ledger of format 1 is, on each database."""
    return bring(gzip.decompress(DUMP.read_bytes()).decode(), location, tmp_path)


@pytest.fixture
def opened(old: str, tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(old, tmp_path)
    yield ledger
    ledger.close()


def keys(ledger: Ledger, run: str, dataset: str) -> list[str]:
    cell = next(cell for cell in cells_of(ledger, run) if cell.dataset == dataset)
    return list(outcome_frame(ledger, cell.id)["key"])


def rounded(row: ScoreRow) -> tuple[Any, ...]:
    """Without the last digits of limits, which another library computed."""
    return tuple(round(value, 12) if isinstance(value, float) else value for value in astuple(row))


def test_runs_scores_and_hashes_are_what_they_were(opened: Ledger) -> None:
    for run, before in RUNS.items():
        assert run_hash(opened, run) == before
        stored = {cell.id: scores_of(opened, cell.id, cell.signature) for cell in cells_of(opened, run)}
        assert sum(map(len, stored.values())) > 0
        for scores in score_run(opened, run, store=False):
            # The endpoint's model had no prices: what 0.1.0 took for 0 is unknown.
            now, then = (
                [rounded(row) for row in rows if not row.metric.startswith("cost")]
                for rows in (scores.rows, stored[scores.cell.id])
            )
            assert now == then and len(now) > 20


def test_what_asks_the_same_has_one_key_and_what_stood_beside_it_another(opened: Ledger) -> None:
    before, after = keys(opened, FIRST, "own"), keys(opened, SECOND, "own")
    assert len(set(before)) == 10 and len(set(after)) == 9
    assert [key for key in before if key not in after] == [before[1]]
    assert after == [before[0], *before[2:]]  # the row that was taken out moved all rows after it
    assert before[6] == f"{before[2]}#2" and before[9] == f"{before[5]}#2"
    repeated = keys(opened, FIRST, "kmmlu")
    assert repeated == keys(opened, SECOND, "kmmlu")
    assert [repeated[4], repeated[6]] == [f"{repeated[1]}#2", f"{repeated[1]}#3"]
    assert len(set(repeated)) == 9  # another subject's question is another sample


def test_the_keys_are_those_that_the_same_files_have_today(opened: Ledger, tmp_path: Path) -> None:
    header = "question,A,B,C,D,answer\n"

    def rows(tag: str, numbers: list[int]) -> str:
        return header + "".join(f"{tag} {n}번은?,가{n},나{n},다{n},라{n},{n % 4 + 1}\n" for n in numbers)

    (tmp_path / "renamed.csv").write_text(rows("문제", [7, 6, 5, 4, 3, 2, 1, 0]), encoding="utf-8")
    own = {"kind": "csv", "path": "renamed.csv", "columns": {"choices": ["A", "B", "C", "D"]}}
    today = [sample.key for sample in load_dataset("own", parse_config(own), tmp_path).samples]
    assert set(today) == {key for key in keys(opened, FIRST, "own") if "#" not in key}
    (tmp_path / "data").mkdir()
    for name, numbers in {"korean-history": [0, 1, 2, 3, 1, 4, 1], "math": [1, 9]}.items():
        (tmp_path / f"data/{name}-test.csv").write_text(rows("역사", numbers), encoding="utf-8")
    kmmlu = load_dataset("kmmlu", parse_config({"kind": "kmmlu", "path": "."}), tmp_path)
    assert [sample.key for sample in kmmlu.samples] == keys(opened, FIRST, "kmmlu")


def test_it_is_changed_once_however_many_open_it(old: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        ledgers = list(pool.map(lambda _: open_ledger(old, tmp_path), range(8)))
    with ledgers[0].read() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'version'")).scalar_one() == str(VERSION)
        assert connection.execute(select(func.count()).where(samples.c.key == "")).scalar_one() == 0
    assert len(set(keys(ledgers[-1], FIRST, "own"))) == 10
    for ledger in ledgers:
        ledger.close()


def test_an_edition_still_stands_once_after_it(opened: Ledger) -> None:
    with opened.read() as connection:
        row = dict(connection.execute(select(samples).limit(1)).one()._mapping)
    row.pop("id")
    with pytest.raises(IntegrityError), opened.engine.begin() as connection:
        connection.execute(samples.insert(), [row])


def test_an_old_ledger_gets_the_tables_of_a_new_one(opened: Ledger) -> None:
    with opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_a_killed_process_had_not_made_is_made(location: str, tmp_path: Path) -> None:
    open_ledger(location, tmp_path).close()
    ledger = open_ledger(location, tmp_path)
    with ledger.write() as connection:
        for table in ("meta", "anchor_grades", "scores"):
            connection.execute(text(f"DROP TABLE {table}"))
    ledger.close()
    again = open_ledger(location, tmp_path)
    with again.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'version'")).scalar_one() == str(VERSION)
    again.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from driftgate.ledger import open_ledger

@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, *more):
    if " ".join(statement.split()).startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

open_ledger(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.mark.parametrize("at", ["ALTER TABLE samples ADD COLUMN", "UPDATE samples", "UPDATE runs", "INSERT INTO meta"])
def test_kill_9_in_a_migration_leaves_the_ledger_as_it_was(old: str, tmp_path: Path, at: str) -> None:
    path = tmp_path / "old.db"
    url = old.replace("postgresql://", "postgresql+psycopg://", 1) if "://" in old else f"sqlite:///{path}"
    engine = create_engine(url)
    with engine.begin() as write:  # a run that is no benchmark
        write.execute(text("UPDATE runs SET suite = 'canary-w' WHERE id = :run"), {"run": SECOND})
    engine.dispose()
    killed = subprocess.run([sys.executable, "-c", KILLED, old, str(tmp_path), at], check=False, timeout=120)
    assert killed.returncode == -9
    if "://" not in old:
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == ("1",)
            assert "edition" not in {row[1] for row in connection.execute("PRAGMA table_info(samples)")}
    ledger = open_ledger(old, tmp_path)
    assert len(set(keys(ledger, FIRST, "own"))) == 10
    assert run_hash(ledger, FIRST) == RUNS[FIRST]
    assert {"kind"} <= {column["name"] for column in inspect(ledger.engine).get_columns("runs")}
    ledger.close()


def test_processes_that_open_it_at_once_wait_for_each_other(old: str, tmp_path: Path) -> None:
    begun = [
        subprocess.Popen([sys.executable, "-c", KILLED, old, str(tmp_path), "never"], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in begun:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    ledger = open_ledger(old, tmp_path)
    assert run_hash(ledger, SECOND) == RUNS[SECOND]
    ledger.close()


KINDS = {
    "nightly": ({}, "benchmark"),
    "canary-assistant": ({}, "canary"),
    "deployed-assistant": ({}, "canary"),
    "proof-assistant": ({}, "proof"),
    "parity": ({"cells": [{"variant": "terse"}, {"variant": "port mine:port"}]}, "parity"),
    "recorded": ({"config": {"preset": "kmmlu", "columns": {}}}, "import"),
}


def test_runs_of_before_get_the_kind_that_they_were_of(location: str, tmp_path: Path) -> None:
    ledger = open_ledger(location, tmp_path)
    wanted = {start_run(ledger, suite, plan, "h", 0, "0.1").id: kind for suite, (plan, kind) in KINDS.items()}
    for suite in ("parity", "recorded"):  # a team's own suites of these names
        wanted[start_run(ledger, suite, {"cells": [{"variant": "terse"}], "config": {}}, "h", 0, "0.1").id] = (
            "benchmark"
        )
    with ledger.write() as connection:
        connection.execute(text("ALTER TABLE runs DROP COLUMN kind"))
        connection.execute(text("UPDATE meta SET value = '3' WHERE key = 'version'"))
    ledger.close()
    again = open_ledger(location, tmp_path)
    assert {run: find_run(again, run).kind for run in wanted} == wanted
    again.close()
