"""Jobs that fail, are lost, refused, cut short or put twice: the run is not finished, and nothing is asked twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from azure_cluster import Cluster
from azure_services import Cloud
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from ledger_rows import rows_of
from loopback_net import LostReply, Reset, Stall, Status, throttled
from on_azureml import NOT_THERE, QUESTIONS, on_azureml, put, status_of
from rollouts import edit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and a shell")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"part-": b"cut"}, "parts of its result are missing or damaged"),
        ({"part-": None}, "parts of its result are missing or damaged"),
        ({"share.json": None, "part-": None}, "gave no result that is whole"),
    ],
    ids=["cut", "missing", "nothing"],
)
def test_a_share_that_is_not_whole_is_no_finished_run(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli, spoil: dict[str, bytes | None], words: str
) -> None:
    """The parts that are whole count; what is missing is asked again by a further attempt, and nothing else."""
    cluster.spoils = {"a1-1of2": spoil}
    done = on_azureml(cli, folder)
    assert done.code == 2 and words in done.err and "have no outcome" in done.err, done.err
    assert status_of(cli, folder).startswith("stopped: shard 1 of 2")
    kept, before = len(rows_of(folder)["outcomes"]), len(endpoint.requests)
    assert before == QUESTIONS and 0 < kept < QUESTIONS

    done = on_azureml(cli, folder, "--resume")
    assert done.code == 0, done.err
    assert len(rows_of(folder)["outcomes"]) == QUESTIONS
    assert len(endpoint.requests) == before + QUESTIONS - kept
    assert [name.rpartition("-")[2] for name in cluster.starts if "-a2-" in name] == ["1of2"]


def test_a_share_whose_manifest_is_cut_is_not_done_though_everything_came_back(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cluster.spoils = {"1of2": {"share.json": b'{"run": "'}}
    done = on_azureml(cli, folder)
    assert done.code == 2 and "gave no result that is whole" in done.err, done.err
    assert status_of(cli, folder).startswith("stopped") and len(rows_of(folder)["outcomes"]) == QUESTIONS
    assert on_azureml(cli, folder, "--resume").code == 0
    assert len(cluster.starts) == 2 and len(endpoint.requests) == QUESTIONS


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Failed", "the job failed: UserError: the node was preempted"),
        ("Canceled", "the job was cancelled"),
        ("deleted", "somebody deleted the job"),
    ],
)
def test_a_job_that_ends_otherwise_is_told_and_its_run_is_not_finished(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli, state: str, words: str
) -> None:
    cloud.azure.run_error = "the node was preempted"
    cluster.ends = {"": state}
    done = on_azureml(cli, folder)
    assert done.code == 2 and done.err.count(words) == 2, done.err
    assert "24 of 24 samples have no outcome" in done.err and "--resume --run" in done.err
    assert status_of(cli, folder).startswith("stopped") and endpoint.requests == []
    assert cli("bench", "--resume", "-w", folder).code == 0, "nobody asks any more: it may be asked here"


def test_a_quota_that_is_spent_is_told_and_leaves_nothing_behind(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cloud.azure.job_refusal = {"code": "QuotaExceeded", "message": "the cores of cpu-cluster are used up"}
    done = on_azureml(cli, folder)
    assert done.code == 2 and "QuotaExceeded: the cores of cpu-cluster are used up" in done.err
    assert cluster.starts == [] and status_of(cli, folder).startswith("stopped")
    assert cli("bench", "--resume", "-w", folder).code == 0
    assert len(endpoint.requests) == QUESTIONS


def test_of_jobs_that_are_refused_halfway_the_rest_is_put_later(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    error = {"error": {"code": "QuotaExceeded", "message": "no more"}}
    cloud.net.fail("PUT", "2of2", Status(409, error))
    done = on_azureml(cli, folder)
    assert done.code == 2 and "1 of 2 jobs are there and go on" in done.err
    refused = cli("bench", "--resume", "-w", folder)
    assert refused.code == 2 and "is asked by 1 jobs" in refused.err and "--on azureml" in refused.err
    done = on_azureml(cli, folder, "--resume")
    assert done.code == 0, done.err
    assert len(cluster.starts) == 2 and len(endpoint.requests) == QUESTIONS


def test_an_expired_token_leaves_the_jobs_to_themselves_and_they_are_found_again(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cluster.holds.clear()
    expired = Status(401, {"error": {"code": "ExpiredToken", "message": "the token is expired"}})
    cloud.net.fail("GET", "/jobs/", *[NOT_THERE] * 2, *[expired] * 40)
    done = on_azureml(cli, folder)
    assert done.code == 2 and "the token is expired" in done.err and "sign in" in done.err, done.err
    cloud.net.forget_faults()
    cluster.holds.set()
    done = on_azureml(cli, folder, "--resume", "--shards", "8")
    assert done.code == 0, done.err
    assert len(set(put(cloud))) == 2 and len(cluster.starts) == 2 and len(endpoint.requests) == QUESTIONS


def test_faults_of_the_service_double_nothing(
    cloud: Cloud,
    cluster: Cluster,
    folder: Path,
    endpoint: ChatEndpoint,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sleep = time.sleep
    monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.02)))  # the clients' first pause is 15 s
    exists = Status(409, {"error": {"code": "Conflict", "message": "a job of that name exists"}})
    cloud.net.fail("PUT", "1of2", throttled(), LostReply())
    cloud.net.fail("PUT", "2of2", LostReply(), exists)
    cloud.net.fail("GET", "/jobs/", Status(500, {}), Reset())
    cloud.net.fail("GET", "share.json", Reset())
    done = on_azureml(cli, folder)
    assert done.code == 0, done.err
    assert len(cluster.starts) == 2 and len(endpoint.requests) == QUESTIONS


def test_a_command_that_is_killed_is_gone_on_with_and_puts_no_job_twice(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli, start: Any
) -> None:
    cluster.holds.clear()
    cloud.net.fail("PUT", "2of2", Stall())  # the second job is there, and nobody was told so
    process = start("bench", "--on", "azureml", "-w", folder)
    cloud.net.wait_for("PUT", "2of2", 120)
    process.send_signal(signal.SIGKILL)
    process.wait()
    here = cli("bench", "--resume", "-w", folder)
    assert here.code == 2 and "is asked by 2 jobs" in here.err and endpoint.requests == []
    cluster.holds.set()
    done = on_azureml(cli, folder, "--resume")
    assert done.code == 0, done.err
    assert sorted(name[-4:] for name in put(cloud)) == ["1of2", "2of2"] and len(cluster.starts) == 2
    assert len(endpoint.requests) == QUESTIONS and len(rows_of(folder)["outcomes"]) == QUESTIONS


@pytest.mark.acceptance
@pytest.mark.parametrize("flags", [(), ("--cancel",)], ids=["go-on", "cancel"])
def test_an_interrupt_cancels_the_jobs_where_that_is_wanted(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli, start: Any, flags: tuple[str, ...]
) -> None:
    cluster.holds.clear()
    process = start("bench", "--on", "azureml", *flags, "-w", folder)
    cloud.net.wait_for("PUT", "2of2", 120)
    for line in process.stdout:
        if "shard 2 of 2: queued" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert f"2 jobs {'are cancelled' if flags else 'go on'}" in out
    assert len(cloud.net.sent("POST", "/cancel")) == (2 if flags else 0)
    assert status_of(cli, folder).startswith("interrupted")
    cluster.holds.set()
    done = on_azureml(cli, folder, "--resume")
    assert done.code == 0, done.err
    assert len(put(cloud)) == (4 if flags else 2) and len(endpoint.requests) == QUESTIONS


@pytest.mark.acceptance
def test_a_machine_that_is_lost_costs_what_it_had_not_handed_over(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    """Its share is asked by a further job, and the others' replies stay."""
    cluster.apart = True
    first = threading.Event()

    def slowly(prompt: str) -> Answer:
        first.set()
        return Answer("A", seconds=0.5)

    endpoint.default = slowly
    edit(folder, lambda config: config["models"]["tested"].update(in_flight=2))

    def lose() -> None:
        first.wait(120)
        cluster.kill(next(name for name in cluster.starts if name.endswith("1of2")))

    threading.Thread(target=lose, daemon=True).start()
    done = on_azureml(cli, folder)
    assert done.code == 2 and "shard 1 of 2" in done.err and "have no outcome" in done.err, done.err
    kept = len(rows_of(folder)["outcomes"])
    assert 0 < kept < QUESTIONS
    before = len(endpoint.requests)
    done = on_azureml(cli, folder, "--resume", "--shards", "3")
    assert done.code == 0, done.err
    assert len(endpoint.requests) - before == QUESTIONS - kept
    assert len(rows_of(folder)["outcomes"]) == QUESTIONS
