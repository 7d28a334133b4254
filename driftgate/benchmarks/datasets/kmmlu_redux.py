"""KMMLU-Redux: 2,587 questions of Korean technical qualification exams, four choices, KMMLU's without its errors.

Hong et al., From KMMLU-Redux to KMMLU-Pro: A Professional Korean Benchmark Suite for LLM Evaluation, 2025,
arXiv:2507.08924.

Layout: files whose names hold ``test``, in any folder of the repository, with the columns ``question``, ``options`` (a
list of four), ``solution`` (the number of the right one, as text) and ``category`` (14 of them, in Korean). One split.
The repository is gated: accept its terms and set ``HF_TOKEN``. Columns and categories verified against a public reader
(NeMo-Skills ``nemo_skills/dataset/kmmlu-redux``), the split against several. The files' names and further columns are
not known here, and it was not run on the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._options import option_rows, question_of
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories
from driftgate.flows.sample import make_sample, told_apart

SUPER_CATEGORY = "National Technical Qualification"
"""What all of its exams are; upstream groups no further."""


class KmmluReduxConfig(UpstreamConfig):
    """KMMLU-Redux."""

    kind: Literal["kmmlu_redux"]
    """``kmmlu_redux``."""
    hub: str = "LGAI-EXAONE/KMMLU-Redux"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: KmmluReduxConfig, folder: Path) -> Dataset:
    """Read KMMLU-Redux; see :mod:`driftgate.benchmarks.datasets.kmmlu_redux` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    rows, source = option_rows(name, config, folder)
    samples = told_apart(
        make_sample(
            "kmmlu_redux",
            "test",
            position,
            question_of(row),
            category=row.text("category").strip(),
            super_category=SUPER_CATEGORY,
        )
        for position, row in enumerate(rows)
    )
    chosen = choose_categories(name, config.categories, (sample.category for sample in samples))
    kept = [sample for sample in samples if sample.category in chosen]
    return Dataset(name, kept, licence="CC BY-NC-ND 4.0", source=source)


KIND = DatasetKind(KmmluReduxConfig, load)
