"""One quantity of a flow and its port, and whether the two were shown to agree on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.metrics import is_binary
from driftgate.benchmarks.stats import (
    Interval,
    cluster_mean,
    design_effect,
    equivalence_means,
    equivalence_paired,
    holm,
    sample_size_noninferiority_paired,
)

Values = NDArray[np.float64]
Labels = NDArray[np.object_] | None
Verdict = Literal["equivalent", "different", "inconclusive", "unmeasurable"]
ALPHA = 0.05
_POWER = 0.8
_MOST_SAMPLES = 10_000_000


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


def score_quantity(name: str, port: Values, reference: Values, clusters: Labels, margin: float) -> Quantity:
    """Compare a score that both sides have, by two one-sided tests on the paired differences.

    Parameters
    ----------
    port, reference
        One value a sample, shape (n,).
    clusters
        The passage or subject of each sample; None if all are independent.
    margin
        For scores between 0 and 1 their unit; for any other a share of the reference's mean.

    Examples
    --------
    >>> same = np.array([1.0] * 180 + [0.0] * 20)
    >>> found = score_quantity("extract.choice.correct", same, same, None, 0.02)
    >>> round(found.p_equivalent, 4), decided([found])[0].verdict
    (0.0385, 'equivalent')
    """
    bounded = bool(((port >= 0) & (port <= 1)).all() and ((reference >= 0) & (reference <= 1)).all())
    scale = 1.0 if bounded else float(np.abs(reference).mean()) or 1.0
    differences = port - reference
    binary = is_binary(port) and is_binary(reference)
    if not port.size:
        interval = Interval.unknown(None, level=0.9, method="t", n=0, reason="no sample has a value on both sides")
        p_equivalent = p_different = None
    else:
        compare = equivalence_paired if binary else equivalence_means
        test = compare(port, reference, margin * scale, clusters=clusters, alpha=ALPHA)
        interval, p_equivalent, p_different = test.interval, test.p_value, test.p_different
        if p_equivalent is None and np.ptp(differences) == 0:
            span = 1.0 if bounded else float(np.abs(reference).max()) or 1.0
            interval, p_equivalent, p_different = _all_alike(differences, clusters, margin * scale, span)
    found = Quantity(
        name=name,
        n=int(port.size),
        differing=int((np.abs(differences) > 1e-9).sum()),
        reference=float(reference.mean()) if reference.size else None,
        port=float(port.mean()) if port.size else None,
        interval=interval,
        margin=margin * scale,
        p_equivalent=p_equivalent,
        p_different=p_different,
        verdict="inconclusive",
        needed=None,
        relative=not bounded,
    )
    if p_equivalent is not None and p_equivalent <= ALPHA:
        return found
    return replace(found, needed=_needed(differences, clusters, margin * scale, binary))


def churn_quantity(name: str, differs: NDArray[np.bool_], clusters: Labels, most: float) -> Quantity:
    """Show that at most a share ``most`` of the answers differ; exact binomial, or by cluster with Student's t.

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
    from scipy.special import bdtr, bdtrc, betaincinv

    n, count = int(differs.size), int(differs.sum())
    share = count / n if n else None
    p_equivalent: float | None = None
    p_different: float | None = None
    if share is None:
        interval = Interval.unknown(None, level=0.9, method="clopper-pearson", n=0, reason="no sample was answered")
    else:
        mean = cluster_mean(differs.astype(float), clusters)
        low, high = mean.quantile(ALPHA), mean.quantile(1.0 - ALPHA)
        if clusters is not None and low is not None and high is not None:
            interval = Interval(share, max(0.0, low), min(1.0, high), 0.9, "t-cr2", n)
            p_equivalent, p_different = mean.p_below(most), mean.p_above(most)
        else:
            # Where all clusters say the same, each counts as one sample.
            size = n if clusters is None else mean.n_clusters
            hits = round(share * size)
            low = 0.0 if hits == 0 else float(betaincinv(hits, size - hits + 1, ALPHA))
            high = 1.0 if hits == size else float(betaincinv(hits + 1, size - hits, 1.0 - ALPHA))
            interval = Interval(share, low, high, 0.9, "clopper-pearson", n)
            p_equivalent = float(bdtr(hits, size, most))
            p_different = float(bdtrc(hits - 1, size, most)) if hits else 1.0
    found = Quantity(name, n, count, None, share, interval, most, p_equivalent, p_different, "inconclusive", None)
    return replace(found, needed=_needed_churn(share, most))


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
        needed = quantity.needed if verdict == "inconclusive" and quantity.n else None
        found.append(replace(quantity, p_different=p_different, verdict=verdict, needed=needed))
    return found


def _all_alike(differences: Values, clusters: Labels, margin: float, span: float) -> tuple[Interval, float, float]:
    """All samples differ by exactly the same, so nothing estimates their spread.

    A share of the samples could still differ otherwise, by at most ``span``, and was not met: with `n` independent
    samples (or clusters) at most ``1 - alpha ** (1 / n)`` of them (Clopper and Pearson's limit of 0 in n).
    """
    size = differences.size if clusters is None else len(set(clusters.tolist()))
    common = float(differences[0])
    half = span * (1.0 - ALPHA ** (1.0 / size))
    interval = Interval(common, common - half, common + half, 0.9, "none-differs", int(differences.size))
    room = min(1.0, abs(abs(common) - margin) / span)
    p_value = float((1.0 - room) ** size)
    return (interval, p_value, 1.0) if abs(common) < margin else (interval, 1.0, min(1.0, 2.0 * p_value))


def _needed(differences: Values, clusters: Labels, margin: float, binary: bool) -> int | None:
    """Samples with which the test would decide with a power of 80%, were the truth what was seen."""
    if differences.size < 2:
        return None
    mean = float(differences.mean())
    effect = (design_effect(differences, clusters) if clusters is not None else None) or 1.0
    power = _POWER if abs(mean) > margin / 4 else (1.0 + _POWER) / 2.0  # both sides have to be shown
    if math.isclose(abs(mean), margin):
        return None
    if binary:
        discordance = float((differences != 0).mean())
        count = sample_size_noninferiority_paired(
            margin, discordance, -abs(mean), alpha=ALPHA, power=power, design_effect=max(effect, 1.0)
        )
    else:
        from scipy.special import ndtri

        spread = float(differences.std(ddof=1))
        z = float(ndtri(1.0 - ALPHA) + ndtri(power))
        count = math.ceil((z * spread / (margin - abs(mean))) ** 2 * max(effect, 1.0))
    return max(count, int(differences.size) + 1) if count < _MOST_SAMPLES else None


def _needed_churn(share: float | None, most: float) -> int | None:
    if share is None or math.isclose(share, most):
        return None
    from scipy.special import ndtri

    if share == 0.0:
        return math.ceil(math.log(ALPHA) / math.log1p(-most))
    spread = float(ndtri(1 - ALPHA)) * math.sqrt(most * (1 - most)) + float(ndtri(_POWER)) * math.sqrt(
        share * (1 - share)
    )
    return math.ceil((spread / (share - most)) ** 2)
