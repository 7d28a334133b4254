"""The small Korean set that ships with driftgate: 176 four-choice questions over eight categories."""

from __future__ import annotations

from pathlib import Path

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind
from driftgate.benchmarks.datasets._shipped import shipped


class SampleConfig(DatasetConfig):
    """The sample set; it has no settings."""


def load(name: str, config: SampleConfig, folder: Path) -> Dataset:
    """Read the sample set from the installed package."""
    return shipped(name, "sample", lambda row: {key: row[key] for key in ("question", "choices", "answer")})


KIND = DatasetKind(SampleConfig, load)
