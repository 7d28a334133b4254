"""Looks at traffic read what the workspace's telemetry sources have, and never take a part for the whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Cli, Make

from driftgate.monitor.telemetry import Reason, Store


@pytest.fixture
def folder(make: Make) -> Path:
    def watched(config: dict[str, Any]) -> None:
        config["champions"] = {"live": "tested"}
        canaries = {"dataset": "own", "variant": "terse"}
        config["monitors"] = {"watch": {"champion": "live", "canaries": canaries, "traffic": {}}}
        config["telemetry"] = [{"source": "files", "folder": "calls", "columns": {"request_model": "deployment"}}]

    made = make(40, watched)
    (made / "calls").mkdir()
    return made


def write(folder: Path, name: str, count: int, ago: timedelta) -> None:
    begun = datetime.now(UTC) - ago
    rows = [
        {
            "time": (begun + timedelta(seconds=n)).isoformat(),
            "deployment": "gpt-live",
            "latency": 1.0 + n % 11 / 100,
            "output_tokens": 20 + n % 5,
            "error": None,
        }
        for n in range(count)
    ]
    (folder / "calls" / name).write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


def write_days(folder: Path, last: int, first: int) -> None:
    """150 calls a day of so many days ago and fewer, at the same time of the day: else today's would be missed."""
    for ago in range(last, first + 1):
        write(folder, f"{ago}-days-ago.jsonl", 150, timedelta(days=ago, hours=1))


def settle(cli: Cli, folder: Path) -> None:
    for _ in range(2):
        cli("monitor", "check", "watch", "-w", folder)


def test_a_look_reads_what_is_new(cli: Cli, folder: Path) -> None:
    write_days(folder, 2, 9)
    write(folder, "today.jsonl", 5, timedelta(hours=3))
    settle(cli, folder)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert "5 calls were recorded in the current window where 150 were to be expected" in done.out, done.out + done.err
    write(folder, "later.jsonl", 200, timedelta(hours=1))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert (done.code, "traffic: quiet" in done.out) == (0, True), done.out + done.err


def test_a_look_says_what_was_received_and_could_not_be_read(cli: Cli, folder: Path) -> None:
    write_days(folder, 2, 9)
    write(folder, "today.jsonl", 200, timedelta(hours=1))
    settle(cli, folder)
    with Store(folder / ".driftgate/telemetry") as store:
        store.note({Reason.UNKNOWN: 7, Reason.AGENT: 90})
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 0 and "traffic: quiet" in done.out, done.out
    assert "received and not kept: 7 of generative AI in no dialect that is known" in done.out
    assert "of an agent" not in done.out
    with Store(folder / ".driftgate/telemetry") as store:
        store.note({Reason.UNREADABLE: 40})
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4 and "traffic: unmeasurable: 40 spans could not be taken" in done.out, done.out


def test_collecting_says_what_came_and_what_could_not_be_read(cli: Cli, folder: Path) -> None:
    write(folder, "a.jsonl", 7, timedelta(hours=1))
    done = cli("monitor", "collect", "-w", folder)
    assert done.code == 0
    assert "files calls/*.jsonl: 7 calls" in done.out.replace(f"{folder.as_posix()}/", "")
    (folder / "calls/b.jsonl").write_text("no JSON\n", encoding="utf-8")
    done = cli("monitor", "collect", "-w", folder)
    assert done.code == 4
    assert "unreadable: b.jsonl, row 1 is no JSON object" in done.out


def test_a_folder_that_is_called_like_a_file_is_said(cli: Cli, folder: Path) -> None:
    (folder / "calls/c.jsonl").mkdir()
    done = cli("monitor", "collect", "-w", folder)
    assert done.code == 4 and "unreadable" in done.out and "c.jsonl" in done.out
    look = cli("monitor", "check", "watch", "-w", folder)
    assert look.code == 4 and "traffic: unmeasurable: the telemetry source files" in look.out


