"""The small Korean set that ships with driftgate: 176 four-choice questions over eight categories."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind, Sample, make_sample

_FOLDER = Path(__file__).parent / "sample_data"


class SampleConfig(DatasetConfig):
    """The sample set; it has no settings."""


def load(name: str, config: SampleConfig, folder: Path) -> Dataset:
    """Read the sample set from the installed package."""
    return Dataset(
        name,
        _read("test"),
        _read("dev"),
        licence="MIT",
        source="written for driftgate",
    )


def _read(split: str) -> list[Sample]:
    lines = (_FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    samples = []
    for position, row in enumerate(json.loads(line) for line in lines):
        data = {key: row[key] for key in ("question", "choices", "answer")}
        samples.append(
            make_sample(
                "sample",
                split,
                position,
                data,
                id=row["id"],
                category=row["category"],
                super_category=row["super_category"],
            )
        )
    return samples


KIND = DatasetKind(SampleConfig, load)
