"""KoBALT-700: Korean linguistics, ten choices, three levels of difficulty.

Shin et al., KoBALT: Korean Benchmark For Advanced Linguistic Tasks, 2025, arXiv:2505.16125.

Layout: ``data/train.jsonl``, objects in a JSON list or one a line; the local folder may be ``data`` or the one that
holds it. Columns ``ID, Class, Subclass, Question, Answer (A to J), Level (1 to 3), Sampling_YN``; earlier revisions
call them ``대분류, 소분류, question, answer, 난이도`` and name the classes in Korean. A question is one text: an
optional passage after ``지문:``, the question after ``문제:``, then the choices as lines ``A: ...`` to ``J: ...``.
One split. Verified against the repository's card, a part of its file (the earlier revision) and two public readers of
the present one (lm-evaluation-harness ``lm_eval/tasks/kobalt``, evaluate-llm-on-korean-dataset
``benchmarks/kobalt_main.py``); not run on the whole file.

The category is the class, the super-category the level.
"""

from __future__ import annotations

import re
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
from driftgate.flows.errors import nearest
from driftgate.flows.letters import LETTERS
from driftgate.flows.sample import Sample, make_sample, told_apart

CLASSES = {
    "통사론": "Syntax",
    "의미론": "Semantics",
    "화용론": "Pragmatics",
    "음성학/음운론": "Phonetics/Phonology",
    "형태론": "Morphology",
}
"""The five classes, as earlier revisions call them and as the present one does."""

_EARLIER = {"Class": "대분류", "Subclass": "소분류", "Question": "question", "Answer": "answer", "Level": "난이도"}
_LABEL = re.compile(r"^[ \t]*([A-J])[ \t]*[:.)][ \t]*", re.MULTILINE)
_PASSAGE = re.compile(r"\s*지문\s*:(.*?)\n\s*문제\s*:", re.DOTALL)


class KobaltConfig(UpstreamConfig):
    """KoBALT-700."""

    kind: Literal["kobalt"]
    """``kobalt``."""
    hub: str = "snunlp/KoBALT-700"
    """Dataset repository on the Hugging Face Hub."""
    levels: list[Literal[1, 2, 3]] | None = None
    """Only these levels of difficulty; all of them where it is not given."""


def load(name: str, config: KobaltConfig, folder: Path) -> Dataset:
    """Read KoBALT-700; see :mod:`driftgate.benchmarks.datasets.kobalt` for the layout.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such file, or a row is malformed.
    """
    root, source = find_source(name, config, folder, ["data/train*"])
    data = root / "data" if (root / "data").is_dir() else root
    files = row_files(data, "train")
    if not files:
        raise no_files(name, data, "train.jsonl")
    samples = told_apart(_read(files[0]))
    chosen = choose_categories(name, config.categories, (sample.category for sample in samples))
    levels = config.levels or [1, 2, 3]
    return Dataset(
        name,
        [s for s in samples if s.category in chosen and s.data["level"] in levels],
        licence="CC BY-NC 4.0",
        source=source,
    )


def split_question(text: str) -> tuple[str, list[str]]:
    """Part a question from its choices; a dialogue in the passage may have lines that look like choices.

    Examples
    --------
    >>> split_question("지문:\\nA: 안녕?\\nB: 응.\\n\\n문제: 무엇인가?\\n\\nA: 인사\\nB: 사과\\n")
    ('지문:\\nA: 안녕?\\nB: 응.\\n\\n문제: 무엇인가?', ['인사', '사과'])
    """
    labels = list(_LABEL.finditer(text))
    first = max((i for i, label in enumerate(labels) if label[1] == "A"), default=None)
    if first is None:
        return text.strip(), []
    wanted = iter(LETTERS)
    expected: str | None = next(wanted)
    starts = []
    for label in labels[first:]:
        if label[1] == expected:
            starts.append(label)
            expected = next(wanted, None)
    ends = [label.start() for label in starts[1:]] + [len(text)]
    choices = [text[label.end() : end].strip() for label, end in zip(starts, ends, strict=True)]
    return text[: starts[0].start()].strip(), choices


def _read(path: Path) -> Iterator[Sample]:
    for position, row in enumerate(read_rows(path)):
        question, listed = split_question(row.text(_column(row, "Question")))
        choices = check_choices(row, listed)
        level = _level(row)
        passage = _PASSAGE.match(question)
        yield make_sample(
            "kobalt",
            "test",
            position,
            {
                "question": question,
                "choices": choices,
                "answer": answer_letter(row, row.get(_column(row, "Answer")), choices, "letter"),
                "level": level,
                "subclass": row.text(_column(row, "Subclass")),
            },
            id=row.text("ID"),
            category=_category(row),
            super_category=f"Level {level}",
            cluster=passage_cluster(passage[1]) if passage else "",
        )


def _column(row: Row, name: str) -> str:
    """The column's name in this revision."""
    return name if name in row.values or _EARLIER[name] not in row.values else _EARLIER[name]


def _category(row: Row) -> str:
    found = row.text(_column(row, "Class")).strip()
    category = CLASSES.get(found, found)
    if category not in CLASSES.values():
        raise row.wrong(f"is of the class '{found}', which KoBALT does not have", nearest(found, CLASSES.values()))
    return category


def _level(row: Row) -> int:
    found = row.text(_column(row, "Level")).strip()
    if found not in {"1", "2", "3"}:
        raise row.wrong(f"is of the level '{found}'", "expected 1, 2 or 3")
    return int(found)


KIND = DatasetKind(KobaltConfig, load)
