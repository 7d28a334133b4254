"""Charts as SVG, made here: no script draws them, and a policy without inline styles lets them be.

Each is drawn twice, for a wide and for a narrow screen, and the style sheet shows one: a drawing that is scaled down
to a telephone has letters that nobody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from driftgate.flows.plain import visible
from driftgate.service.console._words import say

if TYPE_CHECKING:
    from markupsafe import Markup

Unit = Literal["share", "number", "points", "seconds"]


@dataclass(frozen=True)
class Point:
    """One value over time."""

    at: datetime
    value: float | None
    """None: it could not be measured, which is drawn as such."""
    low: float | None = None
    high: float | None = None
    """An interval."""
    band_low: float | None = None
    band_high: float | None = None
    """Where it is expected: about the reference, by what is worth a person's time."""
    status: str = ""
    told: str = ""
    """What is said where somebody points at it."""


@dataclass(frozen=True)
class Series:
    """A line."""

    name: str
    points: Sequence[Point]
    unit: Unit = "share"


@dataclass(frozen=True)
class _Frame:
    width: int
    height: int
    first: float
    last: float
    low: float
    high: float
    left: int = 52
    right: int = 12
    top: int = 10
    bottom: int = 24

    def x(self, at: datetime) -> float:
        span = self.last - self.first or 1.0
        return round(self.left + (at.timestamp() - self.first) / span * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        span = self.high - self.low or 1.0
        inside = (min(max(value, self.low), self.high) - self.low) / span
        return round(self.height - self.bottom - inside * (self.height - self.top - self.bottom), 1)


def chart(series: Series, language: str) -> Markup:
    """Draw a line over time with its band; values that could not be measured are crosses on the axis."""
    from markupsafe import Markup

    if not series.points:
        return Markup("")
    return Markup("").join(_draw(series, width, kind, language) for kind, width in (("wide", 760), ("narrow", 350)))


def _draw(series: Series, width: int, kind: str, language: str) -> Markup:
    from markupsafe import Markup

    points = sorted(series.points, key=lambda point: point.at)
    edges = [
        edge
        for point in points
        for edge in (point.value, point.low, point.high, point.band_low, point.band_high)
        if edge is not None
    ]
    low, high = (min(edges), max(edges)) if edges else (0.0, 1.0)
    room = (high - low) * 0.08 or max(abs(high), 1e-6) * 0.1
    frame = _Frame(width, 190, points[0].at.timestamp(), points[-1].at.timestamp(), low - room, high + room)
    known = [point for point in points if point.value is not None]
    latest = written(known[-1].value, series.unit) if known else say("status.unmeasurable", language)
    label = say("chart.label", language, name=series.name, n=len(points), latest=latest, blind=len(points) - len(known))
    parts = [*_axes(frame, points, series.unit), *_band(frame, points), *_line(frame, points)]
    parts += [_mark(frame, point, series.unit, language) for point in points]
    head = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        kind, frame.width, frame.height, label
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _axes(frame: _Frame, points: Sequence[Point], unit: Unit) -> list[Markup]:
    from markupsafe import Markup

    parts = []
    for part in (0.1, 0.5, 0.9):
        value = frame.low + part * (frame.high - frame.low)
        y = frame.y(value)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                frame.left, frame.width - frame.right, y, y
            )
        )
        parts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
                frame.left - 6, y + 4, written(value, unit)
            )
        )
    near = frame.last - frame.first < 2 * 86400
    form = "%m-%d %H:%M" if near else "%m-%d"
    ends = [(points[0].at, "start"), (points[-1].at, "end")] if len(points) > 1 else [(points[0].at, "start")]
    for at, anchor in ends:
        parts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                frame.x(at), frame.height - 6, anchor, f"{at.astimezone(UTC):{form}}"
            )
        )
    return parts


