"""KMMLU-HARD: the KMMLU questions that strong models got wrong, 4,104 of them over the same 45 subjects.

Son et al., KMMLU: Measuring Massive Multitask Language Understanding in Korean, 2024, arXiv:2402.11548.

Layout: ``data/SUBJECT-SPLIT.csv`` with the subject in lower case and underscores, splits ``test`` and ``dev``, columns
``question, answer (1 to 4), A, B, C, D``. File names verified against the hub's listing of
``data/agricultural_sciences-dev.csv``, columns and splits against lm-evaluation-harness
(``lm_eval/tasks/kmmlu/hard``) and evaluate-llm-on-korean-dataset (``benchmarks/kmmlu_main.py``); not run on the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._upstream import UpstreamConfig
from driftgate.benchmarks.datasets.kmmlu import load_subjects


class KmmluHardConfig(UpstreamConfig):
    """KMMLU-HARD."""

    kind: Literal["kmmlu_hard"]
    """``kmmlu_hard``."""
    hub: str = "HAERAE-HUB/KMMLU-HARD"
    """Dataset repository on the Hugging Face Hub."""
    split: Literal["test", "dev"] = "test"
    """What is asked; few-shot examples always come from ``dev``, and there are none where ``dev`` is asked."""


def load(name: str, config: KmmluHardConfig, folder: Path) -> Dataset:
    """Read KMMLU-HARD; see :mod:`driftgate.benchmarks.datasets.kmmlu_hard` for the layout."""
    return load_subjects(name, config, folder, config.split)


KIND = DatasetKind(KmmluHardConfig, load)
