"""Every architecture that can be trained is trained, saved, served and scored, with tiny random weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_hub import LETTERS, write_tiny_hub

from driftgate.finetune.train import Recipe, TrainingItem, write_items
from driftgate.finetune.train._architectures import ARCHITECTURES, check_base
from driftgate.finetune.train._job import CHECKPOINT, LoraJob
from driftgate.finetune.train._lora import run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, ModelMisconfigured
from driftgate.flows.models._hub import HubModel, prompt_tokens
from driftgate.flows.models.local import LocalConfig, open_model
from driftgate.flows.models.local import check as check_model

pytestmark = pytest.mark.train
for _needed in ("torch", "peft", "transformers"):
    pytest.importorskip(_needed, reason="training needs finetune/requirements.txt")

_RECIPE = Recipe(rank=8, alpha=16, learning_rate=0.01, steps=45, batch=4, warm_up=4)


def _items(shift: int = 1) -> list[TrainingItem]:
    """The letter after the one asked for; a prompt of two turns, as a flow renders it."""
    return [
        TrainingItem(
            f"# system:\n규칙.\n# user:\n{letter} 다음? 답:\n",
            LETTERS[(n + shift) % 4],
            rejected=LETTERS[(n + shift + 1) % 4],
            category=letter,
        )
        for n, letter in enumerate(LETTERS)
    ]


Train = Callable[..., dict[str, Any]]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Run the training program in this process, in a folder of its own, and read its result."""

    def go(name: str, model_type: str = "llama", recipe: Recipe = _RECIPE, **more: Any) -> dict[str, Any]:
        base = tmp_path / model_type
        if not base.exists():
            write_tiny_hub(base, model_type)
            write_items(tmp_path / "items.jsonl", _items())
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        values = {"items": tmp_path / "items.jsonl", "prompt_format": "chat", "seed": 3} | more
        run(LoraJob(name=name, base=base, recipe=recipe, **values), folder)
        return dict(json.loads((folder / "result.json").read_bytes()))

    return go


def _turns(item: TrainingItem) -> tuple[str, str]:
    system, user = item.prompt.removeprefix("# system:\n").split("\n# user:\n")
    return system, user.strip()


async def _asked(model: HubModel) -> tuple[list[str], float]:
    """The likeliest letter for each training prompt, and the mean loss of the targets."""
    said, losses = [], []
    for item in _items():
        system, user = _turns(item)
        reply = await model.complete([Message("system", system), Message("user", user)])
        assert reply.first_token is not None
        assert reply.usage.input_tokens and reply.usage.output_tokens == 1
        said.append(max(reply.first_token, key=lambda text: reply.first_token[text]))  # type: ignore[index]
        losses.append(-reply.first_token.get(item.target, -99.0))
    return said, sum(losses) / len(losses)


@pytest.mark.parametrize("model_type", sorted(ARCHITECTURES))
async def test_a_model_is_trained_saved_served_and_scored(train: Train, model_type: str, tmp_path: Path) -> None:
    result = train("tuned", model_type, validation=tmp_path / "items.jsonl")
    assert result["metrics"]["validation_accuracy"] == 1.0
    assert result["lineage"]["architecture"] == model_type
    assert result["lineage"]["device"] == "cpu"
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "tuned" / "adapter").iterdir())
    served = {"provider": "local", "model": model_type, "context": 256, "top_tokens": 300}
    tuned = open_model("t", LocalConfig(**served, adapter="tuned/adapter"), tmp_path)
    base = open_model("b", LocalConfig(**served), tmp_path)
    assert isinstance(tuned, HubModel) and isinstance(base, HubModel)
    assert tuned.identity != base.identity
    answers, loss = await _asked(tuned)
    assert answers == [item.target for item in _items()]
    assert loss == pytest.approx(result["metrics"]["validation_loss"], abs=0.02)
    assert (await _asked(base))[1] > loss + 1
    await tuned.aclose()
    await base.aclose()


