"""What a run measures goes to MLflow where the environment names it, and costs no run where it does not answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_hub import write_tiny_hub

from driftgate.finetune.train import Recipe, TrainingItem, write_items
from driftgate.finetune.train._job import LoraJob
from driftgate.finetune.train._lora import run
from driftgate.flows.errors import DriftgateError

pytestmark = pytest.mark.train
for _needed in ("torch", "peft", "transformers", "mlflow"):
    pytest.importorskip(_needed, reason="needs finetune/requirements.txt and mlflow-skinny")

_RECIPE = Recipe(rank=4, alpha=8, learning_rate=0.01, steps=6, batch=2, warm_up=2, evaluate_every=3)


@pytest.fixture
def job(tmp_path: Path) -> LoraJob:
    items = tmp_path / "items.jsonl"
    write_items(items, [TrainingItem(f"# user:\n{letter}?\n", letter, rejected="D") for letter in "ABC"])
    base = write_tiny_hub(tmp_path / "m", "llama")
    return LoraJob(name="a-job", base=base, items=items, validation=items, prompt_format="chat", recipe=_RECIPE, seed=1)


def test_losses_and_settings_are_tracked(job: LoraJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    where = (tmp_path / "runs").as_uri()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", where)
    (tmp_path / "out").mkdir()
    run(job, tmp_path / "out")
    client = MlflowClient(where)
    (kept,) = client.search_runs(["0"])
    assert kept.info.run_name == "a-job" and kept.info.status == "FINISHED"
    history = client.get_metric_history(kept.info.run_id, "loss")
    result = json.loads((tmp_path / "out" / "result.json").read_bytes())
    assert [one.step for one in history] == [1, 2, 3, 4, 5, 6]
    assert [round(one.value, 6) for one in history] == result["losses"]
    assert client.get_metric_history(kept.info.run_id, "validation_loss")
    assert kept.data.params["rank"] == "4"
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(DriftgateError, match="mamba"):
        run(job.model_copy(update={"base": tmp_path}), tmp_path / "out")
    assert len(client.search_runs(["0"])) == 1, "what is refused before the first step is no run"


def test_a_server_that_does_not_answer_is_said_once_and_costs_no_run(
    job: LoraJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "out").mkdir()
    run(job, tmp_path / "out")
    assert capsys.readouterr().out.count("not sent to MLflow any more") == 1
    assert (tmp_path / "out" / "result.json").exists()
