"""Suites whose requests are delivered in batches: half the price, nothing asked twice, no latency that is not known."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status, Step, reasoning
from command_line import Cli, Make

from driftgate.ledger import cells_of, latest_runs, open_ledger, outcome_frame

COUNT = 40


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service of these tests needs no second to be asked again."""
    monkeypatch.setattr("driftgate.flows.models._batches.QUIET", 0.1)
    monkeypatch.setattr("driftgate.flows.models._batches._FIRST_PAUSE", 0.1)


def of_every_kind(prompt: str) -> Step:
    number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
    if number % 17 == 3:
        return Status(400, AZURE_FILTERED)
    if number % 13 == 5:
        return Answer("모르겠습니다")
    return Answer("ABCD"[(number + number // 10) % 4])


def by_batch(config: dict[str, Any]) -> None:
    config["models"]["tested"] |= {"attempts": 3, "prices": {"input": 1.0, "output": 4.0}}
    config["suites"]["small"]["delivery"] = "batch"


def outcomes(folder: Path) -> Any:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (run,) = latest_runs(ledger)
    (cell,) = cells_of(ledger, run.id)
    frame = outcome_frame(ledger, cell.id)
    ledger.close()
    return frame.set_index("key").sort_index()


def emptied(folder: Path) -> None:
    for path in (folder / ".driftgate").iterdir():
        path.unlink()


@pytest.fixture
def in_batches(make: Make, endpoint: ChatEndpoint) -> Path:
    folder = make(COUNT, by_batch)
    endpoint.default = of_every_kind
    return folder


def test_a_batch_measures_the_same_at_half_the_price(
    in_batches: Path, make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    done = cli("bench", "-w", in_batches)
    assert done.code == 0, done.err
    assert f"model 'tested': a batch of {COUNT} requests was submitted (batch_1)" in done.out
    assert set(endpoint.asked.values()) == {1}
    assert len(endpoint.requests) == COUNT
    batched = outcomes(in_batches)
    emptied(in_batches)

    def directly(config: dict[str, Any]) -> None:
        by_batch(config)
        del config["suites"]["small"]["delivery"]

    folder = make(COUNT, directly)
    endpoint.default = of_every_kind
    assert cli("bench", "-w", folder).code == 0
    direct = outcomes(folder)
    same = ["outcome", "answer", "correct", "input_tokens", "output_tokens", "finish_reason", "served_model"]
    assert batched[same].equals(direct[same])
    assert batched["cost"].sum() == pytest.approx(direct["cost"].sum() / 2)
    assert batched["latency"].isna().all()
    assert direct["latency"].notna().any()


def test_a_gate_on_the_time_of_replies_that_came_in_a_batch_is_unmeasurable(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["gates"]["small"]["rules"] = [{"metric": "latency_p95", "max": 60.0}]

    done = cli("nightly", "-w", make(8, change))
    assert done.code == 4, done.out + done.err


@pytest.mark.parametrize("ends", ["expired", "lost"])
def test_what_a_batch_leaves_unanswered_is_asked_in_another(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, ends: str
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    if ends == "lost":
        endpoint.desk.lost = COUNT // 2
    else:
        endpoint.desk.ends = "expired"
        real = endpoint.desk._end

        def once(batch: dict[str, Any]) -> None:
            real(batch)
            endpoint.desk.ends = "completed"

        endpoint.desk._end = once  # type: ignore[method-assign]
    assert cli("bench", "-w", in_batches).code == 0
    assert set(outcomes(in_batches)["outcome"]) == {"answered"}
    assert set(endpoint.asked.values()) == {1}


def test_requests_that_fail_in_passing_are_tried_as_often_as_the_model_says(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.script("문제 7번은", Status(500, {"error": {"message": "boom"}}))
    done = cli("bench", "-w", in_batches)
    failed = outcomes(in_batches).query("outcome == 'failed'")
    assert list(failed["error"]) == ["tested: given up after 3 attempts: HTTP 500 boom"] or len(failed) == 1, done.out
    assert endpoint.times_asked("문제 7번은") == 3
    assert len(endpoint.requests) == COUNT + 2


def test_a_default_that_the_model_refuses_is_left_out_in_the_next_batch(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.refuses = reasoning
    done = cli("bench", "-w", in_batches)
    assert done.code == 0, done.err
    assert "is asked without the default 'temperature'" in done.out
    assert set(outcomes(in_batches)["outcome"]) == {"answered"}
    assert len(endpoint.desk.batches) == 2


@pytest.mark.parametrize("ends", ["failed", "cancelled"])
def test_a_batch_that_is_refused_or_cancelled_stops_its_model_and_can_be_gone_on_with(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, ends: str
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.desk.ends = ends
    done = cli("bench", "-w", in_batches)
    assert done.code == 2, done.out
    said = {"failed": "was refused by its service: Enqueued token limit reached.", "cancelled": "was cancelled"}[ends]
    assert f"the batch batch_1 of model 'tested' {said}" in done.err
    assert "missing" in set(outcomes(in_batches)["outcome"])
    endpoint.desk.ends = "completed"
    assert cli("bench", "--resume", "-w", in_batches).code == 0
    assert set(outcomes(in_batches)["outcome"]) == {"answered"}
    assert set(endpoint.asked.values()) == {1}


def test_a_service_without_batches_is_said_in_a_sentence(in_batches: Path, endpoint: ChatEndpoint, cli: Cli) -> None:
    endpoint.desk.open = False
    done = cli("bench", "-w", in_batches)
    assert done.code == 2
    assert f"the service of model 'tested' has nothing at POST {endpoint.url}/v1/files (HTTP 404" in done.err
    assert "take delivery: batch out of the suite" in done.err
    assert not endpoint.requests


def test_a_limit_on_cost_cannot_be_kept_with_batches(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["suites"]["small"]["max_cost"] = 1.0

    done = cli("bench", "-w", make(4, change))
    assert done.code == 2
    assert "a batch is paid for once it is submitted" in done.err
    assert not endpoint.desk.files


def test_a_provider_that_takes_no_batches_is_refused_before_anything_is_asked(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["models"]["tested"] = {"provider": "recorded", "path": "data/answers.csv"}

    done = cli("bench", "-w", make(4, change))
    assert done.code == 2
    assert "model 'tested' is of the provider 'recorded', which takes no batches" in done.err


def test_azure_takes_them_on_its_v1_path_whatever_version_the_model_names(
    make: Make, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_KEY", "k-1")
    endpoint.key = "k-1"

    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["models"]["tested"] = {
            "provider": "azure_openai",
            "endpoint": endpoint.url,
            "deployment": "deployed",
            "api_key": "${env:AZURE_KEY}",
        }

    done = cli("bench", "-w", make(4, change))
    assert done.code == 0, done.err
    assert [request.body["model"] for request in endpoint.requests] == ["deployed"] * 4
    assert endpoint.desk.paths == {"/openai/v1/files", "/openai/v1/batches"}


def test_an_outage_of_seconds_while_a_batch_is_waited_for_is_sat_out(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.desk.failing = 2
    assert cli("bench", "-w", in_batches).code == 0
    assert set(endpoint.asked.values()) == {1}


def test_a_submission_whose_reply_was_lost_is_looked_for_and_not_repeated(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.desk.dies_after_submission = True
    assert cli("bench", "-w", in_batches).code == 0
    assert list(endpoint.desk.batches) == ["batch_1"]


def test_where_batches_cannot_be_listed_it_is_said_that_one_may_be_paid_for_twice(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.default = lambda prompt: Answer("A")
    endpoint.desk.dies_after_submission = True
    endpoint.desk.lists = False
    done = cli("bench", "-w", in_batches)
    assert done.code == 0
    assert "may be paid for twice" in done.out


def test_repeats_are_each_asked(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["suites"]["small"]["repeats"] = 3

    assert cli("bench", "-w", make(6, change)).code == 0
    assert set(endpoint.asked.values()) == {3}
    assert len(endpoint.desk.batches) == 1


def test_all_cells_of_a_model_share_a_batch_and_models_wait_together(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        by_batch(config)
        config["models"]["other"] = config["models"]["tested"] | {"model": "gpt-other"}
        config["suites"]["small"] |= {"models": ["tested", "other"], "variants": ["terse", "zero_shot"]}

    folder = make(5, change)
    assert cli("bench", "-w", folder).code == 0
    assert len(endpoint.desk.batches) == 2
    assert len(endpoint.requests) == 20


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        None,
        {"status": 7, "errors": "x"},
        {"status": "completed", "output_file_id": 7},
        {"status": ["completed"]},
    ],
)
def test_a_service_that_tells_nonsense_of_a_batch_ends_the_wait(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    monkeypatch.setattr("driftgate.flows.models._batches._LATEST", timedelta(seconds=1))
    monkeypatch.setattr("driftgate.flows.models._batches._TRIES", 3)
    endpoint.desk.tells = lambda told: state
    done = cli("bench", "-w", in_batches)
    assert done.code == 2, done.out
    assert "model 'tested'" in done.err
    assert "defect" not in done.err
    assert "missing" in set(outcomes(in_batches)["outcome"])


def test_a_batch_that_never_ends_is_not_waited_for_for_ever(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.flows.models._batches._LATEST", timedelta(seconds=1))
    endpoint.desk.seconds = 600.0
    done = cli("bench", "-w", in_batches)
    assert done.code == 2
    assert "has not ended after" in done.err and "its service says it is 'validating'" in done.err
    monkeypatch.setattr("driftgate.flows.models._batches._LATEST", timedelta(hours=26))
    endpoint.desk.seconds = 0.0
    assert cli("bench", "--resume", "-w", in_batches).code == 0
    assert set(endpoint.asked.values()) == {1}


def test_replies_that_the_service_has_not_kept_are_asked_anew(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.flows.models._batches._LATEST", timedelta(seconds=0.3))
    endpoint.default = lambda prompt: Answer("A")
    endpoint.desk.seconds = 600.0
    assert cli("bench", "-w", in_batches).code == 2
    monkeypatch.setattr("driftgate.flows.models._batches._LATEST", timedelta(hours=26))
    (batch,) = endpoint.desk.batches.values()
    batch |= {"status": "completed", "output_file_id": "file-that-is-gone"}
    endpoint.desk.seconds = 0.0
    done = cli("bench", "--resume", "-w", in_batches)
    assert done.code == 0, done.err
    assert "is asked anew" in done.out
    assert set(endpoint.asked.values()) == {1}


def test_what_goes_wrong_here_ends_the_wait_too(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*given: Any) -> None:
        raise ValueError("nobody thought of it")

    monkeypatch.setattr("driftgate.benchmarks.batches.LedgerBatches.submitted", broken)
    done = cli("bench", "-w", in_batches)
    assert done.code == 2
    assert "went wrong here: ValueError: nobody thought of it" in done.err
    assert "failed" not in set(outcomes(in_batches)["outcome"])


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_night_that_is_killed_while_its_batch_is_under_way_goes_on_with_it(
    in_batches: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    endpoint.desk.seconds = 600.0
    command = [sys.executable, "-m", "driftgate", "nightly", "-w", str(in_batches)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: bool(endpoint.desk.batches), process)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not endpoint.requests
    endpoint.desk.seconds = 0.0
    endpoint.forget()
    done = cli("nightly", "-w", in_batches)
    assert done.code in (0, 1), done.err
    assert "goes on with run" in done.out
    assert len(endpoint.desk.batches) == 1
    assert len(endpoint.asked) == COUNT
    assert "missing" not in set(outcomes(in_batches)["outcome"])
    endpoint.forget()
    assert cli("nightly", "-w", in_batches).code == done.code
    assert len(endpoint.desk.batches) == 2  # another night


def wait_until(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
