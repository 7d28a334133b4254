"""``bench --gate G --sequential``: a run that its gate ends, what it leaves, and what others make of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status, Step
from command_line import Cli, Make

from driftgate.ledger import cells_of, latest_runs, open_ledger, outcome_frame

COUNT = 400
GATE = ("--gate", "small", "--sequential", "--seed", 11)


def number_of(prompt: str) -> int:
    return int(re.findall(r"문제 (\d+)번은", prompt)[-1])


def replies(wrong: int, *, of: int = 10, failed: int = 0) -> Callable[[str], Step]:
    """A model that is wrong in so many of ten, and whose service fails in others."""

    def reply(prompt: str) -> Step:
        number = number_of(prompt)
        place = number * 7 % of
        if wrong <= place < wrong + failed:
            return Status(500, {"error": {"message": "boom"}})
        return Answer("ABCD"[(number + (place < wrong)) % 4])

    return reply


def rules(*found: dict[str, Any], **gate: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["gates"]["small"] = {"suite": "small", "rules": list(found), **gate}

    return change


def set_rules(folder: Path, *found: dict[str, Any], **gate: Any) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules(*found, **gate)(config)
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


def asked(folder: Path) -> list[int]:
    """How many samples each cell of the newest run was asked."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (run,) = latest_runs(ledger, 1)
        return [len(outcome_frame(ledger, cell.id)) for cell in cells_of(ledger, run.id)]
    finally:
        ledger.close()


def judged(cli: Cli, folder: Path, *more: object) -> tuple[int, dict[str, Any]]:
    done = cli("gate", "latest", "-w", folder, "--json", folder / "gate.json", *more)
    (only,) = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
    return done.code, only


@pytest.mark.parametrize(("wrong", "code", "verdict"), [(1, 0, "pass"), (8, 1, "fail")])
def test_it_ends_once_its_gate_has_decided(
    make: Make, endpoint: ChatEndpoint, cli: Cli, wrong: int, code: int, verdict: str
) -> None:
    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.5}))
    endpoint.default = replies(wrong)
    done = cli("bench", *GATE, "-w", folder, "--json", folder / "bench.json")
    assert done.code == code, done.err
    assert asked(folder) == [100] == [len(endpoint.asked)]
    assert "stopped early by gate small after 100 of 400" in done.out
    assert "stopped early: 100 of 400 questions asked, 75% spared" in done.out
    assert f"after 100 of 400 questions: tested · terse · own: accuracy >= 0.5: {verdict}" in done.out
    (cell,) = json.loads((folder / "bench.json").read_text(encoding="utf-8"))["cells"]
    assert cell["not_needed"] == 300 and sum(cell["outcomes"].values()) == 100
    scores = {score["metric"]: score for score in cell["scores"] if score["slice_kind"] == "all"}
    assert scores["accuracy"]["n"] == 100 and scores["share.missing"]["value"] == 0.0
    assert scores["accuracy"]["high"] - scores["accuracy"]["low"] > 0.15  # Wilson's, of a run of a hundred, is 0.12
    assert scores["latency_p50"]["low"] is None
    assert cell["signature"].endswith("|asked:100")
    said, found = judged(cli, folder)
    (rule,) = found["rules"]
    assert (said, rule["verdict"], rule["decided_after"]) == (code, verdict, 100)
    shown = cli("runs", "show", "latest", "-w", folder)
    assert "stopped early by gate small after 100 of 400" in shown.out
    page = next(folder.glob("reports/*/*.md")).read_text(encoding="utf-8").replace("\\", "")
    assert "stopped early by gate small after 100 of 400" in page
    html = next(folder.glob("reports/*/*.html")).read_text(encoding="utf-8")
    assert "100 of 100 samples were answered; stopped early by gate small after 100 of 400" in html
    assert "the ledger is whole" in cli("ledger", "check", "-w", folder).out


def test_a_rule_that_stays_open_has_all_samples_asked(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(150, rules({"metric": "accuracy", "min": 0.7}))
    endpoint.default = replies(3)
    done = cli("bench", *GATE, "-w", folder)
    assert done.code == 3, done.err
    assert asked(folder) == [150]
    assert "stopped early" not in done.out
    assert judged(cli, folder)[0] == 3
    assert cli("baseline", "export", "latest", folder / "b.json", "-w", folder).code == 0


def test_what_was_not_answered_is_at_its_worst_for_a_pass(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.65}))
    endpoint.default = replies(0, failed=4)
    done = cli("bench", *GATE, "-w", folder)
    assert done.code == 4, done.out + done.err
    assert asked(folder) == [COUNT]
    again = cli("bench", "--resume", "--run", "small", "--retry-failed", "-w", folder)
    assert again.code == 2 and "has judged what failed" in again.err


