"""A forest plot: one row a quantity, its estimate and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.report._figure import Figure, Spec, axis, error_bar, hover, layout, rows_axis, shorter


@dataclass(frozen=True)
class ForestRow:
    """A row of the plot."""

    label: str
    estimate: float
    low: float | None
    high: float | None
    colour: str
    """Name of a colour of the style sheet."""
    words: Sequence[str] = ()
    """Further lines for who points at it."""


def forest_figure(
    id: str, title: str, note: str, rows: Sequence[ForestRow], *, unit: str, band: float | None = None, format: str = ""
) -> Figure:
    """Draw the rows from the top, around a line at 0 and, where given, a band from ``-band`` to ``band``."""
    places = list(range(len(rows)))
    values = [row.estimate for row in rows]
    bars = error_bar(values, [row.low for row in rows], [row.high for row in rows], color="@muted", thickness=2)
    trace: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": places,
        "error_x": bars,
        "marker": {
            "size": 11,
            "color": [f"@{row.colour}" for row in rows],
            "line": {"width": 1.2, "color": "@surface"},
        },
        "text": [hover(row.label, *row.words) for row in rows],
        "hoverinfo": "text",
    }
    line: Spec = {"type": "line", "x0": 0, "x1": 0, "y0": -0.5, "y1": len(rows) - 0.5}
    shapes: list[Spec] = [line | {"line": {"color": "@muted", "width": 1}}]
    if band is not None:
        area: Spec = {"type": "rect", "x0": -band, "x1": band, "y0": -0.5, "y1": len(rows) - 0.5, "layer": "below"}
        shapes.insert(0, area | {"fillcolor": "@band", "line": {"width": 1, "color": "@line", "dash": "dot"}})
    labels = [row.label for row in rows]
    return Figure(
        id=id,
        title=title,
        alt="; ".join(f"{row.label} {row.estimate:+.4g}" for row in rows),
        note=note,
        data=[trace],
        layout=layout(
            90 + 38 * len(rows),
            shapes=shapes,
            xaxis=axis(title=unit, tickformat=format or "~r"),
            yaxis=rows_axis(labels),
        ),
        narrow={"yaxis": shorter(labels)},
    )
