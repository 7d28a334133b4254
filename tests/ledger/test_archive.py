"""Details of old runs move to Parquet beside the ledger and are read from there, on both databases."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from detailed_runs import KILLED, entry, everything, killed, make_run
from ledger_fixtures import KILLED_ON
from sqlalchemy import text

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    archive_details,
    cells_of,
    check_ledger,
    node_results,
    open_ledger,
    outcome_frame,
    pending_samples,
    record,
    set_status,
)


@pytest.fixture
def run(ledger: Ledger, samples: Callable[..., list[Sample]]) -> str:
    return make_run(ledger, samples(6))


def rows(ledger: Ledger, table: str) -> int:
    with ledger.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def files(ledger: Ledger) -> list[Path]:
    return sorted(ledger.archive.iterdir())


def test_everything_is_read_as_before_and_the_database_is_empty_of_it(ledger: Ledger, run: str) -> None:
    before = everything(ledger, run)
    assert before["one"]["nodes"] and before["one"]["lines"] and before["one"]["prompt"]
    done = archive_details(ledger, run=run)
    assert (done.cells, done.rows) == (2, before_rows := 2 * (2 + 5 * 3 + 3 + 1 + 5 * 3 + 3 + 5 + 1))
    assert before_rows == check_ledger(ledger).archive.rows
    assert [rows(ledger, table) for table in ("node_outputs", "evaluations", "evaluated_lines")] == [0, 0, 0]
    assert everything(ledger, run) == before
    checked = check_ledger(ledger)
    assert checked.faults == ()
    assert checked.archive.files == len(files(ledger)) == 2
    assert checked.archive.bytes == done.bytes == sum(path.stat().st_size for path in files(ledger))


def test_twice_does_nothing(ledger: Ledger, run: str) -> None:
    archive_details(ledger, run=run)
    held = [(path, path.stat().st_mtime_ns) for path in files(ledger)]
    again = archive_details(ledger)
    assert (again.cells, again.rows, again.removed) == (0, 0, 0)
    assert [(path, path.stat().st_mtime_ns) for path in files(ledger)] == held


def test_only_what_is_old_moves(ledger: Ledger, run: str) -> None:
    assert archive_details(ledger, before=datetime.now(UTC) - timedelta(days=1)).cells == 0
    assert archive_details(ledger, before=datetime.now(UTC)).cells == 2


def test_a_run_goes_on_after_it_moved(ledger: Ledger, run: str, samples: Callable[..., list[Sample]]) -> None:
    archive_details(ledger, run=run)
    asked = samples(6)
    cell = cells_of(ledger, run)[0].id
    ids = dict(zip((s.key for s in asked), outcome_frame(ledger, cell)["sample_id"], strict=True))
    moved = everything(ledger, run)
    set_status(ledger, run, "running")
    # What another process had in hand is there already, and is not there twice.
    record(ledger, [entry(cell, int(ids[asked[2].key]), 2, asked[2])])
    assert everything(ledger, run)["one"] == moved["one"]
    record(ledger, [entry(cell, int(ids[asked[1].key]), 3, asked[1], round=1)])
    assert pending_samples(ledger, cell) == {}
    both = everything(ledger, run)
    assert both["hash"] != moved["hash"]
    assert both["one"]["samples"][1]["evaluations"] != moved["one"]["samples"][1]["evaluations"]
    assert archive_details(ledger).cells == 1  # the rows of the new round, in a second file
    assert everything(ledger, run) == both
    assert len(files(ledger)) == 3


def test_sqlite_gives_the_space_back_and_says_it(tmp_path: Path, samples: Callable[..., list[Sample]]) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    run = make_run(ledger, samples(400))
    done = archive_details(ledger, run=run)
    assert done.space is not None and done.space.before and done.space.after
    assert done.space.after < done.space.before / 2
    assert done.space.after == (tmp_path / "ledger.db").stat().st_size
    assert done.bytes < (done.space.before - done.space.after) / 3
    ledger.close()


def test_the_archive_lies_where_it_is_told_to(location: str, tmp_path: Path, samples: Any) -> None:
    ledger = open_ledger(location, tmp_path / "ws", "far/away")
    make_run(ledger, samples(2))
    archive_details(ledger)
    assert len(list((tmp_path / "ws/far/away").glob("*.parquet"))) == 2
    ledger.close()
    beside = open_ledger(location, tmp_path / "ws")
    place = "ledger.db.archive" if location == "ledger.db" else ".driftgate/archive"
    assert beside.archive == (tmp_path / "ws" / place).resolve()
    beside.close()


def test_a_missing_file_is_named_and_nothing_is_taken_for_empty(ledger: Ledger, run: str) -> None:
    archive_details(ledger, run=run)
    lost = files(ledger)[0]
    held = lost.read_bytes()
    lost.unlink()
    faults = check_ledger(ledger).faults
    assert any(str(lost) in fault.found and run in fault.found for fault in faults)
    cells = [cell.id for cell in cells_of(ledger, run)]
    problems = []
    for cell in cells:
        try:
            assert node_results(ledger, cell)
        except DriftgateError as problem:
            problems.append(str(problem))
    assert len(problems) == 1 and str(lost) in problems[0] and "keep.archive" in problems[0]
    lost.write_bytes(held)
    assert check_ledger(ledger).faults == ()


@pytest.mark.parametrize("cut", [True, False])
def test_a_changed_file_is_found(ledger: Ledger, run: str, cut: bool) -> None:
    archive_details(ledger, run=run)
    path = files(ledger)[0]
    held = bytearray(path.read_bytes())
    if cut:
        path.write_bytes(held[:-5])
    else:
        held[len(held) // 2] ^= 1
        path.write_bytes(held)
    said = " ".join(fault.found for fault in check_ledger(ledger).faults)
    assert str(path) in said
    assert ("bytes instead of" if cut else "the content that it is named by") in said


def test_another_ledger_in_the_folder_keeps_its_files(tmp_path: Path, samples: Any) -> None:
    ledgers = [open_ledger(name, tmp_path, "archive") for name in ("a.db", "b.db")]
    runs = [make_run(ledger, samples(2)) for ledger in ledgers]
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/mine.parquet").write_bytes(b"a person's own")
    for ledger in ledgers:
        archive_details(ledger)
    for ledger, run in zip(ledgers, runs, strict=True):
        assert archive_details(ledger).removed == 0
        assert everything(ledger, run)["one"]["nodes"]
        assert check_ledger(ledger).faults == ()
        ledger.close()
    assert (tmp_path / "archive/mine.parquet").exists()


def test_a_copy_of_a_ledger_leaves_the_files_of_the_original(tmp_path: Path, samples: Any) -> None:
    original = open_ledger("a.db", tmp_path, "archive")
    first, second = make_run(original, samples(3)), make_run(original, samples(3))
    archive_details(original, run=first)
    original.close()
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    original, copy = open_ledger("a.db", tmp_path, "archive"), open_ledger("b.db", tmp_path, "archive")
    archive_details(original)
    held = everything(original, second)
    assert archive_details(copy, run=first).removed == 0
    assert everything(original, second) == held == everything(copy, second)
    original.close()
    copy.close()


@KILLED_ON
@pytest.mark.parametrize(
    "at",
    [
        "INSERT INTO meta",
        "half a file",
        "os.rename",
        "INSERT INTO archives",
        "DELETE FROM node_outputs",
        "DELETE FROM evaluated_lines",
        "before the commit",
        "VACUUM",
    ],
)
def test_kill_9_leaves_every_text_readable_once(
    ledger: Ledger, run: str, location: str, tmp_path: Path, at: str
) -> None:
    before = everything(ledger, run)
    assert killed(location, tmp_path, "archive", at) == -9
    assert everything(ledger, run) == before
    done = archive_details(ledger)
    assert everything(ledger, run) == before
    assert check_ledger(ledger).faults == ()
    assert len(files(ledger)) == 2  # nothing is left of the file that was being written
    assert done.cells == (0 if at == "VACUUM" else 2)


def test_two_processes_at_once_move_a_run_once(ledger: Ledger, run: str, location: str, tmp_path: Path) -> None:
    before = everything(ledger, run)
    begun = [
        subprocess.Popen([sys.executable, "-c", KILLED, location, str(tmp_path), "archive", "never"]) for _ in range(3)
    ]
    assert [process.wait(120) for process in begun] == [0, 0, 0]
    assert everything(ledger, run) == before
    assert len(files(ledger)) == 2
