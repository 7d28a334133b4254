"""The result files of hsr87/evaluate-llm-on-korean-dataset: ``[DATASET] MODEL.csv``.

Columns ``category, answer, pred, response``, for CLIcK ``id`` in place of the category. ``pred`` is a letter, blank
where none could be read, ``FILTERED`` where a content filter refused and ``FAILED`` where the call failed. KMMLU rows
stand in the order of the subjects' test files; a run that lost batches lacks blocks of ten rows. A name that ends in
``-5shot`` says how many examples the prompt held.

Beside the four benchmarks of the twenty recorded files:

* KorMedMCQA, ``id, category, trial, answer, pred, response``: the id is ``PROFESSION_N``, the N-th question of the test
  split, rows in the order in which four workers ended, some of them twice. Verified against the runner
  (``benchmarks/kormedmcqa_main.py``) and the beginning of a published file; not run on a whole one.
* KoBALT, ``category, subcategory, level, answer, pred, response``: the class in place of a category, no id. Verified
  against the runner (``benchmarks/kobalt_main.py``, ``core/evaluator.py``) alone.
* HRM8K, ``subset, index, answer, pred, response, correct``: ``index`` counts within the subset; ``pred`` is a number,
  blank where none was read, and also where a call failed. Verified against the runner (``benchmarks/hrm8k_main.py``)
  alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from driftgate.benchmarks.datasets.haerae import SUPER_CATEGORIES as HAERAE
from driftgate.benchmarks.datasets.kmmlu import SUPER_CATEGORIES as KMMLU
from driftgate.benchmarks.datasets.kmmlu import subject_name
from driftgate.benchmarks.datasets.kobalt import CLASSES
from driftgate.benchmarks.recorded._preset import Benchmark, Preset, Source

NAME = "evaluate-llm-on-korean-dataset"
_FILE = re.compile(r"\[(?P<dataset>[^\]]+)\] (?P<model>.+?)(?:-(?P<shots>\d+)shot)?\.(?:csv|jsonl)")


def _subject(category: str) -> str:
    return subject_name(category, f"category '{category}'")


def _class(category: str) -> str:
    return CLASSES.get(category, category)


def _numbered(category: str, id: str) -> str:
    """``nurse_167`` is ``nurse:167``, the dataset's own name of its 168th question."""
    part, _, number = id.rpartition("_")
    return f"{part}:{number}"


def _index(category: str, id: str) -> str:
    return f"{category}:{id}"


BENCHMARKS = {
    "CLIcK": Benchmark("click", rows=1995),
    "KMMLU": Benchmark("kmmlu", rows=35030, category=_subject, super_categories=KMMLU, letters="ABCD"),
    "KMMLU-HARD": Benchmark("kmmlu_hard", "kmmlu_hard", 4104, _subject, KMMLU, "ABCD"),
    "HAERAE": Benchmark("haerae", "haerae", 1538, super_categories=HAERAE, letters="ABCDE"),
    "KorMedMCQA": Benchmark("kormedmcqa", letters="ABCDE", id=_numbered),
    "KoBALT": Benchmark("kobalt", rows=700, category=_class, letters="ABCDEFGHIJ"),
    "HRM8K": Benchmark("hrm8k", id=_index),
}
_JOINED_BY = {
    "CLIcK": {"id": "id", "trial": "trial"},
    "KorMedMCQA": {"id": "id", "category": "category", "trial": "trial"},
    "HRM8K": {"id": "index", "category": "subset"},
}
_COMMON = {"gold": "answer", "prediction": "pred", "response": "response"}


def recognise(path: Path) -> Source | None:
    """What a file is, from its name.

    Examples
    --------
    >>> found = recognise(Path("[KMMLU] gpt-5-chat-2025-08-08-0shot.csv"))
    >>> found.benchmark.kind, found.model, found.shots
    ('kmmlu', 'gpt-5-chat-2025-08-08', 0)
    """
    match = _FILE.fullmatch(path.name)
    if match is None or match["dataset"] not in BENCHMARKS:
        return None
    where = _JOINED_BY.get(match["dataset"], {"category": "category"})
    shots = None if match["shots"] is None else int(match["shots"])
    return Source(BENCHMARKS[match["dataset"]], match["model"], {**where, **_COMMON}, shots, NAME)


PRESET = Preset("[DATASET] MODEL.csv of hsr87/evaluate-llm-on-korean-dataset", recognise)
