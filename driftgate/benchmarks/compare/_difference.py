"""A difference between two scores: what was found, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from driftgate.benchmarks import stats

SIGNIFICANT = 0.05
"""A difference is significant where its adjusted p-value is at most this."""
_NAMED = 5
_UNTESTED = "none"
"""Method of what has no limits, as none would hold."""
Finding = Literal["higher", "lower", "inconclusive", "unmeasurable"]


@dataclass(frozen=True)
class Difference:
    """A candidate's score less a reference's, on all samples or on a slice of them."""

    kind: str
    """``all``, ``macro``, ``super_category`` or ``category``."""
    name: str
    """The slice's; empty for ``all`` and ``macro``."""
    candidate: float | None
    reference: float | None
    """The two scores, on the samples that the difference is of."""
    comparison: stats.Comparison
    p_adjusted: float | None = None
    """Over categories Benjamini and Hochberg's, over datasets and pairs Holm's."""
    bounds: stats.Bounds | None = None
    """If the unanswered samples had been the worst and the best for the candidate; None where all were answered."""
    bootstrap: stats.Bootstrapped | None = None
    """The paired bootstrap's interval and p-value, where it was asked for."""
    common: stats.Comparison | None = None
    """The same on the samples that both answered (unpaired: each its own), where the bounds leave the sign open."""
    untested: str = ""
    """Why no test of it holds, as a gate stopped a side; it then has neither limits nor p-values."""

    @property
    def open(self) -> bool:
        """Whether the samples without an answer could turn the difference: its bounds hold zero."""
        if self.bounds is None:
            return False
        low, high = self.bounds.low.estimate, self.bounds.high.estimate
        return low is None or high is None or low <= 0.0 <= high

    @property
    def p(self) -> float | None:
        """The p-value that decides: the adjusted one; the macro average stands alone, so its own counts."""
        return self.comparison.p_value if self.kind == "macro" else self.p_adjusted

    @property
    def finding(self) -> Finding:
        """``higher`` and ``lower`` are significant; ``unmeasurable`` is what unanswered samples could turn.

        So is a difference without a p-value: it has no samples, or nothing that varies. What they could turn is never
        significant, however small its p-value: that one takes every missing answer for a wrong one. What is untested
        is at most ``inconclusive``.
        """
        known = self.comparison.difference is not None
        if self.untested and known and not self.open:
            return "inconclusive"
        if self.open or self.p is None:
            return "unmeasurable"
        difference = self.comparison.difference or 0.0
        if self.p > SIGNIFICANT or difference == 0.0:
            return "inconclusive"
        return "higher" if difference > 0 else "lower"

    @property
    def significant(self) -> bool:
        """Whether it is surely higher or lower."""
        return self.finding in ("higher", "lower")

    @property
    def certain(self) -> float:
        """How large the difference is at least: its limit nearer to zero; 0 where zero is inside, or it is open."""
        low, high = self.comparison.interval.low, self.comparison.interval.high
        return 0.0 if low is None or high is None or self.open else max(low, -high, 0.0)


def without_test(found: Difference, why: str) -> Difference:
    """A difference with what was observed, and without all that holds only where the number of samples was fixed."""
    bounds = found.bounds
    return replace(
        found,
        comparison=_observed(found.comparison, why),
        p_adjusted=None,
        bounds=bounds and replace(bounds, low=without_limits(bounds.low, why), high=without_limits(bounds.high, why)),
        bootstrap=None,
        common=found.common and _observed(found.common, why),
        untested=why,
    )


def _observed(comparison: stats.Comparison, why: str) -> stats.Comparison:
    return replace(
        comparison,
        interval=without_limits(comparison.interval, why),
        p_value=None,
        minimum_detectable_effect=None,
        method=_UNTESTED,
    )


def without_limits(interval: stats.Interval, why: str) -> stats.Interval:
    """The estimate of an interval, and why it has no limits."""
    return stats.Interval.unknown(interval.estimate, level=interval.level, method=_UNTESTED, n=interval.n, reason=why)


@dataclass(frozen=True)
class Directions:
    """How many slices of a kind go which way by their estimates, and which of them significantly."""

    total: int
    higher: int
    lower: int
    equal: int
    significantly_higher: Sequence[str]
    significantly_lower: Sequence[str]
    unmeasurable: Sequence[str]
    """Slices, among those above, whose sign is open: see :attr:`Difference.finding`."""

    @property
    def words(self) -> str:
        """Every direction in one line, the one against the candidate first."""
        said = [
            _side("lower", self.lower, self.total, self.significantly_lower),
            _side("higher", self.higher, self.total, self.significantly_higher),
        ]
        if self.equal:
            said.append(f"equal in {self.equal}")
        if self.unmeasurable:
            said.append(f"unmeasurable in {len(self.unmeasurable)}: {_names(self.unmeasurable)}")
        return "; ".join(said)


def directions(differences: Sequence[Difference]) -> Directions:
    """Count the directions of slices; one without samples on a side is in none, and unmeasurable.

    Examples
    --------
    >>> from driftgate.benchmarks.stats import PairedTable, compare_table
    >>> tables = {"Law": PairedTable(10, 2, 30, 8), "Art": PairedTable(10, 9, 8, 8), "Math": PairedTable(9, 5, 5, 9)}
    >>> found = [Difference("category", name, None, None, compare_table(t), p_adjusted=compare_table(t).p_value)
    ...          for name, t in tables.items()]
    >>> directions(found).words
    'lower in 1 of 3, 1 significant: Law; higher in 1 of 3, 0 significant; equal in 1'
    """
    known = [d.comparison.difference for d in differences if d.comparison.difference is not None]
    return Directions(
        len(differences),
        sum(value > 0 for value in known),
        sum(value < 0 for value in known),
        sum(value == 0 for value in known),
        *(tuple(d.name for d in differences if d.finding == found) for found in ("higher", "lower", "unmeasurable")),
    )


def _side(word: str, count: int, total: int, significant: Sequence[str]) -> str:
    names = f": {_names(significant)}" if significant else ""
    return f"{word} in {count} of {total}, {len(significant)} significant{names}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
