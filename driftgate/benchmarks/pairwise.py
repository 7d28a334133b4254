"""Which of two cells answers better, as a judge says who sees both answers to each question, in both orders.

A judge that prefers a place to an answer says the same place twice. So each pair is asked in both orders: what the
judge says of a pair is the mean of both, which a preference for a place does not move, and its position bias is what
the order changed. A judge that mostly goes by the place is no judge of the answers, whatever its win rate; nor is one
that decides pairs alike no more often than a coin and prefers neither cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from driftgate.benchmarks import stats
from driftgate.benchmarks.metrics import clusters_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import COST, NoGrade, PairJudge
from driftgate.flows.models import ModelMisconfigured
from driftgate.ledger import CellRow, Ledger, check_texts, forgotten_in, outcome_frame, samples_frame

if TYPE_CHECKING:
    import numpy as np

Verdict = Literal["first", "second", "inconclusive", "unmeasurable"]
_LEAST = 6
"""Pairs that a judge must have decided in both orders: six heads in a row are the first to be no coin's at 5%."""


@dataclass(frozen=True)
class Pair:
    """What a judge said of the two answers to one question; 1 is for the first cell, 0 for the second, 0.5 for neither.

    None: it could not be read, or there were not two answers.
    """

    sample: str
    cluster: str
    forward: float | None
    """With the first cell's answer in the first place."""
    backward: float | None
    """With it in the second place."""
    reason: str = ""
    error: str = ""

    @property
    def preference(self) -> float | None:
        """Mean of both orders."""
        if self.forward is None or self.backward is None:
            return None
        return (self.forward + self.backward) / 2

    @property
    def bias(self) -> float | None:
        """How far the order moved the judge towards the first place: -0.5 to 0.5."""
        if self.forward is None or self.backward is None:
            return None
        return (self.forward - self.backward) / 2

    @property
    def decided(self) -> bool:
        """Whether it named a better answer in both orders."""
        return self.forward in (0.0, 1.0) and self.backward in (0.0, 1.0)


@dataclass(frozen=True)
class Conclusion:
    """What pairs say; without numbers where none could be measured."""

    verdict: Verdict
    reason: str
    win_rate: float | None = None
    low: float | None = None
    """If every pair that could not be measured had gone to the second cell."""
    high: float | None = None
    """If it had gone to the first."""
    bias: float | None = None
    bias_low: float | None = None
    bias_high: float | None = None


