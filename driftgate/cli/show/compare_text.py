"""Differences, limits and amounts in a few words."""

from __future__ import annotations

from rich.markup import escape

from driftgate.benchmarks.compare import DatasetComparison, Difference, Standing
from driftgate.benchmarks.report import p_value
from driftgate.benchmarks.stats import Interval


def percent(value: float | None) -> str:
    """A share in percent; what is none, the mean of grades up to 5, as it is."""
    return "-" if value is None else f"{100 * value:.1f}%" if 0.0 <= value <= 1.0 else f"{value:.3f}"


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
    # The slices of a pair stand below what is said of all samples: a reason that holds for all is said there.
    why = f": {difference.untested}" if difference.untested and difference.kind == "all" else ""
    if common is None:
        return f"{difference.finding}{why}"
    limits = "" if difference.untested else f" ({interval_text(common.interval)}, p {p_value(common.p_value)})"
    return f"{difference.finding}{why}; {points(common.difference)}{limits} on the {common.n:,} that both answered"


def name_text(dataset: DatasetComparison, standing: Standing) -> str:
    """A cell's name as markup; below it how it was asked, where the cells differ in that."""
    asked_as = dataset.asked_as(standing.entry)
    return escape(standing.entry.label) + (f"\n[dim]{escape(asked_as)}[/]" if asked_as else "")


def quality_cells(standing: Standing) -> tuple[str, str, str, str]:
    """A cell's quality, its limits, what it would be were all right, and how many samples were asked."""
    quality = standing.quality
    share = 0.0 <= (quality.estimate or 0.0) <= 1.0
    limits = range_text(quality, 100.0, "{:.1f}") if share else range_text(quality, 1.0, "{:.3f}")
    return percent(quality.estimate), limits, percent(standing.if_right), f"{len(standing.entry.frame):,}"


def price_cells(standing: Standing) -> tuple[str, str, str]:
    """What a cell costs, how long it takes, and its place, as markup."""
    cost = measured(standing.cost, standing.currency, "unknown")
    return (
        escape(f"at most {cost}" if standing.cost and standing.at_most else cost),
        measured(standing.latency, "s", "not recorded"),
        escape(place_text(standing)),
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
