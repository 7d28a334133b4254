"""The page that tells the story of a loop, with its plots; one file, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from driftgate.finetune.choice_words import OptionRow
from driftgate.flows.private_text import write_text

_TEMPLATES = Path(__file__).parent / "templates"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito, for every eye


@dataclass(frozen=True)
class Chapter:
    """Something that happened, and when."""

    when: str
    title: str
    text: str


@dataclass(frozen=True)
class LookPoint:
    """What a look at the canaries found."""

    at: datetime
    champion: str
    accuracy: float
    low: float | None
    high: float | None
    by_slice: Mapping[str, float]
    alarm: bool


@dataclass(frozen=True)
class Words:
    """What the page calls things."""

    change: str
    """Heading of what the task was before and is after."""
    measured: str
    """Heading of the plot of what was measured over time."""
    asked: str
    """What was asked each time."""
    time: str
    """One time: ``look`` or ``night``."""
    all: str
    """Everything that is asked at one time, beside its slices."""
    proof: str
    """What champion and candidate were compared on."""
    items: str
    """What a training item is, in the plural."""


@dataclass(frozen=True)
class Story:
    """Everything the page tells."""

    title: str
    words: Words
    before: str
    after: str
    chapters: Sequence[Chapter]
    looks: Sequence[LookPoint]
    verdict: Mapping[str, Any]
    training: Mapping[str, Any]
    items: Mapping[str, Any]
    options: Sequence[OptionRow] = ()
    """What was measured side by side before and after training."""


def write_story(story: Story, path: Path) -> Path:
    """Write the page and return its path."""
    from jinja2 import Environment, FileSystemLoader
    from plotly.offline import get_plotlyjs

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    page = environment.get_template("story.html").render(
        story=story,
        plotlyjs=get_plotlyjs(),
        looks=_looks_figure(story.looks, story.words),
        proof=_proof_figure(story.verdict),
    )
    write_text(path, page)
    return path


def _looks_figure(looks: Sequence[LookPoint], words: Words) -> dict[str, Any]:
    x = [f"{words.time} {place}" for place in range(1, len(looks) + 1)]
    slices = sorted({name for point in looks for name in point.by_slice})
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": x,
            "y": [point.by_slice.get(name) for point in looks],
            "line": {"width": 1.5, "color": _COLOURS[(place + 1) % len(_COLOURS)]},
        }
        for place, name in enumerate(slices)
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"{words.all} (95%)",
            "x": x,
            "y": [point.accuracy for point in looks],
            "line": {"width": 3, "color": _COLOURS[0]},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [(point.high or point.accuracy) - point.accuracy for point in looks],
                "arrayminus": [point.accuracy - (point.low or point.accuracy) for point in looks],
                "thickness": 1,
            },
        }
    )
    alarms = [
        {
            "x": x[place],
            "y": point.accuracy,
            "text": "alarm",
            "showarrow": True,
            "arrowhead": 2,
            "ay": -46,
            "font": {"color": "#d55e00"},
        }
        for place, point in enumerate(looks)
        if point.alarm
    ]
    changes = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": place - 0.5,
            "x1": place - 0.5,
            "y0": 0,
            "y1": 1,
            "line": {"dash": "dot", "width": 1, "color": "#888"},
        }
        for place in range(1, len(looks))
        if looks[place].champion != looks[place - 1].champion
    ]
    layout = {
        "height": 420,
        "yaxis": {"title": {"text": "accuracy"}, "range": [0, 1.02], "tickformat": ".0%"},
        "annotations": alarms,
        "shapes": changes,
        "legend": {"orientation": "h", "y": -0.15},
    }
    return {"data": data, "layout": layout}


def _proof_figure(verdict: Mapping[str, Any]) -> dict[str, Any]:
    rules = [rule for rule in verdict["rules"] if rule["value"] is not None]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [rule["value"] for rule in rules],
            "y": [rule["rule"] for rule in rules],
            "marker": {"size": 12, "color": _COLOURS[2]},
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [
                    (rule["high"] if rule["high"] is not None else rule["value"]) - rule["value"] for rule in rules
                ],
                "arrayminus": [
                    rule["value"] - (rule["low"] if rule["low"] is not None else rule["value"]) for rule in rules
                ],
            },
        }
    ]
    layout = {
        "height": 90 + 60 * len(rules),
        "xaxis": {"title": {"text": "candidate less champion, accuracy (95%)"}, "tickformat": "+.0%", "zeroline": True},
        "yaxis": {"automargin": True},
        "showlegend": False,
    }
    return {"data": data, "layout": layout}
