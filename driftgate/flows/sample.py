"""What one sample of a dataset is."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftgate.flows.text import as_name


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
    subset, id, category, super_category = map(as_name, (subset, id, category, super_category))
    own_id = id or f"{subset}:{position}"
    return Sample(dataset, split, subset, position, own_id, category, super_category, dict(data), digest, cluster)