def _band(frame: _Frame, points: Sequence[Point]) -> list[Markup]:
    from markupsafe import Markup

    parts: list[Markup] = []
    for run in _runs([p for p in points if p.band_low is not None or p.value is None], "band_low"):
        up = [f"{frame.x(p.at)},{frame.y(p.band_high)}" for p in run if p.band_high is not None]
        down = [f"{frame.x(p.at)},{frame.y(p.band_low)}" for p in reversed(run) if p.band_low is not None]
        if len(run) == 1:
            x = frame.x(run[0].at)
            up, down = (
                [f"{x - 3},{up[0].split(',')[1]}", f"{x + 3},{up[0].split(',')[1]}"],
                [
                    f"{x + 3},{down[0].split(',')[1]}",
                    f"{x - 3},{down[0].split(',')[1]}",
                ],
            )
        parts.append(Markup('<polygon class="band" points="{}"/>').format(" ".join([*up, *down])))
    return parts


def _line(frame: _Frame, points: Sequence[Point]) -> list[Markup]:
    from markupsafe import Markup

    return [
        Markup('<polyline class="line" points="{}"/>').format(
            " ".join(f"{frame.x(p.at)},{frame.y(p.value)}" for p in run if p.value is not None)
        )
        for run in _runs(points, "value")
    ]


def _runs(points: Sequence[Point], name: str) -> list[list[Point]]:
    """Stretches of points that have a value; a line is not drawn over what was not measured."""
    found: list[list[Point]] = [[]]
    for point in points:
        if getattr(point, name) is None:
            found.append([])
        else:
            found[-1].append(point)
    return [run for run in found if run]


def _mark(frame: _Frame, point: Point, unit: Unit, language: str) -> Markup:
    from markupsafe import Markup

    x = frame.x(point.at)
    when = f"{point.at.astimezone(UTC):%Y-%m-%d %H:%M}"
    if point.value is None:
        y = frame.height - frame.bottom - 5
        what = say(f"status.{point.status or 'unmeasurable'}", language)
        words = visible(f"{when}: {what} {point.told}".strip())
        return Markup('<path class="mark blind" d="M{} {}l8 8m0 -8l-8 8"><title>{}</title></path>').format(
            x - 4, y - 4, words
        )
    words = visible(f"{when}: {written(point.value, unit)} {point.told}".strip())
    whisker = Markup("")
    if point.low is not None and point.high is not None:
        whisker = Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            x, x, frame.y(point.low), frame.y(point.high)
        )
    tone = "bad" if point.status in ("moved", "fail") else "warn" if point.status == "inconclusive" else "good"
    return whisker + Markup('<circle class="mark {}" cx="{}" cy="{}" r="3"><title>{}</title></circle>').format(
        tone, x, frame.y(point.value), words
    )


def written(value: float | None, unit: Unit) -> str:
    """A value of a chart.

    Examples
    --------
    >>> written(0.713, "share"), written(-0.02, "points"), written(1234.5, "number"), written(0.0421, "seconds")
    ('71.3%', '-2.0', '1,234', '0.042 s')
    """
    if value is None:
        return ""
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "points":
        return f"{100 * value:+.1f}"
    if unit == "seconds":
        return f"{value:.2g} s"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def forest(value: float | None, low: float | None, high: float | None) -> Markup:
    """A score from 0 to 1 with its interval, as wide as a word."""
    from markupsafe import Markup

    if value is None or not 0.0 <= value <= 1.0:
        return Markup("")
    left, right = (value if low is None else max(0.0, low)), (value if high is None else min(1.0, high))
    return Markup(
        '<svg class="forest" viewBox="0 0 120 14" aria-hidden="true"><line class="grid" x1="0" x2="120" y1="7" y2="7"/>'
        '<line class="whisker" x1="{}" x2="{}" y1="7" y2="7"/><circle class="mark good" cx="{}" cy="7" r="3.5"/></svg>'
    ).format(round(120 * left, 1), round(120 * right, 1), round(120 * value, 1))
