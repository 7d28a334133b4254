"""Runs published to Foundry by the real clients, over TLS, with a token, to a project on the loopback interface."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure_services import Azure, Cloud
from foundry import ENDPOINT, HOST, Foundry
from loopback_net import LoopbackNet, Status

import driftgate
from driftgate.api.telemetry import intake
from driftgate.benchmarks.datasets import make_sample
from driftgate.cli import main
from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import Network, NetworkConfig, enter
from driftgate.ledger import Ledger, Record, add_cell, finish_run, pending_samples, record, start_run
from driftgate.monitor.telemetry import ModelCall, Reason, Store, frame
from driftgate.monitor.telemetry._spans import hash_of
from driftgate.monitor.telemetry.sources.foundry import FoundryResultsConfig, collect

WORKSPACE = f"version: 1\nname: shop\nfoundry:\n  endpoint: {ENDPOINT}\n"


@pytest.fixture
def project(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Foundry, LoopbackNet]]:
    azure = Azure()
    foundry = Foundry(azure)
    services = {**azure.services(), HOST: foundry.answer}
    net = LoopbackNet(tmp_path_factory.mktemp("net"), services)
    net.start()
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in azure.environment(net).items():
        monkeypatch.setenv(name, value)
    enter(Network(NetworkConfig(), net.certificate.parent))  # the environment is read when a network is entered
    yield foundry, net
    Cloud(azure, net).forget_clients()
    net.stop()
    assert net.refused == [], f"requests to hosts beyond loopback: {net.refused}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "driftgate.yaml").write_text(WORKSPACE, encoding="utf-8")
    return tmp_path


def _record(cell_id: int, sample_id: int, outcome: str, correct: float | None, finished_at: datetime) -> Record:
    known = {"outcome": outcome, "correct": correct, "finished_at": finished_at}
    empty = {
        "answer": "A",
        "rule": "letter",
        "error": "",
        "finish_reason": "stop",
        "served_model": "m",
        "fingerprint": "",
    }
    counts = {"input_tokens": 9, "output_tokens": 1, "cost": 0.5, "latency": 0.2, "seconds": 0.3}
    return Record(cell_id, sample_id, round=0, attempts=1, cached=False, **known, **empty, **counts)  # type: ignore[arg-type]


def _measured(ledger: Ledger, suite: str = "nightly", models: tuple[str, ...] = ("support-gpt", "gpt 5.1")) -> str:
    run = start_run(ledger, suite, {}, "0123456789abcdef", 7, "0.1.0")
    samples = [make_sample("exam", "test", i, {"question": f"비밀 {i}"}, category="c") for i in range(4)]
    for ordinal, model in enumerate(models):
        row = {
            "model": model,
            "flow": "multiple_choice",
            "variant": "v",
            "dataset": "exam",
            "signature": "v1",
            "details": {},
        }
        cell = add_cell(ledger, run.id, ordinal, row, samples)
        ids = [pending_samples(ledger, cell)[s.key][0] for s in samples]
        outcomes = [("answered", 1.0), ("answered", 0.0), ("failed", None)]
        at = run.created_at + timedelta(minutes=1)
        record(ledger, [_record(cell, i, o, c, at) for i, (o, c) in zip(ids, outcomes, strict=False)])
    finish_run(ledger, run.id)
    return run.id


def test_each_cell_becomes_a_dataset_and_a_run_of_its_evaluation(
    project: tuple[Foundry, LoopbackNet], workspace: Path
) -> None:
    foundry, net = project
    with driftgate.open(workspace) as ws:
        run = _measured(ws.ledger)
        first, second = ws.publish("latest")
        assert first.new and second.new and first.address == "https://ai.azure.com/runs/0"
        [evaluation] = foundry.evals
        assert evaluation["metadata"] == {"driftgate": "nightly / multiple_choice / exam"}
        assert {one["type"] for one in evaluation["testing_criteria"]} == {"string_check"}, (
            "nothing is asked of a model"
        )
        assert [one["eval_id"] for one in foundry.runs] == [evaluation["id"]] * 2, "they are compared in one evaluation"
        said = foundry.runs[0]["metadata"]
        assert said["driftgate_run"] == run and said["accuracy"] == "0.25" and float(said["accuracy_high"]) > 0.25
        rows = foundry.rows(f"{first.dataset}/{run}")
        assert [(row["outcome"], row["correct"]) for row in rows] == [
            ("answered", "yes"),
            ("answered", "no"),
            ("failed", "unknown"),
            ("missing", "unknown"),
        ]
        assert not [request for request in net.requests if "비밀".encode() in request.body], "texts stay here"
        again = ws.publish(run)
        assert [one.new for one in again] == [False, False] and len(foundry.runs) == 2 and len(foundry.datasets) == 2
        _measured(ws.ledger, models=("support-gpt",))
        ws.publish("latest")
        assert len(foundry.evals) == 1 and len(foundry.runs) == 3


def test_what_is_found_is_found_on_any_page(project: tuple[Foundry, LoopbackNet], workspace: Path) -> None:
    foundry, _ = project
    with driftgate.open(workspace) as ws:
        for suite in ("a", "b", "c", "d"):
            _measured(ws.ledger, suite, ("m",))
            ws.publish("latest")
        assert not ws.publish("latest")[0].new
        assert len(foundry.evals) == 4 and len(foundry.runs) == 4


def test_an_upload_that_was_cut_off_is_made_good_the_next_time(
    project: tuple[Foundry, LoopbackNet], workspace: Path
) -> None:
    foundry, net = project
    with driftgate.open(workspace) as ws:
        _measured(ws.ledger, models=("m",))
        net.fail("POST", "/runs", *[Status(403, {"error": {"code": "Forbidden", "message": "no role"}})])
        with pytest.raises(DriftgateError, match=r"publishing run .* failed") as refused:
            ws.publish()
        assert "no role" in str(refused.value) and "Azure AI User" in refused.value.remedy
        assert foundry.datasets and not foundry.runs
        [published] = ws.publish()
        assert published.new and len(foundry.datasets) == 1 and len(foundry.evals) == 1
        assert len(net.sent("PUT", f"/{published.dataset}")) == 1, "the dataset is not sent twice"


def _graded(store: Store) -> dict[str, list[Any]]:
    """Results by response, as looks read them."""
    table = frame(store.folder, AT - timedelta(hours=1), AT + timedelta(days=3))
    known = table[table["evaluations"].notna()]
    return {row.span_id: sorted(map(str, row.evaluations)) for row in known.itertuples()}


AT = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)


def _call(number: int) -> ModelCall:
    return ModelCall(
        AT + timedelta(minutes=number),
        f"{number:032x}",
        f"{number:016x}",
        request_model="gpt-5-mini",
        latency=0.5,
        response_hash=hash_of(f"resp_{number}"),
    )


def test_results_of_continuous_evaluation_are_joined_to_their_calls_once(
    project: tuple[Foundry, LoopbackNet], tmp_path: Path, ledger: Ledger
) -> None:
    foundry, net = project
    config = FoundryResultsConfig(source="foundry", endpoint=ENDPOINT, evaluations=["eval_1"], since=AT)
    good, bad = {"score": 5.0, "passed": True, "reason": "비밀"}, {"score": 1.0, "passed": False}
    with Store(tmp_path / "telemetry") as store:
        reading = intake(store.folder)
        store.append([_call(n) for n in range(1, 6)])
        made = AT.timestamp() + 600
        for n in range(1, 4):
            foundry.grade("eval_1", made + n, {f"resp_{n}": {"relevance": good, "violence": bad}})
        foundry.grade("eval_1", made + 4, {"resp_4": {"relevance": good}, "resp_6": {"relevance": bad}})
        going_on = foundry.grade("eval_1", made + 5, {"resp_5": {"relevance": bad}}, status="in_progress")
        now = AT + timedelta(hours=1)
        first = collect(config, store, ledger, reading, now)
        assert "1 results wait" in first.note and first.until < now
        graded = _graded(store)
        assert graded.keys() == {f"{n:016x}" for n in range(1, 5)}
        assert graded[f"{1:016x}"] == [
            '{"label": "fail", "name": "violence", "score": 1.0}',
            '{"label": "pass", "name": "relevance", "score": 5.0}',
        ]
        store.append([_call(6)])  # it was late
        next(run for run in foundry.runs if run["id"] == going_on)["status"] = "completed"
        again = collect(config, store, ledger, reading, now + timedelta(minutes=10))
        assert again.note == "" and again.until == now + timedelta(minutes=10)
        graded = _graded(store)
        assert graded.keys() == {f"{n:016x}" for n in range(1, 7)}
        assert [len(found) for found in graded.values()] == [2, 2, 2, 1, 1, 1], "each once, however often it is read"
        read = len(net.sent("GET", "output_items"))
        collect(config, store, ledger, reading, now + timedelta(minutes=20))
        assert len(net.sent("GET", "output_items")) == read, "what was read to its end is not read again"
    assert "비밀" not in "".join(str(found) for found in graded.values())


def test_a_result_whose_call_never_arrives_is_counted_and_waited_for_no_longer(
    project: tuple[Foundry, LoopbackNet], tmp_path: Path, ledger: Ledger
) -> None:
    foundry, _ = project
    config = FoundryResultsConfig(source="foundry", endpoint=ENDPOINT, evaluations=["eval_1"], since=AT)
    with Store(tmp_path / "telemetry") as store:
        foundry.grade("eval_1", AT.timestamp() + 60, {"resp_9": {"relevance": {"score": 5.0, "passed": True}}})
        assert "1 results wait" in collect(config, store, ledger, intake(store.folder), AT + timedelta(hours=1)).note
        late = collect(config, store, ledger, intake(store.folder), AT + timedelta(hours=30))
        assert late.note == "" and store.left_out(AT)[Reason.EVALUATION] == 1


def test_the_command_prints_where_it_is(
    project: tuple[Foundry, LoopbackNet],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with driftgate.open(workspace) as ws:
        _measured(ws.ledger, models=("m",))
    monkeypatch.setattr(sys, "argv", ["driftgate", "azure", "publish", "latest", "-w", str(workspace)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert (
        "cell 0 published: driftgate-nightly-0-m, run eval.run_0 https://ai.azure.com/runs/0" in capsys.readouterr().out
    )


def test_a_workspace_without_a_project_says_so(tmp_path: Path) -> None:
    (tmp_path / "driftgate.yaml").write_text("version: 1\n", encoding="utf-8")
    with driftgate.open(tmp_path) as ws, pytest.raises(DriftgateError, match="names no Foundry project"):
        ws.publish()
