"""The steps of a training run; everything that changes over them is in its checkpoint."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from driftgate.finetune.train._adapter import Adapter, layers_of, read_adapter
from driftgate.finetune.train._architectures import architecture_of
from driftgate.finetune.train._examples import Example, batch_at
from driftgate.finetune.train._files import write_atomically
from driftgate.finetune.train._job import CHECKPOINT, LoraJob
from driftgate.finetune.train._loss import (
    Pair,
    answer_loss,
    chunks,
    margins,
    measure,
    measure_preferences,
    preference_loss,
)
from driftgate.finetune.train._trainer import Recipe
from driftgate.flows.errors import DriftgateError


class Objective(Protocol):
    """What a training run makes small."""

    @property
    def count(self) -> int:
        """Items there are to train on."""

    def weight(self, chosen: Sequence[int]) -> float:
        """Weight of the chosen items in a step's loss."""

    def loss(self, model: Any, chosen: Sequence[int]) -> Any:
        """Summed, weighted loss of the chosen items."""

    def measured(self, model: Any) -> dict[str, float]:
        """``validation_loss`` and ``validation_accuracy``; empty where there is nothing to measure on."""


@dataclass(frozen=True)
class Answers:
    """The targets, token by token."""

    examples: Sequence[Example]
    held_out: Sequence[Example]
    batch: int
    row_length: int

    @property
    def count(self) -> int:
        """Items there are to train on."""
        return len(self.examples)

    def weight(self, chosen: Sequence[int]) -> float:
        """See :class:`Objective`."""
        return sum(self.examples[place].weight * len(self.examples[place].answer) for place in chosen)

    def loss(self, model: Any, chosen: Sequence[int]) -> Any:
        """See :class:`Objective`."""
        return answer_loss(model, [self.examples[place] for place in chosen], self.row_length)[0]

    def measured(self, model: Any) -> dict[str, float]:
        """See :class:`Objective`."""
        if not self.held_out:
            return {}
        loss, accuracy = measure(model, self.held_out, self.batch, self.row_length)
        return {"validation_loss": loss, "validation_accuracy": accuracy}


@dataclass
class Preferences:
    """The better answer rather than the worse one, compared with the model that training began with."""

    pairs: Sequence[Pair]
    held_out: Sequence[Pair]
    batch: int
    beta: float
    _reference: Any = field(default=None, init=False)
    _held_out_reference: Any = field(default=None, init=False)

    @property
    def count(self) -> int:
        """Items there are to train on."""
        return len(self.pairs)

    def look_at(self, model: Any) -> None:
        """Keep what the model prefers before its first step; it follows from the job, so a checkpoint need not."""
        import torch

        with torch.no_grad():
            every = [margins(model, some) for some in chunks([*self.pairs, *self.held_out], self.batch)]
        whole = torch.cat(every)
        self._reference, self._held_out_reference = whole[: len(self.pairs)], whole[len(self.pairs) :]

    def weight(self, chosen: Sequence[int]) -> float:
        """See :class:`Objective`."""
        return sum(self.pairs[place].better.weight for place in chosen)

    def loss(self, model: Any, chosen: Sequence[int]) -> Any:
        """See :class:`Objective`."""
        pairs = [self.pairs[place] for place in chosen]
        return preference_loss(model, pairs, self._reference[list(chosen)], self.beta)[0]

    def measured(self, model: Any) -> dict[str, float]:
        """See :class:`Objective`."""
        if not self.held_out:
            return {}
        loss, accuracy = measure_preferences(model, self.held_out, self._held_out_reference, self.beta, self.batch)
        return {"validation_loss": loss, "validation_accuracy": accuracy}


