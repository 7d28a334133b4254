"""Teach the embedded model to answer from a passage.

It trains on the handbook's development questions, none of which is measured. So that the model learns to read and not
the answers, each item comes several times with other numbers in passage and answer alike.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from driftgate.benchmarks.datasets import Sample, load_dataset, parse_config
from driftgate.finetune.train import TRAINERS, TrainingItem, TrainingJob, parse_trainer, train_and_wait, write_items
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, Engine
from driftgate.flows.prompts import prompt_of
from driftgate.flows.retrieval import Passage, Retriever, open_retriever
from driftgate.flows.retrieval import parse_config as parse_retriever

SEED = 20261125
ADAPTER_FOLDER = ".driftgate/handbook-tuned"
_BASE: Mapping[str, Any] = {"provider": "local", "model": "gemma3-270m", "context": 1024}
_RECIPE: Mapping[str, Any] = {"steps": 16, "batch": 4, "warm_up": 3, "learning_rate": 1e-3, "end_of_text": True}
_COPIES = 4


@dataclass(frozen=True)
class _Given:
    """A retriever that finds what it was given."""

    passages: Sequence[Passage]
    identity: Mapping[str, Any] = field(default_factory=lambda: {"kind": "given"})

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        return self.passages

    async def aclose(self) -> None:
        """Nothing is held open."""


def with_other_numbers(text: str, answer: str, rng: random.Random) -> tuple[str, str]:
    """Put other digits into a passage and, the same ones, into the answer that stands in it.

    Examples
    --------
    >>> with_other_numbers("연차는 17일, 병가는 12일이다.", "17일", random.Random(1))
    ('연차는 39일, 병가는 24일이다.', '39일')
    """
    others: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        digits = match.group()
        drawn = str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in digits[1:])
        return others.setdefault(digits, drawn)

    changed = re.sub(r"\d+", other, text)
    return changed, re.sub(r"\d+", lambda match: others.get(match.group(), match.group()), answer)


async def training_items(retriever: Retriever, samples: Sequence[Sample], engine: Engine) -> list[TrainingItem]:
    """Prompts as the flow makes them, with the words that answer them; ``_COPIES`` of each question."""
    rng = random.Random(SEED)
    items = []
    for sample in samples:
        inputs = {"question": sample.data["question"], "choices": sample.data["choices"]}
        found = await retriever.search(inputs["question"])
        for copy in range(_COPIES):
            passage, answer = found[0], str(sample.data["spans"][0])
            if copy:
                text, answer = with_other_numbers(passage.text, answer, rng)
                passage = replace(passage, text=text)
            prompt = await prompt_of(engine, inputs, _Given([passage]))
            items.append(TrainingItem(prompt, answer, id=f"{sample.id}/{copy}", category=sample.category))
    rng.shuffle(items)
    return items


def train(workspace: Path, say: Callable[[str], None]) -> str:
    """Train in ``workspace`` and return the adapter's path relative to it; ``say`` is told how far it is."""
    folder = workspace / ADAPTER_FOLDER
    dataset = load_dataset("handbook", parse_config({"kind": "handbook"}), workspace)
    retriever = open_retriever("handbook", parse_retriever({"kind": "bm25"}), workspace)
    engine = ENGINES.get("promptflow")(load_flow("rag_qa", workspace).with_variant("rag"))
    items = asyncio.run(training_items(retriever, dataset.shots, engine))
    write_items(folder / "items.jsonl", items)
    config = parse_trainer({"trainer": "local", "recipe": _RECIPE})
    job = TrainingJob(
        name="handbook-tuned",
        base_model=_BASE,
        items=folder / "items.jsonl",
        workspace=workspace,
        folder=folder,
        recipe=config.recipe,
        seed=SEED,
    )
    trained = train_and_wait(TRAINERS.get("local").open(config, workspace), job, say)
    say(f"{len(items)} items; {dict(trained.metrics)}")
    return str(trained.model["adapter"])
