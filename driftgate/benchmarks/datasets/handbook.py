"""Questions about the handbook of a made-up firm, whose documents ship with the flow ``rag_qa``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind
from driftgate.benchmarks.datasets._shipped import shipped


class HandbookConfig(DatasetConfig):
    """80 four-choice questions whose answers stand in one of sixteen documents, and 48 more as examples."""

    kind: Literal["handbook"]
    """``handbook``."""
    choices: bool = True
    """Whether there are choices; without them the answer is the text that stands in the document."""


def load(name: str, config: HandbookConfig, folder: Path) -> Dataset:
    """Read the questions from the installed package."""

    def read(row: Mapping[str, Any]) -> dict[str, Any]:
        data = {key: row[key] for key in ("question", "choices", "answer", "relevant", "spans")}
        return data if config.choices else {**data, "choices": [], "answer": row["spans"][0]}

    return shipped(name, "handbook", read, cluster=lambda row: str(row["relevant"][0]))


KIND = DatasetKind(HandbookConfig, load)
