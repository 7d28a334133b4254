"""What a look at traffic could have seen: a look that could not have seen a change says nothing of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.monitor._days import OF_DAYS
from driftgate.monitor._gross import smallest_gross

if TYPE_CHECKING:
    from driftgate.monitor.drift import Finding

_POWER = 0.8
"""A change is seen where it is found so often."""
_BLIND = 10.0
"""Times its floor: a window that would not have shown as much of a signal has seen nothing of it."""
_HUNDREDFOLD = 99.0
"""A relative change that is none of production's."""


@dataclass(frozen=True)
class Short:
    """A signal of which a change as large as its floor would not have been seen, in any of the windows."""

    signal: str
    smallest: float
    """The smallest change that would have been."""
    floor: float
    relative: bool
    times: float
    """How many times as many calls or days show a change as large as the floor, about."""
    periods: int = 1
    """How many of the newest windows the one has in which it would have been, which lasted as long."""
    newest: float = 0.0
    """The smallest change that the newest window would have shown by itself, where that is another one."""

    @property
    def blind(self) -> bool:
        """Whether not even a gross change would have been seen: of shares, none that is possible."""
        return self.smallest > (_BLIND * self.floor if self.relative else min(1.0, _BLIND * self.floor))

    @property
    def told(self) -> str:
        """In words."""
        if math.isinf(self.smallest) or (self.relative and self.smallest >= _HUNDREDFOLD):
            return "no change at all"
        floor = f"with a floor of {self.floor:.0%}" if self.relative else f"with a floor of {100 * self.floor:.3g}"
        if self.periods == 1:
            return f"a change below {self._size(self.smallest)}, {floor}"
        lasted = f"a change below {self._size(self.smallest)} that lasted {self.periods} windows"
        return f"{lasted}, or {self._size(self.newest)} in the newest alone, {floor}"

    def _size(self, change: float) -> str:
        if math.isinf(change) or (self.relative and change >= _HUNDREDFOLD):
            return "any"
        return f"{change:+.0%}" if self.relative else f"{100 * change:.1f} points"


def too_short(findings: Sequence[Finding], alpha: float) -> list[Short]:
    """Of each signal with a mean, whether the window that sees it best could have seen its floor.

    The smallest change that is found in four of five looks is :math:`(t_{1-a} + t_{0.8})` standard errors [1]_, with a
    the level that a signal's window has by itself. Standard errors are those of the interval.

    References
    ----------
    .. [1] Bloom (1995). Minimum detectable effects. Evaluation Review 19, 547-556.
    """
    compared: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.signal.kind in OF_DAYS and finding.p_value is not None:
            compared.setdefault(finding.signal.name, []).append(finding)
    signals = len({finding.signal.name for finding in findings if finding.p_value is not None})
    found = []
    for name, windows in compared.items():
        signal, floor, level = windows[0].signal, windows[0].floor, alpha / signals / len(windows)
        relative = signal.kind == "continuous"
        by_window = [(_smallest(finding, level), finding.windows.periods) for finding in windows]
        (seen, periods), newest = min(by_window), min((one for one, of in by_window if of == 1), default=math.inf)
        wanted = math.log1p(floor) if relative else floor
        if seen > wanted > 0.0:
            smallest, alone = (math.expm1(min(one, 700.0)) if relative else one for one in (seen, newest))
            found.append(Short(name, smallest, floor, relative, (seen / wanted) ** 2, periods, alone))
    return found


def leaning(findings: Sequence[Finding]) -> str:
    """What is likely to have moved by its floor and is no alert, in words; empty where nothing is.

    The 95% interval of its effect leaves out all that is below the floor. A look reads many signals, so that one of
    them may do so by chance now and then: it is no alert, and not nothing either.
    """
    return "; ".join(
        f"{one.signal.title} {by_how_much(one)}, 95% interval {_limits(one)}, which is not sure enough for an alert"
        for one in findings
        if one.signal.kind in OF_DAYS and _leaves_out_less(one)
    )


def by_how_much(found: Finding) -> str:
    """From what to what a signal went, in words."""
    before, now = found.everywhere.reference_value or 0.0, found.everywhere.current_value or 0.0
    if found.signal.kind == "continuous":
        return f"went from {before:.3g} to {now:.3g} {found.signal.unit}"
    return f"went from {before:.1%} to {now:.1%}"


def _limits(found: Finding) -> str:
    low, high = (one or 0.0 for one in (found.everywhere.effect.low, found.everywhere.effect.high))
    if found.signal.kind == "continuous":
        return f"{low:+.0%} to {high:+.0%}"
    return f"{100 * low:+.1f} to {100 * high:+.1f} points"


def _leaves_out_less(found: Finding) -> bool:
    """Whether the interval leaves out all that is better than the floor."""
    low, high, bad = found.everywhere.effect.low, found.everywhere.effect.high, found.signal.bad
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high):
        return False
    return (bad != "lower" and low >= found.floor) or (bad != "higher" and -high >= found.floor)


def unseen(short: Sequence[Short]) -> str:
    """What smaller changes could have been there unseen, in words; empty where none as large as a floor."""
    return f"not to be seen: {'; '.join(f'{one.signal}: {one.told}' for one in short)}" if short else ""


def _smallest(finding: Finding, level: float) -> float:
    """The smallest change that a window would have shown: of numbers of their logarithm."""
    from scipy import stats

    effect = finding.everywhere.effect
    gross = smallest_gross(finding.signal, finding.everywhere, level)
    if effect.low is None or effect.high is None:
        # Of values that are all alike there is no interval, and any that is not would be seen.
        return gross if effect.estimate is None else 0.0
    limits = [effect.low, effect.high]
    if finding.signal.kind == "continuous":
        limits = [math.log1p(max(one, -1.0 + 1e-12)) for one in limits]
    free = finding.everywhere.detail.get("free", math.inf)
    level = level / 2.0 if finding.signal.bad == "either" else level
    far, sure, half = (float(stats.t.ppf(q, free)) for q in (1.0 - level, _POWER, 0.975))
    return min(gross, (limits[1] - limits[0]) / 2.0 * (far + sure) / half)
