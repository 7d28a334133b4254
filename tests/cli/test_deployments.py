"""What is learnt of a deployment: by the doctor, kept, used by runs, shown, and learnt anew when it changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, Step, reasoning, responses_only, unsupported
from command_line import Cli, Make

import driftgate
from driftgate.ledger import (
    add_deployment,
    cells_of,
    deployments_by_model,
    latest_runs,
    open_ledger,
    outcome_frame,
)

QUESTIONS = 12


def limited(config: dict[str, Any]) -> None:
    config["models"]["tested"]["parameters"] = {"max_tokens": 50, "reasoning_effort": "low"}


def sent(endpoint: ChatEndpoint) -> list[Mapping[str, Any]]:
    return [{k: v for k, v in r.body.items() if k not in ("messages", "input", "model")} for r in endpoint.requests]


@pytest.mark.parametrize(("refuses", "refused"), [(reasoning, 1), (responses_only, 2)])
def test_a_run_begins_with_what_the_doctor_learnt(
    cli: Cli, make: Make, endpoint: ChatEndpoint, refuses: Any, refused: int
) -> None:
    folder = make(QUESTIONS)
    endpoint.refuses = refuses
    examined = cli("doctor", "-w", folder)
    assert examined.code == 0 and len(endpoint.requests) == 1 + refused
    assert f"learnt by {refused} refused request" in examined.out
    endpoint.forget()
    done = cli("bench", "-w", folder)
    assert done.code == 0 and len(endpoint.requests) == QUESTIONS
    assert "asked without the default 'temperature'" in done.out and "before it was known" not in done.out
    names = "chat,temperature" if refuses is responses_only else "temperature"
    assert f"|without:{names}" in done.out


def test_a_run_keeps_what_it_learnt_itself_and_says_what_that_took(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(QUESTIONS)
    endpoint.refuses = reasoning
    first = cli("bench", "-w", folder)
    extra = len(endpoint.requests) - QUESTIONS
    assert f"{extra} request{'s' * (extra != 1)} refused before it was known what its service takes" in first.out
    endpoint.forget()
    assert cli("bench", "-w", folder).code == 0 and len(endpoint.requests) == QUESTIONS


def test_what_a_deployment_takes_is_shown(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(QUESTIONS, limited)
    endpoint.refuses = reasoning
    endpoint.listed = {"data": [{"id": "gpt-test", "shutdown_date": "2031-02-06"}]}
    shown = cli("doctor", "-w", folder).out
    for words in ("what deployments take", "max_completion_tokens", "low", "2031-02-06", "Chat Completions"):
        assert words in shown
    told = json.loads(cli("doctor", "--json", "-w", folder).out)
    (one,) = told["deployments"]
    assert (one["model"], one["served"], one["ends"]) == ("tested", "gpt-test", "2031-02-06")
    assert one["capabilities"]["cap"] == "max_completion_tokens"
    assert set(one["capabilities"]["refused"]) == {"max_tokens"}
    assert {finding["severity"] for finding in told["findings"]} == {"good"}
    with driftgate.open(folder) as space:
        (known,) = space.deployments()
        assert known.known is not None and known.known.takes("reasoning_effort")


def test_a_deployment_that_was_swapped_is_learnt_anew(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(QUESTIONS)
    assert cli("doctor", "-w", folder).code == 0  # takes all
    endpoint.refuses = responses_only
    done = cli("bench", "-w", folder)
    assert done.code == 0 and "answered 12" in done.out and "|without:chat,temperature" in done.out
    endpoint.refuses = lambda body: None  # and back: what is left out is not left out for ever
    endpoint.forget()
    assert cli("bench", "-w", folder).code == 0
    assert all("temperature" not in body for body in sent(endpoint))
    assert cli("doctor", "-w", folder).code == 0
    endpoint.forget()
    assert cli("bench", "-w", folder).code == 0
    assert all(body["temperature"] == 0 for body in sent(endpoint))


def test_what_was_learnt_long_ago_is_learnt_anew_by_a_run(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(QUESTIONS)
    endpoint.refuses = reasoning
    assert cli("doctor", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    row = deployments_by_model(ledger)["tested"]
    add_deployment(ledger, replace(row, at=datetime.now(UTC) - timedelta(days=31)))
    endpoint.refuses = lambda body: None
    endpoint.forget()
    assert cli("bench", "-w", folder).code == 0
    assert all(body["temperature"] == 0 for body in sent(endpoint))
    assert deployments_by_model(ledger)["tested"].at > datetime.now(UTC) - timedelta(minutes=5)
    ledger.close()


def test_an_effort_that_the_model_does_not_have_is_refused_before_a_run(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    def levels(body: Mapping[str, Any]) -> Step | None:
        said = "Unsupported value: 'reasoning_effort' does not support 'low' with this model. Supported values are: "
        return unsupported(f"{said}'medium', and 'high'.", "reasoning_effort", "unsupported_value")

    folder = make(1_000, limited)
    endpoint.refuses = levels
    examined = cli("doctor", "-w", folder)
    assert examined.code == 2 and "give it a value that the model takes: medium, high" in examined.out
    assert "medium, high" in examined.out.split("what deployments take")[1] and "the default" not in examined.out
    endpoint.forget()
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2 and len(endpoint.requests) == 1
    assert "does not take the parameter 'reasoning_effort' of model 'tested'" in stopped.err


def test_a_stated_wire_form_that_the_model_does_not_answer_on(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def stated(config: dict[str, Any]) -> None:
        config["models"]["tested"]["wire"] = "chat"

    folder = make(QUESTIONS, stated)
    endpoint.refuses = responses_only
    examined = cli("doctor", "-w", folder)
    assert examined.code == 2 and "only supported in v1/responses" in examined.out
    assert "set models.tested.wire: responses, or leave wire out" in examined.out


def test_effort_and_limit_are_in_the_signature_and_a_gate_says_that_they_differ(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    def rule(config: dict[str, Any]) -> None:
        config["gates"]["small"]["rules"] = [{"no_worse_than": "previous", "margin": 0.5}]
        config["models"]["tested"]["parameters"] = {"max_tokens": 50, "reasoning_effort": "low"}

    folder = make(QUESTIONS, rule)
    assert "|effort:low|cap:50" in cli("bench", "-w", folder).out
    text = (folder / "driftgate.yaml").read_text("utf-8")
    text = text.replace("max_tokens: 50", "max_completion_tokens: 80").replace(
        "reasoning_effort: low", "reasoning_effort: high"
    )
    (folder / "driftgate.yaml").write_text(text, "utf-8")
    assert "|effort:high|cap:80" in cli("bench", "-w", folder).out
    assert "its signature differs in cap, effort" in cli("gate", "-w", folder).out
    runs = [run.id for run in latest_runs(open_ledger(".driftgate/ledger.db", folder), 2)]
    assert "signatures differ in cap, effort" in cli("compare", *runs, "-w", folder).out


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"data": [{"id": "gpt-test", "shutdown_date": "2026-12-01"}]}, "this deployment end"),
        ({"data": [{"id": "gpt-test", "deprecation": {"inference": 1801872000}}]}, "2027-02-06"),
        ({"data": [{"id": "gpt-test", "shutdown_date": "2020-01-31"}]}, "this deployment ended on 2020-01-31"),
    ],
)
def test_the_last_day_of_a_deployment_is_said(
    cli: Cli, make: Make, endpoint: ChatEndpoint, listed: Any, words: str
) -> None:
    def champion(config: dict[str, Any]) -> None:
        config["champions"] = {"assistant": "tested"}

    folder = make(QUESTIONS, champion)
    endpoint.listed = listed
    night = cli("nightly", "-w", folder)
    assert f"assistant: tested: {words}" in night.out or words in night.out, night.out + night.err
    assert words in cli("champion", "list", "-w", folder).out
    assert words in cli("doctor", "-w", folder).out
    (page,) = (folder / "reports").glob("*/*.html")
    (summary,) = (folder / "reports").glob("*/*.md")
    for written in (page, summary):
        assert words in written.read_text("utf-8")


def test_the_last_day_of_another_deployment_is_not_said_of_the_one_in_its_place(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    def champion(config: dict[str, Any]) -> None:
        config["champions"] = {"assistant": "tested"}

    folder = make(QUESTIONS, champion)
    endpoint.listed = {"data": [{"id": "gpt-test", "shutdown_date": "2031-02-06"}, {"id": "gpt-next"}]}
    assert cli("nightly", "-w", folder).code == 0
    assert "ends on 2031-02-06" in cli("champion", "list", "-w", folder).out
    file = folder / "driftgate.yaml"
    file.write_text(file.read_text("utf-8").replace("model: gpt-test", "model: gpt-next"), "utf-8")
    assert "this deployment" not in cli("nightly", "-w", folder).out
    assert "this deployment" not in cli("champion", "list", "-w", folder).out


@pytest.mark.parametrize("listed", [None, [], {"data": "none"}, {"data": [{"id": "gpt-test"}]}, {"data": [None, 3]}])
def test_a_service_that_does_not_say_it_leaves_it_unknown(
    cli: Cli, make: Make, endpoint: ChatEndpoint, listed: Any
) -> None:
    folder = make(QUESTIONS)
    endpoint.listed = listed
    examined = cli("doctor", "-w", folder)
    assert examined.code == 0 and "not known" in examined.out and "this deployment" not in examined.out


def test_reasoning_and_cached_tokens_are_kept_and_shown(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def priced(config: dict[str, Any]) -> None:
        config["models"]["tested"]["prices"] = {"input": 100_000, "output": 0, "cached_input": 10_000}

    folder = make(QUESTIONS, priced)
    endpoint.default = Answer("A", tokens=(20, 9), cached=10, reasoning=8)
    done = cli("bench", "-w", folder)
    assert "240 input tokens, 120 cached; 108 output tokens, 96 reasoning" in done.out
    assert f"{12 * (10 * 0.1 + 10 * 0.01):.4f} USD" in done.out and "at most" not in done.out
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, latest_runs(ledger, 1)[0].id)
    frame = outcome_frame(ledger, cell.id)
    assert set(frame["reasoning_tokens"]) == {8.0} and set(frame["cached_tokens"]) == {10.0}
    ledger.close()
    assert '"reasoning_tokens": 8' in cli("runs", "show", "latest", "q3", "-w", folder).out
    (page,) = (folder / "reports").glob("*/*.html")
    assert "96 reasoning" in page.read_text("utf-8")


def test_a_failed_sample_is_no_reply_that_says_how_many_tokens_were_cached(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(QUESTIONS)
    endpoint.script("문제 3번은", Status(503, {"error": {"message": "down"}}))
    silent = cli("bench", "-w", folder).out
    assert "1 failed" in silent and "cached" not in silent  # no reply said it
    endpoint.script("문제 3번은", Status(503, {"error": {"message": "down"}}))
    endpoint.default = Answer("A", tokens=(20, 9), cached=10, reasoning=8)
    told = cli("bench", "-w", folder).out
    assert "1 failed" in told and "220 input tokens, 110 cached; 99 output tokens, 88 reasoning" in told


def test_what_nobody_said_of_reasoning_stays_unknown(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(QUESTIONS)
    done = cli("bench", "-w", folder)
    assert "reasoning" not in done.out and "cached" not in done.out
    assert '"reasoning_tokens": null' in cli("runs", "show", "latest", "q3", "-w", folder).out


def test_cached_input_without_its_price_makes_a_cost_an_upper_bound(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    def priced(config: dict[str, Any]) -> None:
        config["models"]["tested"]["prices"] = {"input": 100_000, "output": 0}
        config["gates"]["small"]["rules"] = [
            {"metric": "cost", "max": 30},
            {"metric": "cost", "no_worse_than": "previous", "margin": 0.5},
        ]

    folder = make(QUESTIONS, priced)
    endpoint.default = Answer("A", tokens=(20, 1), cached=10)
    for _ in range(2):
        done = cli("bench", "-w", folder)
        assert "at most 24.0000 USD" in done.out
    judged = cli("gate", "-w", folder)
    assert "pass" in judged.out and judged.code == 4
    assert "have no exact cost: part of their input came from the service's cache" in judged.out
    runs = [run.id for run in latest_runs(open_ledger(".driftgate/ledger.db", folder), 2)]
    assert "cost is an upper bound in some cells" in cli("compare", *runs, "-w", folder).out


def test_costs_in_two_currencies_are_not_compared_as_numbers(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def two(config: dict[str, Any]) -> None:
        tested = config["models"]["tested"]
        tested["prices"] = {"input": 100, "output": 100, "currency": "USD"}
        won = {**tested, "prices": {"input": 150_000, "output": 150_000, "currency": "KRW"}}
        config["models"]["korean"] = won
        config["suites"]["small"]["models"] = ["tested", "korean"]
        config["gates"]["small"]["rules"] = [
            {"metric": "cost", "max": 1_000_000},
            {"metric": "cost", "no_worse_than": "tested", "margin": 0.5},
        ]

    folder = make(QUESTIONS, two)
    assert cli("bench", "-w", folder).code == 0
    judged = cli("gate", "-w", folder)
    assert judged.code == 4
    assert "one limit cannot mean costs in KRW and USD" in judged.out
    assert "costs in KRW and USD are not compared with one another" in judged.out
    assert "cost is in KRW and USD, which are not compared" in cli("compare", "latest", "-w", folder).out