@pytest.mark.parametrize(
    ("then", "code", "verdict"), [(replies(0, failed=10), 4, "unmeasurable"), (replies(10), 1, "fail")]
)
def test_what_was_won_before_an_outage_passes_nothing_that_the_score_breaks(
    make: Make, endpoint: ChatEndpoint, cli: Cli, then: Callable[[str], Step], code: int, verdict: str
) -> None:
    """Sixty right answers win a bet on 0.7 before the first look; by then the service is down, or answers wrongly."""
    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.7}))
    right = replies(0)
    endpoint.default = lambda prompt: (right if len(endpoint.requests) <= 60 else then)(prompt)
    done = cli("bench", *GATE, "-w", folder)
    assert done.code == code, done.out
    assert "accuracy >= 0.7: pass" not in done.out
    said, found = judged(cli, folder)
    (rule,) = found["rules"]
    assert (said, rule["verdict"]) == (code, verdict)


def test_what_is_unmeasurable_ends_no_run_with_a_pass(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    """Sixty right answers and then an outage hold a limit of 0.5, and four in ten failed."""

    def change(config: dict[str, Any]) -> None:
        rules({"metric": "accuracy", "min": 0.5})(config)
        config["suites"]["small"]["max_failed"] = 0.1

    folder = make(COUNT, change)
    endpoint.default = lambda prompt: replies(0, failed=10 * (60 < len(endpoint.requests) <= 100))(prompt)
    done = cli("bench", *GATE, "-w", folder)
    assert done.code == 0, done.out
    assert "after 100 of 400 questions: tested · terse · own: accuracy >= 0.5: pass" not in done.out
    code, found = judged(cli, folder)
    assert code == 0 and found["rules"][0]["decided_after"] == 400  # a tenth of all
    endpoint.forget()
    endpoint.default = lambda prompt: replies(0, failed=10 * (60 < len(endpoint.requests) <= 101))(prompt)
    done = cli("bench", *GATE, "-w", folder)
    assert done.code == 4 == judged(cli, folder)[0], done.out
    assert "10.2% of the samples failed, and the suite allows 10% (max_failed)" in " ".join(done.out.split())


def test_the_service_says_of_a_score_that_it_was_stopped_and_of_an_outage_what_it_leaves_open(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    from fastapi import APIRouter
    from fastapi.testclient import TestClient

    from driftgate.service._app import Page, create_app

    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.5}))
    endpoint.default = replies(1)
    assert cli("bench", *GATE, "-w", folder).code == 0
    endpoint.default = replies(0, failed=10)
    assert cli("bench", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    nothing = Page(*[lambda: []] * 5, leading=lambda: True)
    client = TestClient(create_app(ledger, "space", lambda scope: lambda: None, nothing, [APIRouter()]))
    page = " ".join(client.get("/").text.split())
    assert "stopped early by gate small after 100 of 400" in page
    assert "0.000 (0.000–0.010), 1.000 if all had been right that was not answered" in page
    stopped, whole = (
        client.get(f"/api/runs/{run['id']}").json()["cells"][0]["stopped"]
        for run in client.get("/api/runs").json()[::-1]
    )
    assert (stopped, whole) == ("stopped early by gate small after 100 of 400", "")
    ledger.close()


def two(config: dict[str, Any]) -> None:
    models = config["models"]
    models["better"] = dict(models["tested"], model="gpt-better")
    models["third"] = dict(models["tested"], model="gpt-third")
    config["suites"]["small"]["models"] = ["tested", "better", "third"]


def test_models_are_asked_side_by_side_and_each_as_far_as_a_rule_needs_it(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        two(config)
        rules({"no_worse_than": "tested", "margin": 0.1, "model": "better"}, {"min": 0.55, "model": "third"})(config)

    folder = make(COUNT, change)
    models = {"gpt-test": replies(5), "gpt-better": replies(1), "gpt-third": replies(4)}
    endpoint.refuses = lambda body: models[body["model"]]("\n".join(turn["content"] for turn in body["messages"]))
    done = cli("bench", *GATE, "-w", folder)
    assert done.code in (0, 3), done.out + done.err
    tested, better, third = asked(folder)
    assert tested == better < third <= COUNT


def test_a_run_that_was_stopped_is_nothing_that_others_are_compared_with(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.5}))
    endpoint.default = replies(1)
    assert cli("bench", *GATE, "-w", folder).code == 0
    exported = cli("baseline", "export", "latest", folder / "b.json", "-w", folder)
    assert exported.code == 2 and "stopped early by gate small after 100 of 400" in exported.err
    stopped = latest(folder)
    refused = cli("runs", "rescore", stopped, "--as", "macro", "-w", folder)
    assert refused.code == 2 and "stopped early by gate small after 100 of 400" in refused.err, refused.err

    set_rules(folder, {"no_worse_than": "previous", "margin": 0.1}, first_run="pass")
    assert cli("bench", "-w", folder).code == 0
    code, found = judged(cli, folder)
    assert code == 4 and found["rules"][0]["verdict"] == "unmeasurable"  # and no first run, which would pass
    assert "run the suite once with all samples" in found["rules"][0]["reason"]
    whole = latest(folder)
    compared = cli("compare", stopped, whole, "-w", folder)
    assert compared.code == 0, compared.err
    assert "stopped early by gate small after 100 of 400" in " ".join(compared.out.split())

    assert cli("bench", *GATE, "-w", folder).code == 0
    assert asked(folder) == [100]
    code, found = judged(cli, folder)
    assert code == 0 and found["rules"][0]["baseline"] == whole
    assert cli("bench", "-w", folder).code == 0
    set_rules(folder, {"no_worse_than": "anchor", "margin": 0.1}, anchor=stopped)
    code, found = judged(cli, folder)
    assert code == 4 and "a run that asked all is needed" in found["rules"][0]["reason"]
    refused = cli("bench", "-w", folder)
    assert refused.code == 2 and "name a run that asked everything" in refused.err


