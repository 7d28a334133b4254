"""CLIcK: Korean culture and language, four or five choices, some questions on a shared passage.

Kim et al., CLIcK: A Benchmark Dataset of Cultural and Linguistic Intelligence in Korean, LREC-COLING 2024,
arXiv:2403.06412.

Layout, verified against the repository's own files: ``Dataset/{Culture,Language}/.../CATEGORY_SOURCE.json``, each a
list of ``{id, paragraph, question, choices, answer}``, the answer being the text of a choice; the local folder may be
``Dataset`` or the one that holds it. 1,995 rows with 1,987 ids. There is no split to draw examples from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._choices import answer_letter, check_choices
from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import Row, read_rows, row_files
from driftgate.benchmarks.datasets._upstream import (
    UpstreamConfig,
    choose_categories,
    find_source,
    no_files,
    passage_cluster,
)
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.sample import Sample, make_sample

SUPER_CATEGORIES = {
    "Economy": "Culture",
    "Geography": "Culture",
    "History": "Culture",
    "Law": "Culture",
    "Politics": "Culture",
    "Popular": "Culture",
    "Society": "Culture",
    "Tradition": "Culture",
    "Functional": "Language",
    "Grammar": "Language",
    "Textual": "Language",
}


class ClickConfig(UpstreamConfig):
    """CLIcK."""

    kind: Literal["click"]
    """``click``."""
    hub: str = "EunsuKim/CLIcK"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: ClickConfig, folder: Path) -> Dataset:
    """Read CLIcK; see :mod:`driftgate.benchmarks.datasets.click` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    root, source = find_source(name, config, folder, ["Dataset/*"])
    data = root / "Dataset" if (root / "Dataset").is_dir() else root
    files = sorted(row_files(data, "**/*_*"), key=lambda path: path.stem)
    if not files:
        raise no_files(name, data, "CATEGORY_SOURCE.json")
    categories = {path: _category(path) for path in files}
    chosen = choose_categories(name, config.categories, categories.values())
    return Dataset(
        name,
        [sample for path in files if categories[path] in chosen for sample in _read(path, categories[path])],
        licence="research use",
        source=source,
    )


def _category(path: Path) -> str:
    category = path.stem.split("_")[0]
    if category not in SUPER_CATEGORIES:
        raise DriftgateError(f"{path}: '{category}' is no category of CLIcK", nearest(category, SUPER_CATEGORIES))
    return category


def _read(path: Path, category: str) -> Iterator[Sample]:
    for position, row in enumerate(read_rows(path)):
        data = _data(row)
        yield make_sample(
            "click",
            "test",
            position,
            data,
            subset=path.stem,
            id=row.text("id"),
            category=category,
            super_category=SUPER_CATEGORIES[category],
            cluster=passage_cluster(str(data.get("passage", ""))),
        )


def _data(row: Row) -> dict[str, object]:
    listed = row.get("choices")
    choices = check_choices(row, listed if isinstance(listed, list) else [])
    data: dict[str, object] = {
        "question": row.text("question"),
        "choices": choices,
        "answer": answer_letter(row, row.get("answer"), choices, "text"),
    }
    passage = row.get("paragraph")
    if passage and str(passage).strip():
        data["passage"] = str(passage)
    return data


KIND = DatasetKind(ClickConfig, load)