def test_a_source_that_cannot_be_read_makes_traffic_unmeasurable(cli: Cli, folder: Path) -> None:
    write_days(folder, 2, 9)
    write(folder, "today.jsonl", 300, timedelta(hours=1))
    settle(cli, folder)
    assert cli("monitor", "check", "watch", "-w", folder).code == 0
    (folder / "calls/broken.jsonl").write_text("no JSON\n", encoding="utf-8")
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "traffic: unmeasurable: the telemetry source files" in done.out and "broken.jsonl, row 1" in done.out


def test_where_another_writes_the_folder_its_own_collection_counts(cli: Cli, folder: Path) -> None:
    write(folder, "today.jsonl", 300, timedelta(hours=1))
    with Store(folder / ".driftgate/telemetry"):  # as driftgate serve does, here without collecting
        done = cli("monitor", "check", "watch", "-w", folder)
        assert done.code == 4 and "has never been read" in done.out
        refused = cli("monitor", "collect", "-w", folder)
        assert refused.code == 2 and "being written by another driftgate" in refused.err


def test_no_source_is_no_failure(cli: Cli, make: Make) -> None:
    done = cli("monitor", "collect", "-w", make(4))
    assert (done.code, "names no telemetry source" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"source": "file"}, "did you mean 'files'"),
        ({"source": "files", "folder": "calls", "columns": {"model": "deployment"}}, "there is no field 'model'"),
        ({"folder": "calls"}, "'source' is missing"),
        ({"source": "files", "folder": "calls", "pattern": "/etc/*"}, "'/etc/*' is no pattern of files in the folder"),
        (
            {"source": "files", "folder": "calls", "pattern": "../*.md"},
            "'../*.md' is no pattern of files",
        ),
        ({"source": "files", "folder": "calls", "pattern": "a/../../b"}, "is no pattern of files in the folder"),
        ({"source": "files", "folder": "calls", "pattern": ""}, "is no pattern of files in the folder"),
        ({"source": "files", "folder": "calls", "pattern": "a**/b"}, "stand alone between slashes"),
    ],
)
def test_what_is_no_source_is_refused(cli: Cli, make: Make, source: dict[str, Any], said: str) -> None:
    done = cli("bench", "-w", make(4, lambda config: config.update(telemetry=[source])))
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"folder": "nope"}, "nope does not exist"),
        ({"folder": "../elsewhere"}, "keep it inside the workspace"),
        ({"pattern": "*.csv"}, "fits its pattern '*.csv'"),
        ({"pattern": "*.txt"}, "it reads a.txt, which is none of .jsonl, .ndjson"),
    ],
)
def test_doctor_says_what_telemetry_will_not_bring(
    cli: Cli, folder: Path, make: Make, changes: dict[str, str], said: str
) -> None:
    write(folder, "a.jsonl", 1, timedelta(hours=1))
    (folder / "calls/a.txt").write_text("notes", encoding="utf-8")
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    config["telemetry"][0] |= changes
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    done = cli("doctor", "-w", folder)
    assert said in " ".join(done.out.split()), done.out
    assert done.code != 0


def telemetry_in_doctor(cli: Cli, folder: Path) -> tuple[str, str]:
    """How grave it is, and what it says with its remedy."""
    done = cli("doctor", "-w", folder, "--json")
    (found,) = [one for one in json.loads(done.out)["findings"] if one["subject"].startswith("telemetry files")]
    return found["severity"], f"{found['found']}; {found['remedy']}"


def test_doctor_says_what_telemetry_tells(cli: Cli, folder: Path) -> None:
    write(folder, "a.jsonl", 3, timedelta(hours=49))
    write(folder, "b.jsonl", 7, timedelta(hours=1))
    begun, now = (datetime.now(UTC) - timedelta(hours=49)), datetime.now(UTC) - timedelta(hours=1)
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "good"
    assert "2 files fit its pattern, 10 rows of the newest 2 were read: 10 calls of " in said, said
    assert f"{begun:%Y-%m-%d}" in said and f" to {now:%Y-%m-%d}" in said
    assert "told: error, request_model, latency, output_tokens; told by none: input_tokens, finish_reason" in said


