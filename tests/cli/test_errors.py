"""Bad input: one sentence and a remedy, exit 2, no traceback, and the ledger as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status
from command_line import Cli, Done, Make

from driftgate.flows.errors import DriftgateError
from driftgate.shipped import shipped


def refused(done: Done, *said: str) -> None:
    assert done.code == 2, done.out + done.err
    assert "Traceback" not in done.out + done.err
    lines = done.err.strip().splitlines()
    assert lines[0].startswith("driftgate: ")
    assert len(lines) == 2 and lines[1].startswith("  "), done.err  # a sentence and a remedy
    for part in said:
        assert part in done.err


def intact(folder: Path) -> None:
    with sqlite3.connect(folder / ".driftgate/ledger.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_unknown_model_in_a_suite(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["small"]["models"] = ["testd"]

    refused(cli("bench", "-w", make(4, change)), "there is no model 'testd'", "did you mean 'tested'", "line ")


def test_a_dataset_folder_that_is_missing(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["datasets"]["own"] = {"kind": "kmmlu", "path": "data/no-such-folder"}

    refused(cli("bench", "-w", make(4, change)), "no-such-folder")


def test_a_row_without_an_answer(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(4)
    file = folder / "data/own.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("라2,C,", "라2,,"), encoding="utf-8")
    refused(cli("bench", "-w", folder), "own.csv row 3 (line 4) has no answer", "fill it in or take the row out")
    assert endpoint.requests == []


def test_a_flow_with_a_cycle(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["small"] |= {"flow": "round", "variants": []}

    folder = make(4, change)
    shutil.copytree(shipped("flows") / "multiple_choice", folder / "flows/round")
    (folder / "flows/round/flow.dag.yaml").write_text(
        "inputs: {question: {type: string}}\noutputs: {answer: {type: string, reference: '${extract.output}'}}\n"
        "nodes:\n"
        "- {name: ask, type: python, source: &ask {type: code, path: ask.py}, inputs: {prompt: '${extract.output}'}}\n"
        "- {name: extract, type: python, source: *ask, inputs: {prompt: '${ask.output}'}}\n"
        "- {name: render, type: python, source: *ask, inputs: {prompt: x}}\n",
        encoding="utf-8",
    )
    refused(cli("bench", "-w", folder), "circular", "flow.dag.yaml")
    assert endpoint.requests == []
    intact(folder)


def test_a_wrong_key(cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"]["api_key"] = "${env:TESTED_KEY}"

    monkeypatch.setenv("TESTED_KEY", "wrong")
    endpoint.key = "right"
    folder = make(30, change)
    refused(cli("bench", "-w", folder), "the service refused the key of model 'tested' (HTTP 401")
    assert len(endpoint.requests) <= 8  # those that were under way when the first was refused
    intact(folder)
    assert "stopped" in cli("runs", "list", "-w", folder).out
    monkeypatch.setenv("TESTED_KEY", "right")
    assert cli("bench", "--resume", "-w", folder).code == 0


def test_a_deployment_that_does_not_exist(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(4)
    endpoint.default = Status(404, {"error": {"code": "DeploymentNotFound", "message": "no such deployment"}})
    refused(cli("bench", "-w", folder), "model 'tested' is not served at")
    intact(folder)


def test_a_variable_that_is_not_set(cli: Cli, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"]["api_key"] = "${env:TESTED_KEY}"

    monkeypatch.delenv("TESTED_KEY", raising=False)
    refused(cli("bench", "-w", make(4, change)), "TESTED_KEY, which is not set", "export TESTED_KEY=")


def test_an_endpoint_nobody_listens_at(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"]["endpoint"] = "http://127.0.0.1:1/v1"

    folder = make(4, change)
    refused(cli("bench", "-w", folder), "nothing answers at 127.0.0.1:1")
    assert "refused" in cli("runs", "list", "-w", folder).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bench", "smal"], "has no suite 'smal'"),
        (["gate"], "the ledger holds no run"),
        (["runs", "show"], "the ledger holds no run"),
        (["report", "20260101"], "the ledger holds no run"),
        (["bench", "--resume"], "every benchmark in the ledger is complete"),
        (["bench", "--resume", "--run", "x"], "the ledger holds no run"),
    ],
)
def test_a_name_that_is_not_there(cli: Cli, make: Make, arguments: list[str], said: str) -> None:
    refused(cli(*arguments, "-w", make(4)), said)


def test_a_folder_that_is_no_workspace(cli: Cli, tmp_path: Path) -> None:
    refused(cli("bench", "-w", tmp_path), "there is no driftgate.yaml", "driftgate init")


def test_a_ledger_that_is_no_database(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["ledger"] = "driftgate.yaml"

    folder = make(4, change)
    before = (folder / "driftgate.yaml").read_bytes()
    refused(cli("bench", "-w", folder), "cannot be used: file is not a database")
    assert (folder / "driftgate.yaml").read_bytes() == before


def test_a_sample_whose_key_is_no_letter_of_its_choices(cli: Cli, make: Make) -> None:
    folder = make(4)
    file = folder / "data/own.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("라2,C,", "라2,E,"), encoding="utf-8")
    refused(cli("bench", "-w", folder), "has the answer 'E'")


def test_an_option_that_does_not_exist(cli: Cli) -> None:
    done = cli("bench", "--no-such-option")
    assert done.code == 2
    assert "No such option" in done.err and "Traceback" not in done.err


def test_debug_shows_the_traceback(cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match=r"no driftgate\.yaml") as raised:
        cli("--debug", "bench", "-w", tmp_path)
    assert [entry.name for entry in raised.traceback][-1] == "read"


def test_a_defect_is_a_sentence_too(cli: Cli, make: Make) -> None:
    folder = make(4)
    cli("runs", "list", "-w", folder)
    with sqlite3.connect(folder / ".driftgate/ledger.db") as connection:
        connection.execute("UPDATE meta SET value = 'not a number'")
    refused(cli("runs", "list", "-w", folder), "ValueError", "--debug")
    with pytest.raises(ValueError, match="not a number"):
        cli("--debug", "runs", "list", "-w", folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, mounted on the folder of a workspace's ledger."""
    place = tmp_path / "space/.driftgate"
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as problem:
        pytest.skip(f"cannot mount a small file system here: {problem}")
    if done.returncode:
        pytest.skip(f"may not mount a small file system here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk(cli: Cli, make: Make, endpoint: ChatEndpoint, small_disk: Path) -> None:
    folder = make(500)
    done = cli("bench", "-w", folder)
    refused(done, "ledger.db is full", "free space, then resume the run")
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    intact(folder)
    assert 0 < len(endpoint.requests) < 500
    asked = len(endpoint.requests)
    assert cli("bench", "--resume", "-w", folder).code == 0
    assert len(endpoint.asked) == 500
    assert len(endpoint.requests) - 500 <= 8, asked  # those that were under way when the disk was full
    intact(folder)


@pytest.mark.parametrize(
    "command",
    [
        ("calibrate", "reply.relevance", "labels.csv"),
        ("pairwise", "latest/a", "latest/b", "--judge", "j", "--criteria", "which is right"),
        ("flow", "parity", "multiple_choice", "ported:name"),
        ("flow", "attribute", "old-", "new-"),
    ],
    ids=["calibrate", "pairwise", "parity", "attribute"],
)
def test_where_a_file_cannot_be_written_nothing_is_asked_first(
    cli: Cli, make: Make, tmp_path: Path, command: tuple[str, ...]
) -> None:
    missing = tmp_path / "nodir" / "found.json"
    done = cli(*command, "--json", missing, "-w", make(4))
    refused(done, f"there is no folder {missing.parent}", "make the folder first")
    assert not missing.parent.exists()
