"""HRM8K: 8,011 mathematical problems in Korean with numeric answers.

Ko et al., Understand, Solve and Translate: Bridging the Multilingual Mathematical Reasoning Gap, 2025,
arXiv:2501.02448.

Layout: ``HRM8K/FILE.csv`` with the files below and the columns ``question`` (Korean), ``original`` (English) and
``answer``; the local folder may be ``HRM8K`` or the one that holds it. One split, ``test``. File names verified against
the hub repository's card, columns against lm-evaluation-harness (``lm_eval/tasks/hrm8k``) and
evaluate-llm-on-korean-dataset (``benchmarks/hrm8k_main.py``); not run on the files.

Answers are kept as upstream writes them, as text: ``18.0``, ``70,000.0``, in KSM also fractions and expressions, and in
MMMLU the number of the choice, whose choices stand in the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import read_rows, row_files
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, find_source, no_files
from driftgate.flows.sample import Sample, make_sample

FILES = {
    "GSM8K": "gsm8k_test",
    "MATH": "math_do_test",
    "OMNI_MATH": "omni-math_do_test",
    "MMMLU": "mmmlu_test",
    "KSM": "ksm_test",
}
"""The file of each subset."""

SUPER_CATEGORIES = {
    "GSM8K": "Prior Sets",
    "MATH": "Prior Sets",
    "OMNI_MATH": "Prior Sets",
    "MMMLU": "Prior Sets",
    "KSM": "Korean School Math",
}
"""The paper's two parts: what was translated, and what comes from Korean exams."""


class Hrm8kConfig(UpstreamConfig):
    """HRM8K."""

    kind: Literal["hrm8k"]
    """``hrm8k``."""
    hub: str = "HAERAE-HUB/HRM8K"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: Hrm8kConfig, folder: Path) -> Dataset:
    """Read HRM8K; see :mod:`driftgate.benchmarks.datasets.hrm8k` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    root, source = find_source(name, config, folder, ["HRM8K/*"])
    data = root / "HRM8K" if (root / "HRM8K").is_dir() else root
    found = {subset: row_files(data, file) for subset, file in FILES.items()}
    files = {subset: paths[0] for subset, paths in found.items() if paths}
    if not files:
        raise no_files(name, data, "gsm8k_test.csv or its like")
    chosen = choose_categories(name, config.categories, files)
    return Dataset(
        name,
        [sample for subset, path in files.items() if subset in chosen for sample in _read(path, subset)],
        licence="MIT",
        source=source,
    )


def _read(path: Path, subset: str) -> Iterator[Sample]:
    for position, row in enumerate(read_rows(path)):
        yield make_sample(
            "hrm8k",
            "test",
            position,
            {"question": row.text("question"), "answer": row.text("answer").strip()},
            subset=subset,
            category=subset,
            super_category=SUPER_CATEGORIES[subset],
        )


KIND = DatasetKind(Hrm8kConfig, load)
