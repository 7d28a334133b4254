"""Train a LoRA adapter: ``python -m driftgate.finetune.train._lora JOB.json``.

A process of its own, so that it can be killed and taken up again: it keeps a checkpoint beside the job's file, goes
on from it when it is started anew, and writes ``result.json`` last. The same script is what runs on Azure ML.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from driftgate.finetune.train._adapter import (
    ARCHITECTURES,
    LINEAR_LAYERS,
    Adapter,
    layers_of,
    read_adapter,
    write_adapter,
)
from driftgate.finetune.train._examples import Example, answer_loss, as_example, batch_at, measure
from driftgate.finetune.train._files import sha256_of, write_atomically
from driftgate.finetune.train._items import TrainingItem, read_items
from driftgate.finetune.train._trainer import Recipe
from driftgate.flows.errors import DriftgateError

ADAPTER, CHECKPOINT, PROGRESS, RESULT, FAILURE = (
    "adapter.gguf",
    "checkpoint.pt",
    "progress.json",
    "result.json",
    "failure.json",
)


class LoraJob(BaseModel):
    """The file the script is started with; paths are absolute or relative to it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """The job's name."""
    base: Path
    """A GGUF, or a model folder in the hub's format."""
    adapter: Path | None = None
    """Adapter to go on from."""
    prompt_format: Literal["document", "chat"]
    """How the model is served; see :class:`driftgate.flows.models.local.LocalConfig`."""
    items: Path
    """Training items."""
    validation: Path | None = None
    """Items to measure the result on."""
    sha256: dict[str, str] = {}
    """Expected hashes of ``base``, ``adapter``, ``items`` and ``validation`` where they are files."""
    recipe: Recipe
    """How to train."""
    seed: int
    """Decides the adapter's first values and the order of the items."""

    def inside(self, folder: Path) -> LoraJob:
        """Resolve the paths against the folder of the job's file."""
        paths = {key: getattr(self, key) for key in ("base", "adapter", "items", "validation")}
        return self.model_copy(update={key: folder / path for key, path in paths.items() if path is not None})


def hashes(job: LoraJob) -> dict[str, str]:
    """SHA-256 of each file the job reads."""
    paths = {key: getattr(job, key) for key in ("base", "adapter", "items", "validation")}
    return {key: sha256_of(path) for key, path in paths.items() if path is not None and path.is_file()}


