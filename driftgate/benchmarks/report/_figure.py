"""A figure for Plotly as plain JSON, with the axes and layout all plots share.

Every colour is a name (``@grid``, ``@cell-0``) that the page's script looks up in its style sheet, so that light and
dark each have their own. Every text goes through :func:`driftgate.benchmarks.report._text.plot_label`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.benchmarks.report._text import plot_label
from driftgate.benchmarks.report._views import CellView

Spec = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A plot with its words."""

    id: str
    title: str
    alt: str
    """What the plot shows, for who cannot see it."""
    note: str
    """How to read it."""
    data: Sequence[Spec]
    layout: Spec
    narrow: Spec = field(default_factory=dict)
    """What replaces parts of the layout on a narrow window."""

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.layout["height"])

    @property
    def spec(self) -> Spec:
        """The figure for Plotly, and its layout on a narrow window."""
        return {"data": list(self.data), "layout": self.layout, "narrow": self.narrow}


def axis(**settings: Any) -> Spec:
    """An axis: quiet lines, no zoom, room for its labels."""
    quiet: Spec = {
        "gridcolor": "@grid",
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"color": "@muted", "size": 12},
    }
    if text := settings.pop("title", ""):
        quiet["title"] = {"text": text, "font": {"color": "@muted", "size": 12}, "standoff": 8}
    return quiet | settings


def percent_axis(low: float, high: float, **settings: Any) -> Spec:
    """An axis of fractions from a little below ``low`` to a little above ``high``, within 0 and 1.

    What goes beyond is no fraction, and the axis is one of plain numbers.
    """
    room = 0.06 * max(high - low, 0.1)
    if low < 0.0 or high > 1.0:
        return axis(range=[low - room, high + room], **settings)
    limits = [max(0.0, low - room), min(1.0, high + room)]
    # Room for the mark itself where the scale ends.
    limits = [limits[0] - (0.015 if limits[0] == 0 else 0), limits[1] + (0.015 if limits[1] == 1 else 0)]
    return axis(range=limits, tickformat=".0%", **settings)


def rows_axis(labels: Sequence[str], *, strong: Sequence[bool] = (), most: int = 64) -> Spec:
    """A vertical axis with a row for every label, from the top; rows are numbers, so equal labels stay apart."""
    bold = strong or [False] * len(labels)
    texts = [plot_label(text, most) for text in labels]
    return axis(
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=[f"<b>{text}</b>" if heavy else text for text, heavy in zip(texts, bold, strict=True)],
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        tickfont={"color": "@ink", "size": 12.5},
        ticklabelstandoff=6,
    )


def layout(height: int, **settings: Any) -> Spec:
    """The layout all plots share; the script adds the page's font."""
    legend = {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "font": {"color": "@ink", "size": 12.5},
        "bgcolor": "@clear",
        "itemsizing": "constant",
    }
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 10, "b": 8},
        "paper_bgcolor": "@clear",
        "plot_bgcolor": "@clear",
        "font": {"color": "@ink", "size": 13},
        "hoverlabel": {
            "bgcolor": "@surface",
            "bordercolor": "@line",
            "align": "left",
            "font": {"color": "@ink", "size": 12.5},
        },
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "legend": legend,
    } | settings


def marker(cell: CellView, size: float = 11) -> Spec:
    """The cell's mark."""
    edge = {"width": 1.2, "color": "@surface"}
    return {"color": f"@{cell.mark.colour}", "symbol": cell.mark.symbol, "size": size, "opacity": 1, "line": edge}


def error_bar(
    values: Sequence[float], lows: Sequence[float | None], highs: Sequence[float | None], **line: Any
) -> Spec:
    """Asymmetric error bars; a value without limits has none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if high is None else max(0.0, high - v) for v, high in zip(values, highs, strict=True)],
        "arrayminus": [0.0 if low is None else max(0.0, v - low) for v, low in zip(values, lows, strict=True)],
        "width": 0,
        **line,
    }


def hover(*lines: str) -> str:
    """A hover text from lines that are each escaped; the first one stands out."""
    first, *rest = (plot_label(line, 120) for line in lines if line)
    return "<br>".join([f"<b>{first}</b>", *rest])


def shorter(labels: Sequence[str], strong: Sequence[bool] = (), most: int = 20) -> Spec:
    """The labels of a rows axis for a narrow window."""
    short = rows_axis(labels, strong=strong, most=most)
    return {"ticktext": short["ticktext"], "tickfont": {"color": "@ink", "size": 11}}


def two_lines(cells: Sequence[CellView], most: int = 22) -> Spec:
    """The names of cells for a narrow window: the model, and its variant and dataset below."""
    below = [" · ".join(part for part in (cell.scores.cell.variant, cell.dataset) if part) for cell in cells]
    texts = [
        f"{plot_label(cell.scores.cell.model, most)}<br>{plot_label(text, most)}"
        for cell, text in zip(cells, below, strict=True)
    ]
    return {"ticktext": texts, "tickfont": {"color": "@ink", "size": 10.5}}
