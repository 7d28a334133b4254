"""A night of recorded models in batches: submitted, killed, gone on with; half the cost, and nothing asked twice."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from driftgate.ledger import cells_of, latest_runs, open_ledger, outcome_frame

from .conftest import MODELS, driftgate, replay

QUESTIONS = 400


def measured(folder: Path) -> dict[str, tuple[float, float]]:
    """Accuracy and cost by model, of the newest run."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        run = latest_runs(ledger)[0]
        assert run.status == "complete"
        frames = {cell.model: outcome_frame(ledger, cell.id) for cell in cells_of(ledger, run.id)}
        return {model: (float(frame["correct"].mean()), float(frame["cost"].sum())) for model, frame in frames.items()}
    finally:
        ledger.close()


def change(folder: Path, *, batch: bool) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    (suite,) = config["suites"].values()
    suite["limit"] = QUESTIONS
    suite["delivery"] = "batch" if batch else "direct"
    given = config["models"]["phi"]
    azure = given["endpoint"].replace("/v1", "/openai/v1")
    config["models"]["gpt35"] = given | {"endpoint": azure, "model": MODELS["gpt35"]}
    for model in config["models"].values():
        model["prices"] = {"input": 1.0, "output": 4.0}
    config["nightly"] = {"suites": list(config["suites"])}
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def batches_at(address: str, number: int) -> bool:
    """Whether the endpoint knows so many batches."""
    try:
        with urllib.request.urlopen(f"{address}/v1/batches/batch_{number}", timeout=10) as reply:
            return json.load(reply)["status"] == "in_progress"
    except OSError:
        return False


def test_a_night_in_batches_is_killed_and_gone_on_with(
    make_workspace: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with replay("--batch-seconds", "8") as endpoint:
        folder = make_workspace("batches", endpoint, ["click"])
        change(folder, batch=True)
        night = driftgate("nightly", folder=folder)
        deadline = time.monotonic() + 120
        while not batches_at(endpoint.address, 2):
            assert night.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)
        night.send_signal(signal.SIGKILL)
        night.wait()
        assert endpoint.stats()["requests"] == 0
        assert driftgate("nightly", folder=folder).wait() == 0
        stats = endpoint.stats()
        by_batch = measured(folder)
        change(folder, batch=False)
        assert driftgate("bench", folder=folder).wait() == 0
        direct = measured(folder)
    with capsys.disabled():
        print(f"\n{QUESTIONS} questions of CLIcK, two models: {stats['by_outcome']}")
        for model, (accuracy, cost) in by_batch.items():
            alone = direct[model]
            print(f"  {model}: {accuracy:.3f} at {cost:.4f} in batches, {alone[0]:.3f} at {alone[1]:.4f} one by one")
    assert stats["by_outcome"]["batches"] == 2
    failed = stats["by_outcome"].get("recorded_failure", 0)  # a recorded failure is tried again, as it may pass
    assert stats["requests"] - failed <= 2 * QUESTIONS
    for model, (accuracy, cost) in by_batch.items():
        assert accuracy == direct[model][0]
        assert cost == pytest.approx(direct[model][1] / 2)
