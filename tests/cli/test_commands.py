"""The commands, from an empty folder to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status
from command_line import Cli, Make

from driftgate.ledger import Ledger, cells_of, find_run, open_ledger, outcome_frame, verdicts_of

BOOM = Status(500, {"error": {"message": "boom"}})


@pytest.fixture
def ledger_of() -> Callable[[Path], Ledger]:
    """``ledger_of(folder)``: the workspace's ledger."""
    return lambda folder: open_ledger(".driftgate/ledger.db", folder)


@pytest.mark.core
def test_bench_records_every_sample_and_writes_a_report(
    cli: Cli, make: Make, endpoint: ChatEndpoint, ledger_of: Callable[[Path], Ledger]
) -> None:
    folder = make(12)
    endpoint.script("문제 3번은", Status(400, AZURE_FILTERED))
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert "tested · terse · own" in done.out
    ledger = ledger_of(folder)
    run = find_run(ledger, "latest")
    (cell,) = cells_of(ledger, run.id)
    assert run.status == "complete"
    assert outcome_frame(ledger, cell.id)["outcome"].value_counts().to_dict() == {"answered": 11, "filtered": 1}
    ledger.close()
    pages = sorted(path.suffix for path in (folder / "reports" / run.id).iterdir())
    assert ".html" in pages and ".md" in pages


def test_nightly_runs_judges_and_keeps_the_verdict(cli: Cli, make: Make, ledger_of: Callable[[Path], Ledger]) -> None:
    def change(config: dict[str, Any]) -> None:
        rules = config["gates"]["small"]["rules"]
        rules.append({"metric": "accuracy", "no_worse_than": "previous", "margin": 0.2})

    folder = make(40, change)
    first, second = cli("nightly", "-w", folder), cli("nightly", "-w", folder)
    assert (first.code, second.code) == (3, 0), second.err
    assert "gate small: pass" in second.out
    ledger = ledger_of(folder)
    (verdict,) = verdicts_of(ledger, find_run(ledger, "latest").id)
    assert verdict.verdict == "pass"
    ledger.close()


