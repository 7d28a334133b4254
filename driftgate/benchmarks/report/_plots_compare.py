"""Plots that set cells on one dataset side by side: by category, and quality against cost and latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftgate.benchmarks.costs import states_prices
from driftgate.benchmarks.report._figure import (
    Figure,
    Spec,
    axis,
    error_bar,
    hover,
    layout,
    marker,
    percent_axis,
    rows_axis,
    shorter,
)
from driftgate.benchmarks.report._text import money, percent, percent_range, plot_label, seconds
from driftgate.benchmarks.report._views import CellView
from driftgate.ledger import ScoreRow


@dataclass(frozen=True)
class Slice:
    """A category or super-category of a dataset."""

    kind: str
    name: str

    def score(self, cell: CellView) -> ScoreRow | None:
        """The cell's accuracy on it."""
        return next((r for r in cell.scores.of_kind("accuracy", self.kind) if r.slice == self.name), None)

    def measured(self, cell: CellView) -> bool:
        """Whether the cell has an accuracy on it."""
        score = self.score(cell)
        return score is not None and score.value is not None


def slices(cells: Sequence[CellView]) -> list[Slice]:
    """The super-categories of a dataset, each followed by its categories."""
    frame = cells[0].scores.frame
    pairs = frame[["super_category", "category"]].drop_duplicates().sort_values(["super_category", "category"])
    found: dict[Slice, None] = {}
    for pair in pairs.itertuples():
        if pair.super_category:
            found[Slice("super_category", str(pair.super_category))] = None
        if pair.category:
            found[Slice("category", str(pair.category))] = None
    return list(found)


def category_figure(cells: Sequence[CellView], ordinal: int) -> Figure | None:
    """Accuracy by super-category and category of all cells on a dataset."""
    rows = [slice_ for slice_ in slices(cells) if any(slice_.measured(cell) for cell in cells)]
    if not rows:
        return None
    labels, strong = [s.name for s in rows], [s.kind == "super_category" for s in rows]
    traces, shown = [], []
    for place, cell in enumerate(cells):
        # Cells stand beside each other within a row, so that no mark hides another.
        offset = (place - (len(cells) - 1) / 2) * min(0.22, 0.7 / len(cells))
        found = [(y, s, r) for y, s in enumerate(rows) if (r := s.score(cell)) is not None and r.value is not None]
        values = [float(r.value) for _, _, r in found if r.value is not None]
        shown += [v for _, _, r in found for v in (r.low, r.high, r.value) if v is not None]
        texts = [
            hover(s.name, cell.short_name, f"{percent(r.value)} ({percent_range(r.low, r.high)})", f"{r.n:,} samples")
            for _, s, r in found
        ]
        sizes = [11.0 if s.kind == "super_category" else 8.0 for _, s, _ in found]
        bars = error_bar(values, [r.low for _, _, r in found], [r.high for _, _, r in found])
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plot_label(cell.short_name, 48),
                "x": values,
                "y": [y + offset for y, _, _ in found],
                "marker": marker(cell) | {"size": sizes},
                "error_x": bars | {"color": f"@{cell.mark.colour}-soft", "thickness": 2},
                "hovertext": texts,
                "hoverinfo": "text",
            }
        )
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": y - 0.5, "y1": y + 0.5, "layer": "below"}
        | {"line": {"width": 0}, "fillcolor": "@band"}
        for y, heavy in enumerate(strong)
        if heavy
    ]
    guessing = cells[0].guessing
    lines: list[Spec] = []
    if guessing is not None:
        shown.append(guessing)
        dotted = {"color": "@muted", "width": 1.5, "dash": "dot"}
        lines.append(
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": guessing, "x1": guessing, "line": dotted}
        )
    dataset = cells[0].dataset
    return Figure(
        id=f"categories-{ordinal}",
        title=dataset,
        alt=f"Accuracy on {dataset} by category; the numbers are in the table below.",
        note="Large marks: super-categories. Pale bars: 95% intervals, each on its own."
        + (f" Dotted: guessing ({percent(guessing)})." if guessing is not None else ""),
        data=traces,
        layout=layout(
            110 + max(21, 8 + 9 * len(cells)) * len(rows),
            xaxis=percent_axis(min(shown), max(shown), side="bottom"),
            yaxis=rows_axis(labels, strong=strong, most=44),
            shapes=bands + lines,
            showlegend=len(cells) > 1,
        ),
        narrow={"yaxis": shorter(labels, strong)},
    )


