"""What a dataset is, and what one of its samples is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.flows.errors import DriftgateError
from driftgate.flows.registry import Registry
from driftgate.flows.sample import Sample, told_apart


@dataclass(frozen=True)
class Dataset:
    """A dataset in memory.

    Attributes
    ----------
    name : str
        Its name in the workspace.
    samples : sequence of Sample
        What is asked, in upstream order.
    shots : sequence of Sample
        What few-shot examples are drawn from. KMMLU ships one question in both; see :meth:`examples`.
    licence, source : str
        Upstream's licence, and where it was read from, for the report.
    stands_for : mapping, optional
        What a subset says of its whole: how a score of the whole is predicted, and how well. See
        `driftgate.benchmarks.subset`.
    """

    name: str
    samples: Sequence[Sample]
    shots: Sequence[Sample] = ()
    licence: str = ""
    source: str = ""
    stands_for: Mapping[str, Any] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hash over what is asked and the right answers, in any order: 12 hexadecimal digits."""
        asked = sorted(f"{sample.key} {sample.data.get('answer')}" for sample in self.samples)
        return hashlib.sha256("\n".join(asked).encode(errors="replace")).hexdigest()[:12]

    def examples(self, sample: Sample, count: int) -> list[Mapping[str, Any]]:
        """The first ``count`` few-shot examples for a sample, never the sample itself.

        They come from the sample's category where it has any, else from the whole dataset.
        """
        own = [shot for shot in self.shots if shot.category == sample.category] or self.shots
        return [shot.data for shot in own if shot.asked != sample.asked][:count]


class DatasetConfig(BaseModel):
    """A named dataset of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: str
    """``sample``, ``handbook``, ``kmmlu``, ``click``, ``csv``, ``jsonl``, another member or a plugin's name."""


@dataclass(frozen=True)
class DatasetKind:
    """A kind of dataset.

    Attributes
    ----------
    config : type
        The pydantic model of its part of the workspace file.
    load : callable
        ``load(name, config, folder)`` reads it; paths are relative to ``folder``, the workspace. Raises
        :class:`~driftgate.flows.errors.DriftgateError` naming file and row where something is missing or malformed.
    """

    config: type[DatasetConfig]
    load: Callable[[str, Any, Path], Dataset]


DATASETS: Registry[DatasetKind] = Registry("dataset kind", "driftgate.benchmarks.datasets", "KIND")


def parse_config(value: Mapping[str, Any]) -> DatasetConfig:
    """Validate a dataset's part of the workspace file against its kind's configuration.

    Raises
    ------
    DriftgateError
        There is no such kind.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.
    """
    return DATASETS.get(str(value.get("kind", ""))).config.model_validate(value)


def load_dataset(name: str, config: DatasetConfig, folder: Path) -> Dataset:
    """Read a dataset of the workspace.

    Raises
    ------
    DriftgateError
        Something is missing or malformed, or the dataset is empty.

    Notes
    -----
    Samples that ask the same are numbered here; a kind that reads a file and keeps a part of it numbers them before.
    """
    dataset = DATASETS.get(config.kind).load(name, config, folder)
    if not dataset.samples:
        raise DriftgateError(f"dataset '{name}' has no samples", "check its path and its filters")
    return replace(dataset, samples=told_apart(dataset.samples), shots=told_apart(dataset.shots))
