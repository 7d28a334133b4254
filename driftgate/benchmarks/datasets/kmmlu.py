"""KMMLU: 45 subjects of Korean licensing and aptitude exams, four choices each.

Son et al., KMMLU: Measuring Massive Multitask Language Understanding in Korean, 2024, arXiv:2402.11548.

Layout, verified against the hub's own files: ``data/SUBJECT-SPLIT.csv`` with the columns
``question, answer (1 to 4), A, B, C, D, Category, Human Accuracy``; the local folder may be ``data`` or the one
that holds it. 35,030 test and 225 dev rows. Upstream repeats itself in ``korean-history``: thirteen of its hundred test
questions stand there twice, and one of its five dev questions is also a test question. They are kept as they stand, so
that positions and scores compare with published ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._choices import answer_letter, choice_columns
from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import read_rows, row_files
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, find_source, no_files
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.sample import Sample, make_sample

SUBJECTS = {
    "STEM": [
        "Biology",
        "Chemical-Engineering",
        "Chemistry",
        "Civil-Engineering",
        "Computer-Science",
        "Ecology",
        "Electrical-Engineering",
        "Information-Technology",
        "Materials-Engineering",
        "Math",
        "Mechanical-Engineering",
    ],
    "HUMSS": [
        "Accounting",
        "Criminal-Law",
        "Economics",
        "Education",
        "Korean-History",
        "Law",
        "Management",
        "Political-Science-and-Sociology",
        "Psychology",
        "Social-Welfare",
        "Taxation",
    ],
    "Applied Science": [
        "Aviation-Engineering-and-Maintenance",
        "Electronics-Engineering",
        "Energy-Management",
        "Environmental-Science",
        "Gas-Technology-and-Engineering",
        "Geomatics",
        "Industrial-Engineer",
        "Machine-Design-and-Manufacturing",
        "Maritime-Engineering",
        "Nondestructive-Testing",
        "Railway-and-Automotive-Engineering",
        "Telecommunications-and-Wireless-Technology",
    ],
    "Other": [
        "Agricultural-Sciences",
        "Construction",
        "Fashion",
        "Food-Processing",
        "Health",
        "Interior-Architecture-and-Design",
        "Marketing",
        "Patent",
        "Public-Safety",
        "Real-Estate",
        "Refrigerating-Machinery",
    ],
}
"""The paper's four super-categories and their subjects."""

SUPER_CATEGORIES = {subject: group for group, subjects in SUBJECTS.items() for subject in subjects}

_CANONICAL = {subject.lower(): subject for subject in SUPER_CATEGORIES}


class KmmluConfig(UpstreamConfig):
    """KMMLU."""

    kind: Literal["kmmlu"]
    """``kmmlu``."""
    hub: str = "HAERAE-HUB/KMMLU"
    """Dataset repository on the Hugging Face Hub."""
    split: Literal["test", "train", "dev"] = "test"
    """What is asked; few-shot examples always come from ``dev``, and there are none where ``dev`` is asked."""


def subject_name(stem: str, place: str) -> str:
    """The subject's usual name, however upstream writes it in a file's name.

    Raises
    ------
    DriftgateError
        It is none of the 45 subjects.

    Examples
    --------
    >>> subject_name("korean-history", "korean-history-test.csv")
    'Korean-History'
    >>> subject_name("political_science_and_sociology", "political_science_and_sociology-test.csv")
    'Political-Science-and-Sociology'
    """
    try:
        return _CANONICAL[stem.lower().replace("_", "-")]
    except KeyError:
        raise DriftgateError(f"{place}: '{stem}' is no subject of KMMLU", nearest(stem, SUPER_CATEGORIES)) from None


def load(name: str, config: KmmluConfig, folder: Path) -> Dataset:
    """Read KMMLU; see :mod:`driftgate.benchmarks.datasets.kmmlu` for the layout."""
    return load_subjects(name, config, folder, config.split)


def load_subjects(name: str, config: UpstreamConfig, folder: Path, split: str) -> Dataset:
    """Read a dataset laid out as KMMLU is: one file for each subject and split.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    root, source = find_source(name, config, folder, [f"data/*-{part}.*" for part in sorted({split, "dev"})])
    data = root / "data" if (root / "data").is_dir() else root
    files = _files(data, split)
    if not files:
        raise no_files(name, data, f"SUBJECT-{split}.csv")
    chosen = choose_categories(name, config.categories, files)
    shots = {} if split == "dev" else _files(data, "dev")
    return Dataset(
        name,
        [sample for category in sorted(chosen) for sample in _read(config.kind, split, category, files[category])],
        [s for category in sorted(chosen & shots.keys()) for s in _read(config.kind, "dev", category, shots[category])],
        licence="CC BY-ND 4.0",
        source=source,
    )


def _files(data: Path, split: str) -> dict[str, Path]:
    """The file of each subject, by category."""
    found = row_files(data, f"*-{split}")
    return {subject_name(path.stem.removesuffix(f"-{split}"), str(path)): path for path in found}


def _read(kind: str, split: str, category: str, path: Path) -> Sequence[Sample]:
    subset = path.stem.removesuffix(f"-{split}")
    samples = []
    for position, row in enumerate(read_rows(path)):
        choices = choice_columns(row, "ABCD")
        answer = answer_letter(row, row.get("answer"), choices, "number")
        samples.append(
            make_sample(
                kind,
                split,
                position,
                {"question": row.text("question"), "choices": choices, "answer": answer},
                subset=subset,
                category=category,
                super_category=SUPER_CATEGORIES[category],
            )
        )
    return samples


KIND = DatasetKind(KmmluConfig, load)
