"""Train a LoRA adapter: ``python -m driftgate.finetune.train._lora JOB.json``.

A process of its own, so that it can be killed and taken up again: it keeps a checkpoint beside the job's file, goes
on from it when it is started anew, and writes ``result.json`` last. The same program is what runs on Azure ML.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.finetune.train._adapter import write_adapter
from driftgate.finetune.train._architectures import check_base
from driftgate.finetune.train._examples import Example, as_example
from driftgate.finetune.train._files import write_atomically
from driftgate.finetune.train._items import TrainingItem, read_items
from driftgate.finetune.train._job import FAILURE, PROGRESS, RESULT, LoraJob, content_sha256, hashes
from driftgate.finetune.train._loss import Pair
from driftgate.finetune.train._tracking import Tracking
from driftgate.finetune.train._trainer import Recipe
from driftgate.finetune.train._training import Answers, Objective, Preferences, Training
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_private

PROGRAM = "driftgate.finetune.train._lora"
"""The module that is run: in a process of its own here, and by the command of a job on a cluster."""


def run(job: LoraJob, folder: Path) -> None:
    """Train, from the last checkpoint where there is one, and write the adapter and ``result.json`` into ``folder``.

    Everything that can be refused is refused before the first step.

    Raises
    ------
    DriftgateError
        The job cannot be done: a file changed since it was submitted, the base is of an architecture that cannot be
        trained, there is no such device, or the items do not fit the recipe.
    """
    began = time.monotonic()
    found = hashes(job)
    for key, expected in job.sha256.items():
        if found.get(key) != expected:
            raise DriftgateError(
                f"job '{job.name}': the file of its {key} is not the one it was submitted with",
                "put the file back, or submit a job of another name",
            )
    check_base(job.base)
    items = read_items(job.items)
    validation = read_items(job.validation) if job.validation else []
    recipe = job.recipe.over(len(items))
    _check_items(recipe, items, validation)
    import torch

    from driftgate.finetune.train._base import device_for, device_name, load_base

    device = device_for(recipe.device, recipe.four_bit)
    torch.set_num_threads(recipe.threads)
    torch.set_flush_denormal(True)
    _report(folder, state="loading the base model", step=0, steps=recipe.steps)
    base, tokenizer = load_base(job.base, device, recipe.four_bit)
    print(f"device {device_name(device)}, {base.dtype}, {recipe.threads} threads", flush=True)
    objective = _objective(job, recipe, tokenizer, items, validation)
    with Tracking(job) as tracking:

        def report(**progress: Any) -> None:
            _report(folder, **progress)
            tracking.step(progress)

        training = Training(job, recipe, folder, base, objective, report)
        training.run()
        metrics = training.metrics()
        if validation:
            _report(folder, state="measuring on the validation items", step=training.kept.step, steps=recipe.steps)
            metrics |= objective.measured(base)
        tracking.end(metrics)
    adapter = _write(training, folder, job, found)
    # The last start's alone: what a killed one took is not known.
    metrics["program_seconds"] = round(time.monotonic() - began, 1)
    result = {
        "name": job.name,
        "adapter": adapter.name,
        "metrics": metrics,
        "losses": [round(loss, 6) for loss in training.kept.losses],
        "validation_losses": [(step, round(loss, 6)) for step, loss in training.kept.validation],
        "lineage": {
            "sha256": {**found, "result": content_sha256(adapter)},
            "items": len(items),
            "items_by_category": dict(sorted(Counter(item.category for item in items).items())),
            "recipe": job.recipe.model_dump(),
            "seed": job.seed,
            "prompt_format": job.prompt_format,
            "architecture": base.config.model_type,
            "device": device_name(device),
            "dtype": str(base.dtype).removeprefix("torch."),
            "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    write_atomically(folder / RESULT, json.dumps(result, ensure_ascii=False, indent=1).encode())
    training.forget()


def _write(training: Training, folder: Path, job: LoraJob, found: dict[str, str]) -> Path:
    """The adapter in the form in which it is laid over its base: GGUF over a GGUF, peft's folder over a folder."""
    path = folder / job.result_name
    if job.base.is_dir():
        training.wrapped.save_pretrained(path)
        make_private(path)
    else:
        write_adapter(path, training.adapter(), {"driftgate.base.sha256": found.get("base", "")})
    return path


def _objective(
    job: LoraJob, recipe: Recipe, tokenizer: Any, items: Sequence[TrainingItem], validation: Sequence[TrainingItem]
) -> Objective:
    def example(item: TrainingItem, answer: str | None = None) -> Example:
        return as_example(item, tokenizer, job.prompt_format, recipe.longest, recipe.end_of_text, answer)

    if recipe.method == "dpo":
        pairs, held_out = (
            [Pair(example(one), example(one, one.rejected)) for one in some] for some in (items, validation)
        )
        return Preferences(pairs, held_out, recipe.batch, recipe.beta)
    row_length = recipe.longest if recipe.packed else 0
    return Answers([*map(example, items)], [*map(example, validation)], recipe.batch, row_length)


def _check_items(recipe: Recipe, items: Sequence[TrainingItem], validation: Sequence[TrainingItem]) -> None:
    if recipe.evaluate_every and not validation:
        raise DriftgateError(
            "the recipe measures on validation items on the way, and the job has none",
            "give it validation items, or leave evaluate_every out",
        )
    alone = [one for one in (*items, *validation) if not one.rejected] if recipe.method == "dpo" else []
    if alone:
        raise DriftgateError(
            f"the recipe trains by preference, and {len(alone)} items have no rejected answer, the first is "
            f"'{alone[0].id or alone[0].prompt[:40]}'",
            "give each item a 'rejected' answer, or train with method: sft",
        )


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