@pytest.mark.core
def test_nightly_exits_with_the_gravest_verdict(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer("A")  # a quarter is right
    assert cli("nightly", "-w", make(80)).code == 1


GATES = {
    # Of 40 asked 24 are right, 8 wrong, 8 lost: 0.446 to 0.737, and 0.652 to 0.895 if the lost were right.
    "passes": ({"min": 0.4}, 0),
    "fails": ({"min": 0.95}, 1),
    "open": ({"min": 0.6}, 3),
    "lost": ({"min": 0.75}, 4),
}


@pytest.mark.core
def test_gate_has_an_exit_code_for_every_verdict(cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["gates"] = {name: {"suite": "small", "rules": [rule]} for name, (rule, _) in GATES.items()}
        config["nightly"] = {}

    folder = make(40, change)
    for number in range(8):
        endpoint.script(f"문제 {number}번은", BOOM)
        endpoint.script(f"문제 {number + 10}번은", Answer("ABCD"[(number + 11) % 4]))
    assert cli("bench", "-w", folder).code == 0
    for name, (_, code) in GATES.items():
        assert cli("gate", "--gate", name, "-w", folder).code == code, name
    asked = len(endpoint.requests)
    written = tmp_path / "verdict.json"
    done = cli("gate", "latest", "-w", folder, "--json", written)
    assert done.code == 1  # the gravest of all four
    verdicts = {one["gate"]: one["verdict"] for one in json.loads(written.read_text(encoding="utf-8"))}
    assert verdicts == {"passes": "pass", "fails": "fail", "open": "inconclusive", "lost": "unmeasurable"}
    assert cli("gate", "--gate", "nobody", "-w", folder).code == 2
    assert len(endpoint.requests) == asked  # judging asks nobody


def test_runs_show_and_report_read_the_ledger_alone(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(8)
    assert "no run yet" in cli("runs", "list", "-w", folder).out
    cli("bench", "-w", folder)
    asked = len(endpoint.requests)
    listed = cli("runs", "list", "-w", folder)
    assert "complete" in listed.out and "small" in listed.out
    shown = cli("runs", "show", "-w", folder)
    assert "tested · terse · own" in shown.out and "denominator:asked" in shown.out
    one = cli("runs", "show", "latest", "q3", "-w", folder)
    assert "문제 3번은?" in one.out and '"extract"' in one.out
    assert cli("runs", "show", "latest", "q99", "-w", folder).code == 2
    assert cli("report", "-w", folder).code == 0
    assert len(endpoint.requests) == asked


@pytest.mark.core
def test_resume_goes_on_and_asks_nothing_twice(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"prices": {"input": 50_000.0, "output": 0.0}, "in_flight": 2}
        config["suites"]["small"]["max_cost"] = 5.0

    folder = make(12, change)
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2
    assert "the limit of 5 on cost is reached" in stopped.err
    assert "driftgate bench --resume --run" in stopped.err
    assert cli("gate", "-w", folder).code == 2  # an unfinished run is not judged
    for _ in range(2):
        cli("bench", "--resume", "-w", folder)
    assert "every benchmark in the ledger is complete" in cli("bench", "--resume", "-w", folder).err
    assert sorted(endpoint.asked.values()) == [1] * 12


def test_resume_refuses_a_changed_plan(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    endpoint.script("문제 5번은", Status(401))
    folder = make(12)
    assert cli("bench", "-w", folder).code == 2
    text = (folder / "driftgate.yaml").read_text(encoding="utf-8")
    (folder / "driftgate.yaml").write_text(text.replace("model: gpt-test", "model: another"), encoding="utf-8")
    done = cli("bench", "--resume", "-w", folder)
    assert done.code == 2
    assert "cannot go on: model_config changed since it began" in done.err
    (folder / "driftgate.yaml").write_text(text.replace("in_flight: 8", "in_flight: 3"), encoding="utf-8")
    endpoint.script("문제 5번은", Answer("B"))
    assert cli("bench", "--resume", "-w", folder).code == 0


def test_failed_samples_are_asked_again_when_told_to(
    cli: Cli, make: Make, endpoint: ChatEndpoint, ledger_of: Callable[[Path], Ledger]
) -> None:
    endpoint.script("문제 5번은", BOOM, Answer("B"))
    folder = make(12)
    assert cli("bench", "-w", folder).code == 0
    assert cli("bench", "--resume", "--retry-failed", "-w", folder).code == 0
    assert endpoint.times_asked("문제 5번은") == 2
    assert len(endpoint.requests) == 13
    ledger = ledger_of(folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    assert set(outcome_frame(ledger, cell.id)["outcome"]) == {"answered"}
    ledger.close()


def test_resume_goes_on_with_the_suite_that_is_named(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["other"] = config["suites"]["small"] | {"variants": ["zero_shot"]}

    folder = make(4, change)
    endpoint.default = Status(401)
    for suite in ("small", "other"):
        assert cli("bench", suite, "-w", folder).code == 2
    endpoint.default = Answer("A")
    assert "· zero_shot ·" not in cli("bench", "small", "--resume", "-w", folder).out
    assert "every benchmark in the ledger is complete" in cli("bench", "small", "--resume", "-w", folder).err
    assert "· zero_shot ·" in cli("bench", "--resume", "-w", folder).out


def test_the_cache_is_used_when_asked_for(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(6)
    for option in ("--cache", "--cache", "--no-cache"):
        assert cli("bench", option, "-w", folder).code == 0
    assert sorted(endpoint.asked.values()) == [2] * 6


@pytest.mark.core
def test_init_makes_a_workspace_once(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = cli("init", folder)
    assert done.code == 0
    assert (folder / "driftgate.yaml").is_file() and (folder / "driftgate.schema.json").is_file()
    again = cli("init", folder)
    assert again.code == 2 and "is already there" in again.err


def test_doctor_says_what_to_mend_and_goes_on(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["dead"] = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "m"}
        config["datasets"]["gone"] = {"kind": "kmmlu", "path": "no-such-folder"}
        config["suites"]["odd"] = {"models": ["tested"], "datasets": ["own"], "flow": "no_such_flow"}

    folder = make(4)
    good = cli("doctor", "-w", folder)
    assert good.code == 0, good.out
    assert "everything is in order" in good.out
    done = cli("doctor", "-w", make(4, change))
    assert done.code == 2
    assert "3 to mend" in done.out
    for part in ("nothing answers at 127.0.0.1:1", "no-such-folder", "there is no flow 'no_such_flow'"):
        assert part in done.out
    assert "4 samples" in done.out


def test_schema_is_json(cli: Cli) -> None:
    done = cli("schema")
    assert done.code == 0
    assert json.loads(done.out)["properties"]["models"]


@pytest.mark.core
def test_nothing_the_commands_leave_holds_the_key(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTED_KEY", "s3cret-key-value")

    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"]["api_key"] = "${env:TESTED_KEY}"

    endpoint.key = "s3cret-key-value"
    folder = make(4, change)
    done = cli("nightly", "-w", folder)
    assert endpoint.requests[0].headers["authorization"] == "Bearer s3cret-key-value"
    assert "s3cret" not in done.out + done.err
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"s3cret" not in path.read_bytes(), path


def test_two_suites_one_after_the_other(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["other"] = config["suites"]["small"] | {"variants": ["zero_shot"]}
        config["nightly"]["suites"] = ["small", "other"]

    folder = make(20, change)
    assert cli("nightly", "-w", folder).code == 0
    assert len(cli("runs", "list", "-w", folder).out.split("complete")) == 3
    asked = cli("bench", "-w", folder)
    assert asked.code == 2 and "name one of: small, other" in asked.err
