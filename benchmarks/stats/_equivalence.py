"""Two models shown to differ by less than a margin either way."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from ._interval import Interval
from ._margin import check_margin, one_sided_paired

__all__ = ["EquivalenceTest", "equivalence_paired"]


@dataclass(frozen=True, slots=True)
class EquivalenceTest:
    """Whether a difference was shown to lie within a margin on both sides.

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
    """

    shown: bool | None
    margin: float
    interval: Interval
    p_value: float | None
    alpha: float


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
    if margin == 0.0 or alpha >= 0.5:
        raise ValueError(f"margin is {margin!r} and alpha {alpha!r}; expected a margin above 0 and an alpha below 0.5.")
    above = one_sided_paired(candidate, reference, clusters, -margin, "above", alpha=alpha)
    below = one_sided_paired(candidate, reference, clusters, margin, "below", alpha=alpha)
    p_value = None if above.p_value is None or below.p_value is None else max(above.p_value, below.p_value)
    level = round(1.0 - 2.0 * alpha, 12)
    interval = Interval(above.estimate, above.bound, below.bound, level, above.method, above.n, above.reason)
    return EquivalenceTest(None if p_value is None else p_value <= alpha, margin, interval, p_value, alpha)