@dataclass(frozen=True)
class Pairwise:
    """Two cells, compared."""

    first: str
    second: str
    judge: str
    criteria: str
    pairs: Sequence[Pair]
    said: Conclusion
    cost: float | None
    """None where nobody knows."""

    @property
    def counts(self) -> dict[str, int]:
        """Pairs by what became of them."""
        known = [pair for pair in self.pairs if pair.preference is not None]
        decided = [pair for pair in known if pair.decided]
        followed = [pair for pair in decided if pair.forward != pair.backward]
        return {
            "won": sum(pair.preference is not None and pair.preference > 0.5 for pair in known),
            "lost": sum(pair.preference is not None and pair.preference < 0.5 for pair in known),
            "tied": sum(pair.preference == 0.5 for pair in known) - len(followed),
            "followed the place": len(followed),
            "not measured": len(self.pairs) - len(known),
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        told = {name: getattr(self, name) for name in ("first", "second", "judge", "criteria")}
        pairs = [asdict(pair) for pair in self.pairs]
        return {**told, **asdict(self.said), "cost": self.cost, "counts": self.counts, "pairs": pairs}


def conclude(pairs: Sequence[Pair]) -> Conclusion:
    """What pairs say: the verdict with its reason, the win rate and the position bias with their 95% intervals.

    The win rate's limits take every pair that could not be measured against the side that they are a limit for, so that
    a pair that is missing never makes either cell look better.

    Examples
    --------
    >>> honest = [Pair(str(n), "", 1.0, 1.0) for n in range(12)]
    >>> conclude(honest).verdict
    'first'
    >>> always_a = [Pair(str(n), "", 1.0, 0.0) for n in range(12)]
    >>> found = conclude(always_a)
    >>> found.verdict, found.win_rate, found.bias
    ('unmeasurable', 0.5, 0.5)
    """
    import numpy as np

    known = [pair for pair in pairs if pair.preference is not None]
    if not known:
        error = next((pair.error for pair in pairs if pair.error), "there are no pairs")
        return Conclusion("unmeasurable", f"no pair could be measured: {error}")
    preferred = np.array([pair.preference for pair in known], dtype=float)
    least, most = (
        np.array([empty if pair.preference is None else pair.preference for pair in pairs], dtype=float)
        for empty in (0.0, 1.0)
    )
    low = stats.bounded_mean(least, 0.0, 1.0, clusters=_clusters(pairs)).interval().low
    high = stats.bounded_mean(most, 0.0, 1.0, clusters=_clusters(pairs)).interval().high
    moved = np.array([pair.bias for pair in known], dtype=float)
    bias = stats.bounded_mean(moved, -0.5, 0.5, clusters=_clusters(known)).interval()
    verdict, reason = _verdict([pair for pair in known if pair.decided], len(known), low, high)
    return Conclusion(verdict, reason, float(preferred.mean()), low, high, float(moved.mean()), bias.low, bias.high)


def _verdict(decided: Sequence[Pair], known: int, low: float | None, high: float | None) -> tuple[Verdict, str]:
    """What the limits of a win rate may be taken for, by how often the judge named one answer twice; and why."""
    alike = sum(pair.forward == pair.backward for pair in decided)
    if len(decided) < _LEAST:
        reason = f"the judge decided only {len(decided)} of {known} pairs in both orders"
        return "inconclusive", f"{reason}, and {_LEAST} are the least that tell it from a coin"
    steady = stats.wilson_interval(alike, len(decided))
    reason = f"of {len(decided)} pairs that the judge decided in both orders, it named one answer twice in {alike}"
    if steady.high is None or steady.high < 0.5:
        return "unmeasurable", f"{reason}, less than a coin: it goes by the place, not by the answers"
    if low is not None and low > 0.5:
        return "first", "its answers are preferred"
    if high is not None and high < 0.5:
        return "second", "its answers are preferred"
    if steady.low is None or steady.low <= 0.5:
        return "unmeasurable", f"{reason}, no more than a coin"
    return "inconclusive", "the interval of the win rate holds 50%"


def _clusters(pairs: Sequence[Pair]) -> np.ndarray[Any, Any] | None:
    import numpy as np

    if not any(pair.cluster for pair in pairs):
        return None
    return np.array([pair.cluster or f"\0{number}" for number, pair in enumerate(pairs)], dtype=object)


async def compare_pairs(ledger: Ledger, first: CellRow, second: CellRow, judge: PairJudge, limit: int = 0) -> Pairwise:
    """Have a judge compare the answers of two cells to the samples that both were asked.

    Parameters
    ----------
    limit : int
        Only so many samples, the first of the cells' order; 0: all.

    Raises
    ------
    DriftgateError
        The cells share no sample, or the texts of a run were expired.
    ModelMisconfigured
        The judge's service would fail every pair.
    """
    for cell in (first, second):  # a word that stands for an answer is none: the judge would compare it
        check_texts(ledger, cell.run_id)
    gone = {one for cell in (first, second) for one in forgotten_in(ledger, cell.id)}
    frames = [await asyncio.to_thread(outcome_frame, ledger, cell.id) for cell in (first, second)]
    shared = [one for one in frames[0]["sample_id"] if one in set(frames[1]["sample_id"])]
    if not shared:
        raise DriftgateError(
            f"{first.name} and {second.name} share no sample",
            "compare cells of the same dataset: driftgate runs show RUN",
        )
    ids = shared[:limit] if limit else shared
    own = clusters_of(frames[0])
    clusters = dict(zip(frames[0]["sample_id"], own if own is not None else [""] * len(frames[0]), strict=True))
    rows = [await asyncio.to_thread(samples_frame, ledger, cell.id, ids) for cell in (first, second)]
    asked = await asyncio.gather(
        *(_pair(judge, clusters[one], *both, gone=one in gone) for one, *both in zip(ids, *rows, strict=True)),
        return_exceptions=True,
    )
    pairs, costs = [], []
    for found in asked:
        if isinstance(found, BaseException):
            raise found
        pairs.append(found[0])
        costs.append(found[1])
    cost = None if None in costs else float(sum(one for one in costs if one is not None))
    return Pairwise(first.name, second.name, judge.judge.name, judge.criteria, pairs, conclude(pairs), cost)


async def _pair(judge: PairJudge, cluster: Any, one: Any, other: Any, *, gone: bool) -> tuple[Pair, float | None]:
    name, texts = str(one["id"] or one["key"]), [row.get("answer") for row in (one, other)]
    if gone:
        return Pair(name, str(cluster), None, None, error="what was answered is forgotten"), 0.0
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return Pair(name, str(cluster), None, None, error="there are not two answers"), 0.0
    question = one["data"].get("question") if isinstance(one["data"], dict) else None
    both = await asyncio.gather(
        _prefer(judge, question, texts[0], texts[1]), _prefer(judge, question, texts[1], texts[0])
    )
    (forward, reason, error, cost), (turned, _, late_error, other_cost) = both
    backward = None if turned is None else 1.0 - turned
    total = None if cost is None or other_cost is None else cost + other_cost
    return Pair(name, str(cluster), forward, backward, reason, error or late_error), total


async def _prefer(judge: PairJudge, question: Any, one: str, other: str) -> tuple[float | None, str, str, float | None]:
    try:
        read, spent = await judge.prefer(question, one, other)
    except ModelMisconfigured:
        raise
    except NoGrade as problem:
        return None, "", str(problem), problem.spent.get(COST, 0.0)
    return read.grade, read.reason, "", spent.get(COST, 0.0)
