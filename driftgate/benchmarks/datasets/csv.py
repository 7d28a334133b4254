"""A team's own questions in a CSV file; see :class:`driftgate.benchmarks.datasets._own.TextConfig`."""

from __future__ import annotations

from typing import Literal

from driftgate.benchmarks.datasets._dataset import DatasetKind
from driftgate.benchmarks.datasets._own import TextConfig, load_own


class CsvConfig(TextConfig):
    """A CSV file with a header."""

    kind: Literal["csv"]
    """``csv``."""


KIND = DatasetKind(CsvConfig, load_own)
