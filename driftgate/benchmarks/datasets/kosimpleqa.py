"""KoSimpleQA: short factual questions about Korean culture, each with one answer in words.

KoSimpleQA: A Korean Factuality Benchmark with an Analysis of Reasoning LLMs, 2025, arXiv:2510.18368.

Layout: a file whose name holds ``kosimpleqa``, or files of a split ``test`` or ``train``. Upstream's repository
(naver-ai/KoSimpleQA) ships ``updated_kosimpleqa_with_trans.json``, a list of 938 objects with ``id, content`` (the
question), ``answer, category`` (ten of them), ``answer_type``; name its folder as ``path``. Verified against a public
reader of that file. The hub repository's columns are not known here: ``problem`` or ``question`` is taken for
``content`` and ``topic`` for ``category``, as SimpleQA calls them. Not run on the files.

The published scores are a judge's: right, wrong or not attempted. See the page on data for what can be scored here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import Row
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, first_rows
from driftgate.flows.sample import Sample, make_sample, told_apart

_FILES = ("*kosimpleqa*", "*test*", "*train*")
_NAMES = {"content": ("problem", "question"), "category": ("topic",)}
"""Columns by upstream's name, and what others call them."""


class KosimpleqaConfig(UpstreamConfig):
    """KoSimpleQA."""

    kind: Literal["kosimpleqa"]
    """``kosimpleqa``."""
    hub: str = "bzantium/KoSimpleQA"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: KosimpleqaConfig, folder: Path) -> Dataset:
    """Read KoSimpleQA; see :mod:`driftgate.benchmarks.datasets.kosimpleqa` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such file, or a row is malformed.
    """
    rows, source = first_rows(name, config, folder, _FILES, "updated_kosimpleqa_with_trans.json or its like")
    samples = told_apart(_sample(row, position) for position, row in enumerate(rows))
    chosen = choose_categories(name, config.categories, (sample.category for sample in samples))
    kept = [sample for sample in samples if sample.category in chosen]
    return Dataset(name, kept, licence="CC BY 4.0", source=source)


def _sample(row: Row, position: int) -> Sample:
    more = {"answer_type": row.text("answer_type")} if row.values.get("answer_type") else {}
    return make_sample(
        "kosimpleqa",
        "test",
        position,
        {"question": row.text(_column(row, "content")), "answer": row.text("answer").strip(), **more},
        id=row.text("id") if "id" in row.values else "",
        category=row.text(_column(row, "category")).strip(),
        super_category="Korean culture",
    )


def _column(row: Row, name: str) -> str:
    """What this revision calls a column."""
    return next((other for other in (name, *_NAMES[name]) if other in row.values), name)


KIND = DatasetKind(KosimpleqaConfig, load)
