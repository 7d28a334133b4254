"""Plots of all cells of a run: accuracy, outcomes, latency, and the letters each cell answers with.

Everything is aggregated before it is plotted: the size of a figure does not depend on the number of samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
    two_lines,
)
from driftgate.benchmarks.report._marks import PARTS
from driftgate.benchmarks.report._text import percent, percent_range, plot_label, seconds
from driftgate.benchmarks.report._views import CellView
from driftgate.flows.letters import LETTERS

_ECDF_POINTS = 200
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MANY = 12
"""From so many cells on, names in legends are left to the hover."""


def accuracy_figure(cells: Sequence[CellView]) -> Figure | None:
    """Accuracy of every cell: its 95% interval, its upper bound, and what guessing would give."""
    measured = [(row, cell) for row, cell in enumerate(cells) if cell.metric("accuracy").value is not None]
    if not measured:
        return None
    names = [cell.name for cell in cells]
    shown: list[float] = []
    bounds: Spec = {"x": [], "y": [], "mode": "lines", "line": {"color": "@bound", "width": 1.5}}
    bounds |= {"name": "up to: if all unanswered were right", "hoverinfo": "skip", "showlegend": False}
    ends: Spec = {"x": [], "y": [], "mode": "markers", "hoverinfo": "skip", "name": "if all unanswered were right"}
    ends["marker"] = {"symbol": "line-ns-open", "color": "@bound", "size": 11, "line": {"width": 1.5}}
    chance: Spec = {"x": [], "y": [], "mode": "markers", "hovertext": [], "hoverinfo": "text", "name": "guessing"}
    chance["marker"] = {"symbol": "x-thin-open", "color": "@ink", "size": 8, "line": {"width": 1.8}}
    dots: list[Spec] = []
    for row, cell in measured:
        score, best = cell.metric("accuracy"), cell.metric("accuracy_if_right").value
        assert score.value is not None
        shown += [v for v in (score.value, score.low, score.high, best) if v is not None]
        if best is not None and best > score.value:
            bounds["x"] += [score.value, best, None]
            bounds["y"] += [row, row, None]
            ends["x"].append(best)
            ends["y"].append(row)
        if cell.guessing is not None:
            shown.append(cell.guessing)
            chance["x"].append(cell.guessing)
            chance["y"].append(row)
            chance["hovertext"].append(hover("guessing", percent(cell.guessing)))
        text = hover(
            cell.name,
            f"accuracy {percent(score.value)}",
            f"95% interval {percent_range(score.low, score.high)}",
            f"bounds {percent_range(score.value, best)}",
            f"{score.n:,} samples",
        )
        dots.append(
            {
                "x": [score.value],
                "y": [row],
                "mode": "markers+text",
                "text": [percent(score.value)],
                "textposition": "top center",
                "textfont": {"color": "@ink", "size": 12},
                "cliponaxis": False,
                "marker": marker(cell, 12),
                "error_x": error_bar(
                    [score.value], [score.low], [score.high], color=f"@{cell.mark.colour}", thickness=4
                ),
                "hovertext": [text],
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    height = 96 + 46 * len(cells)
    return Figure(
        id="accuracy",
        title="Accuracy",
        alt="; ".join(f"{cell.name}: {percent(cell.metric('accuracy').value)}" for _, cell in measured),
        note="Dot: share of all samples asked that were answered right. Bar: its 95% interval. Thin line: how far the "
        "score would rise if every sample without an answer were right.",
        data=[{"type": "scatter"} | trace for trace in (bounds, ends, chance, *dots) if trace["x"]],
        layout=layout(
            height,
            xaxis=percent_axis(min(shown), max(shown)),
            yaxis=rows_axis(names) | {"range": [len(cells) - 0.5, -0.7]},
            showlegend=bool(chance["x"] or ends["x"]),
        ),
        narrow={"yaxis": two_lines(cells)},
    )


def outcome_figure(cells: Sequence[CellView]) -> Figure | None:
    """What became of the samples of every cell, in shares."""
    names = [cell.name for cell in cells if cell.asked]
    cells = [cell for cell in cells if cell.asked]
    if not cells:
        return None
    bars = []
    for part in PARTS:
        counts = [cell.parts[part.name] for cell in cells]
        if not any(counts):
            continue
        shares = [n / cell.asked for n, cell in zip(counts, cells, strict=True)]
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": part.name,
                "x": shares,
                "y": list(range(len(cells))),
                "width": 0.62,
                "marker": {
                    "color": f"@{part.colour}",
                    "pattern": {
                        "shape": part.pattern,
                        "fillmode": "overlay",
                        "size": 6,
                        "solidity": 0.25,
                        "fgcolor": "@surface",
                    },
                    "line": {"width": 1, "color": "@surface"},
                },
                "hovertext": [
                    hover(name, f"{part.name}: {n:,} of {cell.asked:,} ({percent(share, 2)})")
                    for name, n, share, cell in zip(names, counts, shares, cells, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    return Figure(
        id="outcomes",
        title="What became of the samples",
        alt="; ".join(
            f"{cell.name}: " + ", ".join(f"{n:,} {name}" for name, n in cell.parts.items() if n) for cell in cells
        ),
        note="Every sample asked has exactly one outcome; right and wrong together are the answered ones.",
        data=bars,
        layout=layout(
            100 + 34 * len(cells),
            barmode="stack",
            xaxis=axis(range=[0, 1.005], tickformat=".0%"),
            yaxis=rows_axis(names),
            showlegend=True,
            legend=layout(0)["legend"] | {"traceorder": "normal"},
        ),
        narrow={"yaxis": two_lines(cells)},
    )


def latency_figure(cells: Sequence[CellView]) -> Figure | None:
    """The distribution of each cell's latency as its empirical distribution function."""
    traces, low, high, said = [], np.inf, 0.0, []
    for cell in cells:
        values = cell.scores.frame["latency"].dropna().to_numpy(dtype=float)
        if not len(values):
            continue
        low, high = min(low, values.min()), max(high, values.max())
        share = np.linspace(0.0, 1.0, min(_ECDF_POINTS, max(2, len(values))))
        at = np.quantile(values, share)
        said.append(f"{cell.name}: half within {seconds(np.quantile(values, 0.5))}")
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": plot_label(cell.name, 48),
                "x": [float(f"{v:.4g}") for v in at],
                "y": [round(float(p), 4) for p in share],
                "line": {"color": f"@{cell.mark.colour}", "width": 2.2, "dash": _DASHES[cell.ordinal % len(_DASHES)]},
                "hovertext": [
                    hover(cell.name, f"{percent(p)} within {seconds(v)}") for p, v in zip(share, at, strict=True)
                ],
                "hoverinfo": "text",
            }
        )
    if not traces:
        return None
    logarithmic = low > 0 and high / low > 10
    return Figure(
        id="latency",
        title="Latency",
        alt="; ".join(said),
        note="Share of samples whose model calls took at most so long. Samples from the cache and samples without a "
        "reply are left out.",
        data=traces,
        layout=layout(
            340,
            xaxis=axis(
                type="log" if logarithmic else "linear",
                title="seconds" + (" (logarithmic)" if logarithmic else ""),
                dtick="D2" if logarithmic and high / low < 300 else None,
                tickformat="~g",
                rangemode="normal" if logarithmic else "tozero",
            ),
            yaxis=axis(range=[0, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 0.95, 1], tickformat=".0%"),
            showlegend=1 < len(traces) <= _MANY,
        ),
    )


