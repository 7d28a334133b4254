"""``driftgate ledger archive`` and ``expire``: what every other command shows before and after."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make

import driftgate
from driftgate.monitor.telemetry import ModelCall, Store, frame

WRONG = "정답: 글쎄 D"


@pytest.fixture
def folder(cli: Cli, make: Make, endpoint: ChatEndpoint) -> Path:
    """A workspace with two runs of twelve questions; in the newer one is wrong, one filtered and one failed."""
    space = make()
    assert cli("bench", "small", "-w", space).code == 0
    endpoint.script("문제 4번은", Answer(WRONG))
    endpoint.script("문제 5번은", Status(400, {"error": {"code": "content_filter", "message": "김 아무개"}}))
    endpoint.script("문제 6번은", Status(500, {"error": {"message": "김 아무개"}}))
    assert cli("bench", "small", "-w", space).code == 0
    return space


SHOWN = (
    ("runs", "show", "latest"),
    ("runs", "show", "latest", "q4"),
    ("runs", "samples", "latest", "--wrong", "--failed"),
    ("gate", "latest"),
    ("runs", "rescore", "latest", "--as", "published-ko"),
)


def shown(cli: Cli, folder: Path) -> list[str]:
    done = [cli(*command, "-w", folder) for command in SHOWN]
    with driftgate.open(folder) as ws:
        runs = [run.id for run in ws.runs()]
    page = folder / f"reports/{runs[0]}/{runs[0]}.html"
    done += [cli("compare", *runs, "-w", folder), cli("report", "latest", "-w", folder)]
    assert not any(one.err for one in done)
    return [one.out for one in done] + [re.sub(r"Written .*", "", page.read_text(encoding="utf-8"))]


def test_every_command_shows_what_it_showed(cli: Cli, folder: Path) -> None:
    before = shown(cli, folder)
    assert any(WRONG in one for one in before)
    moved = cli("ledger", "archive", "--older-than", 0, "-w", folder)
    assert moved.code == 0 and "of 2 cells moved to" in moved.out and "the database takes" in moved.out
    assert shown(cli, folder) == before
    with sqlite3.connect(folder / ".driftgate/ledger.db") as connection:
        assert connection.execute("SELECT count(*) FROM node_outputs").fetchone() == (0,)
    again = cli("ledger", "archive", "--older-than", 0, "-w", folder)
    assert again.code == 0 and again.out == "nothing to move\n"
    checked = cli("ledger", "check", "-w", folder)
    assert checked.code == 0 and "ledger.db.archive: " in checked.out.replace("\n", "")


def test_a_lost_file_is_an_error_that_names_it(cli: Cli, folder: Path) -> None:
    cli("ledger", "archive", "--run", "latest", "-w", folder)
    (lost,) = (folder / ".driftgate/ledger.db.archive").iterdir()
    lost.unlink()
    for command in (("runs", "show", "latest", "q4"), ("report", "latest"), ("runs", "show", "latest")):
        done = cli(*command, "-w", folder)
        assert done.code == 2 and str(lost) in done.err.replace("\n", "")
    checked = cli("ledger", "check", "-w", folder)
    assert checked.code == 1 and str(lost) in checked.out.replace("\n", "")


@pytest.mark.parametrize("archived", [True, False])
def test_an_expired_run_says_so_everywhere(cli: Cli, folder: Path, archived: bool) -> None:
    if archived:
        cli("ledger", "archive", "--older-than", 0, "-w", folder)
    with driftgate.open(folder) as ws:
        run = ws.run().id
        scores = ws.run().scores(slices=True)
    gate = cli("gate", "latest", "-w", folder)
    gone = cli("ledger", "expire", "--run", "latest", "-w", folder)
    assert gone.code == 0 and f"expired {run}" in gone.out and f"driftgate report {run}" in gone.out
    assert cli("gate", "latest", "-w", folder).out == gate.out
    for command in (("runs", "show"), ("runs", "show", "latest", "q4"), ("runs", "samples")):
        done = cli(*command, "-w", folder)
        assert done.code == 0 and "expired on 20" in done.out
        assert WRONG not in done.out and "김 아무개" not in done.out
    assert cli("report", "latest", "-w", folder).code == 0
    page = (folder / f"reports/{run}/{run}.html").read_text(encoding="utf-8")
    assert "This run was <b>expired</b> on" in page
    assert WRONG not in page and "김 아무개" not in page
    with driftgate.open(folder) as ws:
        assert ws.run().scores(slices=True).equals(scores)
        assert ws.run().as_json()["expired"].startswith("20")
        assert "texts expired on" in ws.run()._repr_html_()
    for command in (("runs", "rescore", "latest", "--as", "asked"), ("bench", "--retry-failed", "--run", run)):
        done = cli(*command, "-w", folder)
        assert done.code == 2 and f"run {run} was expired on" in done.err.replace("\n", " ")
    assert cli("ledger", "check", "-w", folder).code == 0
    assert "nothing to expire" in cli("ledger", "expire", "--run", "latest", "-w", folder).out


def test_what_is_not_said_is_asked_for(cli: Cli, folder: Path) -> None:
    for command, setting in (("archive", "details_days"), ("expire", "texts_days")):
        done = cli("ledger", command, "-w", folder)
        assert done.code == 2 and "--older-than DAYS" in done.err and f"keep.{setting}" in done.err
        done = cli("ledger", command, "--run", "latest", "--older-than", 3, "-w", folder)
        assert done.code == 2 and "give one of" in done.err
        done = cli("ledger", command, "--run", "nobody", "-w", folder)
        assert done.code == 2 and "0 runs fit 'nobody'" in done.err


def test_nightly_keeps_as_told_and_bench_does_not(cli: Cli, make: Make) -> None:
    space = make(change=lambda config: config.update(keep={"details_days": 7, "texts_days": 30}))
    ids = []
    for _ in range(3):
        assert cli("bench", "small", "-w", space).code == 0
        with driftgate.open(space) as ws:
            ids.append(ws.run().id)
    with sqlite3.connect(space / ".driftgate/ledger.db") as connection:
        for run, day in zip(ids, ("2026-01-01", "2026-01-02", "2026-11-01"), strict=False):
            connection.execute("UPDATE runs SET created_at = ? WHERE id = ?", (f"{day} 00:00:00", run))
        connection.execute("UPDATE runs SET created_at = datetime('now', '-10 days') WHERE id = ?", (ids[2],))
    assert cli("bench", "small", "-w", space).code == 0
    archive = space / ".driftgate/ledger.db.archive"
    assert not archive.exists()
    telemetry = space / ".driftgate/telemetry"
    with Store(telemetry) as store:
        for days in (40, 20):
            at = datetime.now(UTC) - timedelta(days=days)
            store.append([ModelCall(at, f"{days:032x}", f"{days:016x}", input_text="질문", output_text="답")])
    night = cli("nightly", "-w", space)
    assert night.code == 0, night.err
    assert (
        f"expired {ids[0]}" in night.out and f"expired {ids[1]}" in night.out and f"expired {ids[2]}" not in night.out
    )
    calls = frame(telemetry, datetime.now(UTC) - timedelta(days=90), datetime.now(UTC)).sort_values("time")
    assert calls["input_text"].notna().tolist() == [False, True]
    assert len(list(archive.iterdir())) == 3  # what is left of those, and the whole of the third
    with driftgate.open(space) as ws:
        assert [ws.run(one).expired is not None for one in ids] == [True, True, False]
        assert next(ws.run(ids[2]).sample("q1"))[1]["nodes"]
    assert "expired" not in cli("nightly", "-w", space).out