async def test_the_prompt_is_tokenised_in_training_as_it_is_when_served(train: Train, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    from driftgate.finetune.train._examples import as_example

    tokenizer = AutoTokenizer.from_pretrained(write_tiny_hub(tmp_path / "m", "qwen3"))
    messages = [Message("system", "규칙."), Message("user", "A 다음? 답:")]
    for form in ("chat", "document"):
        learnt = as_example(_items()[0], tokenizer, form, 512)  # type: ignore[arg-type]
        assert list(learnt.prompt) == prompt_tokens(messages, form, tokenizer)


def test_a_batch_cut_into_parts_or_packed_into_rows_learns_the_same(train: Train) -> None:
    short = _RECIPE.model_copy(update={"steps": 6})
    whole = train("whole", recipe=short)["losses"]
    parts = short.model_copy(update={"batch": 2, "accumulate": 2})
    assert train("parts", recipe=parts)["losses"] == pytest.approx(whole, abs=2e-4)


@pytest.mark.parametrize("model_type", ["llama", "gemma2", "gemma3_text", "phi3", "qwen3"])
def test_packed_items_do_not_see_one_another(train: Train, model_type: str) -> None:
    short = _RECIPE.model_copy(update={"steps": 3, "warm_up": 0})
    whole = train("whole", model_type, recipe=short)["losses"]
    rows = short.model_copy(update={"packed": True, "longest": 100})  # two of the four in a row
    assert train("packed", model_type, recipe=rows)["losses"] == pytest.approx(whole, abs=2e-4)


async def test_preferences_are_learnt_from_pairs(train: Train, tmp_path: Path) -> None:
    recipe = _RECIPE.model_copy(update={"method": "dpo", "beta": 1.0, "steps": 30})
    result = train("preferring", recipe=recipe, validation=tmp_path / "items.jsonl")
    assert result["losses"][0] == pytest.approx(math.log(2), abs=1e-4), "at first it prefers what it preferred"
    assert result["metrics"]["validation_accuracy"] == 1.0
    assert result["metrics"]["validation_loss"] < 0.2
    served = LocalConfig(provider="local", model="llama", adapter="preferring/adapter", context=256, top_tokens=300)
    model = open_model("t", served, tmp_path)
    for item in _items():
        system, user = _turns(item)
        first = (await model.complete([Message("system", system), Message("user", user)])).first_token
        assert first is not None and first[item.target] > first[item.rejected] + 1
    await model.aclose()


def test_pairs_are_needed_before_the_first_step(train: Train, tmp_path: Path) -> None:
    train("first", recipe=_RECIPE.model_copy(update={"steps": 5}))
    write_items(tmp_path / "alone.jsonl", [TrainingItem("# user:\nA\n", "B", id="one")])
    with pytest.raises(DriftgateError, match="'one'"):
        train("dpo", recipe=_RECIPE.model_copy(update={"method": "dpo"}), items=tmp_path / "alone.jsonl")


def test_the_best_adapter_on_the_validation_items_is_the_result(train: Train, tmp_path: Path) -> None:
    """The validation items are answered otherwise: the more is learnt, the worse they get."""
    recipe = _RECIPE.model_copy(update={"steps": 40, "evaluate_every": 5, "patience": 3})
    write_items(tmp_path / "other.jsonl", _items(shift=2))
    result = train("stopped", recipe=recipe, validation=tmp_path / "other.jsonl")
    losses = dict(result["validation_losses"])
    best = min(losses, key=lambda step: losses[step])
    assert result["metrics"]["best_step"] == best
    assert result["metrics"]["steps"] == best + 15 < 40, "three measurements without a better one end it"
    assert result["metrics"]["validation_loss"] == pytest.approx(losses[best], abs=1e-4)


def test_a_run_taken_up_again_ends_with_the_same_best(train: Train, tmp_path: Path) -> None:
    """Killed after a checkpoint: what was best, and how long ago, is in it."""
    recipe = _RECIPE.model_copy(update={"steps": 20, "evaluate_every": 4, "checkpoint_every": 10})
    whole = train("whole", recipe=recipe, validation=tmp_path / "items.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        from driftgate.finetune.train._training import Training

        def killed(self: Training) -> float:
            if self.kept.step == 13:
                raise KeyboardInterrupt
            return taken(self)

        taken = Training._take_step
        patch.setattr(Training, "_take_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train("killed", recipe=recipe, validation=tmp_path / "items.jsonl")
    assert (tmp_path / "killed" / CHECKPOINT).exists()
    again = train("killed", recipe=recipe, validation=tmp_path / "items.jsonl")
    for key in ("losses", "validation_losses"):
        assert again[key] == whole[key]
    assert again["lineage"]["sha256"]["result"] == whole["lineage"]["sha256"]["result"]


def test_epochs_say_how_many_steps_there_are(train: Train) -> None:
    result = train("passes", recipe=_RECIPE.model_copy(update={"epochs": 3.0, "batch": 2, "accumulate": 2}))
    assert result["metrics"]["steps"] == 3


def test_training_goes_on_from_an_adapters_folder(train: Train, tmp_path: Path) -> None:
    first = train("first", "qwen2")
    again = train("again", "qwen2", _RECIPE.model_copy(update={"alpha": 8}), adapter=tmp_path / "first" / "adapter")
    assert again["losses"][0] == pytest.approx(first["losses"][-1], abs=0.3)
    assert again["lineage"]["sha256"]["adapter"] == first["lineage"]["sha256"]["result"]
    with pytest.raises(DriftgateError, match="rank 8"):
        train("r", "qwen2", _RECIPE.model_copy(update={"rank": 4}), adapter=tmp_path / "first" / "adapter")


def test_every_parameter_is_on_the_device_that_was_asked_for(tmp_path: Path) -> None:
    import torch

    from driftgate.finetune.train._base import load_base

    base, _ = load_base(write_tiny_hub(tmp_path / "m", "phi3"), torch.device("meta"))
    assert {parameter.device.type for parameter in base.parameters()} == {"meta"}
    assert {buffer.device.type for buffer in base.buffers()} == {"meta"}


@pytest.mark.parametrize("asked", [{"device": "cuda"}, {"four_bit": True}])
def test_a_card_that_is_not_there_is_said_before_anything_is_loaded(train: Train, asked: dict[str, Any]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a graphics card")
    with pytest.raises(DriftgateError, match="no graphics card"):
        train("card", recipe=_RECIPE.model_copy(update=asked))


def test_the_device_is_printed(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    train("printed", recipe=_RECIPE.model_copy(update={"steps": 5}))
    assert "device cpu, torch.float32, 1 threads" in capsys.readouterr().out


def test_an_architecture_that_cannot_be_trained_is_named_before_its_weights_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(DriftgateError, match=r"'mamba'.*cannot be trained") as refused:
        check_base(tmp_path)
    assert "phi3" in refused.value.remedy
    job = LoraJob(name="x-x", base=tmp_path, items=tmp_path / "absent", prompt_format="chat", recipe=_RECIPE, seed=0)
    with pytest.raises(DriftgateError, match="mamba"):
        run(job, tmp_path)


def test_a_folder_that_cannot_be_loaded_is_an_error_in_words(tmp_path: Path) -> None:
    config = LocalConfig(provider="local", model="m")
    (tmp_path / "m").mkdir()
    with pytest.raises(DriftgateError, match=r"no config\.json"):
        check_model("mine", config, tmp_path)
    (tmp_path / "m" / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelMisconfigured, match="transformers cannot load m"):
        import asyncio

        asyncio.run(open_model("mine", config, tmp_path).complete([Message("user", "?")]))
    unknown = config.model_copy(update={"parameters": {"mirostat": 2}})
    with pytest.raises(DriftgateError, match="mirostat"):
        check_model("mine", unknown, tmp_path)
