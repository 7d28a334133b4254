"""``driftgate forget``: a person's words are in nothing that driftgate keeps, and every gate says the same."""

from __future__ import annotations

import json
import sqlite3
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

import driftgate
from driftgate.monitor.graded import GradedCall, keep_graded
from driftgate.monitor.telemetry import ModelCall, Store, frame, pseudonyms

PERSON = "김철수 대리"
WRITTEN = f"정답: B, {PERSON}에게 물어보세요. 연락처는 사내 주소록에 있습니다."


@pytest.fixture
def folder(cli: Cli, make: Make, endpoint: ChatEndpoint) -> Path:
    """A workspace with two runs, pages and telemetry; a reply to question 4 names a person."""
    space = make()
    endpoint.script("문제 4번은", Answer(WRITTEN), Answer(WRITTEN))
    for _ in range(2):
        assert cli("bench", "small", "-w", space).code == 0
        assert cli("report", "latest", "-w", space).code == 0
    call = ModelCall(datetime.now(UTC), "5b" * 16, "ee" * 8, request_model="gpt", error=f"for {PERSON}: no")
    with Store(space / ".driftgate/telemetry") as store:
        store.append([call])
    (space / ".driftgate/items.jsonl").write_text(f'{{"q": "{PERSON}"}}\n{{"q": "other"}}\n', encoding="utf-8")
    (space / "mine.csv").write_text(f"question\n{PERSON}\n", encoding="utf-8")
    return space


def everywhere(folder: Path, text: str) -> list[str]:
    """Files below a folder whose bytes have a text, as it stands, as JSON escapes it, or compressed in the ledger."""
    parts = (text.encode(), json.dumps(text).strip('"').encode(), text.encode("utf-16-le"))
    found = [path for path in folder.rglob("*") if path.is_file() and any(part in path.read_bytes() for part in parts)]
    names = [str(path.relative_to(folder)) for path in found]
    with sqlite3.connect(folder / ".driftgate/ledger.db") as connection:
        for table in ("texts", "pages"):
            rows = connection.execute(f"SELECT data FROM {table}").fetchall()
            if any(text in zlib.decompress(data).decode() for (data,) in rows):
                names.append(table)
    return sorted(names)


@pytest.mark.parametrize("place", ["rows", "pack", "archive"])
def test_a_text_goes_from_everything_that_driftgate_wrote(cli: Cli, folder: Path, place: str) -> None:
    if place != "rows":
        args = ("--older-than", 0) if place == "archive" else ()
        assert cli("ledger", place, *args, "-w", folder).code == 0
    with driftgate.open(folder) as ws:
        newest, older = [run.id for run in ws.runs()]
    gate = cli("gate", "latest", "-w", folder)
    assert cli("report", "latest", "-w", folder).code == 0
    rescored = cli("runs", "rescore", "latest", "--as", "published-ko", "-w", folder)
    compared = cli("compare", newest, older, "-w", folder)
    assert everywhere(folder, PERSON)
    planned = cli("forget", "--matching", PERSON, "--dry-run", "-w", folder)
    assert planned.code == 0 and "2 answers in 2 runs" in planned.out and "would be removed: reports/" in planned.out
    done = cli("forget", "--matching", PERSON, "-w", folder)
    assert done.code == 1 and "left: mine.csv has it: it is yours" in done.out.replace("\n", " ")
    assert "2 answers in 2 runs" in done.out and "rewritten: .driftgate/items.jsonl" in done.out
    assert everywhere(folder, PERSON) == ["mine.csv"]
    assert (folder / ".driftgate/items.jsonl").read_text(encoding="utf-8") == '{"q": "other"}\n'
    calls = frame(folder / ".driftgate/telemetry", datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC))
    assert calls[["error", "request_model"]].to_numpy().tolist() == [["(forgotten)", "gpt"]]
    assert cli("gate", "latest", "-w", folder).out == gate.out
    assert cli("compare", newest, older, "-w", folder).out == compared.out
    checked = cli("ledger", "check", "-w", folder)
    assert checked.code == 0 and "forgotten on 20" in checked.out and "not ended" not in checked.out
    shown = cli("runs", "show", "latest", "q4", "-w", folder)
    assert shown.code == 0 and '"forgotten": "20' in shown.out and PERSON not in shown.out
    assert cli("runs", "rescore", "latest", "--as", "published-ko", "-w", folder).out == rescored.out
    (folder / "mine.csv").unlink()
    assert cli("forget", "--matching", PERSON, "-w", folder).code == 0
    with driftgate.open(folder) as ws, ws.ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT who, what, subject, done FROM forgettings").fetchall()
    assert len(rows) == 2 and PERSON not in repr(rows) and all(row[0] and row[3] for row in rows)


