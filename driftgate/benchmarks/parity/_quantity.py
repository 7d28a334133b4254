"""One quantity of a flow and its port, and whether the two were shown to agree on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import BoundedMean, Interval, bounded_mean, holm

Values = NDArray[np.float64]
Labels = NDArray[np.object_] | None
Verdict = Literal["equivalent", "different", "inconclusive", "unmeasurable"]
ALPHA = 0.05
_POWER = 0.8


@dataclass(frozen=True)
class Quantity:
    """What was measured on both sides, and what follows."""

    name: str
    n: int
    """Samples with a value on both sides."""
    differing: int
    """Samples on which the two values differ."""
    reference: float | None
    port: float | None
    """Means of the two sides."""
    interval: Interval
    """Of the port's mean less the flow's, at 90%: the two one-sided tests at 5% decide by it."""
    margin: float
    """Largest difference that counts as none, in the quantity's own unit."""
    p_equivalent: float | None
    """Against "the difference is as large as the margin or larger"."""
    p_different: float | None
    """Against "the difference is within the margin", adjusted over all quantities by Holm."""
    verdict: Verdict
    needed: int | None
    """Samples that would decide, if what was seen is how it is; None where it is decided, or no number would."""
    relative: bool = False
    """Whether the margin is a share of the flow's own mean, as for a quantity that is no proportion."""
    one_sided: int = 0
    """Samples on which one side alone has a value."""
    depends: bool = False
    """Whether these alone could turn the verdict."""


def score_quantity(name: str, port: Values, reference: Values, clusters: Labels, margin: float) -> Quantity:
    """Compare a score that both sides have, by two one-sided tests on the paired differences.

    Parameters
    ----------
    port, reference
        One value a sample, shape (n,); NaN where a side has none. A sample without any is left out; where one side has
        a value, the other's could be any, and equivalence has to hold whatever it is.
    clusters
        The passage or subject of each sample; None if all are independent.
    margin
        For scores between 0 and 1 their unit; for any other a share of the reference's mean.

    Examples
    --------
    >>> same = np.array([1.0] * 180 + [0.0] * 20)
    >>> found = score_quantity("extract.choice.correct", same, same, None, 0.02)
    >>> round(found.p_equivalent, 4), decided([found])[0].verdict
    (0.0176, 'equivalent')
    """
    any_value = ~(np.isnan(port) & np.isnan(reference))
    port, reference = port[any_value], reference[any_value]
    clusters = None if clusters is None else clusters[any_value]
    known = ~(np.isnan(port) | np.isnan(reference))
    given = np.concatenate([side[~np.isnan(side)] for side in (port, reference)])
    bounded = bool(((given >= 0) & (given <= 1)).all())
    if bounded:
        within, largest = margin, 1.0
        lowest, highest = (np.nan_to_num(port, nan=end) - np.nan_to_num(reference, nan=1 - end) for end in (0, 1))
    else:
        differences = port - reference
        # What lies beyond the values that were met is not known; a sample could differ by as much as the largest.
        largest = float(max(np.abs(given).max(), np.nanmax(np.abs(differences), initial=0.0)))
        size = np.abs(reference[~np.isnan(reference)])
        within = margin * ((float(size.mean()) if size.size else 0.0) or 1.0)
        lowest, highest = (np.nan_to_num(differences, nan=end) for end in (-largest, largest))
    # The port's mean less the flow's, with what is missing as low and as high as it can be.
    low, high = (bounded_mean(side, -largest, largest, clusters=clusters) for side in (lowest, highest))
    p_equivalent = _larger(low.p_above(-within), high.p_below(within))
    over, under = low.p_above(within), high.p_below(-within)
    decided_at_once = p_equivalent is not None and p_equivalent <= ALPHA
    return Quantity(
        name=name,
        n=int(known.sum()),
        differing=int((np.abs((port - reference)[known]) > 1e-9).sum()),
        reference=float(reference[known].mean()) if known.any() else None,
        port=float(port[known].mean()) if known.any() else None,
        interval=_joined(low, high, float((port - reference)[known].mean()) if known.any() else None),
        margin=within,
        p_equivalent=p_equivalent,
        p_different=None if over is None or under is None else min(1.0, 2.0 * min(over, under)),
        verdict="inconclusive",
        needed=_needed(low, within) if not decided_at_once and known.all() else None,
        relative=not bounded,
        one_sided=int((~known).sum()),
        depends=_depends(low.estimate, high.estimate, within),
    )