def latest(folder: Path) -> str:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        return latest_runs(ledger, 1)[0].id
    finally:
        ledger.close()


def test_another_gate_says_what_it_cannot_say_of_a_run_that_was_stopped(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        rules({"metric": "accuracy", "min": 0.5})(config)
        config["gates"]["whole"] = {"suite": "small", "rules": [{"metric": "accuracy_macro", "min": 0.1}]}

    folder = make(COUNT, change)
    endpoint.default = replies(1)
    assert cli("bench", *GATE, "-w", folder).code == 0
    code, found = judged(cli, folder, "--gate", "whole")
    assert code == 3
    assert "judged only where all samples were asked: categories weigh alike" in found["rules"][0]["reason"]


def test_a_run_goes_on_in_its_order_and_stops_where_it_would_have(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    change = rules({"metric": "accuracy", "min": 0.65})
    folder = make(COUNT, change)
    endpoint.default = replies(3)
    assert cli("bench", *GATE, "-w", folder).code in (0, 3)
    undisturbed, verdict = asked(folder), judged(cli, folder)[1]["rules"]
    for path in (folder / ".driftgate").iterdir():
        path.unlink()
    endpoint.forget()
    endpoint.refuses = lambda body: Status(401, {"error": {"message": "no"}}) if len(endpoint.requests) > 150 else None
    assert cli("bench", *GATE, "-w", folder).code == 2
    assert 100 < len(endpoint.asked) < undisturbed[0]
    endpoint.refuses = lambda body: None
    set_rules(folder, {"metric": "accuracy", "min": 0.6})
    other = cli("bench", "--resume", "-w", folder)
    assert other.code == 2 and "sequential changed since it began" in other.err, other.err
    set_rules(folder, {"metric": "accuracy", "min": 0.65})
    resumed = cli("bench", "--resume", "-w", folder)
    assert resumed.code in (0, 3), resumed.err
    assert asked(folder) == undisturbed
    assert judged(cli, folder)[1]["rules"] == verdict
    assert len(endpoint.asked) == undisturbed[0]


@pytest.mark.parametrize(
    ("suite", "options", "said"),
    [
        ({"repeats": 3}, GATE, "asks each sample 3 times"),
        ({"delivery": "batch"}, GATE, "delivery: batch"),
        ({}, ("--gate", "other", "--sequential"), "no gate 'other'"),
        ({}, ("--gate", "small"), "belong together"),
        ({}, ("--sequential",), "belong together"),
        ({}, (*GATE, "--resume"), "goes on as it began"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_asked(
    make: Make, endpoint: ChatEndpoint, cli: Cli, suite: dict[str, Any], options: tuple[object, ...], said: str
) -> None:
    folder = make(20, lambda config: config["suites"]["small"].update(suite))
    done = cli("bench", *options, "-w", folder)
    assert done.code == 2 and said in done.err
    assert not endpoint.asked


def test_the_doctor_says_that_an_anchor_was_stopped_early(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(COUNT, rules({"metric": "accuracy", "min": 0.5}))
    endpoint.default = replies(1)
    assert cli("bench", "small", *GATE, "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (stopped,) = latest_runs(ledger, 1)
    ledger.close()
    set_rules(folder, {"metric": "accuracy", "no_worse_than": "anchor", "margin": 0.1}, anchor=stopped.id)
    found = cli("doctor", "-w", folder)
    said = " ".join(found.out.split())
    assert found.code == 2
    assert f"its anchor, run {stopped.id}, was stopped early by gate small after 100 of 400" in said, found.out
    set_rules(folder, {"metric": "accuracy", "min": 0.5})
    assert cli("bench", "small", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (whole,) = latest_runs(ledger, 1)
    ledger.close()
    set_rules(folder, {"metric": "accuracy", "no_worse_than": "anchor", "margin": 0.1}, anchor=whole.id)
    assert cli("doctor", "-w", folder).code == 0
