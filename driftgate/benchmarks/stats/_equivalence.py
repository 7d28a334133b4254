"""Two models shown to differ by less than a margin either way, or by more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from ._checks import check_pair, check_values
from ._cluster import cluster_mean
from ._interval import Interval
from ._margin import OneSidedTest, check_margin, one_sided_mean, one_sided_paired

__all__ = ["EquivalenceTest", "equivalence_means", "equivalence_paired"]


@dataclass(frozen=True, slots=True)
class EquivalenceTest:
    """Whether a difference was shown to lie within a margin on both sides, or beyond it on one.

    Parameters
    ----------
    shown
        True if `p_value` is at most `alpha`; None if there is none.
    margin
        Half-width of the region of equivalence.
    interval
        At level ``1 - 2 * alpha``; equivalence is shown when it lies within the margins.
    p_value
        The larger of the two one-sided ones.
    alpha
        Level of each.
    p_different
        Against "the difference is within the margins": twice the smaller p-value of the two claims that it lies
        beyond one of them; None if there is none.
    """

    shown: bool | None
    margin: float
    interval: Interval
    p_value: float | None
    alpha: float
    p_different: float | None = None


def equivalence_paired(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> EquivalenceTest:
    """Show that two models differ by less than a margin either way, on shared samples, by two one-sided tests.

    Arguments and errors are those of `noninferiority_paired`, except that a margin of 0 cannot be asked for.

    References
    ----------
    .. [1] Schuirmann (1987). A comparison of the two one-sided tests procedure and the power approach for assessing the
       equivalence of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.

    Examples
    --------
    >>> candidate = [1] * 45 + [0] * 50 + [1] * 905
    >>> reference = [0] * 45 + [1] * 50 + [1] * 905
    >>> test = equivalence_paired(candidate, reference, margin=0.03)
    >>> test.shown, round(test.p_value, 4)
    (True, 0.0073)
    >>> print(test.interval)
    -0.0050 [-0.0218, 0.0117] (90% tango-score, n=1000)
    """
    check_margin(margin, alpha)
    _check(margin, alpha)

    def one_sided(limit: float, side: Literal["above", "below"]) -> OneSidedTest:
        return one_sided_paired(candidate, reference, clusters, limit, side, alpha=alpha)

    return _tested(one_sided, margin, alpha)


def equivalence_means(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> EquivalenceTest:
    """Show that two models' mean graded scores differ by less than a margin either way, on shared samples (paired t).

    Arguments and errors are those of `noninferiority_means`, except that a margin of 0 cannot be asked for.

    Examples
    --------
    >>> test = equivalence_means([4, 5, 3, 4, 4, 5, 2, 4], [4, 4, 3, 3, 4, 4, 2, 5], margin=1.0)
    >>> test.shown, round(test.p_value, 4)
    (True, 0.01)
    >>> print(test.interval)
    0.2500 [-0.2236, 0.7236] (90% t, n=8)
    """
    check_margin(margin, alpha, graded=True)
    _check(margin, alpha)
    first, second = check_values("candidate", candidate), check_values("reference", reference)
    check_pair(first, second)
    mean = cluster_mean(first - second, clusters)
    method = "t" if clusters is None else "t-cr2"

    def one_sided(limit: float, side: Literal["above", "below"]) -> OneSidedTest:
        return one_sided_mean(mean, limit, side, alpha=alpha, method=method)

    return _tested(one_sided, margin, alpha)


def _check(margin: float, alpha: float) -> None:
    if margin == 0.0 or alpha >= 0.5:
        raise ValueError(f"margin is {margin!r} and alpha {alpha!r}; expected a margin above 0 and an alpha below 0.5.")


def _tested(
    one_sided: Callable[[float, Literal["above", "below"]], OneSidedTest], margin: float, alpha: float
) -> EquivalenceTest:
    above, below = one_sided(-margin, "above"), one_sided(margin, "below")
    over, under = one_sided(margin, "above").p_value, one_sided(-margin, "below").p_value
    p_value = None if above.p_value is None or below.p_value is None else max(above.p_value, below.p_value)
    p_different = None if over is None or under is None else min(1.0, 2.0 * min(over, under))
    level = round(1.0 - 2.0 * alpha, 12)
    interval = Interval(above.estimate, above.bound, below.bound, level, above.method, above.n, above.reason)
    shown = None if p_value is None else p_value <= alpha
    return EquivalenceTest(shown, margin, interval, p_value, alpha, p_different)
