"""KMMLU-Pro: 2,822 questions of Korean professional licensing exams, four or five choices.

Hong et al., From KMMLU-Redux to KMMLU-Pro: A Professional Korean Benchmark Suite for LLM Evaluation, 2025,
arXiv:2507.08924.

Layout: files whose names hold ``test``, in any folder of the repository (its configuration is called ``kmmlu_pro``),
with the columns ``question, options`` (a list), ``solution`` (the number of the right one, as text), ``score,
license_name, subject, year, round, session``. One split. The repository is gated: accept its terms and set
``HF_TOKEN``. Columns, their types, split and number of rows verified against a public report of an inspection of the
repository (revision ``e1567939``) and two public readers (NeMo-Skills, an inspect_ai task). The names of its files and
of its licences are not known here, and it was not run on the files.

The category is the licence, the super-category the paper's field. The paper also asks whether a licence's exam would be
passed (at least 40% in each subject and 60% on average, weighted by ``score``); accuracy by category is not that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._options import option_rows, question_of
from driftgate.benchmarks.datasets._rows import Row
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories
from driftgate.flows.sample import Sample, make_sample, told_apart

FIELDS = {
    "Law": ["변호사", "법무사", "변리사", "공인노무사"],
    "Accounting, Tax and Appraisal": ["공인회계사", "세무사", "관세사", "감정평가사", "손해사정사"],
    "Medicine": ["의사", "치과의사", "한의사", "약사", "한약사"],
}
"""Licences by field; one that is not among them is of the field :data:`OTHER`."""
OTHER = "Other"
_FIELD_OF = {licence: field for field, licences in FIELDS.items() for licence in licences}


class KmmluProConfig(UpstreamConfig):
    """KMMLU-Pro."""

    kind: Literal["kmmlu_pro"]
    """``kmmlu_pro``."""
    hub: str = "LGAI-EXAONE/KMMLU-Pro"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: KmmluProConfig, folder: Path) -> Dataset:
    """Read KMMLU-Pro; see :mod:`driftgate.benchmarks.datasets.kmmlu_pro` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    rows, source = option_rows(name, config, folder)
    samples = told_apart(_sample(row, position) for position, row in enumerate(rows))
    chosen = choose_categories(name, config.categories, (sample.category for sample in samples))
    kept = [sample for sample in samples if sample.category in chosen]
    return Dataset(name, kept, licence="CC BY-NC-ND 4.0", source=source)


def _sample(row: Row, position: int) -> Sample:
    licence = row.text("license_name").strip()
    return make_sample(
        "kmmlu_pro",
        "test",
        position,
        {**question_of(row), "subject": row.text("subject").strip(), "year": row.text("year")},
        category=licence,
        super_category=_FIELD_OF.get(licence, OTHER),
    )


KIND = DatasetKind(KmmluProConfig, load)
