"""The result files of hsr87/evaluate-llm-on-korean-dataset: ``[DATASET] MODEL.csv``.

Columns ``category, answer, pred, response``, for CLIcK ``id`` in place of the category. ``pred`` is a letter, blank
where none could be read, ``FILTERED`` where a content filter refused and ``FAILED`` where the call failed. KMMLU rows
stand in the order of the subjects' test files; a run that lost batches lacks blocks of ten rows. A name that ends in
``-5shot`` says how many examples the prompt held.
"""

from __future__ import annotations

import re
from pathlib import Path

from driftgate.benchmarks.datasets.haerae import SUPER_CATEGORIES as HAERAE
from driftgate.benchmarks.datasets.kmmlu import SUPER_CATEGORIES as KMMLU
from driftgate.benchmarks.datasets.kmmlu import subject_name
from driftgate.benchmarks.recorded._preset import Benchmark, Preset, Source

NAME = "evaluate-llm-on-korean-dataset"
_FILE = re.compile(r"\[(?P<dataset>[^\]]+)\] (?P<model>.+?)(?:-(?P<shots>\d+)shot)?\.(?:csv|jsonl)")


def _subject(category: str) -> str:
    return subject_name(category, f"category '{category}'")


BENCHMARKS = {
    "CLIcK": Benchmark("click", rows=1995),
    "KMMLU": Benchmark("kmmlu", rows=35030, category=_subject, super_categories=KMMLU, letters="ABCD"),
    "KMMLU-HARD": Benchmark("kmmlu_hard", "kmmlu_hard", 4104, _subject, KMMLU, "ABCD"),
    "HAERAE": Benchmark("haerae", "haerae", 1538, super_categories=HAERAE, letters="ABCDE"),
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
    where = {"id": "id", "trial": "trial"} if match["dataset"] == "CLIcK" else {"category": "category"}
    shots = None if match["shots"] is None else int(match["shots"])
    return Source(BENCHMARKS[match["dataset"]], match["model"], {**where, **_COMMON}, shots, NAME)


PRESET = Preset("[DATASET] MODEL.csv of hsr87/evaluate-llm-on-korean-dataset", recognise)
