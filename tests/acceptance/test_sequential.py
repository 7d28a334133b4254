"""A run that its gate stops, on real questions and recorded answers: what it spares; a kill changes nothing."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftgate.ledger import cells_of, find_run, open_ledger

from .conftest import driftgate, replay

Make = Callable[..., Path]
SEED = "20261127"


def with_gate(folder: Path, *rules: dict[str, Any]) -> Path:
    """A workspace with a gate ``quick`` for its suite."""
    path = folder / "driftgate.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    (suite,) = document["suites"]
    document["gates"] = {"quick": {"suite": suite, "rules": list(rules)}}
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return folder


def bench(folder: Path, *more: str) -> int:
    return driftgate("bench", "--gate", "quick", "--sequential", "--seed", SEED, *more, folder=folder).wait()


def asked(folder: Path) -> tuple[str, list[int]]:
    """The newest complete run, and how many samples each of its cells was asked."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        run = find_run(ledger, "latest")
        return run.id, [int(cell.details["n"]) - cell.not_needed for cell in cells_of(ledger, run.id)]
    finally:
        ledger.close()


def verdict(folder: Path) -> dict[str, Any]:
    """What ``driftgate gate`` says of the newest run."""
    out = folder / "verdict.json"
    code = driftgate("gate", "--json", str(out), folder=folder).wait()
    (found,) = json.loads(out.read_text(encoding="utf-8"))
    return {**found, "code": code}


def told(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(rule["verdict"], rule["p_pass"], rule["p_fail"], rule["decided_after"]) for rule in found["rules"]]


def test_it_stops_both_ways_and_says_the_same_afterwards(
    make_workspace: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    better = {"no_worse_than": "gpt35", "margin": 0.02}
    with replay() as endpoint:
        for name, rules, wanted in (
            ("better", [better, {"metric": "accuracy", "model": "phi", "min": 0.3}], 0),
            ("worse", [{"no_worse_than": "phi", "margin": 0.0}], 1),
        ):
            folder = with_gate(make_workspace(name, endpoint, ["click"]), *rules)
            before = endpoint.stats()["requests"]
            assert bench(folder) == wanted
            requests = endpoint.stats()["requests"] - before
            run, counts = asked(folder)
            found = verdict(folder)
            assert found["code"] == wanted
            assert found["run"] == run
            assert sum(counts) <= requests <= sum(counts) + 20
            assert sum(counts) < 0.75 * 2 * 1995
            assert f"of {2 * 1995:,} questions asked" in found["stopped"]
            with capsys.disabled():
                print(f"\n{name}: {requests} requests of {2 * 1995:,}; {told(found)}")


def test_a_kill_changes_nothing(make_workspace: Make) -> None:
    rule = {"no_worse_than": "gpt35", "margin": 0.02}
    with replay() as endpoint:
        calm = with_gate(make_workspace("calm", endpoint, ["click"]), rule)
        assert bench(calm) == 0
    with replay("--latency-ms", "60") as endpoint:
        folder = with_gate(make_workspace("killed", endpoint, ["click"], in_flight=8), rule)
        process = driftgate("bench", "--gate", "quick", "--sequential", "--seed", SEED, folder=folder)
        limit = time.monotonic() + 120
        while endpoint.stats()["requests"] < 150 and time.monotonic() < limit:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait() != 0
        assert driftgate("bench", "--resume", folder=folder).wait() == 0
        requests = endpoint.stats()["requests"]
    assert asked(folder)[1] == asked(calm)[1]
    assert told(verdict(folder)) == told(verdict(calm))
    assert requests <= sum(asked(folder)[1]) + 40