def test_a_sample_is_forgotten_in_every_run_and_its_dataset_is_named(cli: Cli, folder: Path) -> None:
    assert cli("ledger", "pack", "-w", folder).code == 0
    done = cli("forget", "--sample", "q4", "-w", folder)
    assert "1 questions, 2 answers in 2 runs" in done.out
    assert everywhere(folder, WRITTEN) == []
    again = cli("forget", "--sample", "q4", "-w", folder)
    assert "0 questions, 0 answers in 0 runs" in again.out


def test_a_run_is_forgotten_with_its_pages(cli: Cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        run = ws.run().id
    assert (folder / "reports" / run).exists()
    planned = cli("forget", "--run", "latest", "--dry-run", "-w", folder)
    assert planned.code == 0 and f"would be removed: reports/{run}" in planned.out.replace("\n", "")
    done = cli("forget", "--run", "latest", "-w", folder)
    assert done.code == 0 and f"expired {run}" in done.out
    assert not list((folder / "reports" / run).glob("*.html"))
    assert cli("ledger", "check", "-w", folder).code == 0
    refused = cli("runs", "rescore", "latest", "--as", "asked", "-w", folder)
    assert refused.code == 2 and f"run {run} was expired on" in refused.err.replace("\n", " ")


def test_exactly_one_thing_is_forgotten(cli: Cli, folder: Path) -> None:
    for args in ((), ("--sample", "q4", "--run", "latest")):
        done = cli("forget", *args, "-w", folder)
        assert done.code == 2 and "give one of --sample, --matching, --run and --user" in done.err.replace("\n", " ")


def test_no_file_of_the_team_is_touched_where_reports_go_beside_them(cli: Cli, make: Make) -> None:
    space = make(change=lambda config: config.update(reports="."))
    (space / "mine.csv").write_text(f"question\n{PERSON}\n", encoding="utf-8")
    assert cli("bench", "small", "-w", space).code == 0
    done = cli("forget", "--matching", PERSON, "-w", space)
    assert done.code == 1 and "left: mine.csv" in done.out and "removed:" not in done.out
    assert PERSON in (space / "mine.csv").read_text(encoding="utf-8")


def test_a_users_calls_are_forgotten_and_what_stands_for_them_everywhere(cli: Cli, folder: Path) -> None:
    telemetry, now = folder / ".driftgate/telemetry", datetime.now(UTC)
    known = pseudonyms(telemetry)("kim-4711")
    with Store(telemetry) as store:
        store.append([ModelCall(now, "5c" * 16, "ef" * 8, user=known), ModelCall(now, "5d" * 16, "ed" * 8, user="lee")])
    with driftgate.open(folder) as ws:
        for trace, span in (("5c" * 16, "ef" * 8), ("5d" * 16, "ed" * 8)):
            said = {"error": "the judge said: kim is no user"}
            keep_graded(
                ws.ledger, GradedCall("watch", "p", trace, span, 1, now, "", {"j.passed": 1.0}, said, None, now)
            )
    (folder / ".driftgate/seen.json").write_text(json.dumps({"user": known, "calls": 3}))
    (folder / "mine.csv").write_text("user\nkim-4711\n")
    planned = cli("forget", "--user", "kim-4711", "--dry-run", "-w", folder)
    assert planned.code == 0
    assert "1 calls of the user on 1 days would be removed from the telemetry" in planned.out.replace("\n", " ")
    assert "1 grades of these calls would be removed" in planned.out
    done = cli("forget", "--user", "kim-4711", "-w", folder)
    assert done.code == 1 and "left: mine.csv has it" in done.out.replace("\n", " ")  # the dataset names the user
    assert f"{now:%Y-%m-%d}  1" in done.out and "rewritten: .driftgate/seen.json" in done.out.replace("\n", " ")
    left = frame(telemetry, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    assert sorted(left["user"]) == ["", "lee"]
    assert everywhere(folder, known) == []
    (folder / "mine.csv").unlink()
    again = cli("forget", "--user", "kim-4711", "-w", folder)
    assert again.code == 0 and "0 calls of the user" in again.out
    with driftgate.open(folder) as ws, ws.ledger.read() as connection:
        kept = connection.exec_driver_sql("SELECT trace_id FROM graded_calls").scalars().all()
        assert kept == ["5d" * 16]
        rows = connection.exec_driver_sql("SELECT what, subject, counts, done FROM forgettings").fetchall()
    assert [(what, subject, json.loads(counts)["calls"]) for what, subject, counts, _ in rows] == [
        ("user", "", 1),
        ("user", "", 0),
    ]
    checked = cli("ledger", "check", "-w", folder)
    assert checked.code == 0 and "a user" in checked.out and "not ended" not in checked.out