def test_doctor_says_of_which_calls_it_is_not_known_whether_they_failed(cli: Cli, folder: Path) -> None:
    write(folder, "a.jsonl", 10, timedelta(hours=1))
    path = folder / "calls" / "a.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    told = [
        {**row, "error": "timeout"} if n == 2 else {k: v for k, v in row.items() if k != "error"}
        for n, row in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in told), encoding="utf-8")
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "warning" and "error (of 10.0%)" in said
    assert "a look expects of each call whether it failed, and 9 do not tell" in said
    assert "absent_error: none" in said
    collected = cli("monitor", "collect", "-w", folder).out
    assert "9 of 10 rows of a.jsonl do not have 'error', which row 3 was the last to have" in collected


def test_doctor_says_which_row_is_no_call(cli: Cli, folder: Path) -> None:
    (folder / "calls" / "a.jsonl").write_text('{"time": 1772355600}\n{"time": "then"}\n', encoding="utf-8")
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "error" and "a.jsonl, row 2: 'time' is 'then'" in said


def test_doctor_says_of_calls_of_tomorrow_and_of_files_without_calls(cli: Cli, folder: Path) -> None:
    write(folder, "a.jsonl", 1, -timedelta(hours=9))
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "warning" and "1 file fits its pattern, 1 row was read: 1 call of " in said
    assert "the newest call is dated after now; set time_zone" in said
    (folder / "calls" / "a.jsonl").write_text("\n", encoding="utf-8")
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "warning" and "0 rows were read: no call is among them" in said


def test_doctor_looks_at_both_ends_of_a_large_file(cli: Cli, folder: Path) -> None:
    write(folder, "a.jsonl", 1600, timedelta(hours=1))
    path = folder / "calls" / "a.jsonl"
    last = [json.loads(line) for line in path.read_text("utf-8").splitlines()[-50:]]
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({k: v for k, v in row.items() if k != "error"}) + "\n" for row in last)
    severity, said = telemetry_in_doctor(cli, folder)
    assert severity == "warning" and "1,000 rows were read" in said and "and 50 do not tell" in said
    assert "the first and last 500 rows" in said


@pytest.mark.parametrize("floor", [".nan", ".inf"])
def test_a_floor_that_never_alarms_is_refused(cli: Cli, folder: Path, floor: str) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    config["monitors"]["watch"]["floors"] = {"canary_accuracy": float(floor[1:])}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    for command in (("doctor",), ("monitor", "check", "watch")):
        done = cli(*command, "-w", folder)
        assert done.code == 2 and "canary_accuracy: Input should be a finite" in done.out + done.err


def test_a_folder_outside_the_workspace_is_refused(cli: Cli, make: Make) -> None:
    outside = [{"source": "files", "folder": "../elsewhere"}]
    done = cli("monitor", "collect", "-w", make(4, lambda config: config.update(telemetry=outside)))
    assert done.code == 2
    assert "keep it inside the workspace" in done.err


def test_what_is_past_its_retention_goes_and_is_said_everywhere(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    import driftgate
    from driftgate.api.keeping import keep
    from driftgate.service._make import make_service

    config = yaml.safe_load((folder / "driftgate.yaml").read_text())
    config["keep"] = {"telemetry_days": 12}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config))
    write(folder, "old.jsonl", 120, timedelta(days=14))
    write_days(folder, 2, 9)
    write(folder, "today.jsonl", 200, timedelta(hours=1))
    settle(cli, folder)
    with driftgate.open(folder) as ws:
        (gone,) = keep(ws.files, ws.ledger).telemetry
    day = (datetime.now(UTC) - timedelta(days=14)).date()
    assert (gone.day, gone.calls, gone.why) == (day, 120, "age")
    done = cli("monitor", "collect", "-w", folder)
    said = f"120 calls of 1 day were removed ({day}; 1 by age)"
    assert f"past their retention: {said}" in done.out
    done = cli("monitor", "check", "watch", "-w", folder)
    assert "traffic: quiet" in done.out and said in done.out, done.out
    monkeypatch.setenv("DRIFTGATE_TOKEN", "of-the-tests-0123456789")
    with driftgate.open(folder) as ws, TestClient(make_service(ws.files, ws.ledger)) as client:
        told = client.get("/health", headers={"Authorization": "Bearer of-the-tests-0123456789"}).json()
    assert told["telemetry_removed"] == [f"{day}: 120 calls, by age"]
