"""A run is found by its id or a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import KINDS, Ledger, RunKind, find_run, latest_runs, open_ledger, set_status, start_run


def test_a_run_is_found_however_many_came_after_it(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    old = start_run(ledger, "suite", {}, "hash", 0, "0.1", id="an_old-run").id
    start_run(ledger, "suite", {}, "hash", 0, "0.1", id="anXold-run")
    with ledger.write() as connection:
        connection.execute(
            text(
                "INSERT INTO runs (id, suite, status, reason, created_at, plan, plan_hash, seed, version) "
                "VALUES (:run, 'suite', 'complete', '', '2030-01-01 00:00:00', '{}', 'h', 0, '0.1')"
            ),
            [{"run": f"run-{n}"} for n in range(1100)],
        )
    assert find_run(ledger, old).id == find_run(ledger, "an_old").id == old
    assert find_run(ledger, "latest").id.startswith("run-")
    assert find_run(ledger, "latest:suite") == find_run(ledger, "latest")
    with pytest.raises(DriftgateError, match="0 runs fit 'AN_OLD'"):
        find_run(ledger, "AN_OLD")
    with pytest.raises(DriftgateError, match="2 runs fit 'old'"):
        find_run(ledger, "old")
    ledger.close()


def begin(ledger: Ledger, suite: str, kind: RunKind = "benchmark", status: str = "complete") -> str:
    run = start_run(ledger, suite, {"cells": []}, "hash", 0, "0.1", kind=kind)
    set_status(ledger, run.id, status)
    return run.id


def test_latest_is_the_newest_complete_benchmark(ledger: Ledger) -> None:
    nightly, other = begin(ledger, "nightly"), begin(ledger, "other")
    begin(ledger, "other", status="interrupted")
    rest = {kind: begin(ledger, "nightly", kind) for kind in KINDS if kind != "benchmark"}
    assert find_run(ledger, "latest").id == find_run(ledger, "latest:other").id == other
    assert find_run(ledger, "latest:nightly").id == nightly
    for kind, run in rest.items():
        assert find_run(ledger, run).kind == kind
        assert [found.id for found in latest_runs(ledger, kinds=[kind])] == [run]
    with pytest.raises(DriftgateError, match=r"no benchmark of the suite 'nightli'.*did you mean 'nightly'"):
        find_run(ledger, "latest:nightli")


def test_what_is_not_there_says_what_is(ledger: Ledger) -> None:
    canary = begin(ledger, "canary-live", "canary")
    with pytest.raises(DriftgateError, match=f"no benchmark, only runs such as {canary}; begin one with"):
        find_run(ledger, "latest")
    stopped = begin(ledger, "nightly", status="stopped")
    for name in ("latest", "latest:nightly"):
        with pytest.raises(DriftgateError, match=f"{stopped}, is stopped; .*bench --resume --run {stopped}"):
            find_run(ledger, name)