def churn_quantity(name: str, differs: NDArray[np.bool_], clusters: Labels, most: float) -> Quantity:
    """Show that at most a share ``most`` of the answers differ; exact binomial, or by cluster Gaffke's test.

    The share cannot lie below 0, so of the two one-sided tests one is left.

    References
    ----------
    .. [1] Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 26, 404-413.

    Examples
    --------
    >>> found = churn_quantity("answers", np.zeros(200, dtype=bool), None, 0.02)
    >>> round(found.p_equivalent, 4), round(found.interval.high, 4), decided([found])[0].verdict
    (0.0176, 0.0149, 'equivalent')
    """
    mean = bounded_mean(differs.astype(float), 0.0, 1.0, clusters=clusters)
    return Quantity(
        name=name,
        n=int(differs.size),
        differing=int(differs.sum()),
        reference=None,
        port=mean.estimate,
        interval=mean.interval(1.0 - 2.0 * ALPHA),
        margin=most,
        p_equivalent=mean.p_below(most),
        p_different=mean.p_above(most),
        verdict="inconclusive",
        needed=mean.needed(most, alpha=ALPHA, power=_POWER),
    )


def decided(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Give each quantity its verdict.

    All must be shown to agree, each at 5%: an intersection-union test, which needs no correction [1]_. That one
    differs may be said of any of them, so these p-values are adjusted by Holm's method.

    References
    ----------
    .. [1] Berger (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
    """
    adjusted = holm([quantity.p_different for quantity in quantities])
    found = []
    for quantity, p_different in zip(quantities, adjusted, strict=True):
        verdict: Verdict = "inconclusive"
        if quantity.p_equivalent is not None and quantity.p_equivalent <= ALPHA:
            verdict = "equivalent"
        elif p_different is not None and p_different <= ALPHA:
            verdict = "different"
        elif quantity.depends:
            verdict = "unmeasurable"
        needed = quantity.needed if verdict == "inconclusive" and quantity.n else None
        found.append(replace(quantity, p_different=p_different, verdict=verdict, needed=needed))
    return found


def _joined(low: BoundedMean, high: BoundedMean, estimate: float | None) -> Interval:
    """From the lower limit of the one to the upper limit of the other (Horowitz and Manski 2000)."""
    if estimate is None or low.reason is not None:
        reason = low.reason or "no sample has a value on both sides"
        return Interval.unknown(estimate, level=0.9, method=low.method, n=low.n, reason=reason)
    return replace(
        low.interval(1.0 - 2.0 * ALPHA), estimate=estimate, high=max(estimate, high.quantile(1.0 - ALPHA) or 0.0)
    )


def _depends(low: float | None, high: float | None, margin: float) -> bool:
    """Whether what is missing can move the difference over the margin on its own, so that no number decides."""
    if low is None or high is None or low == high:
        return False
    return (low < -margin or high > margin) and not (low > margin or high < -margin)


def _needed(mean: BoundedMean, margin: float) -> int | None:
    """Samples with which the test would decide with a power of 80%, were the truth what was seen."""
    if mean.estimate is None:
        return None
    power = _POWER if abs(mean.estimate) > margin / 4 else (1.0 + _POWER) / 2.0  # both sides have to be shown
    nearer = math.copysign(margin, mean.estimate or -1.0)
    wanted = [mean.needed(limit, alpha=ALPHA, power=power) for limit in (nearer, -nearer)]
    if abs(mean.estimate) > margin:  # beyond the nearer limit already: that it lies there is what has to be shown
        return wanted[0]
    return None if None in wanted else max(n for n in wanted if n is not None)


def _larger(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else max(first, second)
