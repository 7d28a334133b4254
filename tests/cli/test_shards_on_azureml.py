"""Runs that jobs of Azure Machine Learning work on, through its own client: the ledger is that of one process."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_cluster import Cluster
from azure_services import SUBSCRIPTION, Cloud
from chat_endpoint import Answer, ChatEndpoint, Step
from chat_endpoint import Status as Refusal
from command_line import Cli, Make
from ledger_rows import reply, rows_of
from loopback_net import LostReply, Reset, Stall, Status, throttled
from rollouts import edit

from driftgate.api.cluster import _asking
from driftgate.ledger import latest_runs, open_ledger

QUESTIONS = 24
NOT_THERE = Status(404, {"error": {"code": "ResourceNotFound", "message": "there is no such job"}})
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and a shell")
KEY = "k3y-0f-the-tested-model"
AZUREML = {
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "compute": "cpu-cluster",
    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
    "shards": 2,
    "variables": ["TESTED_URL"],
}


@pytest.fixture
def cluster(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """Machines on which the key of the tested model is set."""
    made = Cluster(cloud.azure, tmp_path_factory.mktemp("cluster"), {"TESTED_KEY": KEY})
    monkeypatch.setattr(_asking, "PAUSE", 0.05)
    yield made
    made.close()


@pytest.fixture
def folder(make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with more than its suite needs: another dataset, a ledger, a file of secrets."""
    monkeypatch.setenv("TESTED_URL", f"{endpoint.url}/v1")
    monkeypatch.setenv("TESTED_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {
            "timeout": 60.0,
            "endpoint": "${env:TESTED_URL}",
            "api_key": "${env:TESTED_KEY}",
        }
        config["datasets"]["proof"] = {**config["datasets"]["own"], "path": "data/proof.csv"}
        config["azureml"] = AZUREML

    space = make(QUESTIONS, change)
    (space / "data/proof.csv").write_text((space / "data/own.csv").read_text("utf-8"), "utf-8")
    (space / ".env").write_text(f"TESTED_KEY={KEY}\n", "utf-8")
    endpoint.default = reply
    return space


def on_azureml(cli: Cli, folder: Path, *more: object) -> Any:
    return cli("bench", "--on", "azureml", *more, "-w", folder)


def forget_ledger(folder: Path) -> None:
    for path in (folder / ".driftgate").glob("ledger.db*"):
        path.unlink()


def carried(cloud: Cloud) -> dict[str, bytes]:
    """What of the workspace went up, by its path there; all jobs share one archive."""
    (archive,) = {content for path, content in cloud.azure.blobs.items() if path.endswith("bench.zip")}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} >= {"driftgate", "tree", "job.json"}
        return {name: opened.read(name) for name in opened.namelist() if name.startswith(("tree/", "job.json"))}


