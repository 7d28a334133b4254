"""A team's own questions in a JSON Lines file; see :class:`driftgate.benchmarks.datasets._own.OwnConfig`."""

from __future__ import annotations

from typing import Literal

from driftgate.benchmarks.datasets._dataset import DatasetKind
from driftgate.benchmarks.datasets._own import OwnConfig, load_own


class JsonlConfig(OwnConfig):
    """A file with one JSON object a line."""

    kind: Literal["jsonl"]
    """``jsonl``."""


KIND = DatasetKind(JsonlConfig, load_own)
