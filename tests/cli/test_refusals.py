"""What a user sees where a service refuses every sample, or a default of ours."""

from __future__ import annotations

import time
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status, limited, reasoning
from command_line import Cli, Make

REFUSED = Status(400, {"object": "error", "message": "tools are not enabled", "type": "BadRequestError"})
SPENT = Status(429, {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}})


def settings(**changes: Any) -> Any:
    return lambda config: config["models"]["tested"].update(changes)


def test_a_default_that_is_refused_is_left_out_and_said_once(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def two_cells(config: dict[str, Any]) -> None:
        config["suites"]["small"]["variants"] = ["terse", "zero_shot"]

    endpoint.refuses = reasoning
    folder = make(30, two_cells)
    done = cli("bench", "-w", folder)
    assert done.code == 0, done.err
    said = "model 'tested' is asked without the default 'temperature', which its service refuses (tested: HTTP 400"
    assert done.out.count(said) == 1
    assert done.out.count("|without:temperature") == 2
    assert "answered 30" in done.out and "failed" not in done.out.replace("share.failed", "")
    (page,) = (folder / "reports").glob("*/*.html")
    shown = page.read_text("utf-8")
    assert "Refused by the service" in shown and "&#34;temperature&#34;: 0" not in shown
    assert "|without:temperature" in cli("runs", "show", "-w", folder).out


@pytest.mark.parametrize(
    ("step", "words", "remedy"),
    [
        (REFUSED, "tools are not enabled", "--retry-failed"),
        (SPENT, "You exceeded your current quota", "driftgate bench --resume"),
        (Status(307, b"", {"Location": "http://elsewhere.example/v1?k=1"}), "to elsewhere.example, where", "endpoint"),
        (Status(402, {"error": {"message": "Insufficient Balance"}}), "Insufficient Balance", "bench --resume"),
        (Status(403, {"statusCode": 403, "message": "Out of call volume quota."}), "Out of call", "bench --resume"),
        (Status(200, {"error": {"message": "no credit", "code": 402}}), "no credit", "bench --resume"),
        (Status(400, {"error": {"message": "x", "code": "model_decommissioned"}}), "not served", "deployment name"),
        (Status(410, {"error": {"message": "the model was retired"}}), "the model was retired", "deployment name"),
    ],
)
def test_a_refusal_of_all_ends_the_run_with_its_words(
    cli: Cli, make: Make, endpoint: ChatEndpoint, step: Status, words: str, remedy: str
) -> None:
    folder = make(60, settings(in_flight=64))
    good, endpoint.default = endpoint.default, step
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2
    assert words in stopped.err and remedy in stopped.err
    assert len(endpoint.requests) <= 20
    assert cli("gate", "-w", folder).code == 2  # an unfinished run is not judged
    assert "stopped" in cli("runs", "list", "-w", folder).out
    endpoint.default = good
    resumed = cli("bench", "--resume", "--retry-failed", "-w", folder)
    assert resumed.code == 0, resumed.err
    assert "1.000" in resumed.out


def test_a_quota_that_is_spent_ends_long_before_the_limit_on_time(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def patient(config: dict[str, Any]) -> None:
        config["models"]["tested"]["attempts"] = 6
        config["suites"]["small"]["max_minutes"] = 1

    folder = make(60, patient)
    endpoint.default = SPENT
    assert cli("bench", "-w", folder).code == 2 and len(endpoint.requests) <= 20


def test_a_service_that_only_ever_says_wait_ends_with_the_limit_on_time(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(12, lambda config: config["suites"]["small"].update(max_minutes=0.02))
    endpoint.default = limited(600.0, "Retry-After")
    began = time.monotonic()
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2 and time.monotonic() - began < 10
    assert "the limit of 0.02 minutes is reached" in stopped.err and "HTTP 429 Rate limit" in stopped.err
    assert "bench --resume" in stopped.err


def test_a_parameter_of_the_user_s_that_is_refused_says_what_to_change(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = reasoning
    folder = make(60, settings(parameters={"temperature": 0}, in_flight=64))
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2 and len(endpoint.requests) <= 20
    assert "Unsupported value: 'temperature' does not support 0 with this model." in stopped.err
    assert "take it out of models.tested.parameters" in stopped.err


def test_the_commonest_words_of_failures_are_printed(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    endpoint.script("문제 3번은", Status(400, {"detail": "too long"}))
    folder = make(12)
    done = cli("bench", "-w", folder)
    assert done.code == 0
    assert "failed once with: tested: HTTP 400 too long" in done.out
    shown = cli("runs", "show", "latest", "q3", "-w", folder)
    assert "tested: HTTP 400 too long" in shown.out
