"""Datasets: questions with keys, each read from its hub repository or from a folder laid out as upstream ships it.

A dataset kind is a module of this package that exposes ``KIND``; see :class:`DatasetKind`.
"""

from driftgate.benchmarks.datasets._dataset import (
    DATASETS,
    Dataset,
    DatasetConfig,
    DatasetKind,
    load_dataset,
    parse_config,
)
from driftgate.benchmarks.datasets._subset_file import SubsetItem, SubsetPlan, read_subset, write_subset
from driftgate.flows.sample import Sample, make_sample

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetConfig",
    "DatasetKind",
    "Sample",
    "SubsetItem",
    "SubsetPlan",
    "load_dataset",
    "make_sample",
    "parse_config",
    "read_subset",
    "write_subset",
]
