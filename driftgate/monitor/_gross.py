"""A rise so gross that it is an incident, whichever hours or days it falls on.

A test whose units are days (`driftgate.monitor._days`) asks whether a day is unlike other days, and needs days to tell
by. An endpoint that fails for a quarter of its calls is down for a quarter of its users on the second day of a
workspace as well, and on any day after days that were as bad. So signals of the service have a second test, of a rise
by their ``gross`` share or more. Its units are those who ask: that hours differ is what is looked for here, while one
user whose calls all fail is no change of the traffic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval, compare_unpaired
from driftgate.monitor.detectors import MIN_ROWS, Evidence
from driftgate.monitor.pooling import reaches

if TYPE_CHECKING:
    from driftgate.monitor._days import Units
    from driftgate.monitor.signals import Signal

_ASKERS = 3.0
"""Where fewer ask a day, they are accounts of services, and each call stands for itself."""
_POWER = 0.8
_ARITHMETIC = 1e-9

Floats = NDArray[np.float64]


def with_gross(signal: Signal, found: Evidence, windows: tuple[Floats, Floats], units: tuple[Units, Units]) -> Evidence:
    """The evidence with that of a gross rise: each has half of the level.

    The rise is of all calls, and must reach the signal's ``gross``. Its p-value is that of Fisher's exact test of those
    who ask, each with the share of its calls, whatever their number: of such shares fewer are far from their mean than
    of as many draws of 0 and 1 with the same mean [1]_, and sums are rounded against an alarm. One more failed call
    never makes the p-value larger.

    Parameters
    ----------
    found
        The evidence of days and blocks.
    windows, units
        Of the reference's calls that are compared, and of the current window's: their values, and who asks.

    References
    ----------
    .. [1] Hoeffding (1963). Probability inequalities for sums of bounded random variables. Journal of the American
       Statistical Association 58, 13-30.
    """
    before, now = found.reference_value, found.current_value
    if not signal.gross or found.p_value is None or before is None or now is None:
        return found
    by_call = _askers_a_day(units[0]) < _ASKERS
    (x, n), (y, m) = (_of_askers(*side, by_call=by_call) for side in zip(windows, units, strict=True))
    detail = {**found.detail, "askers_reference": n, "askers_current": m}
    p_value, effect = 1.0, found.effect
    if reaches(now - before, signal.gross) and min(n, m) >= MIN_ROWS:
        failing, usual = math.floor(y + _ARITHMETIC), math.ceil(x - _ARITHMETIC)
        p_value = float(_tails([failing], m, usual, n)[0])
        if p_value < found.p_value:
            held = compare_unpaired(failing, m, usual, n).interval
            effect = _around(held, effect)
    return replace(found, p_value=min(1.0, 2.0 * min(found.p_value, p_value)), effect=effect, detail=detail)


def smallest_gross(signal: Signal, found: Evidence, level: float) -> float:
    """The smallest rise that the test of a gross one finds in four of five windows; infinite where it finds none."""
    n, m = (int(found.detail.get(name, 0)) for name in ("askers_reference", "askers_current"))
    before = found.reference_value
    if not signal.gross or before is None or min(n, m) < MIN_ROWS:
        return math.inf
    from scipy import stats

    x = math.ceil(before * n)
    counts = np.arange(m + 1)
    wanted = (before + signal.gross) * m
    enough = np.flatnonzero((counts >= wanted - 1e-9) & (_tails(counts, m, x, n) <= level / 2.0))
    if not enough.size:
        return math.inf
    shares = np.linspace(before, 1.0, 201)
    seen = shares[stats.binom.sf(enough[0] - 1, m, shares) >= _POWER]
    return max(float(seen[0]) - before, signal.gross) if seen.size else math.inf


def _askers_a_day(units: Units) -> float:
    """How many ask in a period, of the calls that tell it."""
    told = units.block[units.who]
    return np.unique(told).size / max(1, np.unique(units.period).size) if told.size else 0.0


def _of_askers(values: Floats, units: Units, *, by_call: bool) -> tuple[float, int]:
    """The sum of the shares of those who ask, and how many they are; calls that do not tell stand for themselves."""
    if by_call:
        return float(values.sum()), values.size
    asking = units.who
    sizes = np.bincount(units.block[asking])
    sums = np.bincount(units.block[asking], weights=values[asking])
    there = sizes > 0
    return float((sums[there] / sizes[there]).sum() + values[~asking].sum()), int(there.sum() + (~asking).sum())


def _around(held: Interval, effect: Interval) -> Interval:
    """The interval of those who ask, with the effect of all calls in it."""
    if held.low is None or held.high is None or effect.estimate is None:
        return effect
    low, high = min(held.low, effect.estimate), max(held.high, effect.estimate)
    return replace(held, estimate=effect.estimate, low=low, high=high, n=effect.n)


def _tails(counts: Sequence[int] | NDArray[np.integer[Any]], m: int, x: int, n: int) -> Floats:
    """Fisher's exact p-values of so many of m or more, beside x of n."""
    from scipy import stats

    given = np.asarray(counts)
    return np.asarray(stats.hypergeom.sf(given - 1, n + m, given + x, m), dtype=float)
