"""Twelve short made-up conversations; the reply to the last question stands in what was said before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind
from driftgate.benchmarks.datasets._shipped import shipped


class DialoguesConfig(DatasetConfig):
    """The conversations; they have no settings."""

    kind: Literal["dialogues"]
    """``dialogues``."""


def load(name: str, config: DialoguesConfig, folder: Path) -> Dataset:
    """Read the conversations from the installed package, with their history in prompt flow's form."""

    def read(row: Mapping[str, Any]) -> dict[str, Any]:
        history = [{"inputs": {"question": said}, "outputs": {"answer": heard}} for said, heard in row["history"]]
        return {
            "question": row["question"],
            "chat_history": history,
            "answer": row["answer"],
            "facts": [row["answer"]] if history else [],
        }

    return shipped(name, "dialogues", read)


KIND = DatasetKind(DialoguesConfig, load)
