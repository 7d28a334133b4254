"""A team's own questions in a CSV file; see :class:`driftgate.benchmarks.datasets._own.OwnConfig`."""

from __future__ import annotations

from typing import Literal

from driftgate.benchmarks.datasets._dataset import DatasetKind
from driftgate.benchmarks.datasets._own import OwnConfig, load_own


class CsvConfig(OwnConfig):
    """A CSV file with a header."""

    kind: Literal["csv"]
    """``csv``."""


KIND = DatasetKind(CsvConfig, load_own)
