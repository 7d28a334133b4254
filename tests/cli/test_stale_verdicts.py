"""What is judged is what was asked last: a refusal, an outage or empty replies never pass by an older run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make

BOOM = Status(500, {"error": {"message": "boom"}})


def no_worse(config: dict[str, Any]) -> None:
    config["gates"]["small"] = {"suite": "small", "rules": [{"metric": "accuracy", "no_worse_than": "previous"}]}


@pytest.mark.parametrize("way", ["bench small", "nightly"])
@pytest.mark.parametrize("kept_from", ["its data are gone", "its model's key is gone", "its endpoint is down"])
def test_a_run_that_could_not_begin_is_not_passed_over(
    make: Make, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch, way: str, kept_from: str
) -> None:
    monkeypatch.setenv("OWN_KEY", "k")
    monkeypatch.setenv("OWN_ADDRESS", f"{endpoint.url}/v1")

    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"api_key": "${env:OWN_KEY}", "endpoint": "${env:OWN_ADDRESS}"}

    folder = make(12, change)
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("gate", "latest", "-w", folder).code == 0
    if kept_from == "its data are gone":
        (folder / "data/own.csv").rename(folder / "elsewhere.csv")
    elif kept_from == "its model's key is gone":
        monkeypatch.delenv("OWN_KEY")
    else:
        monkeypatch.setenv("OWN_ADDRESS", "http://127.0.0.1:9/v1")
    assert cli(*way.split(), "-w", folder).code != 0
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 2
    assert "the newest benchmark" in done.err
    assert "is refused" in done.err
    assert "refused" in cli("runs", "list", "-w", folder).out


def test_a_run_that_was_refused_is_not_gone_on_with(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    (folder / "data/own.csv").rename(folder / "elsewhere.csv")
    assert cli("bench", "small", "-w", folder).code == 2
    (folder / "elsewhere.csv").rename(folder / "data/own.csv")
    done = cli("bench", "--resume", "-w", folder)
    assert done.code == 2
    assert "every benchmark in the ledger is complete" in done.err
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("gate", "latest", "-w", folder).code == 0


@pytest.mark.parametrize("command", ["gate", "report", "runs show", "ledger check"])
def test_every_command_bears_a_run_that_was_refused(make: Make, cli: Cli, command: str) -> None:
    folder = make(12)
    (folder / "data/own.csv").rename(folder / "elsewhere.csv")
    assert cli("bench", "small", "-w", folder).code == 2
    name = [] if command == "ledger check" else ["small"]
    done = cli(*command.split(), *name, "-w", folder)
    assert "Traceback" not in done.err + done.out
    assert "defect" not in done.err


def test_a_name_that_is_no_suite_leaves_no_run(make: Make, cli: Cli) -> None:
    folder = make(12)
    assert cli("bench", "other", "-w", folder).code == 2
    assert "other" not in cli("runs", "list", "-w", folder).out


def test_an_outage_is_never_what_a_run_is_compared_with(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    def change(config: dict[str, Any]) -> None:
        no_worse(config)
        config["suites"]["small"]["max_failed"] = 0.1

    folder = make(40, change)
    assert cli("bench", "small", "-w", folder).code == 0
    endpoint.default = BOOM
    assert cli("bench", "small", "-w", folder).code != 0
    endpoint.default = Answer("A")
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("gate", "latest", "-w", folder).code == 1  # against the first, not the outage


def test_where_all_that_there_was_is_an_outage_nothing_can_be_compared(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        no_worse(config)
        config["gates"]["small"]["first_run"] = "pass"
        config["suites"]["small"]["max_failed"] = 0.1

    folder = make(40, change)
    right, endpoint.default = endpoint.default, BOOM
    cli("bench", "small", "-w", folder)
    endpoint.default = right
    assert cli("bench", "small", "-w", folder).code == 0
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 4, done.out + done.err
    assert "cannot be compared with" in done.out


@pytest.mark.parametrize("text", ["", "Service_unavailable"])
def test_replies_that_hold_no_answer_at_all_are_no_measurement(
    make: Make, endpoint: ChatEndpoint, cli: Cli, text: str
) -> None:
    folder = make(12)
    endpoint.default = Answer(text)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 4
    assert "none of 12 samples got an answer that could be read" in done.out
    assert "0.000" not in done.out.split("unmeasurable")[0].split("extract.choice")[0]
    assert "nothing was answered" in cli("runs", "list", "-w", folder).out
    assert "complete: nothing was answered" in cli("runs", "show", "latest", "-w", folder).out


def test_one_answer_is_a_measurement(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    endpoint.default = Answer("모르겠습니다")
    endpoint.script("문제 3번은", Answer("D"))
    assert cli("bench", "small", "-w", folder).code == 0


def test_doctor_says_that_a_reply_is_empty(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    endpoint.default = Answer("")
    assert "its reply is empty: no answer could be read" in cli("doctor", "-w", folder).out


def test_replies_of_another_model_are_said_while_the_run_goes_on(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    endpoint.serves = "other-model"
    said = "model 'tested' is asked for 'gpt-test' and replies say they are of 'other-model'"
    assert cli("bench", "small", "-w", folder).out.count(said) == 1
    endpoint.serves = "gpt-test-2026-01-01"
    assert "replies say they are of" not in cli("bench", "small", "-w", folder).out


def test_samples_that_are_gone_are_said(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(60, no_worse)
    assert cli("bench", "small", "-w", folder).code == 0
    lines = (folder / "data/own.csv").read_text("utf-8").splitlines()
    (folder / "data/own.csv").write_text("\n".join(lines[:31]) + "\n", encoding="utf-8")
    assert cli("bench", "small", "-w", folder).code == 0
    done = cli("gate", "latest", "-w", folder)
    assert "30 of the 60 samples that it is compared with are not in this run" in done.out


@pytest.mark.parametrize(
    ("section", "key"), [("suites", "models"), ("suites", "datasets"), ("suites", "variants"), ("nightly", "suites")]
)
def test_what_is_named_twice_would_be_paid_twice(make: Make, cli: Cli, section: str, key: str) -> None:
    def change(config: dict[str, Any]) -> None:
        part = config["nightly"] if section == "nightly" else config["suites"]["small"]
        part[key] = part[key] * 2

    done = cli("doctor", "-w", make(4, change))
    assert done.code == 2
    assert "twice: it would be asked and paid for twice" in done.err + done.out


def test_a_report_that_cannot_be_written_is_said_before_anything_is_asked(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    folder = make(4)
    (folder / "reports").write_text("mine", encoding="utf-8")
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2
    assert "reports are written below it" in done.err
    assert not endpoint.requests
    assert "reports are written below it" in cli("doctor", "-w", folder).out


def test_a_verdict_is_said_though_its_page_cannot_be_written(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    assert cli("bench", "small", "-w", folder).code == 0
    reports = folder / "reports"
    reports.rename(folder / "before")
    reports.write_text("mine", encoding="utf-8")
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 2
    assert "judged and kept (small: pass)" in done.err


def test_a_file_that_cannot_be_written_is_said_before_anything_is_asked(
    make: Make, endpoint: ChatEndpoint, cli: Cli, tmp_path: Path
) -> None:
    done = cli("bench", "small", "-w", make(4), "--json", tmp_path / "nowhere/bench.json")
    assert done.code == 2
    assert "there is no folder" in done.err
    assert not endpoint.requests
