"""Twelve short made-up news items, each with the facts its summary must keep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind
from driftgate.benchmarks.datasets._shipped import shipped


class NewsConfig(DatasetConfig):
    """The news items; they have no settings."""

    kind: Literal["news"]
    """``news``."""


def load(name: str, config: NewsConfig, folder: Path) -> Dataset:
    """Read the items from the installed package."""

    def read(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"question": "이 글을 요약하시오.", **{key: row[key] for key in ("article", "facts", "answer")}}

    return shipped(name, "news", read)


KIND = DatasetKind(NewsConfig, load)
