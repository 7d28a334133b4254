"""Questions about the handbook of a made-up firm, whose documents ship with the flow ``rag_qa``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind, Sample, make_sample

_FOLDER = Path(__file__).parent / "handbook_data"


class HandbookConfig(DatasetConfig):
    """80 four-choice questions whose answers stand in one of sixteen documents, and 48 more as examples."""

    kind: Literal["handbook"]
    """``handbook``."""
    choices: bool = True
    """Whether the choices are shown; without them the answer is the text that stands in the document."""


def load(name: str, config: HandbookConfig, folder: Path) -> Dataset:
    """Read the questions from the installed package."""
    return Dataset(name, _read("test", config), _read("dev", config), licence="MIT", source="written for driftgate")


def _read(split: str, config: HandbookConfig) -> list[Sample]:
    lines = (_FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    samples = []
    for position, row in enumerate(json.loads(line) for line in lines):
        data = {key: row[key] for key in ("question", "choices", "answer", "relevant", "spans")}
        if not config.choices:
            data |= {"choices": [], "answer": row["spans"][0]}
        samples.append(
            make_sample(
                "handbook",
                split,
                position,
                data,
                id=row["id"],
                category=row["category"],
                super_category=row["super_category"],
                cluster=row["relevant"][0],
            )
        )
    return samples


KIND = DatasetKind(HandbookConfig, load)