def run(job: LoraJob, folder: Path) -> None:
    """Train, from the last checkpoint where there is one, and write the adapter and ``result.json`` into ``folder``.

    Raises
    ------
    DriftgateError
        The job cannot be done: a file changed since it was submitted, or the items do not fit the recipe.
    """
    found = hashes(job)
    for key, expected in job.sha256.items():
        if found.get(key) != expected:
            raise DriftgateError(
                f"job '{job.name}': the file of its {key} is not the one it was submitted with",
                "put the file back, or submit a job of another name",
            )
    import torch

    from driftgate.finetune.train._base import load_base

    torch.set_num_threads(job.recipe.threads)
    torch.set_flush_denormal(True)
    _report(folder, state="loading the base model", step=0, steps=job.recipe.steps)
    base, tokenizer = load_base(job.base)
    items = read_items(job.items)
    examples = _examples(items, job, tokenizer)
    held_out = _examples(read_items(job.validation), job, tokenizer) if job.validation else []
    training = _Training(job, folder, base, examples)
    training.run()
    base.eval()
    metrics = training.metrics()
    if held_out:
        _report(folder, state="measuring on the validation items", step=training.step, steps=job.recipe.steps)
        metrics["validation_loss"], metrics["validation_accuracy"] = measure(base, held_out, job.recipe.batch)
    write_adapter(folder / ADAPTER, training.adapter(), {"driftgate.base.sha256": found.get("base", "")})
    result = {
        "name": job.name,
        "adapter": ADAPTER,
        "metrics": metrics,
        "losses": [round(loss, 6) for loss in training.losses],
        "lineage": {
            "sha256": {**found, "result": sha256_of(folder / ADAPTER)},
            "items": len(items),
            "items_by_category": dict(sorted(Counter(item.category for item in items).items())),
            "recipe": job.recipe.model_dump(),
            "seed": job.seed,
            "prompt_format": job.prompt_format,
            "dtype": str(base.dtype).removeprefix("torch."),
            "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    write_atomically(folder / RESULT, json.dumps(result, ensure_ascii=False, indent=1).encode())
    (folder / CHECKPOINT).unlink(missing_ok=True)


class _Training:
    """One run over the steps; everything that changes is in the checkpoint."""

    def __init__(self, job: LoraJob, folder: Path, base: Any, examples: Sequence[Example]) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        self.job, self.folder, self.base, self.examples = job, folder, base, examples
        self.step, self.losses = 0, list[float]()
        self.settled_at: int | None = None
        self.seconds = self.processor_seconds = 0.0
        torch.manual_seed(job.seed)
        config = LoraConfig(r=job.recipe.rank, lora_alpha=job.recipe.alpha, target_modules=list(LINEAR_LAYERS))
        wrapped = get_peft_model(base, config)
        self.parameters = {name: p for name, p in wrapped.named_parameters() if p.requires_grad}
        self.optimiser = torch.optim.AdamW(self.parameters.values(), weight_decay=0.0)
        if job.adapter is not None:
            self._begin_with(job.adapter)
        if (folder / CHECKPOINT).exists():
            self._restore()

    def run(self) -> None:
        """Take the steps that are left."""
        recipe = self.job.recipe
        self.base.train()
        began, processor = time.monotonic() - self.seconds, time.process_time() - self.processor_seconds
        while self.step < self._last_step():
            self.losses.append(self._take_step())
            self.step += 1
            self.settled_at = self.settled_at or self._settled()
            self.seconds, self.processor_seconds = time.monotonic() - began, time.process_time() - processor
            _report(
                self.folder,
                state="training",
                step=self.step,
                steps=self._last_step(),
                loss=self.losses[-1],
                seconds=round(self.seconds, 1),
            )
            if self.step % recipe.checkpoint_every == 0:
                self._keep()
        self._keep()

    def metrics(self) -> dict[str, float]:
        """What was measured, over all the starts together."""
        import resource

        return {
            "steps": self.step,
            "loss_first": self.losses[0],
            "loss_last_ten": sum(self.losses[-10:]) / len(self.losses[-10:]),
            "seconds": round(self.seconds, 1),
            "processor_seconds": round(self.processor_seconds, 1),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "trained_parameters": sum(p.numel() for p in self.parameters.values()),
        }

    def adapter(self) -> Adapter:
        """The adapter as it stands."""
        config = self.base.config
        layers = {
            name: (a.detach().float().cpu().numpy(), b.detach().float().cpu().numpy())
            for name, (a, b) in layers_of(self.parameters).items()
        }
        return Adapter(
            _architecture(config), self.job.recipe.alpha, layers, config.num_attention_heads, config.num_key_value_heads
        )

    def _take_step(self) -> float:
        import torch

        recipe = self.job.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate_at(self.step, self.settled_at)
        chosen = batch_at(self.step, recipe.batch, len(self.examples), self.job.seed)
        loss = answer_loss(self.base, [self.examples[position] for position in chosen])
        if not torch.isfinite(loss):
            raise DriftgateError(
                f"the loss of step {self.step + 1} is {float(loss)}", "lower the recipe's learning rate"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return float(loss.detach())

    def _settled(self) -> int | None:
        """The present step where the loss has just settled."""
        last = self.losses[-10:]
        return self.step if len(last) == 10 and sum(last) / 10 < self.job.recipe.settled else None

    def _last_step(self) -> int:
        recipe = self.job.recipe
        return recipe.steps if self.settled_at is None else min(recipe.steps, self.settled_at + recipe.cool_down)

    def _begin_with(self, path: Path) -> None:
        import torch

        config = self.base.config
        adapter = read_adapter(path, config.num_attention_heads, config.num_key_value_heads)
        ours = layers_of(self.parameters)
        if adapter.rank != self.job.recipe.rank or set(adapter.layers) != set(ours):
            raise DriftgateError(
                f"the adapter {path.name} has rank {adapter.rank} on {len(adapter.layers)} layers; "
                f"the recipe asks for rank {self.job.recipe.rank} on {len(ours)}",
                "set the recipe's rank to the adapter's, or train from the base model",
            )
        # The file's update is alpha/rank x B A; another alpha in the recipe must not change where training begins.
        scale = adapter.alpha / self.job.recipe.alpha
        with torch.no_grad():
            for name, (a, b) in ours.items():
                a.copy_(torch.from_numpy(adapter.layers[name][0]))
                b.copy_(torch.from_numpy(adapter.layers[name][1] * scale))

    def _keep(self) -> None:
        import torch

        content = io.BytesIO()
        torch.save(
            {
                "step": self.step,
                "losses": self.losses,
                "settled_at": self.settled_at,
                "seconds": self.seconds,
                "processor_seconds": self.processor_seconds,
                "parameters": {name: p.detach() for name, p in self.parameters.items()},
                "optimiser": self.optimiser.state_dict(),
            },
            content,
        )
        write_atomically(self.folder / CHECKPOINT, content.getvalue())

    def _restore(self) -> None:
        import torch

        kept = torch.load(self.folder / CHECKPOINT, weights_only=True)
        self.step, self.losses, self.settled_at = kept["step"], kept["losses"], kept["settled_at"]
        self.seconds, self.processor_seconds = kept["seconds"], kept["processor_seconds"]
        with torch.no_grad():
            for name, value in kept["parameters"].items():
                self.parameters[name].copy_(value)
        self.optimiser.load_state_dict(kept["optimiser"])


def _examples(items: Sequence[TrainingItem], job: LoraJob, tokenizer: Any) -> list[Example]:
    recipe = job.recipe
    return [as_example(item, tokenizer, job.prompt_format, recipe.longest, recipe.end_of_text) for item in items]


def _architecture(config: Any) -> str:
    if config.model_type not in ARCHITECTURES:
        raise DriftgateError(
            f"the base model is a '{config.model_type}', whose adapters cannot be written for llama.cpp",
            f"fine-tune one of: {', '.join(sorted(ARCHITECTURES))}",
        )
    return ARCHITECTURES[config.model_type]


def _report(folder: Path, **progress: Any) -> None:
    write_atomically(folder / PROGRESS, json.dumps(progress).encode())


def main(arguments: Sequence[str]) -> int:
    """Run the job of the file named; write ``failure.json`` where it cannot be done."""
    file = Path(arguments[0]).resolve()
    folder = file.parent
    try:
        run(LoraJob.model_validate_json(file.read_bytes()).inside(folder), folder)
    except Exception as problem:  # whatever it is, the one who polls must be told
        said = str(problem) if isinstance(problem, DriftgateError) else f"{type(problem).__name__}: {problem}"
        write_atomically(folder / FAILURE, json.dumps({"problem": said}, ensure_ascii=False).encode())
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
