"""A judge held against people's grades of the same texts: agreement, bias, the threshold, and the corrected rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftgate.benchmarks.agreement import LEAST, Agreement, admit, agreement
from driftgate.benchmarks.stats import CorrectedRate, Labelled, corrected_rate, mean_interval, wilson_interval
from driftgate.flows.errors import DriftgateError

LENGTHS = ("short", "middling", "long")
"""Thirds of the texts by their length."""


@dataclass(frozen=True)
class JudgedText:
    """A text that people graded, and what the judge says of it."""

    name: str
    people: float | None
    """People's grade; None where they only say whether it passes."""
    passed: bool | None
    """Whether it passes by people; None where nobody says."""
    grade: float | None
    """The judge's; None where it gave none."""
    judge_passed: bool | None
    length: int
    slice: str = ""
    error: str = ""


@dataclass(frozen=True)
class Bias:
    """By how much a judge grades higher than people, in a part of the texts."""

    part: str
    n: int
    bias: float
    low: float | None
    high: float | None
    """The 95% interval; None where there is too little."""


@dataclass(frozen=True)
class Cut:
    """A threshold, and how often the judge with it says what people say of passing."""

    threshold: float
    agreed: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Corrected:
    """The pass rate that people would give in a run's cell."""

    cell: str
    judge: float
    """The judge's own pass rate."""
    value: float | None
    low: float
    high: float
    labels: int
    judged: int
    missing: int
    """Samples that the judge gave no grade."""
    alone: tuple[float, float] | None
    """The 95% interval of the labels alone."""

    @property
    def words(self) -> str:
        """In one sentence."""
        value = "unknown" if self.value is None else f"{self.value:.1%}"
        told = (
            f"pass rate {value} ({self.low:.1%} to {self.high:.1%}) by people, from {self.labels:,} labels and "
            f"{self.judged:,} judgements; the judge says {self.judge:.1%}"
        )
        if self.alone is None:
            return told
        shorter = 1.0 - (self.high - self.low) / (self.alone[1] - self.alone[0])
        by = f"{abs(shorter):.0%} {'shorter' if shorter >= 0 else 'longer'}"
        return f"{told}; the interval is {by} than that of the labels alone"


@dataclass(frozen=True)
class Asked:
    """What it took to have a judge grade texts of a file."""

    texts: int
    """That it was asked about."""
    kept: int
    """Whose grades an interrupted command had kept."""
    cost: float | None
    """None where it is not known."""
    currency: str

    @property
    def words(self) -> str:
        """In one phrase.

        Examples
        --------
        >>> Asked(60, 40, 0.0123, "USD").words
        'the judge was asked about 60 texts, which cost 0.0123 USD; 40 grades were there already'
        """
        cost = "nobody knows what" if self.cost is None else f"{self.cost:.4g} {self.currency}"
        told = f"the judge was asked about {self.texts:,} texts, which cost {cost}"
        return f"{told}; {self.kept:,} grades were there already" if self.kept else told