@dataclass(frozen=True)
class _Price:
    """What quality is set against: a cell's value with its limits, and how it is said."""

    id: str
    title: str
    unit: str
    score: Callable[[CellView], ScoreRow]
    says: Callable[[float | None], str]


def tradeoff_figures(cells: Sequence[CellView], ordinal: int) -> list[Figure]:
    """Quality against latency and against cost (one plot for each currency), where two cells or more have both."""
    currencies = dict.fromkeys(cell.scores.currency for cell in cells if _price_of(cell) is not None)
    prices = [_Price("latency", "latency", "median latency, seconds", lambda c: c.metric("latency_p50"), seconds)]
    prices += [_cost_in(currency, place) for place, currency in enumerate(currencies)]
    return [figure for price in prices if (figure := _tradeoff(cells, price, ordinal)) is not None]


def _cost_in(currency: str, place: int) -> _Price:
    def score(cell: CellView) -> ScoreRow:
        value = _price_of(cell) if cell.scores.currency == currency else None
        return ScoreRow("cost", "all", "", value, None, None, cell.asked)

    unit = f"{plot_label(currency, 12)} per 1,000 samples"
    return _Price(f"cost-{place}", "cost", unit, score, lambda value: money(value, currency))


def _price_of(cell: CellView) -> float | None:
    """What a thousand of its samples cost; 0 where that is stated, and None where nobody stated a price."""
    return cell.cost_per_thousand or (cell.cost_per_thousand if states_prices(cell.scores.cell.details) else None)


def _tradeoff(cells: Sequence[CellView], price: _Price, ordinal: int) -> Figure | None:
    scored = [(c, price.score(c), c.metric("accuracy")) for c in cells]
    placed = [(c, x, y) for c, x, y in scored if x.value is not None and y.value is not None]
    if len(placed) < 2 or not any(x.value for _, x, _ in placed):
        return None
    traces: list[Spec] = []
    best = pareto([(float(x.value or 0.0), float(y.value or 0.0)) for _, x, y in placed])
    frontier = sorted((float(placed[i][1].value or 0.0), float(placed[i][2].value or 0.0)) for i in best)
    if len(frontier) > 1:
        trace: Spec = {"type": "scatter", "mode": "lines", "x": [x for x, _ in frontier], "y": [y for _, y in frontier]}
        trace["line"] = {"color": "@bound", "width": 1.5, "dash": "dot", "shape": "hv"}
        traces.append(trace | {"hoverinfo": "skip", "showlegend": False})
    shown = [v for _, _, y in placed for v in (y.low, y.high, y.value) if v is not None]
    for cell, x, y in placed:
        assert x.value is not None and y.value is not None
        text = hover(
            cell.name,
            f"accuracy {percent(y.value)} ({percent_range(y.low, y.high)})",
            f"{price.title} {price.says(x.value)}"
            + (f" ({price.says(x.low)} – {price.says(x.high)})" if x.low else ""),
        )
        bar = {"color": f"@{cell.mark.colour}-soft", "thickness": 2}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plot_label(cell.short_name, 48),
                "x": [x.value],
                "y": [y.value],
                "marker": marker(cell, 13),
                "error_y": error_bar([y.value], [y.low], [y.high]) | bar,
                "error_x": error_bar([x.value], [x.low], [x.high]) | bar,
                "hovertext": [text],
                "hoverinfo": "text",
            }
        )
    names = ", ".join(placed[i][0].short_name for i in best)
    return Figure(
        id=f"quality-{price.id}-{ordinal}",
        title=f"Quality and {price.title}: {cells[0].dataset}",
        alt=f"Best by the estimates of accuracy and {price.title}, whatever their intervals: {names}.",
        note=f"Up and to the left is better. Dotted: best by the estimates, whatever their intervals ({names}).",
        data=traces,
        layout=layout(
            360,
            xaxis=axis(title=price.unit, rangemode="tozero", tickformat="~g"),
            yaxis=percent_axis(min(shown), max(shown)),
            showlegend=True,
        ),
    )


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """The places of the points that no other one beats: cheaper or equal, and better or equal, and not the same.

    Examples
    --------
    >>> pareto([(1.0, 0.5), (2.0, 0.7), (3.0, 0.6), (1.0, 0.4)])
    [0, 1]
    """
    return [
        i
        for i, (price, quality) in enumerate(points)
        if not any(p <= price and q >= quality and (p, q) != (price, quality) for p, q in points)
    ]
