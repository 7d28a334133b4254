"""HAE-RAE Bench 1.0: Korean vocabulary, history, general knowledge and reading, five choices.

Son et al., HAE-RAE Bench: Evaluation of Korean Knowledge in Language Models, LREC-COLING 2024, arXiv:2309.02706.

Layout: ``data/HAERAE-Bench-v1-CODE.csv`` with the codes below and the columns ``question, a, b, c, d, e, answer``, the
answer a letter in either case; the local folder may be ``data`` or the one that holds it. 1,538 rows, one split. File
names and codes verified against the hub repository's card and listing, columns against
evaluate-llm-on-korean-dataset (``benchmarks/haerae_main.py``); not run on the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._choices import answer_letter, choice_columns
from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import read_rows, row_files
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, find_source, no_files
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.sample import Sample, make_sample

_STEM = "HAERAE-Bench-v1-"

CATEGORIES = {
    "KGK": "General Knowledge",
    "HI": "History",
    "LW": "Loan Words",
    "RW": "Rare Words",
    "RC": "Reading Comprehension",
    "SN": "Standard Nomenclature",
}
"""The code in a file's name, and the category."""

SUPER_CATEGORIES = {
    "General Knowledge": "General Knowledge",
    "History": "History",
    "Loan Words": "Vocabulary",
    "Rare Words": "Vocabulary",
    "Reading Comprehension": "Reading Comprehension",
    "Standard Nomenclature": "Vocabulary",
}
"""The paper's four domains."""


class HaeraeConfig(UpstreamConfig):
    """HAE-RAE Bench 1.0."""

    kind: Literal["haerae"]
    """``haerae``."""
    hub: str = "HAERAE-HUB/HAE_RAE_BENCH_1.0"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: HaeraeConfig, folder: Path) -> Dataset:
    """Read HAE-RAE Bench; see :mod:`driftgate.benchmarks.datasets.haerae` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    root, source = find_source(name, config, folder, [f"data/{_STEM}*"])
    data = root / "data" if (root / "data").is_dir() else root
    files = {_category(path): path for path in row_files(data, f"{_STEM}*")}
    if not files:
        raise no_files(name, data, f"{_STEM}CODE.csv")
    chosen = choose_categories(name, config.categories, files)
    return Dataset(
        name,
        [sample for category in sorted(chosen) for sample in _read(files[category], category)],
        licence="not stated by upstream",
        source=source,
    )


def _category(path: Path) -> str:
    code = path.stem.removeprefix(_STEM)
    if code not in CATEGORIES:
        raise DriftgateError(f"{path}: '{code}' is no category of HAE-RAE Bench 1.0", nearest(code, CATEGORIES))
    return CATEGORIES[code]


def _read(path: Path, category: str) -> Iterator[Sample]:
    for position, row in enumerate(read_rows(path)):
        choices = choice_columns(row, "abcde")
        answer = answer_letter(row, row.get("answer"), choices, "letter")
        yield make_sample(
            "haerae",
            "test",
            position,
            {"question": row.text("question"), "choices": choices, "answer": answer},
            subset=path.stem.removeprefix(_STEM),
            category=category,
            super_category=SUPER_CATEGORIES[category],
        )


KIND = DatasetKind(HaeraeConfig, load)
