"""Differences, limits and amounts in a few words."""

from __future__ import annotations

from driftgate.benchmarks.compare import Difference, Standing
from driftgate.benchmarks.report import p_value
from driftgate.benchmarks.stats import Interval


def percent(value: float | None) -> str:
    """A share in percent."""
    return "-" if value is None else f"{100 * value:.1f}%"


def points(value: float | None) -> str:
    """A difference of shares in points, with its sign."""
    return "-" if value is None else f"{100 * value:+.2f}"


def interval_text(interval: Interval) -> str:
    """Limits in points, or why there are none."""
    if interval.low is None or interval.high is None:
        return f"no interval: {interval.reason}"
    return f"{points(interval.low)} to {points(interval.high)}"


def bounds_text(difference: Difference) -> str:
    """What the unanswered samples could make of a difference."""
    bounds = difference.bounds
    if bounds is None:
        return "-"
    return f"{points(bounds.low.estimate)} to {points(bounds.high.estimate)} ({bounds.n_unanswered:,} unanswered)"


def finding_text(difference: Difference) -> str:
    """What may be said of a difference; of an unmeasurable one also what it is where both answered."""
    common = difference.common
    if common is None:
        return difference.finding
    return (
        f"{difference.finding}; {points(common.difference)} ({interval_text(common.interval)}, p "
        f"{p_value(common.p_value)}) on the {common.n:,} that both answered"
    )


def place_text(standing: Standing) -> str:
    """A cell's place on the Pareto front, and beside whom."""
    beside = {"tied": "with", "beaten": "by", "undecided": "behind"}
    return f"{standing.place} {beside[standing.place]} {standing.beaten_by}" if standing.beaten_by else standing.place


def range_text(interval: Interval, factor: float, form: str) -> str:
    """Limits in another unit, or why there are none."""
    if interval.low is None or interval.high is None:
        return f"no interval: {interval.reason}"
    return f"{form.format(factor * interval.low)} to {form.format(factor * interval.high)}"


def measured(interval: Interval | None, unit: str, without: str) -> str:
    """An amount with its limits, or what to say without one."""
    if interval is None or interval.estimate is None:
        return without
    limits = f" ({range_text(interval, 1.0, '{:.3g}')})" if interval.known else ""
    return f"{interval.estimate:.3g} {unit}{limits}"
