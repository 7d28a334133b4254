"""An alert: what moved, by how much, where, and what to look at first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

Cause = Literal["model", "prompt", "input", "service", "telemetry", "unknown"]
Moved = Literal["fell", "rose", "changed"]


@dataclass(frozen=True)
class Period:
    """A stretch of time, its end not included."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"the period {self.start} to {self.end} has no time zone; expected UTC.")
        if not self.start < self.end:
            raise ValueError(f"the period {self.start} to {self.end} does not end after it starts.")

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()

    def __str__(self) -> str:
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Hint:
    """Something else that changed between the two windows."""

    cause: Cause
    text: str


@dataclass(frozen=True)
class Alert:
    """A signal moved for the worse, with evidence and by more than its floor."""

    signal: str
    title: str
    unit: str
    moved: Moved
    slices: tuple[str, ...]
    """Where it moved; empty for everywhere."""
    reference: Period
    current: Period
    n_reference: int
    n_current: int
    """Rows behind the effect; of canaries pairs."""
    reference_value: float | None
    current_value: float | None
    effect: float
    effect_low: float | None
    effect_high: float | None
    """The effect's 95% interval."""
    effect_unit: Literal[
        "difference of shares", "relative change", "population stability index above chance", "share of traffic"
    ]
    floor: float
    p_value: float
    adjusted_p_value: float
    """After Benjamini and Hochberg over all signals of the look."""
    detector: str
    detail: Mapping[str, float]
    cause: Cause
    """The likeliest cause by the hints."""
    hints: tuple[Hint, ...]
    summary: str
    """One sentence for the person who is paged."""
    looks: int = 1
    """How many looks at canaries were pooled."""
    periods: int = 1
    """How many of the monitor's windows of traffic were pooled."""

    @property
    def key(self) -> str:
        """Equal for alerts of equal signal, place, direction and windows: 12 hexadecimal digits."""
        windows = (self.reference, self.current)
        times = (edge.astimezone(UTC).isoformat() for period in windows for edge in (period.start, period.end))
        parts = (self.signal, self.moved, *self.slices, *times)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """Plain values, times in ISO 8601."""
        plain = asdict(self)
        for name in ("reference", "current"):
            plain[name] = {edge: moment.isoformat() for edge, moment in plain[name].items()}
        return {**plain, "slices": list(self.slices), "hints": [asdict(hint) for hint in self.hints]}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Alert:
        """The alert that ``to_json`` was called on."""
        periods = {
            name: Period(**{edge: datetime.fromisoformat(moment) for edge, moment in plain[name].items()})
            for name in ("reference", "current")
        }
        hints = tuple(Hint(**hint) for hint in plain["hints"])
        return cls(**{**plain, **periods, "slices": tuple(plain["slices"]), "hints": hints})


_CAUSES: Mapping[Cause, str] = {
    "model": "the model",
    "prompt": "the prompt",
    "input": "what users ask",
    "service": "the service, not the model's answers",
    "telemetry": "lost telemetry",
    "unknown": "not known",
}


def sentence(alert: Alert) -> str:
    """The one-sentence summary of an alert, from its other fields."""
    where = f" on {_listed(alert.slices)}" if alert.slices else " everywhere"
    levels = ", topics that grew went" if alert.effect_unit == _OF_TRAFFIC else ""
    if alert.reference_value is not None and alert.current_value is not None:
        levels += f" from {_level(alert.reference_value, alert.unit)} to {_level(alert.current_value, alert.unit)}"
    interval = ""
    if alert.effect_low is not None and alert.effect_high is not None:
        interval = f", 95% interval {_effect(alert.effect_low, alert)} to {_effect(alert.effect_high, alert)}"
    if "group_current_share" in alert.detail:
        group, groups, was, now = (alert.detail[name] for name in _GROUP)
        interval += f"; most of all group {group:.0f} of {groups:.0f}, from {100 * was:.1f}% to {100 * now:.1f}%"
    size = f"{_effect(alert.effect, alert)}{_EFFECT_WORDS[alert.effect_unit]}{interval}"
    pooled = f", pooled over the last {alert.looks} looks" if alert.looks > 1 else ""
    if alert.periods > 1:
        pooled = f", in the last {alert.current.seconds / 86_400:.3g} days"
    rows = f"{alert.n_current:,} now against {alert.n_reference:,} before{pooled}"
    reasons = [hint.text for hint in alert.hints if hint.cause == alert.cause]
    because = f" ({'; '.join(reasons)})" if reasons else ""
    title = alert.title[0].upper() + alert.title[1:]
    return f"{title} {alert.moved}{where}{levels} ({size}; {rows}), likely cause: {_CAUSES[alert.cause]}{because}."


_OF_TRAFFIC: Final = "share of traffic"
_POINTS: Final = ("difference of shares", _OF_TRAFFIC)
_GROUP: Final = ("group", "groups", "group_reference_share", "group_current_share")
_EFFECT_WORDS = {
    "difference of shares": " points",
    _OF_TRAFFIC: " points",
    "relative change": "",
    "population stability index above chance": " population stability index above chance",
}


def _listed(slices: tuple[str, ...]) -> str:
    shown = ", ".join(f"'{name}'" for name in slices[:3])
    more = f" and {len(slices) - 3} more" if len(slices) > 3 else ""
    return f"slice{'s' if len(slices) > 1 else ''} {shown}{more}"


def _level(value: float, unit: str) -> str:
    return f"{100 * value:.1f}%" if unit == "share" else f"{value:.3g} {unit}"


def _effect(value: float, alert: Alert) -> str:
    if alert.effect_unit in _POINTS:
        return f"{100 * value:+.1f}"
    return f"{100 * value:+.0f}%" if alert.effect_unit == "relative change" else f"{value:.2f}"
