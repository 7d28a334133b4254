"""Plots of differences: a dot with its interval a row, and a line where there is none."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.benchmarks.compare import Difference, Pair
from driftgate.benchmarks.report._figure import Figure, Spec, axis, error_bar, hover, layout, rows_axis, shorter
from driftgate.benchmarks.report._text import p_value, percent, plot_label, points

_NARROW = 28
"""Characters of a label's line on a narrow window."""
_SIGNS = {"higher": 1, "lower": -1}
_DOTTED = "Dotted below: what unanswered samples could make of it; where that holds zero, the dot is never filled."


def overall_figure(pairs: Sequence[tuple[str, Pair]]) -> Figure | None:
    """The overall difference of every dataset and pair; the label of each stands before its pair."""
    rows = [(f"{dataset}: {pair.name}", pair.overall, False) for dataset, pair in pairs]
    note = "Dot: difference on all samples. Bar: its 95% interval. Filled: adjusted p (Holm) at most 0.05. " + _DOTTED
    narrow = [
        f"{_line(f'{dataset}: {pair.candidate.label}')}<br>{_line(f'− {pair.reference.label}')}"
        for dataset, pair in pairs
    ]
    return _figure("overall", "All differences", note, rows, narrow)


def _line(text: str) -> str:
    """A line of a label on a narrow window; what tells names apart is often at their ends."""
    return plot_label(text if len(text) <= _NARROW else f"{text[: _NARROW - 9]}…{text[-8:]}")


def slices_figure(pair: Pair, id: str) -> Figure | None:
    """The difference of a pair on all samples, and by super-category and category."""
    supers, categories = pair.of_kind("super_category"), pair.of_kind("category")
    if not categories and not supers:
        return None
    rows = [("all samples", pair.overall, True)]
    rows += [("macro average", d, True) for d in pair.of_kind("macro")]
    rows += [(d.name, d, True) for d in supers]
    rows += [(d.name, d, False) for d in sorted(categories, key=lambda d: -(d.comparison.difference or 0.0))]
    note = (
        "Dot: difference in points. Bar: its 95% interval, each on its own. Filled: adjusted p at most 0.05 "
        "(Benjamini and Hochberg over the categories). Categories from the largest gain to the largest loss. " + _DOTTED
    )
    return _figure(id, pair.name, note, rows)


def _figure(
    id: str, title: str, note: str, rows: Sequence[tuple[str, Difference, bool]], two_lines: Sequence[str] = ()
) -> Figure | None:
    known = [(y, label, d) for y, (label, d, _) in enumerate(rows) if d.comparison.difference is not None]
    if not known:
        return None
    traces = [_dots([row for row in known if _sign(row[2]) == sign], sign) for sign in (1, -1, 0)]
    values = [v for _, _, d in known for v in (d.comparison.interval.low, d.comparison.interval.high) if v is not None]
    values += [float(d.comparison.difference or 0.0) for _, _, d in known]
    values += [
        v for _, _, d in known if d.bounds for v in (d.bounds.low.estimate, d.bounds.high.estimate) if v is not None
    ]
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.04 * max(high - low, 0.02)
    zero = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": 0, "x1": 0}
    zero["line"] = {"color": "@ink", "width": 1.2}
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": y - 0.5, "y1": y + 0.5, "layer": "below"}
        | {"line": {"width": 0}, "fillcolor": "@band"}
        for y, (_, _, strong) in enumerate(rows)
        if strong
    ]
    labels, strong = [label for label, _, _ in rows], [heavy for _, _, heavy in rows]
    return Figure(
        id=f"difference-{id}",
        title=title,
        alt="; ".join(f"{label}: {points(d.comparison.difference)} points" for _, label, d in known[:12]),
        note=note,
        data=[trace for trace in (_bounds(known), *traces) if trace["x"]],
        layout=layout(
            70 + (32 if two_lines else 26) * len(rows),
            xaxis=axis(
                title="points", range=[100 * (low - room), 100 * (high + room)], tickformat="+~g", side="bottom"
            ),
            yaxis=rows_axis(labels, strong=strong, most=64),
            shapes=[*bands, zero],
        ),
        narrow={"yaxis": {"ticktext": list(two_lines), "tickfont": {"color": "@ink", "size": 10}}}
        if two_lines
        else {"yaxis": shorter(labels, strong)},
    )


def _bounds(rows: Sequence[tuple[int, str, Difference]]) -> Spec:
    """A dotted line from what the unanswered samples could make of a difference at worst, to at best."""
    trace: Spec = {"type": "scatter", "mode": "lines", "x": [], "y": [], "hoverinfo": "skip"}
    trace["line"] = {"color": "@inconclusive", "width": 1.5, "dash": "dot"}
    for y, _, difference in rows:
        bounds = difference.bounds
        if bounds and bounds.low.estimate is not None and bounds.high.estimate is not None:
            trace["x"] += [100 * bounds.low.estimate, 100 * bounds.high.estimate, None]
            trace["y"] += [y + 0.25, y + 0.25, None]
    return trace


def _sign(difference: Difference) -> int:
    return _SIGNS.get(difference.finding, 0)


def _dots(rows: Sequence[tuple[int, str, Difference]], sign: int) -> Spec:
    colour = {1: "pass", -1: "fail", 0: "bound"}[sign]
    values = [100 * float(d.comparison.difference or 0.0) for _, _, d in rows]
    lows = [None if (v := d.comparison.interval.low) is None else 100 * v for _, _, d in rows]
    highs = [None if (v := d.comparison.interval.high) is None else 100 * v for _, _, d in rows]
    edge = {"width": 1.8, "color": f"@{colour}"}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": [y for y, _, _ in rows],
        "marker": {"color": f"@{colour}" if sign else "@surface", "size": 10, "opacity": 1, "line": edge},
        "error_x": error_bar(values, lows, highs, color=f"@{colour}", thickness=2),
        "hovertext": [_hover(label, d) for _, label, d in rows],
        "hoverinfo": "text",
    }


def _hover(label: str, difference: Difference) -> str:
    comparison, interval = difference.comparison, difference.comparison.interval
    limits = f"95% interval {points(interval.low)} to {points(interval.high)}" if interval.known else interval.reason
    return hover(
        label,
        f"{percent(difference.candidate)} against {percent(difference.reference)}: "
        f"{points(comparison.difference)} points",
        str(limits),
        "" if difference.untested else f"p {p_value(comparison.p_value)}, adjusted {p_value(difference.p_adjusted)}",
        difference.finding,
        f"{comparison.n:,} samples, {'paired' if comparison.paired else 'unpaired'}",
        f"bounds {points(difference.bounds.low.estimate)} to {points(difference.bounds.high.estimate)}: "
        f"{difference.bounds.n_unanswered:,} unanswered"
        if difference.bounds
        else "",
    )
