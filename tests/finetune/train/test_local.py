"""The local trainer end to end: trained, killed, taken up again, and served by llama.cpp."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_gguf import LETTERS, write_tiny_gguf

from driftgate.finetune.train import Handle, Recipe, Status, TrainingItem, TrainingJob, read_items, write_items
from driftgate.finetune.train.local import KIND, LocalTrainer, LocalTrainerConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message
from driftgate.flows.models.local import LocalConfig, LocalModel, open_model

pytestmark = pytest.mark.train
for _needed in ("torch", "peft", "gguf", "xllamacpp"):
    pytest.importorskip(_needed, reason="training needs finetune/requirements.txt and the extra 'local'")

_RECIPE = Recipe(rank=4, alpha=8, learning_rate=0.01, steps=110, batch=4, warm_up=4, checkpoint_every=5)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep unpacked models out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def _items() -> list[TrainingItem]:
    """The letter after the one asked for; a prompt of two turns, as a flow renders it."""
    return [
        TrainingItem(f"# system:\n{extra}\n# user:\n{letter} 다음? 답:\n", LETTERS[(n + 1) % 4], category=letter)
        for n, letter in enumerate(LETTERS)
        for extra in ("규칙.", "규칙 하나.")
    ]


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., TrainingJob]:
    """Make a job on a tiny model in a workspace."""

    def make(name: str, architecture: str = "gemma3", recipe: Recipe = _RECIPE, **more: object) -> TrainingJob:
        model = tmp_path / f"{architecture}.gguf"
        if not model.exists():
            write_tiny_gguf(model, architecture)
            write_items(tmp_path / "items.jsonl", _items())
        base = {"provider": "local", "model": model.name, "prompt_format": "document", "context": 512, "top_tokens": 64}
        values = {"base_model": base, "items": tmp_path / "items.jsonl", "seed": 3} | more
        return TrainingJob(name=name, workspace=tmp_path, folder=tmp_path / "jobs" / name, recipe=recipe, **values)  # type: ignore[arg-type]

    return make


def _finish(trainer: LocalTrainer, handle: Handle) -> None:
    deadline = time.monotonic() + 240
    while (status := trainer.poll(handle)).state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status.state == "succeeded", status


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _step(folder: Path) -> int:
    progress = folder / "progress.json"
    return int(json.loads(progress.read_bytes())["step"]) if progress.exists() else 0


def _starts(folder: Path) -> int:
    return len(json.loads((folder / "starts.json").read_bytes()))


async def _asked(model: LocalModel) -> tuple[list[str], float]:
    """The likeliest letter for each training prompt, asked as two turns, and the mean loss of the targets."""
    said, losses = [], []
    for item in _items():
        system, user = item.prompt.removeprefix("# system:\n").split("\n# user:\n")
        reply = await model.complete([Message("system", system), Message("user", user)])
        assert reply.first_token is not None
        letters = {letter: reply.first_token.get(f" {letter}", -99.0) for letter in LETTERS}
        said.append(max(letters, key=lambda letter: letters[letter]))
        losses.append(-letters[item.target])
    return said, sum(losses) / len(losses)


def _open(model: dict[str, object], workspace: Path) -> LocalModel:
    return open_model("tuned", LocalConfig.model_validate(model), workspace)


@pytest.mark.parametrize("architecture", ["gemma3", "llama"])
async def test_what_was_trained_is_served(job: Callable[..., TrainingJob], architecture: str, tmp_path: Path) -> None:
    wanted = job("serve-it", architecture, validation=tmp_path / "items.jsonl")
    trainer = KIND.open(LocalTrainerConfig(trainer="local"), tmp_path)
    handle = json.loads(json.dumps(trainer.submit(wanted)))
    _finish(trainer, handle)
    trained = LocalTrainer().result(handle)
    assert trained.metrics["validation_accuracy"] == 1.0
    assert trained.metrics["loss_last_ten"] < 0.5 * trained.metrics["loss_first"]
    assert trained.lineage["items_by_category"] == dict.fromkeys(LETTERS, 2)
    assert trained.model["adapter"] == "jobs/serve-it/adapter.gguf"

    tuned, base = _open(dict(trained.model), tmp_path), _open(dict(wanted.base_model), tmp_path)
    assert tuned.identity != base.identity
    targets = [item.target for item in _items()]
    answers, loss = await _asked(tuned)
    assert answers == targets
    # llama.cpp computes what transformers computed: prompts, rotary order, scale and base weights all agree.
    assert loss == pytest.approx(trained.metrics["validation_loss"], abs=0.1)
    assert (await _asked(base))[1] > loss + 1
    await tuned.aclose()
    await base.aclose()


def test_a_run_that_is_killed_ends_with_the_same_adapter(job: Callable[..., TrainingJob]) -> None:
    recipe = _RECIPE.model_copy(update={"steps": 400, "learning_rate": 0.002, "settled": 0.3, "cool_down": 40})
    trainer = LocalTrainer()
    whole = trainer.submit(job("never-killed", recipe=recipe))
    _finish(trainer, whole)

    wanted = job("killed-twice", recipe=recipe)
    handle = trainer.submit(wanted)
    for kills, step in enumerate((20, 60), start=1):
        _wait(lambda step=step: _step(wanted.folder) >= step)  # type: ignore[misc]
        os.kill(int((wanted.folder / "pid").read_text()), signal.SIGKILL)
        assert not (wanted.folder / "result.json").exists(), "it was killed before its end"
        # Whoever polls next, another process too, sets it going again.
        _wait(lambda kills=kills: LocalTrainer().poll(handle).state == "running" and _starts(wanted.folder) > kills)  # type: ignore[misc]
    _finish(trainer, handle)
    assert trainer.result(handle).lineage["sha256"]["result"] == trainer.result(whole).lineage["sha256"]["result"]
    assert trainer.result(handle).metrics["steps"] < 400, "the loss settled, and training ended early"


def test_submitting_again_finds_the_job_and_another_of_its_name_is_refused(
    job: Callable[..., TrainingJob], tmp_path: Path
) -> None:
    trainer, wanted = LocalTrainer(), job("only-once")
    handle = trainer.submit(wanted)
    process = (wanted.folder / "pid").read_text()
    assert trainer.submit(wanted) == handle
    assert (wanted.folder / "pid").read_text() == process
    with pytest.raises(DriftgateError, match="other items, another base or another recipe"):
        trainer.submit(job("only-once", seed=4))
    with pytest.raises(DriftgateError, match="no result yet"):
        trainer.result(handle)
    _finish(trainer, handle)
    assert trainer.submit(wanted) == handle
    write_items(tmp_path / "items.jsonl", read_items(tmp_path / "items.jsonl")[:-1])
    with pytest.raises(DriftgateError, match="other items"):
        trainer.submit(wanted)


def test_training_goes_on_from_an_adapter(job: Callable[..., TrainingJob], tmp_path: Path) -> None:
    trainer = LocalTrainer()
    first = trainer.submit(job("first-half"))
    _finish(trainer, first)
    champion = trainer.result(first)
    again = job("second-half", base_model=champion.model, recipe=_RECIPE.model_copy(update={"alpha": 4}))
    second = trainer.submit(again)
    _finish(trainer, second)
    # Another alpha must not change where it begins: at what the first half had learnt.
    assert trainer.result(second).metrics["loss_first"] == pytest.approx(champion.metrics["loss_last_ten"], abs=0.3)
    assert trainer.result(second).metrics["loss_first"] < 0.5 * champion.metrics["loss_first"]
    assert trainer.result(second).lineage["sha256"]["adapter"] == champion.lineage["sha256"]["result"]

    other_rank = job("other-rank", base_model=champion.model, recipe=_RECIPE.model_copy(update={"rank": 2}))
    third = trainer.submit(other_rank)
    _wait(lambda: trainer.poll(third).state == "failed")
    assert "rank 4" in trainer.poll(third).detail


def test_a_job_that_cannot_be_done_fails_and_says_why(job: Callable[..., TrainingJob]) -> None:
    trainer = LocalTrainer()
    too_short = trainer.submit(job("too-short", recipe=_RECIPE.model_copy(update={"longest": 16})))
    _wait(lambda: trainer.poll(too_short).state != "running")
    assert trainer.poll(too_short).state == "failed"
    assert "the recipe allows 16" in trainer.poll(too_short).detail


def test_a_job_that_is_cancelled_ends_and_is_not_begun_again(job: Callable[..., TrainingJob]) -> None:
    trainer = LocalTrainer()
    wanted = job("cancelled", recipe=_RECIPE.model_copy(update={"steps": 100_000}))
    handle = trainer.submit(wanted)
    _wait(lambda: _step(wanted.folder) >= 1)
    process = int((wanted.folder / "pid").read_bytes())
    for _ in range(2):
        trainer.cancel(handle)
    _wait(lambda: not Path(f"/proc/{process}/fd/0").exists())  # a process that has ended has no files open
    assert trainer.poll(handle) == Status("failed", "cancelled")
    assert trainer.poll(trainer.submit(wanted)).state == "failed"
    assert _starts(wanted.folder) == 1
    assert [event.level for event in trainer.events(handle)] == ["info", "error"]
    with pytest.raises(DriftgateError, match="cannot be paused"):
        trainer.pause(handle)


def test_an_architecture_that_cannot_be_trained_is_refused_when_it_is_submitted(
    job: Callable[..., TrainingJob], tmp_path: Path
) -> None:
    wanted = job("other-kind")
    file = tmp_path / "gemma3.gguf"
    file.write_bytes(file.read_bytes().replace(b"gemma3", b"rwkv70", 1))
    with pytest.raises(DriftgateError, match="'rwkv70', which cannot be trained"):
        LocalTrainer().submit(wanted)
    assert not wanted.folder.exists()


def test_only_local_models_are_trained_here(job: Callable[..., TrainingJob], tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="cannot be fine-tuned here"):
        LocalTrainer().submit(job("remote-one", base_model={"provider": "openai", "deployment": "gpt-5"}))
    with pytest.raises(DriftgateError, match="no training job"):
        LocalTrainer().poll({"trainer": "local", "name": "gone", "folder": str(tmp_path / "gone")})
