"""Runs of each kind: what ``latest`` means after a look or a parity run, and what CI is told of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status
from command_line import Cli, Make

import driftgate
from driftgate.api.compare import chosen_cells
from driftgate.ledger import cells_of, set_status, start_run

PORT = """
def port(question, choices):
    return {"answer": "A"}
"""


def watched(config: dict[str, Any]) -> None:
    config["champions"] = {"assistant": "tested"}
    config["monitors"] = {"watch": {"champion": "assistant", "canaries": {"dataset": "own", "variant": "terse"}}}


@pytest.fixture(autouse=True)
def no_build_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(cli: Cli, make: Make) -> Path:
    """A workspace in which a suite was run, then a look taken, then a port compared on few samples and found wrong."""
    made = make(40, watched)
    (made / "ported.py").write_text(PORT, encoding="utf-8")
    assert cli("bench", "-w", made).code == 0
    assert cli("monitor", "check", "watch", "-w", made).code == 0
    parity = cli("flow", "parity", "multiple_choice", "ported:port", "--suite", "small", "--limit", 8, "-w", made)
    assert parity.code in (1, 3), parity.err
    return made


def test_a_look_and_a_parity_run_leave_latest_alone(cli: Cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        parity, canary, benchmark = ws.runs()
        assert [run.kind for run in (parity, canary, benchmark)] == ["parity", "canary", "benchmark"]
        assert ws.run("latest").id == ws.run("latest:small").id == benchmark.id
        assert [run.id for run in ws.runs(kind="canary")] == [canary.id]
        assert {run.id for run in ws.runs(kind=["parity", "benchmark"])} == {parity.id, benchmark.id}
        assert len(ws.runs(kind="")) == len(ws.runs()) == 3
        with pytest.raises(driftgate.DriftgateError, match=r"no kind of runs 'canari'.*did you mean 'canary'"):
            ws.runs(kind="canari")
        assert [cell.run_id for cell in chosen_cells(ws.ledger, [], ["tested"], [])] == [benchmark.id]
        assert [verdict.run for verdict in ws.gate()] == [benchmark.id]
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 0, done.err
    for run in (parity, canary):
        refused = cli("gate", run.id, "-w", folder)
        assert refused.code == 2
        assert f"its kind is {run.kind}" in refused.err


def test_what_is_not_complete_is_gone_on_with_as_its_kind_can_be(cli: Cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        parity, canary, benchmark = ws.runs()
        for run in (parity, canary):
            set_status(ws.ledger, run.id, "stopped")
    assert "every benchmark in the ledger is complete" in cli("bench", "--resume", "-w", folder).err
    for run, how in ((parity, "driftgate flow parity"), (canary, "driftgate monitor check")):
        for command in (
            ["gate", run.id],
            ["bench", "--resume", "--run", run.id],
            ["runs", "rescore", run.id, "--as", "asked"],
        ):
            refused = cli(*command, "-w", folder)
            assert refused.code == 2
            assert how in refused.err and "bench --resume" not in refused.err
    with driftgate.open(folder) as ws:
        set_status(ws.ledger, benchmark.id, "stopped")
    assert cli("bench", "--resume", "-w", folder).code == 0
    with driftgate.open(folder) as ws:
        assert ws.run("latest").id == benchmark.id


def test_the_run_before_one_that_was_stopped_is_not_judged_in_its_place(cli: Cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        before = ws.run("latest").id
        stopped = start_run(ws.ledger, "small", {"cells": []}, "hash", 0, "0.1").id
        set_status(ws.ledger, stopped, "interrupted")
        assert ws.run("latest").id == before
    for name in ("latest", "latest:small"):
        refused = cli("gate", name, "-w", folder)
        assert refused.code == 2
        assert f"{stopped}, is interrupted" in refused.err and f"driftgate gate {before}" in refused.err
    assert cli("gate", before, "-w", folder).code == 0


def test_the_previous_run_of_a_gate_is_a_benchmark(cli: Cli, make: Make) -> None:
    def creeping(config: dict[str, Any]) -> None:
        rule = {"metric": "accuracy", "no_worse_than": "previous", "margin": 0.3}
        config["gates"] = {"small": {"suite": "small", "rules": [rule]}}

    folder = make(40, creeping)
    for _ in range(2):
        assert cli("bench", "-w", folder).code == 0
    with driftgate.open(folder) as ws:
        newest, oldest = ws.runs()
        assert ws.gate()[0].rules[0].baseline == oldest.id
        with ws.ledger.write() as connection:  # as if a look had asked the same cell
            connection.exec_driver_sql(f"UPDATE runs SET kind = 'canary' WHERE id = '{oldest.id}'")
        (verdict,) = ws.gate()
        assert verdict.rules[0].baseline == ""
        assert "no earlier complete run" in verdict.rules[0].reason
        assert newest.id == verdict.run


def test_runs_are_listed_by_kind(cli: Cli, folder: Path) -> None:
    def listed(*more: str) -> set[str]:
        out = cli("runs", "list", *more, "-w", folder).out
        return {kind for kind in ("benchmark", "canary", "parity") if f" {kind} " in out}

    assert listed() == {"benchmark", "parity"}
    assert listed("--kind", "all") == {"benchmark", "canary", "parity"}
    assert listed("--kind", "canary") == {"canary"}
    assert listed("--kind", "canary,parity") == {"canary", "parity"}
    assert "holds no such run" in cli("runs", "list", "--kind", "import", "-w", folder).out
    assert "did you mean 'parity'" in cli("runs", "list", "--kind", "pariti", "-w", folder).err


def test_ci_is_told_the_run_and_the_verdict(
    cli: Cli, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, told, outputs = make(40), tmp_path / "bench.json", tmp_path / "outputs"
    outputs.write_text("earlier=1\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    assert cli("bench", "-w", folder, "--json", told).code == 0
    assert cli("gate", "-w", folder).code == 0
    with driftgate.open(folder) as ws:
        run = ws.run()
        found = json.loads(told.read_text(encoding="utf-8"))
        assert found == json.loads(json.dumps(run.as_json()))
        assert (found["run"], found["kind"], found["status"]) == (run.id, "benchmark", "complete")
        (cell,) = found["cells"]
        accuracy = next(row for row in cell["scores"] if (row["metric"], row["slice_kind"]) == ("accuracy", "all"))
        assert (accuracy["value"], accuracy["n"], cell["outcomes"]["answered"]) == (1.0, 40, 40)
        assert cell["signature"] == cells_of(ws.ledger, run.id)[0].signature
    assert outputs.read_text(encoding="utf-8") == f"earlier=1\nrun={run.id}\nverdict=pass\nkeep=true\n"


def test_a_run_that_stops_is_told_too(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, told, outputs = make(40), tmp_path / "bench.json", tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    endpoint.default = Status(401, {"error": {"message": "no such key"}})
    assert cli("bench", "-w", folder, "--json", told).code == 2
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["status"] == "stopped" and found["reason"]
    assert outputs.read_text(encoding="utf-8") == f"run={found['run']}\n"


def test_the_ledger_is_checked(cli: Cli, folder: Path) -> None:
    done = cli("ledger", "check", "-w", folder)
    assert done.code == 0, done.out
    assert "the ledger is whole" in done.out and "bytes a sample" in done.out
    with driftgate.open(folder) as ws:
        ws.gate()
        with ws.ledger.write() as connection:
            connection.exec_driver_sql("UPDATE outcomes SET answer = 'D', correct = 1.0 WHERE sample_id = 1")
    done = cli("ledger", "check", "-w", folder)
    assert done.code == 1
    assert "has changed since gate 'small' said pass" in done.out and "driftgate gate" in done.out
