"""``driftgate gate``: its files, what build systems are told, odd runs; ``driftgate champion promote``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make
from sqlalchemy import select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, champion_history, champion_of, find_run, open_ledger, run_hash, verdicts_of
from driftgate.ledger._schema import promotion_evidence

BOOM = Status(500, {"error": {"message": "boom"}})


def ledger_of(folder: Path) -> Ledger:
    return open_ledger(".driftgate/ledger.db", folder)


def change(folder: Path, edit: Any) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(config)
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def rules(*given: dict[str, Any]) -> Any:
    def edit(config: dict[str, Any]) -> None:
        config["gates"] = {"small": {"suite": "small", "rules": list(given)}}

    return edit


@pytest.fixture(autouse=True)
def no_build_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)


def test_the_gate_writes_junit_json_and_markdown(cli: Cli, make: Make, tmp_path: Path) -> None:
    folder = make(40, rules({"min": 0.5}, {"min": 0.97}))
    assert cli("bench", "-w", folder).code == 0
    junit, told, page = tmp_path / "gate.xml", tmp_path / "gate.json", tmp_path / "gate.md"
    done = cli("gate", "-w", folder, "--junit", junit, "--json", told, "--summary", page)
    assert done.code == 3
    root = ElementTree.parse(junit).getroot()
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    cli("gate", "-w", folder, "--junit", junit, "--undecided", "skipped")
    assert ElementTree.parse(junit).getroot().attrib["skipped"] == "1"
    (verdict,) = json.loads(told.read_text(encoding="utf-8"))
    ledger = ledger_of(folder)
    run = find_run(ledger, "latest").id
    assert verdict["runs"] == {run: run_hash(ledger, run)}
    assert verdict["rules"][1]["needed"] is None or verdict["rules"][1]["needed"] > 40
    ledger.close()
    assert "accuracy >= 0.97" in page.read_text(encoding="utf-8")
    assert cli("gate", "-w", folder, "--junit", junit, "--undecided", "maybe").code == 2


def test_github_gets_a_summary_and_annotations(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(40, rules({"min": 0.5}))
    endpoint.default = Answer("A")
    assert cli("bench", "-w", folder).code == 0
    page = tmp_path / "summary.md"
    page.write_text("what was before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = cli("gate", "-w", folder)
    assert done.code == 1
    assert [line for line in done.out.splitlines() if line.startswith("::error title=driftgate gate small%3A fail::")]
    written = page.read_text(encoding="utf-8")
    assert written.startswith("what was before\n") and "### Gate `small`: fail" in written


def test_azure_devops_gets_logging_commands(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(40, rules({"min": 0.5}))
    endpoint.default = Answer("A")
    assert cli("bench", "-w", folder).code == 0
    monkeypatch.setenv("TF_BUILD", "True")
    commands = [line for line in cli("gate", "-w", folder).out.splitlines() if line.startswith("##vso[")]
    assert [line.split("]")[0] for line in commands] == [
        "##vso[task.logissue type=error",
        "##vso[task.uploadsummary",
        "##vso[task.complete result=Failed",
        "##vso[task.setvariable variable=driftgate.verdict",
        "##vso[task.setvariable variable=driftgate.keep",
    ]
    assert Path(commands[1].split("]", 1)[1]).read_text(encoding="utf-8").startswith("### Gate `small`: fail")


@pytest.mark.parametrize(
    ("count", "reply", "rule", "code"),
    [
        (1, None, {"min": 0.5}, 3),
        (1, None, {"no_worse_than": "previous"}, 3),  # the first run has nothing before it
        (20, BOOM, {"min": 0.5}, 4),
        (20, BOOM, {"metric": "latency_p95", "max": 60}, 4),
        (20, BOOM, {"metric": "share.failed", "max": 0.1}, 1),
        (20, BOOM, {"metric": "extract.choice.correct", "min": 0.5}, 2),
        (20, Status(400, {"error": {"code": "content_filter", "message": "filtered"}}), {"min": 0.5}, 4),
        (20, Answer("A"), {"min": 0.5, "slice": "없는 범주"}, 2),
        (20, Answer("A"), {"min": 0.5, "slices": "super_category"}, 4),
        (20, Answer("A"), {"metric": "ask.choice.correct", "min": 0.5}, 2),
        (3, Answer("A"), {"min": 0.5, "slices": "category"}, 3),
        (20, None, {"no_worse_than": "champion"}, 2),  # the workspace has no champion, the run no such model
    ],
)
def test_odd_runs_end_with_a_verdict_or_a_sentence(
    cli: Cli, make: Make, endpoint: ChatEndpoint, count: int, reply: Any, rule: dict[str, Any], code: int
) -> None:
    folder = make(count)
    if reply is not None:
        endpoint.default = lambda prompt: reply
    nothing = isinstance(reply, Status) and reply.code == 400  # all filtered: a measurement of nothing
    assert cli("bench", "-w", folder).code == (4 if nothing else 0)
    make(count, rules(rule))  # with some of these a run would not have begun
    done = cli("gate", "-w", folder)
    assert done.code == code, done.out + done.err
    assert "a defect of driftgate" not in done.err
    assert "p = nan" not in done.out.lower()


def with_slot(config: dict[str, Any]) -> None:
    config["models"]["live"] = config["models"]["tested"]
    config["champions"] = {"assistant": "live"}
    config["gates"] = {"small": {"suite": "small", "slot": "assistant", "rules": [{"min": 0.5}]}}


@pytest.fixture
def folder(cli: Cli, make: Make) -> Path:
    """A workspace with a slot and a run of the model ``tested`` that no gate has judged yet."""
    place = make(40, with_slot)
    assert cli("bench", "-w", place).code == 0
    return place


def promote(cli: Cli, folder: Path, model: str = "tested", run: str = "latest", slot: str = "assistant") -> Any:
    return cli("champion", "promote", slot, model, "--run", run, "--reason", "better", "-w", folder)


def test_a_passed_model_is_promoted_once_and_can_be_taken_back(cli: Cli, folder: Path) -> None:
    assert cli("gate", "-w", folder).code == 0
    done = promote(cli, folder)
    assert (done.code, done.err) == (0, "")
    assert "assistant is served by tested now" in done.out
    ledger = ledger_of(folder)
    run = find_run(ledger, "latest").id
    newest = champion_history(ledger, "assistant")[0]
    assert (newest.model, newest.run_id, newest.reason, newest.action) == ("tested", run, "better", "promote")
    assert newest.who
    with ledger.read() as connection:
        (evidence,) = connection.execute(select(promotion_evidence.c.details)).scalars()
    assert evidence["runs"] == {run: run_hash(ledger, run)}
    assert list(evidence["gates"]) == ["small"]
    assert "already" in promote(cli, folder).out
    assert len(champion_history(ledger, "assistant")) == 2
    assert cli("champion", "rollback", "assistant", "--reason", "complaints", "-w", folder).code == 0
    assert champion_of(ledger, "assistant") == "live"
    ledger.close()


def refused(done: Any, *words: str) -> None:
    assert done.code == 2, done.out
    for word in words:
        assert word in done.err


@pytest.mark.core
def test_what_was_not_judged_or_did_not_pass_is_not_promoted(cli: Cli, folder: Path) -> None:
    refused(promote(cli, folder), "gate 'small' has not judged run", "driftgate gate")
    change(folder, lambda config: config["gates"]["small"]["rules"].append({"min": 0.99}))
    assert cli("gate", "-w", folder).code == 3
    refused(promote(cli, folder), "gate 'small' says inconclusive", "accuracy >= 0.99")
    refused(promote(cli, folder, model="testde"), "did not ask the model 'testde'", "did you mean 'tested'?")
    refused(promote(cli, folder, slot="assistent"), "no champion 'assistent'")
    refused(promote(cli, folder, run="nothing"), "0 runs fit")
    change(folder, lambda config: config.update(gates={}, nightly={}))
    refused(promote(cli, folder), "no gate judges run")


def test_a_verdict_by_other_rules_does_not_count(cli: Cli, folder: Path) -> None:
    assert cli("gate", "-w", folder).code == 0
    change(folder, lambda config: config["gates"]["small"]["rules"].append({"metric": "share.failed", "max": 0.2}))
    refused(promote(cli, folder), "the rules of gate 'small' have changed")
    assert cli("gate", "-w", folder).code == 0
    assert promote(cli, folder).code == 0


def test_every_gate_of_the_suite_must_have_passed(cli: Cli, folder: Path) -> None:
    strict = {"suite": "small", "rules": [{"min": 0.99}]}
    change(folder, lambda config: config["gates"].update(strict=strict))
    assert cli("gate", "--gate", "small", "-w", folder).code == 0
    refused(promote(cli, folder), "gate 'strict' has not judged")
    change(folder, lambda config: config["gates"]["strict"].update(slot="other"))
    change(folder, lambda config: config["champions"].update(other="live"))
    assert promote(cli, folder).code == 0  # the strict one guards another slot


def test_a_run_that_went_on_after_its_verdict_is_not_the_run_that_passed(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(40, with_slot)
    endpoint.script("문제 3번은", BOOM)
    assert cli("bench", "-w", folder).code == 0
    assert cli("gate", "-w", folder).code == 0
    assert cli("bench", "--resume", "--run", "small", "--retry-failed", "-w", folder).code == 0
    refused(promote(cli, folder), "has changed since gate 'small' passed it", "judge it again")
    assert cli("gate", "-w", folder).code == 0
    assert promote(cli, folder).code == 0


@pytest.mark.core
def test_a_champion_that_changed_since_has_to_be_compared_with_anew(cli: Cli, make: Make) -> None:
    def edit(config: dict[str, Any]) -> None:
        with_slot(config)
        config["models"]["third"] = config["models"]["tested"]
        config["suites"]["small"]["models"] = ["live", "tested", "third"]
        config["gates"]["small"]["rules"] = [{"no_worse_than": "champion", "margin": 0.2}]

    folder = make(60, edit)
    assert cli("bench", "-w", folder).code == 0
    assert cli("gate", "-w", folder).code == 0
    assert promote(cli, folder).code == 0
    refused(promote(cli, folder, model="third"), "compared with live, and the champion of 'assistant' is tested")
    assert cli("gate", "-w", folder).code == 0
    assert promote(cli, folder, model="third").code == 0


def test_the_champion_is_compared_with_in_its_stored_run(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def edit(config: dict[str, Any]) -> None:
        with_slot(config)
        config["suites"]["small"]["models"] = ["live"]
        config["gates"]["small"]["rules"] = [{"no_worse_than": "champion", "margin": 0.1}]

    folder = make(60, edit)
    assert cli("bench", "-w", folder).code == 0
    ledger = ledger_of(folder)
    first = find_run(ledger, "latest").id
    change(folder, lambda config: config["suites"]["small"].update(models=["tested"]))
    endpoint.default = Answer("A")
    assert cli("bench", "-w", folder).code == 0
    done = cli("gate", "-w", folder)
    assert done.code == 1
    assert f"compared with live of run {first}" in done.out
    assert set(verdicts_of(ledger, find_run(ledger, "latest").id)[0].details["runs"]) > {first}
    ledger.close()


@pytest.mark.core
def test_a_first_run_without_anything_to_compare_with_is_no_evidence(cli: Cli, make: Make) -> None:
    def edit(config: dict[str, Any]) -> None:
        with_slot(config)
        config["gates"]["small"] |= {"first_run": "pass", "rules": [{"no_worse_than": "previous"}]}

    folder = make(20, edit)
    assert cli("bench", "-w", folder).code == 0
    assert cli("gate", "-w", folder).code == 0
    refused(promote(cli, folder), "no rule of small measured the model 'tested'")
    change(folder, lambda config: config["gates"]["small"].pop("first_run"))
    refused(promote(cli, folder), "the rules of gate 'small' have changed")
    assert cli("gate", "-w", folder).code == 3
    refused(promote(cli, folder), "inconclusive")


def test_a_champion_that_nobody_named_is_asked_for(cli: Cli, make: Make) -> None:
    folder = make(20)
    assert cli("bench", "-w", folder).code == 0
    change(folder, rules({"no_worse_than": "champion"}))
    done = cli("gate", "-w", folder)
    assert done.code == 2 and "there is none whom it could mean" in done.err
    assert "name one under champions" in done.err and "did you mean" not in done.err


@pytest.mark.core
@pytest.mark.parametrize("what", ["anchor", "champion", "first run"])
def test_an_outage_that_is_compared_with_nothing_passes_nothing(
    cli: Cli, make: Make, endpoint: ChatEndpoint, what: str
) -> None:
    """To be the anchor or the champion itself, or the first run, is no achievement of a run without an answer."""

    def gate(config: dict[str, Any]) -> None:
        opponent = "previous" if what == "first run" else what
        config["champions"] = {"assistant": "tested"}
        rule = {"no_worse_than": opponent, "margin": 0.1}
        config["gates"] = {"small": {"suite": "small", "first_run": "pass", "rules": [rule]}}
        if what == "anchor":
            config["gates"]["small"]["anchor"] = run

    folder = make(20)
    for reply, code in ((BOOM, 4), (Answer("A"), 0)):
        endpoint.default = lambda prompt, reply=reply: reply
        assert cli("bench", "-w", folder).code == 0
        ledger = ledger_of(folder)
        run = find_run(ledger, "latest").id
        ledger.close()
        change(folder, gate)
        done = cli("gate", "-w", folder)
        assert done.code == code, done.out + done.err
        assert ("none of its 20 samples could be measured" in done.out) == (code == 4)
        if what == "first run":
            break  # the second is none


def test_a_gate_for_a_slot_that_is_not_there_is_refused(cli: Cli, make: Make) -> None:
    def edit(config: dict[str, Any]) -> None:
        with_slot(config)
        config["gates"]["small"]["slot"] = "asistant"

    refused(cli("gate", "-w", make(5, edit)), "there is no champion 'asistant'", "did you mean 'assistant'?")


def test_the_hash_of_a_run_that_is_not_there(cli: Cli, folder: Path) -> None:
    ledger = ledger_of(folder)
    with pytest.raises(DriftgateError, match="0 runs fit"):
        run_hash(ledger, "nothing")
    ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="a pipe of POSIX")
@pytest.mark.parametrize(("least", "code"), [(0.5, 0), (0.97, 3)])
def test_a_reader_that_leaves_early_changes_no_verdict(cli: Cli, make: Make, least: float, code: int) -> None:
    folder = make(40, rules({"min": least}))
    assert cli("bench", "-w", folder).code == 0
    read, write = os.pipe()
    os.close(read)  # as of `driftgate gate | head -0`
    with os.fdopen(write, "w") as nobody:
        command = [sys.executable, "-m", "driftgate", "gate", "-w", str(folder)]
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (code, "")