@dataclass
class Kept:
    """What changes over the steps, besides the parameters and the optimiser's state."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    settled_at: int | None = None
    """Steps that were taken when the loss had settled."""
    seconds: float = 0.0
    processor_seconds: float = 0.0
    best_loss: float | None = None
    """The lowest loss on the validation items so far."""
    best_step: int = 0
    worse: int = 0
    """Measurements since then."""
    validation: list[tuple[int, float]] = field(default_factory=list)
    """Loss on the validation items, by step."""

    def measured(self, loss: float) -> bool:
        """Note a loss on the validation items; whether it is the lowest so far.

        Raises
        ------
        DriftgateError
            It is no number: whatever came after it would count as worse.

        Examples
        --------
        >>> kept = Kept(step=20)
        >>> [kept.measured(loss) for loss in (0.7, 0.4, 0.5)], kept.best_loss, kept.worse
        ([True, True, False], 0.4, 1)
        """
        if not math.isfinite(loss):
            what = f"the loss on the validation items is {loss} after step {self.step}"
            raise DriftgateError(what, "lower the recipe's learning rate")
        self.validation.append((self.step, loss))
        if self.best_loss is not None and loss >= self.best_loss:
            self.worse += 1
            return False
        self.best_loss, self.best_step, self.worse = loss, self.step, 0
        return True


class Training:
    """One run over the steps, from the last checkpoint where there is one."""

    def __init__(
        self,
        job: LoraJob,
        recipe: Recipe,
        folder: Path,
        base: Any,
        objective: Objective,
        report: Callable[..., None],
    ) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        self.job, self.recipe, self.folder, self.base = job, recipe, folder, base
        self.objective, self.report = objective, report
        self.kept = Kept()
        self.best: dict[str, Any] = {}
        self.architecture = architecture_of(base.config.model_type)
        torch.manual_seed(job.seed)
        config = LoraConfig(
            r=recipe.rank, lora_alpha=recipe.alpha, target_modules=self.architecture.targets, task_type="CAUSAL_LM"
        )
        self.wrapped = get_peft_model(base, config)
        self.parameters = {name: p for name, p in self.wrapped.named_parameters() if p.requires_grad}
        self.optimiser = torch.optim.AdamW(self.parameters.values(), weight_decay=0.0)
        if job.adapter is not None:
            self._begin_with(job.adapter)
        if isinstance(objective, Preferences):
            objective.look_at(base.eval())
        if (folder / CHECKPOINT).exists():
            self._restore()

    def run(self) -> None:
        """Take the steps that are left, and leave the parameters at the best measurement where there were any."""
        kept, recipe = self.kept, self.recipe
        began, processor = time.monotonic() - kept.seconds, time.process_time() - kept.processor_seconds
        while kept.step < self.last_step() and not self._given_up():
            kept.losses.append(self._take_step())
            kept.step += 1
            kept.settled_at = kept.settled_at or self._settled()
            if recipe.evaluate_every and kept.step % recipe.evaluate_every == 0:
                self._measure()
            kept.seconds, kept.processor_seconds = time.monotonic() - began, time.process_time() - processor
            self.report(
                state="training",
                step=kept.step,
                steps=self.last_step(),
                loss=kept.losses[-1],
                learning_rate=recipe.learning_rate_at(kept.step - 1, kept.settled_at),
                seconds=round(kept.seconds, 1),
                **({"validation_loss": kept.validation[-1][1]} if kept.validation else {}),
            )
            if kept.step % recipe.checkpoint_every == 0:
                self._keep()
        if recipe.evaluate_every and kept.step % recipe.evaluate_every:
            self._measure()  # the last step may be the best
        self._keep()
        if self.best:
            self._put(self.best)
        self.base.eval()

    def last_step(self) -> int:
        """How many steps there are, as far as is known."""
        recipe, settled_at = self.recipe, self.kept.settled_at
        return recipe.steps if settled_at is None else min(recipe.steps, settled_at + recipe.cool_down)

    def metrics(self) -> dict[str, float]:
        """What was measured, over all the starts together."""
        kept = self.kept
        best = {"best_step": kept.best_step} if kept.best_loss is not None else {}
        return {
            "steps": kept.step,
            "loss_first": kept.losses[0],
            "loss_last_ten": sum(kept.losses[-10:]) / len(kept.losses[-10:]),
            "seconds": round(kept.seconds, 1),
            "processor_seconds": round(kept.processor_seconds, 1),
            "samples_per_second": round(
                kept.step * self.recipe.batch * self.recipe.accumulate / max(kept.seconds, 1e-3), 3
            ),
            **self._memory(),
            "trained_parameters": sum(p.numel() for p in self.parameters.values()),
            **best,
        }

    def adapter(self) -> Adapter:
        """The adapter as it stands."""
        config = self.base.config
        layers = {
            name: (a.detach().float().cpu().numpy(), b.detach().float().cpu().numpy())
            for name, (a, b) in layers_of(self.parameters).items()
        }
        heads = (config.num_attention_heads, config.num_key_value_heads)
        return Adapter(self.architecture.gguf, self.recipe.alpha, layers, *heads)

    def forget(self) -> None:
        """Remove the checkpoint; the result is written."""
        (self.folder / CHECKPOINT).unlink(missing_ok=True)

    def _memory(self) -> dict[str, float]:
        import resource

        import torch

        found: dict[str, float] = {"peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        if self.base.device.type == "cuda":
            found["peak_device_memory_bytes"] = torch.cuda.max_memory_allocated(self.base.device)
        return found

    def _take_step(self) -> float:
        import torch

        recipe, step = self.recipe, self.kept.step
        self.base.train()
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate_at(step, self.kept.settled_at)
        chosen = batch_at(step, recipe.batch * recipe.accumulate, self.objective.count, self.job.seed)
        weight, total = self.objective.weight(chosen), 0.0
        for some in chunks(chosen, recipe.batch):
            loss = self.objective.loss(self.base, some) / weight
            if not torch.isfinite(loss):
                raise DriftgateError(
                    f"the loss of step {step + 1} is {float(loss)}", "lower the recipe's learning rate"
                )
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return total

    def _measure(self) -> None:
        """Measure on the validation items, and keep the adapter where it is the best so far."""
        self.base.eval()
        if self.kept.measured(self.objective.measured(self.base)["validation_loss"]):
            self.best = {name: p.detach().clone() for name, p in self.parameters.items()}

    def _given_up(self) -> bool:
        return bool(self.recipe.patience) and self.kept.worse >= self.recipe.patience

    def _settled(self) -> int | None:
        """The present step where the loss has just settled."""
        last = self.kept.losses[-10:]
        return self.kept.step if len(last) == 10 and sum(last) / 10 < self.recipe.settled else None

    def _begin_with(self, path: Path) -> None:
        if path.is_dir():
            self._begin_with_folder(path)
            return
        import torch

        config = self.base.config
        adapter = read_adapter(path, config.num_attention_heads, config.num_key_value_heads)
        ours = layers_of(self.parameters)
        self._same_shape(path, adapter.rank, set(adapter.layers), set(ours))
        # The file's update is alpha/rank x B A; another alpha in the recipe must not change where training begins.
        scale = adapter.alpha / self.recipe.alpha
        with torch.no_grad():
            for name, (a, b) in ours.items():
                a.copy_(torch.from_numpy(adapter.layers[name][0]))
                b.copy_(torch.from_numpy(adapter.layers[name][1] * scale))

    def _begin_with_folder(self, path: Path) -> None:
        import torch
        from peft import PeftConfig
        from safetensors.torch import load_file

        try:
            config, values = PeftConfig.from_pretrained(str(path)), load_file(path / "adapter_model.safetensors")
        except (OSError, ValueError) as problem:
            raise DriftgateError(f"{path} is no adapter of peft: {problem}", "name a folder a trainer wrote") from None
        ours = {name.replace(".default", ""): p for name, p in self.parameters.items()}
        self._same_shape(path, config.r, set(values), set(ours))
        scale = config.lora_alpha / self.recipe.alpha
        with torch.no_grad():
            for name, parameter in ours.items():
                parameter.copy_(values[name] * (scale if ".lora_B" in name else 1.0))

    def _same_shape(self, path: Path, rank: int, theirs: set[str], ours: set[str]) -> None:
        if rank != self.recipe.rank or theirs != ours:
            raise DriftgateError(
                f"the adapter {path.name} has rank {rank} on {len(theirs)} layers; "
                f"the recipe asks for rank {self.recipe.rank} on {len(ours)}",
                "set the recipe's rank to the adapter's, or train from the base model",
            )

    def _put(self, values: dict[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for name, value in values.items():
                self.parameters[name].copy_(value)

    def _keep(self) -> None:
        import torch

        content = io.BytesIO()
        torch.save(
            {
                **asdict(self.kept),
                "parameters": {name: p.detach() for name, p in self.parameters.items()},
                "optimiser": self.optimiser.state_dict(),
                "best": self.best,
            },
            content,
        )
        write_atomically(self.folder / CHECKPOINT, content.getvalue())

    def _restore(self) -> None:
        import torch

        kept = torch.load(self.folder / CHECKPOINT, weights_only=True, map_location=self.base.device)
        self._put(kept.pop("parameters"))
        self.optimiser.load_state_dict(kept.pop("optimiser"))
        self.best = kept.pop("best")
        self.kept = Kept(**kept)
