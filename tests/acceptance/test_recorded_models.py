"""Two recorded models on real benchmarks, fault-free, with faults, and killed again and again."""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from driftgate.ledger import cells_of, find_run, open_ledger, outcome_frame

from .conftest import MODELS, SHARED, driftgate, replay

FAULTS = ["429:0.1", "500:0.05", "hang:0.02", "cut:0.02", "garbage:0.01"]


def recorded_accuracy(dataset: str, model: str) -> tuple[int, int]:
    """Letters answered right and rows, as the recorded file itself has them."""
    name = {"kmmlu": "KMMLU", "click": "CLIcK"}[dataset]
    rows = pd.read_csv(SHARED / "data" / "recorded" / f"[{name}] {model}.csv", keep_default_na=False, dtype=str)
    return int((rows.pred == rows.answer).sum()), len(rows)


def frames(folder: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """The outcome frames of the newest run, by model and dataset."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        run = find_run(ledger, "latest")
        assert run.status == "complete"
        return {(c.model, c.dataset): outcome_frame(ledger, c.id) for c in cells_of(ledger, run.id)}
    finally:
        ledger.close()


def content(frame: pd.DataFrame) -> list[tuple[str, str, str, float]]:
    """What a run says of every sample, without times."""
    rows = frame.sort_values("key")[["key", "outcome", "answer", "correct"]].fillna("-")
    return [tuple(row) for row in rows.to_numpy().tolist()]


def test_kmmlu_and_click(make_workspace: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    with replay() as endpoint:
        folder = make_workspace("all", endpoint, ["kmmlu", "click"])
        began = time.monotonic()
        assert driftgate("bench", folder=folder).wait() == 0
        seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nKMMLU and CLIcK, two models, {seconds:.0f} s")
        for (model, dataset), frame in frames(folder).items():
            assert len(frame) == {"kmmlu": 35_030, "click": 1_995}[dataset]
            right, rows = recorded_accuracy(dataset, MODELS[model])
            ours = int(frame["correct"].fillna(0).sum())
            counts = frame["outcome"].value_counts().to_dict()
            print(f"  {model} {dataset}: {ours} right of {len(frame)}; recorded {right} of {rows}; {counts}")
            assert "missing" not in counts
    page = next(folder.glob("reports/*/*.html")).read_text(encoding="utf-8")
    assert all(re.search(rf"\b{model}\b", page) for model in MODELS)


def test_faults_cost_no_question(make_workspace: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    with replay() as endpoint:
        calm = make_workspace("calm", endpoint, ["click"])
        assert driftgate("bench", folder=calm).wait() == 0
    faults = [part for fault in FAULTS for part in ("--fault", fault)]
    with replay(*faults) as endpoint:
        folder = make_workspace("faults", endpoint, ["click"], timeout=5)
        began = time.monotonic()
        assert driftgate("bench", folder=folder).wait() == 0
        seconds, stats = time.monotonic() - began, endpoint.stats()
    without, with_faults = frames(calm), frames(folder)
    assert without.keys() == with_faults.keys()
    for key, frame in with_faults.items():
        assert content(frame) == content(without[key])
    with capsys.disabled():
        print(f"\nCLIcK with faults: {seconds:.0f} s, {stats['by_outcome']}; every outcome as without faults")


def test_killed_ten_times(make_workspace: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    in_flight, kills, rng = 16, 10, random.Random(20261122)
    with replay() as endpoint:
        undisturbed = make_workspace("undisturbed", endpoint, ["click"], in_flight=in_flight)
        assert driftgate("bench", folder=undisturbed).wait() == 0
        needed = endpoint.stats()["requests"]
    with replay("--latency-ms", "20") as endpoint:
        folder = make_workspace("killed", endpoint, ["click"], in_flight=in_flight)
        marks = sorted(rng.sample(range(50, needed - 50), kills))
        done, arguments = 0, ["bench"]
        for mark in marks:
            process = driftgate(*arguments, folder=folder)
            while endpoint.stats()["requests"] < mark + in_flight * done and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            done, arguments = done + 1, ["bench", "--resume"]
        assert driftgate("bench", "--resume", folder=folder).wait() == 0
        asked = endpoint.stats()["requests"]
    extra = asked - needed
    with capsys.disabled():
        print(f"\nkilled {kills} times: {extra} extra requests; {in_flight} in flight at each kill")
    assert 0 <= extra <= kills * in_flight
    ours = frames(folder)
    for key, frame in frames(undisturbed).items():
        assert content(ours[key]) == content(frame)
