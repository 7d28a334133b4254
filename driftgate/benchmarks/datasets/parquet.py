"""A team's own questions in a Parquet file; see :class:`driftgate.benchmarks.datasets._own.OwnConfig`."""

from __future__ import annotations

from typing import Literal

from driftgate.benchmarks.datasets._dataset import DatasetKind
from driftgate.benchmarks.datasets._own import OwnConfig, load_own


class ParquetConfig(OwnConfig):
    """A Parquet file, as pandas, Spark or DuckDB write it."""

    kind: Literal["parquet"]
    """``parquet``."""


KIND = DatasetKind(ParquetConfig, load_own)
