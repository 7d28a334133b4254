"""What a dataset is, and what one of its samples is."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.flows.errors import DriftgateError
from driftgate.flows.registry import Registry


@dataclass(frozen=True, slots=True)
class Sample:
    """One question.

    A sample is known by dataset, split, subset, position and content; an upstream id alone may stand twice.
    """

    dataset: str
    """Name of the dataset kind, for example ``kmmlu``."""
    split: str
    subset: str
    """The upstream file or configuration the sample stands in, for example ``Accounting``; may be empty."""
    position: int
    """Place within the subset, from 0, in upstream order."""
    id: str
    """Upstream's id, or ``subset:position`` where upstream gives none."""
    category: str
    super_category: str
    data: Mapping[str, Any]
    """What flows and evaluators may map from: ``question``, ``choices``, ``answer`` and so on."""
    content_hash: str
    cluster: str = ""
    """Samples that share a passage share a cluster; empty where a sample stands alone."""

    @property
    def key(self) -> str:
        """``dataset/split/subset/position/hash``, stable across runs and machines."""
        return f"{self.dataset}/{self.split}/{self.subset}/{self.position}/{self.content_hash}"


def make_sample(
    dataset: str,
    split: str,
    position: int,
    data: Mapping[str, Any],
    *,
    subset: str = "",
    id: str = "",
    category: str = "",
    super_category: str = "",
    cluster: str = "",
) -> Sample:
    """Make a sample, hashing its content in Unicode form NFC.

    Examples
    --------
    >>> s = make_sample("demo", "test", 0, {"question": "1+1?", "choices": ["1", "2"], "answer": "B"})
    >>> s.key
    'demo/test//0/6e08e9eba6d6'
    """
    content = unicodedata.normalize("NFC", json.dumps(data, sort_keys=True, ensure_ascii=False))
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    own_id = id or f"{subset}:{position}"
    return Sample(dataset, split, subset, position, own_id, category, super_category, dict(data), digest, cluster)


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
        What a subset says of its whole: how a score of the whole is predicted, and how well. See `driftgate.benchmarks.subset`.
    """

    name: str
    samples: Sequence[Sample]
    shots: Sequence[Sample] = ()
    licence: str = ""
    source: str = ""
    stands_for: Mapping[str, Any] | None = None

    @property
    def fingerprint(self) -> str:
        """Hash over the keys of all samples: 12 hexadecimal digits."""
        return hashlib.sha256("\n".join(s.key for s in self.samples).encode()).hexdigest()[:12]

    def examples(self, sample: Sample, count: int) -> list[Mapping[str, Any]]:
        """The first ``count`` few-shot examples for a sample, never the sample itself.

        They come from the sample's category where it has any, else from the whole dataset.
        """
        own = [shot for shot in self.shots if shot.category == sample.category] or self.shots
        return [shot.data for shot in own if shot.content_hash != sample.content_hash][:count]


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
    """
    dataset = DATASETS.get(config.kind).load(name, config, folder)
    if not dataset.samples:
        raise DriftgateError(f"dataset '{name}' has no samples", "check its path and its filters")
    return dataset