@dataclass(frozen=True)
class Calibration:
    """What labels say of a judge."""

    evaluator: str
    pin: str
    n: int
    """Texts in the file."""
    blank: int
    """Texts that people did not grade."""
    errors: int
    """Texts that the judge gave no grade."""
    error: str
    """One of its errors."""
    agreement: Agreement
    """With people's grades, or with their verdicts where they gave no grades."""
    of: str
    """What agreement is of: ``grades`` or ``verdicts``."""
    wanted: float | None
    unvalidated: str
    """Why these labels would not admit the judge; empty where they would."""
    confusion: Mapping[str, Mapping[str, int]]
    """People's grade or verdict, then the judge's, then how many."""
    slices: tuple[Bias, ...]
    lengths: tuple[Bias, ...]
    best: Cut | None
    """The threshold that agrees best with people's verdicts, on these labels."""
    present: Cut | None
    """The one that is set."""
    corrected: Corrected | None = None
    asked: Asked | None = None
    """None where the judge had graded all texts in a run."""

    def as_json(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def calibrate(
    evaluator: str,
    pin: str,
    texts: Sequence[JudgedText],
    scale: tuple[float, float],
    threshold: float,
    corrected: Corrected | None = None,
) -> Calibration:
    """Hold a judge against people's labels of texts, each with a name of its own.

    Raises
    ------
    DriftgateError
        Fewer than three texts have both.
    """
    by_grade = any(one.people is not None for one in texts)
    people = {one.name: word for one in texts if (word := _people(one, by_grade)) is not None}
    judge = {one.name: _judge(one, by_grade) for one in texts if one.name in people}
    pairs = [(one, people[one.name], said) for one in texts if (said := judge.get(one.name)) is not None]
    if len(pairs) < 3:
        error = next((one.error for one in texts if one.error), "")
        remedy = "have at least 10 labelled, better 100; the columns 'grade' and 'passed' are for people's word"
        if error and len(people) >= 3:  # people did their part
            remedy = "see that the judge answers and can be read: driftgate doctor asks it for one grade"
        raise DriftgateError(
            f"only {len(pairs)} of {len(texts)} texts were graded by people and by the judge"
            + (f" (the judge: {error})" if error else ""),
            remedy,
        )
    _, known, given = zip(*pairs, strict=True)
    ends = scale if by_grade else (0.0, 1.0)
    made = admit(judge, people, {one.name: float(one.length) for one in texts}, ends, texts="texts")
    told = f"only {len(pairs)} texts were graded by both, at least {LEAST} are wanted"
    confusion: dict[str, Counter[str]] = {}
    for _, word, said in pairs:
        confusion.setdefault(_word(word, by_grade), Counter())[_word(said, by_grade)] += 1
    off = [(one, said - word) for one, word, said in pairs]
    limits = np.quantile([one.length for one, _ in off], [1 / 3, 2 / 3])
    return Calibration(
        evaluator,
        pin,
        len(texts),
        sum(map(_blank, texts)),
        sum(one.grade is None and (bool(one.error) or not _blank(one)) for one in texts),
        next((one.error for one in texts if one.error), ""),
        agreement(np.array(given), np.array(known)),
        "grades" if by_grade else "verdicts",
        made.wanted if made is not None else None,
        made.reason if made is not None else told,
        {word: dict(sorted(found.items())) for word, found in sorted(confusion.items())},
        _biases(off, lambda one: one.slice),
        _biases(off, lambda one: LENGTHS[int(np.searchsorted(limits, one.length))]),
        *_cuts(texts, threshold),
        corrected,
    )


def _blank(one: JudgedText) -> bool:
    return one.people is None and one.passed is None


def _people(one: JudgedText, by_grade: bool) -> float | None:
    return one.people if by_grade else None if one.passed is None else float(one.passed)


def _judge(one: JudgedText, by_grade: bool) -> float | None:
    return one.grade if by_grade else None if one.judge_passed is None else float(one.judge_passed)


def _word(value: float, by_grade: bool) -> str:
    return f"{value:g}" if by_grade else "passed" if value else "failed"


def _biases(off: Sequence[tuple[JudgedText, float]], part: Callable[[JudgedText], str]) -> tuple[Bias, ...]:
    parts: dict[str, list[float]] = {}
    for one, by in off:
        if name := part(one):
            parts.setdefault(name, []).append(by)
    found = []
    for name, values in sorted(parts.items(), key=lambda one: (_place(one[0]), one[0])):
        interval = mean_interval(values)
        found.append(Bias(name, len(values), float(np.mean(values)), interval.low, interval.high))
    return tuple(found)


def _place(part: str) -> int:
    return LENGTHS.index(part) if part in LENGTHS else 0


def _cuts(texts: Sequence[JudgedText], present: float) -> tuple[Cut | None, Cut | None]:
    """The threshold that agrees best with people's verdicts, and the one that is set."""
    both = [(one.grade, one.passed) for one in texts if one.grade is not None and one.passed is not None]
    if not both:
        return None, None
    grades, passed = (np.array(side, dtype=np.float64) for side in zip(*both, strict=True))

    def cut(threshold: float) -> Cut:
        right = int(((grades >= threshold) == (passed > 0)).sum())
        interval = wilson_interval(right, len(both))
        return Cut(threshold, right / len(both), interval.low, interval.high)

    cuts = [cut(float(one)) for one in np.unique(grades)]
    return min(cuts, key=lambda one: (-one.agreed, abs(one.threshold - present))), cut(present)


def rate_by_people(judged: Mapping[int, bool | None], labels: Mapping[int, bool | None]) -> CorrectedRate:
    """The pass rate by people in a cell, of which some samples were labelled.

    Parameters
    ----------
    judged : mapping
        Whether the judge passes each sample of the cell; None where it gave no grade.
    labels : mapping
        Whether people pass the samples that they were asked for; None where they said nothing.
    """

    def side(verdict: bool) -> Labelled:
        here = {sample for sample, said in judged.items() if said is verdict}
        words = [word for sample, word in labels.items() if sample in here]
        return Labelled(len(here), words.count(True), words.count(False), words.count(None))

    return corrected_rate(side(True), side(False), sum(said is None for said in judged.values()))


def corrected_in(cell: str, judged: Mapping[int, bool | None], labels: Mapping[int, bool | None]) -> Corrected:
    """The same with what a person wants beside it."""
    made = rate_by_people(judged, labels)
    said = [word for word in judged.values() if word is not None]
    known = [word for sample, word in labels.items() if word is not None and judged.get(sample) is not None]
    alone = wilson_interval(sum(known), len(known)) if known else None
    return Corrected(
        cell,
        float(np.mean(said)) if said else 0.0,
        made.estimate,
        made.low,
        made.high,
        made.labels,
        made.judged,
        len(judged) - len(said),
        None if alone is None or alone.low is None or alone.high is None else (alone.low, alone.high),
    )