def test_jobs_leave_the_ledger_of_one_process_row_for_row(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    _row_for_row(cloud, cluster, folder, endpoint, cli)


def test_so_they_do_where_each_runs_what_went_along_by_its_command(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    """In processes that have nothing of this checkout, and of the environment what the compute has."""
    cluster.apart = True
    _row_for_row(cloud, cluster, folder, endpoint, cli)


def _row_for_row(cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli) -> None:
    assert cli("bench", "-w", folder).code == 0
    whole = rows_of(folder)
    assert len(endpoint.requests) == QUESTIONS
    endpoint.forget()
    forget_ledger(folder)

    done = on_azureml(cli, folder)
    assert done.code == 0, done.err + str(cluster.logs)
    assert len(cluster.starts) == 2 and "shard 2 of 2: done" in done.out and "TESTED_KEY" in done.out
    assert (set(cluster.logs) == set(cluster.starts)) == cluster.apart
    divided = rows_of(folder)
    assert divided.keys() == whole.keys()
    for table, rows in whole.items():
        assert divided[table] == rows, table
    assert len(endpoint.requests) == QUESTIONS

    files = carried(cloud)
    assert sorted(files) == ["job.json", "tree/workspace/data/own.csv", "tree/workspace/driftgate.yaml"]
    assert set(yaml.safe_load(files["tree/workspace/driftgate.yaml"])) == {"version", "models", "datasets", "suites"}
    assert not any(KEY.encode() in content for content in files.values())
    for put in cloud.net.requests:
        assert KEY.encode() not in put.body


def put(cloud: Cloud) -> list[str]:
    """Names of the jobs that were put, in order."""
    return [one.path.rsplit("/", 1)[1] for one in cloud.net.sent("PUT", "/jobs/")]


def status_of(cli: Cli, folder: Path) -> str:
    """How the newest run stands, and why."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = latest_runs(ledger, 1)[0]
    ledger.close()
    return f"{run.status}: {run.reason}"


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
    cloud.net.fail("PUT", "/jobs/", throttled(), LostReply())
    cloud.net.fail("GET", "/jobs/", Status(500, {}), Reset())
    cloud.net.fail("GET", "share.json", Reset())
    done = on_azureml(cli, folder)
    assert done.code == 0, done.err
    assert len(cluster.starts) == 2 and len(endpoint.requests) == QUESTIONS


def test_a_key_that_the_compute_does_not_have_is_named_before_anything_is_asked(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cluster.apart = True
    cluster.variables.clear()
    done = on_azureml(cli, folder)
    assert done.code == 2 and "TESTED_KEY is not set on the compute" in done.err
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variables": ["TESTED_URL", "TESTED_KEY"]}, "names TESTED_KEY, which is a key"),
        ({"variables": ["TESTED_URL", "OTHER"]}, "names OTHER, which holds a secret"),
        ({"extras": ["nonesuch"]}, "no extra 'nonesuch'"),
        ({"files": ["notes"]}, "holds the value of a secret"),
        ({"files": ["../elsewhere"]}, "outside the workspace"),
        ({"requirements": "loose.txt"}, "not pinned"),
    ],
)
def test_what_must_not_go_along_is_refused_before_anything_is_sent(
    cloud: Cloud,
    cluster: Cluster,
    folder: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setenv("OTHER", KEY)
    (folder / "notes").write_text(f"the key is {KEY}", "utf-8")
    (folder / "loose.txt").write_text("numpy\n", "utf-8")
    edit(folder, lambda config: config["azureml"].update(change))
    done = on_azureml(cli, folder)
    assert done.code == 2 and words in done.err, done.err
    assert put(cloud) == [] and not cloud.azure.blobs


@pytest.mark.parametrize(
    ("arguments", "change", "words"),
    [
        (("--on", "moon"), {}, "azureml only"),
        (("--cancel",), {}, "about jobs"),
        (("--on", "azureml", "--cache"), {}, "--no-cache"),
        (("--on", "azureml", "--gate", "small", "--sequential"), {}, "not divided"),
        (("--on", "azureml"), {"azureml": None}, "does not say where jobs run"),
    ],
)
def test_what_jobs_cannot_ask_is_refused(
    cloud: Cloud, folder: Path, cli: Cli, arguments: tuple[str, ...], change: dict[str, Any], words: str
) -> None:
    edit(folder, lambda config: config.update(change))
    done = cli("bench", *arguments, "-w", folder)
    assert done.code == 2 and words in done.err, done.err
    assert put(cloud) == []


@pytest.fixture
def start() -> Iterator[Any]:
    """``start("bench", ...)`` begins a command as a process of its own."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "driftgate", *map(str, arguments)]
        heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # who runs the tests may ignore it
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        begun.append(subprocess.Popen(command, text=True, preexec_fn=heeds, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


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


def test_own_code_and_data_of_an_allowed_root_go_along_as_they_lie_here(
    cloud: Cloud, cluster: Cluster, endpoint: ChatEndpoint, tmp_path: Path, cli: Cli
) -> None:
    cluster.apart = True
    endpoint.default = Answer("서울")
    files = {
        "driftgate.yaml": yaml.safe_dump(
            {
                "version": 1,
                "allowed_roots": ["../../shared"],
                "models": {
                    "tested": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"},
                    "other": {"provider": "openai", "endpoint": "${env:OTHER_URL}", "model": "gpt-other"},
                },
                "champions": {"assistant": "tested"},
                "datasets": {"rows": {"kind": "jsonl", "path": "../../shared/rows.jsonl"}},
                "suites": {
                    "it": {
                        "models": ["champion:assistant"],
                        "datasets": ["rows"],
                        "prompt": "prompts/ask.jinja2",
                        "evaluators": {
                            "reply": {
                                "own": {
                                    "evaluator": "graders:grade",
                                    "inputs": {"said": "${nodes.reply.output}", "gold": "${data.answer}"},
                                }
                            }
                        },
                        "primary": "reply.own.right",
                    }
                },
                "azureml": {**AZUREML, "variables": [], "files": ["words"]},
            }
        ),
        "graders/__init__.py": "from graders.words import known\n\n\ndef grade(said, gold):\n"
        "    return {'right': float(said == gold and said in known())}\n",
        "graders/words.py": "from pathlib import Path\n\n\ndef known():\n"
        "    return (Path(__file__).parents[1] / 'words/cities.txt').read_text('utf-8').split()\n",
        "graders/unused.py": "",
        "words/cities.txt": "서울 부산",
        "prompts/ask.jinja2": "수도는 {{ country }}?",
        "prompts/other.jinja2": "",
    }
    space = tmp_path / "teams/one/space"
    for name, text in files.items():
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_text(text, "utf-8")
    shared = tmp_path / "teams/shared"
    shared.mkdir()
    rows = [{"country": f"{n}국", "answer": "서울"} for n in range(6)]
    (shared / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    done = on_azureml(cli, space)
    assert done.code == 0, done.err + str(cluster.logs)
    assert len(endpoint.requests) == 6 and "1.000" in done.out
    sent = sorted(name.removeprefix("tree/above-2/") for name in carried(cloud))
    assert sent == [
        "above-1/workspace/driftgate.yaml",
        "above-1/workspace/graders/__init__.py",
        "above-1/workspace/graders/words.py",
        "above-1/workspace/prompts/ask.jinja2",
        "above-1/workspace/words/cities.txt",
        "job.json",
        "shared/rows.jsonl",
    ]
    told = yaml.safe_load(carried(cloud)["tree/above-2/above-1/workspace/driftgate.yaml"])
    assert list(told["models"]) == ["tested"] and told["suites"]["it"]["models"] == ["tested"]
    assert not (space / ".driftgate/shards").exists() or not list((space / ".driftgate/shards").iterdir())


def test_failed_samples_are_asked_once_more_and_nothing_else(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    """Each sample is asked twice, and where one of the two failed that one is asked again, in a round of its own."""
    edit(folder, lambda config: config["suites"]["small"].update(repeats=2))
    counts: Counter[str] = Counter()

    def sometimes(prompt: str) -> Step:
        counts[prompt] += 1
        return Refusal(500, {}) if counts[prompt] == 1 and len(counts) % 4 == 0 else Answer("A")

    endpoint.default = sometimes
    assert on_azureml(cli, folder).code in (0, 4)
    failed = [row for row in rows_of(folder)["outcomes"] if "'failed'" in row]
    assert 0 < len(failed) < QUESTIONS and len(endpoint.requests) == 2 * QUESTIONS
    done = on_azureml(cli, folder, "--resume", "--retry-failed")
    assert done.code == 0, done.err
    assert len(endpoint.requests) == 2 * QUESTIONS + len(failed)
    assert len(rows_of(folder)["outcomes"]) == 2 * QUESTIONS + len(failed)
    assert sum("-a2-" in name for name in cluster.starts) in (1, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "2 jobs on cpu-cluster"),
        ({"extras": ["nonesuch"]}, "no extra 'nonesuch'"),
        ({"requirements": "none.txt"}, "no file of requirements"),
        ({"files": ["none"]}, "which is not there"),
        ({"workspace": {**AZUREML["workspace"], "workspace": "${env:NO_SUCH}"}}, "NO_SUCH"),
    ],
)
def test_doctor_looks_at_what_jobs_need(
    cloud: Cloud, folder: Path, cli: Cli, change: dict[str, Any], words: str
) -> None:
    edit(folder, lambda config: config["azureml"].update(change))
    done = cli("doctor", "-w", folder)
    assert words in done.out, done.out
    assert (done.code == 0) == (not change) and not cloud.net.requests


def test_the_limit_on_cost_and_the_requests_at_once_are_divided(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"prices": {"input": 1e6, "output": 0}, "in_flight": 2}
        config["suites"]["small"]["max_cost"] = 100.0

    edit(folder, change)
    endpoint.default = Answer("A")
    done = on_azureml(cli, folder)
    assert done.code == 2 and "limit of 50" in done.err and "have no outcome" in done.err, done.err
    asked = len(endpoint.requests)
    assert 0 < asked < QUESTIONS and len(rows_of(folder)["outcomes"]) == asked
    edit(folder, lambda config: config["suites"]["small"].update(max_cost=1e9))
    assert on_azureml(cli, folder, "--resume").code == 0
    assert len(endpoint.requests) == QUESTIONS
