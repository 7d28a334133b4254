"""KorMedMCQA: Korean licensing exams for doctors, nurses, pharmacists and dentists, five choices.

Kweon et al., KorMedMCQA: Multi-Choice Question Answering Benchmark for Korean Healthcare Professional Licensing
Examinations, 2024, arXiv:2403.01469.

Layout: ``PROFESSION/SPLIT-*.parquet`` with the columns ``subject, year, period, q_number, question, A, B, C, D, E,
answer (1 to 5), cot``; splits ``train``, ``dev``, ``test`` and ``fewshot`` (five for each profession). Verified against
the hub repository's card and lm-evaluation-harness (``lm_eval/tasks/kormedmcqa``); not run on the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from driftgate.benchmarks.datasets._choices import answer_letter, choice_columns
from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import read_rows, row_files
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, find_source, no_files
from driftgate.flows.sample import Sample, make_sample

PROFESSIONS = ["dentist", "doctor", "nurse", "pharm"]


class KormedmcqaConfig(UpstreamConfig):
    """KorMedMCQA."""

    kind: Literal["kormedmcqa"]
    """``kormedmcqa``."""
    hub: str = "sean0042/KorMedMCQA"
    """Dataset repository on the Hugging Face Hub."""
    split: Literal["test", "train", "dev"] = "test"
    """What is asked; few-shot examples come from ``fewshot``."""


def load(name: str, config: KormedmcqaConfig, folder: Path) -> Dataset:
    """Read KorMedMCQA; see :mod:`driftgate.benchmarks.datasets.kormedmcqa` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or a row is malformed.
    """
    root, source = find_source(name, config, folder, [f"*/{split}-*" for split in (config.split, "fewshot")])
    files = _files(root, config.split)
    if not files:
        raise no_files(name, root, f"PROFESSION/{config.split}-*.parquet")
    shots = _files(root, "fewshot")
    chosen = choose_categories(name, config.categories, files)
    return Dataset(
        name,
        [s for profession in sorted(chosen) for s in _read(files[profession], config.split, profession)],
        [s for profession in sorted(chosen & shots.keys()) for s in _read(shots[profession], "fewshot", profession)],
        licence="CC BY-NC 2.0",
        source=source,
    )


def _files(root: Path, split: str) -> dict[str, list[Path]]:
    """The files of each profession; a large split stands in several."""
    found = {profession: row_files(root, f"{profession}/{split}-*") for profession in PROFESSIONS}
    return {profession: paths for profession, paths in found.items() if paths}


def _read(paths: list[Path], split: str, profession: str) -> Iterator[Sample]:
    for position, row in enumerate(chain.from_iterable(read_rows(path) for path in paths)):
        choices = choice_columns(row, "ABCDE")
        answer = answer_letter(row, row.get("answer"), choices, "number")
        yield make_sample(
            "kormedmcqa",
            split,
            position,
            {"question": row.text("question"), "choices": choices, "answer": answer},
            subset=profession,
            category=profession,
            super_category="Medicine",
        )


KIND = DatasetKind(KormedmcqaConfig, load)