def letter_figures(cells: Sequence[CellView]) -> list[Figure]:
    """For each cell whose answers are letters: how often each was answered and how often it is the key."""
    return [figure for cell in cells if (figure := _letter_figure(cell)) is not None]


def _letter_figure(cell: CellView) -> Figure | None:
    frame = cell.scores.frame[["sample_id", "outcome", "answer"]]
    both = frame[frame["outcome"] == "answered"].merge(cell.keys[["sample_id", "gold"]], on="sample_id")
    answers, golds = (both[c].astype("string").str.strip().str.upper() for c in ("answer", "gold"))
    if both.empty or not (answers.isin(list(LETTERS)).all() and golds.isin(list(LETTERS)).all()):
        return None
    letters = [letter for letter in LETTERS if letter <= max(answers.max(), golds.max())]
    answered = [float((answers == letter).mean()) for letter in letters]
    key = [float((golds == letter).mean()) for letter in letters]
    excess = max(range(len(letters)), key=lambda i: answered[i] - key[i])
    texts = [
        hover(f"{letter}: answered {percent(a)}", f"is the key {percent(k)}")
        for letter, a, k in zip(letters, answered, key, strict=True)
    ]
    bars: Spec = {"type": "bar", "name": "answered", "x": letters, "y": answered, "width": 0.6}
    edge = {"color": f"@{cell.mark.colour}", "width": 1}
    bars |= {"marker": {"color": f"@{cell.mark.colour}-soft", "line": edge}, "hovertext": texts, "hoverinfo": "text"}
    ticks: Spec = {"type": "scatter", "mode": "markers", "name": "is the key", "x": letters, "y": key}
    ticks["marker"] = {"symbol": "line-ew-open", "size": 34, "color": "@ink", "line": {"width": 2.5}}
    ticks |= {"hovertext": texts, "hoverinfo": "text"}
    said = (
        f"{letters[excess]} is answered {percent(answered[excess])} of the time and is the key {percent(key[excess])}."
    )
    return Figure(
        id=f"letters-{cell.ordinal}",
        title=cell.name,
        alt=said,
        note=said,
        data=[bars, ticks],
        layout=layout(
            230,
            xaxis=axis(type="category", showgrid=False, tickfont={"color": "@ink", "size": 13}),
            yaxis=axis(rangemode="tozero", tickformat=".0%", nticks=5),
            showlegend=True,
        ),
    )
