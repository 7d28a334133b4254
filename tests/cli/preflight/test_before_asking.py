"""What is wrong is said before anything is paid, by every command that asks, and an endpoint is asked once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, reasoning
from command_line import Cli
from planting import Plant, questions, rule, said, setting, text

import driftgate
from driftgate.api.preflight._scope import PROBED_FROM
from driftgate.finetune.deploy import RolloutConfig
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import latest_runs, open_ledger
from driftgate.monitor.watch import looks_of


def served(endpoint: ChatEndpoint, answer: Any) -> Plant:
    def change(config: dict[str, Any], folder: Path) -> None:
        endpoint.default = answer

    return change


@pytest.mark.parametrize(
    ("answer", "words", "code"),
    [
        (Status(404, {"error": {"code": "model_not_found", "message": "no gpt-test"}}), "'tested' is not served at", 2),
        (Status(401), "refused the key of model 'tested'", 2),
        (Status(503), "tested: HTTP 503", 2),
        (Status(429), "asks for fewer requests now", 0),
        (Status(400, {"error": {"message": "too long"}}), "it refused the one question", 0),
    ],
)
def test_the_endpoint_is_asked_once_whatever_it_says(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint, answer: Status, words: str, code: int
) -> None:
    found, out = said(cli, plant(served(endpoint, answer)))
    assert found == code and words in out, out
    assert len(endpoint.requests) == 1


def test_what_a_default_is_refused_for_is_learnt_by_one_more_request(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = reasoning
    found, out = said(cli, plant())
    assert found == 0 and "refuses the default 'temperature'" in out and "learnt by 1 refused request" in out
    assert len(endpoint.requests) == 2


def test_a_service_that_refuses_what_it_was_not_sent(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    refusal = Status(400, {"error": {"message": "no", "param": "temperature", "code": "unsupported_parameter"}})
    found, out = said(cli, plant(served(endpoint, refusal)))
    assert found == 2 and "refuses the parameter 'temperature' of model 'tested' though it is not sent" in out
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    ("model", "answer", "words", "code"),
    [
        ({"scoring": "logprobs"}, Answer("A"), "mend model tested: its scoring is logprobs", 2),
        ({"scoring": "logprobs"}, Answer("A", top_logprobs={"A": -0.1}), "says it serves gpt-test", 0),
        ({}, Answer("", finish_reason="length"), "warn model tested: its reply was cut", 0),
    ],
)
def test_a_reply_in_which_no_answer_can_be_read(
    cli: Cli,
    plant: Callable[..., Path],
    endpoint: ChatEndpoint,
    model: dict[str, Any],
    answer: Answer,
    words: str,
    code: int,
) -> None:
    def change(config: dict[str, Any], folder: Path) -> None:
        config["models"]["tested"] |= model
        endpoint.default = answer

    found, out = said(cli, plant(change))
    assert found == code and words in out, out


def test_several_names_of_the_file_are_said_at_once(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def three(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["small"] |= {"models": ["testde"], "datasets": ["owm"]}
        config["nightly"]["monitors"] = ["wacth"]

    folder = plant(three)
    code, out = said(cli, folder)
    assert code == 2 and out.endswith("3 to mend")
    refused = cli("bench", "small", "-w", folder)
    assert refused.code == 2 and not endpoint.requests
    for words in ("'tested'", "'own'", "'watch'"):
        assert f"did you mean {words}" in out and f"did you mean {words}" in refused.err


def test_several_settings_of_the_file_are_said_at_once(cli: Cli, plant: Callable[..., Path]) -> None:
    def two(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["small"]["limt"] = 3
        config["monitors"]["watch"]["reference_looks"] = 0

    code, out = said(cli, plant(two))
    assert code == 2 and "unknown key 'limt'" in out and "reference_looks" in out and out.endswith("2 to mend")


def test_a_dead_endpoint_and_one_that_serves_another_model(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def two(config: dict[str, Any], folder: Path) -> None:
        config["models"]["dead"] = {**config["models"]["tested"], "endpoint": "http://127.0.0.1:1/v1"}
        config["models"]["mistaken"] = {**config["models"]["tested"], "model": "phi"}
        endpoint.serves = "qwen"

    code, out = said(cli, plant(two))
    assert code == 2 and "nothing answers at 127.0.0.1:1" in out
    assert "is asked for 'phi' and says it serves 'qwen'" in out
    assert len(endpoint.requests) == 2


def test_what_cannot_be_known_is_said_to_be_unknown(cli: Cli, plant: Callable[..., Path]) -> None:
    code, out = said(cli, plant(setting("monitors", "watch", "traffic", to={"request_model": "prod"})))
    assert code == 0 and "everything is in order" not in out, out
    assert "open monitor watch: its traffic is of calls for 'prod'" in out and "2 not to be known beforehand" in out


def two_faults(config: dict[str, Any], folder: Path) -> None:
    config["gates"]["small"]["rules"] = [{"min": 35}, {"min": 0.3, "slice": "산술"}]
    config["monitors"]["watch"]["floors"] = {"canary_acuracy": 0.1, "latenci": 1}
    config["models"]["dead"] = {**config["models"]["tested"], "endpoint": "http://127.0.0.1:1/v1"}


def test_bench_refuses_all_at_once_and_looks_at_what_it_uses_alone(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = plant(two_faults)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and not endpoint.requests
    assert "did you mean 0.35?" in done.err and "known: 국어, 산수" in done.err
    assert "line" in done.err and "canary_acuracy" not in done.err and "127.0.0.1:1" not in done.err
    assert runs(folder) == 0


def test_a_monitor_refuses_all_at_once_and_keeps_that_nobody_looked(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = plant(two_faults)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 2 and not endpoint.requests
    assert "'canary_accuracy'" in done.err and "'latency'" in done.err and "0.35" not in done.err
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (look,) = looks_of(ledger, "watch")
    ledger.close()
    assert look.conclusion is not None and look.conclusion.result == "unmeasurable"
    assert cli("monitor", "prompt-drift", "watch", "-w", folder).code == 2 and not endpoint.requests


def test_a_night_says_all_first_and_does_what_can_be_done(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def three(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["other"] = {**config["suites"]["small"], "limit": 3}
        config["gates"]["other"] = {"suite": "other", "rules": [{"min": 35}]}
        config["nightly"] |= {"suites": ["other", "small"], "gates": ["small", "other"]}
        config["recipes"]["tune"]["synthesis"]["count"] = 5

    done = cli("nightly", "-w", plant(three))
    assert done.code == 2
    first = done.out.index("run 2")
    assert done.out.index("suite other: error") < first and done.out.index("recipe tune: error") < first
    assert len(endpoint.requests) == 40 + 10  # the suite and the canaries that are in order


def test_the_service_does_not_begin(cli: Cli, plant: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTGATE_TOKEN", "short")
    done = cli("serve", "-w", plant(two_faults))
    assert done.code == 2
    for words in ("has 5 characters", "did you mean 0.35?", "canary_accuracy"):
        assert words in done.err


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("def portt(question): ...", "has no 'port'"),
        ("import no_such\n\n\ndef port(question): ...", "imports 'no_such'"),
        ("def port(question):\n    return questoin", "NameError: name 'questoin'"),
    ],
)
def test_a_port_is_imported_and_tried(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint, port: str, words: str
) -> None:
    folder = plant()
    (folder / "ported.py").write_text(port + "\n", encoding="utf-8")
    done = cli("flow", "parity", "flows/mine", "ported:port", "--suite", "small", "-w", folder)
    assert done.code == 2 and words in done.err
    assert not endpoint.requests and runs(folder) == 0


def test_a_warning_keeps_nobody_from_running(cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    done = cli("bench", "small", "-w", plant(rule(metric="share.failed", max=1.0)))
    assert done.code == 0 and len(endpoint.requests) == 40
    assert "warn  gate small: share.failed max is 1, the end of its scale" in done.out


def test_a_reply_that_no_model_would_give_keeps_nobody_from_running(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    """A flow that reads JSON cannot read the right answer itself, and reads what the model writes."""

    def reads_json(config: dict[str, Any], folder: Path) -> None:
        text("flows/mine/extract.py", '"""Node', 'import json\n"""Node')(config, folder)
        text("flows/mine/extract.py", 'extract_choice(reply["text"]', 'extract_choice(json.loads(reply["text"])["a"]')(
            config, folder
        )
        endpoint.default = Answer('{"a": "A"}')

    done = cli("bench", "small", "-w", plant(reads_json))
    assert done.code == 0 and "warn  suite small" in done.out and len(endpoint.requests) == 40


def test_the_facade_looks_as_the_command_does(plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    with driftgate.open(plant(rule(min=35))) as ws:
        errors = [finding for finding in ws.preflight() if finding.severity == "error"]
        assert [finding.subject for finding in errors] == ["gate small"]
        with pytest.raises(DriftgateError, match="35"):
            ws.bench("small")
    assert len(endpoint.requests) == 1


def test_the_code_of_a_rollout_lies_in_the_workspace(tmp_path: Path) -> None:
    address = {"subscription": "s", "resource_group": "g", "workspace": "w"}
    given = {"workspace": address, "endpoint": "e", "environment": "n:1", "instance_type": "t", "code": "score"}
    assert RolloutConfig.model_validate(given).deployment("candidate", "m:1", tmp_path).code == tmp_path / "score"


def test_an_evaluator_may_stumble_over_one_sample(cli: Cli, plant: Callable[..., Path]) -> None:
    # The first sample's right answer is A.
    folder = plant(text("grading.py", "    return", "    if gold == 'A':\n        gold.nothing()\n    return"))
    code, out = said(cli, folder)
    assert code == 0 and "warn suite small: the evaluator 'extract.own' gives no value on sample 'q0'" in out


def many(count: int) -> Plant:
    def change(config: dict[str, Any], folder: Path) -> None:
        questions(folder / "data/own.jsonl", 0, count)
        config["models"]["second"] = {**config["models"]["tested"], "model": "gone"}
        config["suites"]["small"] = {**config["suites"]["small"], "models": ["tested", "second"], "datasets": ["own"]}

    return change


def test_a_large_run_asks_each_model_once_beforehand(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    gone = Status(404, {"error": {"code": "model_not_found", "message": "gone"}})
    endpoint.refuses = lambda body: gone if body["model"] == "gone" else None
    folder = plant(many(PROBED_FROM // 2))
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and "'second' is not served" in done.err
    assert sorted(request.body["model"] for request in endpoint.requests) == ["gone", "gpt-test"]
    assert runs(folder) == 0


def test_a_small_run_is_its_own_probe(cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    assert cli("bench", "small", "-w", plant()).code == 0
    assert len(endpoint.requests) == 40


def runs(folder: Path) -> int:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        return len(latest_runs(ledger, 10, kinds=["benchmark", "parity", "canary"]))
    finally:
        ledger.close()
