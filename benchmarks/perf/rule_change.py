"""What a LoRA learns of a changed rule on this machine: ``python -m benchmarks.perf.rule_change FOLDER [SEED ...]``.

A champion is trained on the tickets of :mod:`driftgate.finetune.demo` under the old policy, a candidate goes on from it
with tickets of the new rule and of the old ones; base, champion and candidate are served by the local provider and
asked the hold-out through the flow. Printed: accuracy by slice, McNemar's exact p of candidate against champion on the
hold-out under the new policy, seconds and memory. FOLDER keeps the jobs: run it again and it goes on.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftgate.benchmarks.stats import mcnemar_exact
from driftgate.finetune.demo import AFTER, BEFORE, NEW_SLICE, rows, tickets
from driftgate.finetune.train import Recipe, TrainedModel, TrainingItem, TrainingJob, write_items
from driftgate.finetune.train.local import LocalTrainer
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, Engine
from driftgate.flows.line import Line
from driftgate.flows.models import Model
from driftgate.flows.models.local import LocalConfig, open_model
from driftgate.flows.prompts import prompt_of

BASE: Mapping[str, Any] = {"provider": "local", "model": "gemma3-270m", "context": 1024, "threads": 1}
CHAMPION = Recipe(learning_rate=1e-3, steps=120, settled=0.5)
CANDIDATE = Recipe(learning_rate=1e-3, steps=60, settled=0.5, warm_up=5)
Row = Mapping[str, Any]


def material(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Questions by what they are for; training and hold-out share no phrasing."""
    old, new = tickets("training", 120, seed), tickets("training", 120, seed, about="new")
    return {
        "champion": rows(tickets("training", 240, seed), BEFORE),
        "candidate": rows(old, AFTER) + rows(new, AFTER),
        "old policy": rows(tickets("hold_out", 80, seed), BEFORE),
        "new policy": rows(tickets("hold_out", 80, seed), AFTER)
        + rows(tickets("hold_out", 80, seed, about="new"), AFTER),
    }


async def training_items(engine: Engine, asked: Sequence[Row]) -> list[TrainingItem]:
    """Training items from questions: the prompts the flow of ``engine`` puts to its model, and their answers."""
    return [
        TrainingItem(
            await prompt_of(engine, row),
            row["answer"],
            id=f"{row['cluster']}-{number}",
            category=row["category"],
        )
        for number, row in enumerate(asked)
    ]


def train(name: str, base: Mapping[str, Any], items: Path, recipe: Recipe, seed: int, folder: Path) -> TrainedModel:
    """Train to the end, or find what is there."""
    trainer = LocalTrainer()
    handle = trainer.submit(TrainingJob(name, base, items, folder, folder / name, recipe=recipe, seed=seed))
    while (status := trainer.poll(handle)).state == "running":
        time.sleep(1)
    if status.state == "failed":
        raise SystemExit(f"{name}: {status.detail}")
    return trainer.result(handle)


async def answers(engine: Engine, model: Model, asked: Sequence[Row]) -> list[bool]:
    """Whether each question was answered right, through the flow."""
    right = []
    for row in asked:
        result = await engine.run_line({**row, "scoring": "logprobs"}, Line({"": model}))
        right.append(result.output is not None and result.output["answer"] == row["answer"])
    return right


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)


async def measure(seed: int, folder: Path) -> None:
    """Train and ask, and print what came of it."""
    engine = ENGINES.get("native")(load_flow("multiple_choice", folder))
    made = material(seed)
    for use in ("champion", "candidate"):
        path = folder / f"{use}-{seed}.jsonl"
        if not path.exists():
            write_items(path, await training_items(engine, made[use]))
    champion = train(f"champion-{seed}", BASE, folder / f"champion-{seed}.jsonl", CHAMPION, seed, folder)
    candidate = train(f"candidate-{seed}", champion.model, folder / f"candidate-{seed}.jsonl", CANDIDATE, seed, folder)
    for name, trained in (("champion", champion), ("candidate", candidate)):
        m = trained.metrics
        print(
            f"seed {seed} {name}: {m['steps']} steps, {m['processor_seconds']:.0f} s processor, {m['seconds']:.0f} s, "
            f"{m['peak_memory_bytes'] / 1e9:.1f} GB, loss {m['loss_last_ten']:.3f}",
            flush=True,
        )
    right: dict[str, list[bool]] = {}
    after, is_new = made["new policy"], [row["category"] == NEW_SLICE for row in made["new policy"]]
    for name, config in (("base", BASE), ("champion", champion.model), ("candidate", candidate.model)):
        model = open_model(name, LocalConfig.model_validate(dict(config)), folder)
        began = time.perf_counter()
        before = await answers(engine, model, made["old policy"])
        right[name] = await answers(engine, model, after)
        each = (time.perf_counter() - began) / (len(before) + len(after))
        await model.aclose()
        known, new = (
            [ok for ok, n in zip(right[name], is_new, strict=True) if n is wanted] for wanted in (False, True)
        )
        print(
            f"seed {seed} {name}: old policy {_share(before):.3f}, new policy known products {_share(known):.3f}, "
            f"new product {_share(new):.3f}; {each * 1000:.0f} ms a question",
            flush=True,
        )
    pairs = list(zip(right["champion"], right["candidate"], strict=True))
    gained, lost = pairs.count((False, True)), pairs.count((True, False))
    print(f"seed {seed}: gained {gained}, lost {lost}, p = {mcnemar_exact(gained, lost):.2g}", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measure for each seed."""
    folder = Path(arguments[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for seed in map(int, arguments[1:] or ["0", "1"]):
        asyncio.run(measure(seed, folder))


if __name__ == "__main__":
    main(sys.argv[1:])
