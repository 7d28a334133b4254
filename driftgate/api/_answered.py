"""A file of recorded answers of two models, or of one model at two times, side by side by question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.datasets._rows import as_text, read_rows
from driftgate.benchmarks.stats import Comparison, compare_paired
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extraction import extract_choice
from driftgate.flows.refusals import is_refusal

if TYPE_CHECKING:
    import pandas as pd

FIELDS: Mapping[str, str] = {
    "side": "which model or time an answer is of",
    "question": "what was asked, or its id: the same on both sides",
    "reply": "the reply in full; blank where there was none",
    "gold": "the right answer, where there is one",
    "slice": "the kind of question",
}
"""What a column of recorded answers may mean."""
_USUAL: Mapping[str, tuple[str, ...]] = {
    "side": ("side", "model", "version", "run"),
    "question": ("question", "query", "prompt", "id"),
    "reply": ("reply", "answer", "response", "completion", "output"),
    "gold": ("gold", "ref_answer", "expected", "reference", "label", "ground_truth"),
    "slice": ("slice", "dataset", "category", "topic"),
}
OUTCOMES = ("right", "wrong", "unparsed", "refused", "failed")
_MOST_LABELS = 10
_Key = tuple[tuple[str, str], int]
"""The kind of question and what was asked, and how often it was before."""


@dataclass(frozen=True)
class Answered:
    """Answers to the same questions on two sides."""

    pairs: pd.DataFrame
    """``slice``, and the outcome ``before`` and ``after`` of each question."""
    alone: int
    """Questions that only one side was asked."""
    graded: bool
    """Whether the file says what is right."""

    def counts(self) -> dict[str, tuple[int, int]]:
        """How many questions had each outcome, before and after."""
        before, after = Counter(self.pairs["before"]), Counter(self.pairs["after"])
        return {name: (before[name], after[name]) for name in OUTCOMES if before[name] or after[name]}

    def change(self, outcome: str) -> Comparison:
        """How much the share of an outcome changed, after less before, of the questions with a reply on both sides."""
        import numpy as np

        both = self.replied()
        sides = [np.asarray(both[side] == outcome, dtype=float) for side in ("after", "before")]
        return compare_paired(*sides)

    def replied(self) -> pd.DataFrame:
        """The pairs with a reply on both sides: a call that failed says nothing of the model."""
        return self.pairs[(self.pairs["before"] != "failed") & (self.pairs["after"] != "failed")]

    def as_values(self, good: Sequence[str]) -> pd.DataFrame:
        """Of the pairs with a reply on both sides 1 for a good outcome, 0 for another."""
        both = self.replied()
        sides = {side: both[side].isin(good).astype(float) for side in ("before", "after")}
        return both.assign(**sides)


def read_answers(path: Path, columns: Mapping[str, str], before: str, after: str, reads: str) -> Answered:
    r"""Read and judge the answers of two sides.

    Parameters
    ----------
    columns
        The file's column of a field of :data:`FIELDS`; others are found by the names that are usual.
    before, after : str
        Values of the column of sides.
    reads : str
        A regular expression whose last match in a reply is its answer, by its first group where it has one, such as
        ``\[(Yes|No)\]``; it is applied to the right answer as well. Empty: a reply that says no more than an answer is
        one; of another the choice is read, where there are at most ten right answers.

    Raises
    ------
    DriftgateError
        A column or a side is not there, or the expression is none.
    """
    import pandas as pd

    rows = read_rows(path)
    there = list(dict.fromkeys(name for row in rows for name in row.values))
    theirs = _theirs(path, there, columns)
    pattern = _pattern(reads)
    sides: dict[str, dict[_Key, dict[str, str]]] = {before: {}, after: {}}
    times: Counter[tuple[str, tuple[str, str]]] = Counter()
    for row in rows:
        value = {field: as_text(row.values.get(column)) or "" for field, column in theirs.items()}
        of_side = sides.get(value["side"])
        if of_side is None:
            continue
        # A question that was asked several times is paired in order: position only tells equals apart.
        question = (value.get("slice", ""), value["question"])
        place = times[value["side"], question]
        times[value["side"], question] += 1
        of_side[question, place] = value
    for name, answers in sides.items():
        if not answers:
            known = dict.fromkeys(as_text(row.values.get(theirs["side"])) or "" for row in rows)
            raise DriftgateError(f"no answer of {path.name} is of '{name}'", nearest(name, known))
    golds = [value["gold"] for answers in sides.values() for value in answers.values() if value.get("gold", "").strip()]
    labels = sorted({_read(gold, pattern) or gold.strip().casefold() for gold in golds})
    shared = [key for key in sides[before] if key in sides[after]]
    if not shared:
        raise DriftgateError(
            f"{before} and {after} share no question in {path.name}", "map question to what both share"
        )
    pairs = pd.DataFrame(
        {
            "slice": [sides[after][key].get("slice", "") for key in shared],
            "before": [_outcome(sides[before][key], pattern, labels) for key in shared],
            "after": [_outcome(sides[after][key], pattern, labels) for key in shared],
        }
    )
    return Answered(pairs, len(sides[before].keys() ^ sides[after].keys()), bool(golds))


def _theirs(path: Path, there: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    for field, column in columns.items():
        if field not in FIELDS:
            raise DriftgateError(f"an answer has no field '{field}'", nearest(field, FIELDS))
        if column not in there:
            raise DriftgateError(f"{path.name} has no column '{column}' for {field}", nearest(column, there))
    theirs = dict(columns)
    for field, names in _USUAL.items():
        found = next((name for name in names if name in there and name not in theirs.values()), None)
        if field not in theirs and found is not None:
            theirs[field] = found
    for field in ("side", "question", "reply"):
        if field not in theirs:
            raise DriftgateError(
                f"it is not known which column of {path.name} says {FIELDS[field]}: it has {', '.join(there[:12])}",
                f"say it, for example --map {field}=COLUMN",
            )
    return theirs


def _pattern(reads: str) -> re.Pattern[str] | None:
    try:
        return re.compile(reads, re.IGNORECASE) if reads else None
    except re.error as problem:
        raise DriftgateError(f"'{reads}' is no regular expression: {problem}", r"for example '\[(Yes|No)\]'") from None


def _read(text: str, pattern: re.Pattern[str] | None) -> str:
    if pattern is None:
        return ""
    found = list(pattern.finditer(text))
    if not found:
        return ""
    said: Any = found[-1].group(1 if pattern.groups else 0)
    return str(said or "").strip().casefold()


def _outcome(value: Mapping[str, str], pattern: re.Pattern[str] | None, labels: Sequence[str]) -> str:
    """What became of a question: the refusal is told from the reply that cannot be read."""
    reply, gold = value["reply"], value.get("gold", "")
    if not reply.strip():
        return "failed"
    if not gold.strip():
        return "refused" if is_refusal(reply) else "right"
    wanted = _read(gold, pattern) or gold.strip().casefold()
    said = _read(reply, pattern) if pattern is not None else _settled(reply, labels)
    if not said:
        return "refused" if is_refusal(reply) else "unparsed"
    return "right" if _same(said, wanted) else "wrong"


def _settled(reply: str, labels: Sequence[str]) -> str:
    said = reply.strip().casefold()
    if said in labels or len(labels) > _MOST_LABELS or len(labels) < 2:
        return said if said in labels or len(said.split()) == 1 else ""
    letter = extract_choice(reply, labels).answer
    return labels[ord(letter) - ord("A")] if letter else ""


def _same(said: str, wanted: str) -> bool:
    try:
        return float(said.replace(",", "")) == float(wanted.replace(",", ""))
    except ValueError:
        return said == wanted
