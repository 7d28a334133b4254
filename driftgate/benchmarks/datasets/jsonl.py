"""A team's own questions in a JSON Lines file; see :class:`driftgate.benchmarks.datasets._own.TextConfig`."""

from __future__ import annotations

from typing import Literal

from driftgate.benchmarks.datasets._dataset import DatasetKind
from driftgate.benchmarks.datasets._own import TextConfig, load_own


class JsonlConfig(TextConfig):
    """A file with one JSON object a line."""

    kind: Literal["jsonl"]
    """``jsonl``."""


KIND = DatasetKind(JsonlConfig, load_own)
