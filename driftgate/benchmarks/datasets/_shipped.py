"""Datasets that ship with driftgate: one folder each, JSON Lines, written for the project."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from driftgate.benchmarks.datasets._dataset import Dataset
from driftgate.flows.sample import Sample, make_sample
from driftgate.shipped import shipped as shipped_folder

Read = Callable[[Mapping[str, Any]], dict[str, Any]]


def shipped(name: str, kind: str, read: Read, cluster: Callable[[Mapping[str, Any]], str] = lambda row: "") -> Dataset:
    """Read ``sample_sets/KIND/test.jsonl`` and, where there is one, ``dev.jsonl`` beside it.

    Parameters
    ----------
    read : callable
        What of a line becomes the sample's data.
    cluster : callable
        What samples that belong together have in common.
    """
    samples = {split: _read(kind, split, read, cluster) for split in ("test", "dev")}
    return Dataset(name, samples["test"], samples["dev"], licence="MIT", source="written for driftgate")


def _read(kind: str, split: str, read: Read, cluster: Callable[[Mapping[str, Any]], str]) -> list[Sample]:
    file = shipped_folder("benchmarks") / "sample_sets" / kind / f"{split}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [
        make_sample(
            kind,
            split,
            position,
            read(row),
            id=row["id"],
            category=row["category"],
            super_category=row.get("super_category", ""),
            cluster=cluster(row),
        )
        for position, row in enumerate(map(json.loads, lines))
    ]
