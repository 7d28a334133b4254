"""Traffic that is past, looked at as if it were live: what would have alarmed, and how soon a change would have been.

The looks are those of a monitor, one for each period, with its settings and its level. Then changes of known size are
put into copies of the calls, from several days on, and it is counted how often the looks find them, and after how long.
A change is put into each call by itself: numbers are multiplied, and of the calls that did not fail (were not refused)
so many do as make up the points. Calls of a session stay as much alike as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from driftgate.flows.errors import DriftgateError
from driftgate.monitor._days import OF_DAYS
from driftgate.monitor._examined import MOST, examine, windows_at
from driftgate.monitor.alert import Alert
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.drift import look
from driftgate.monitor.signals import SIGNALS, Signal
from driftgate.monitor.telemetry._record import TRUTHS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST_TEXTS = 100_000
"""Of a replay, as many as a look at a period takes for each day of some months."""
_MONTH = timedelta(days=365.25 / 12)
_LEAST = 7
"""Periods before the first look: one of each weekday."""
_WATCHED = 14
"""Periods after a change in which it is looked for."""
_DEFAULT = ("error_rate", "refusal_share", "latency", "output_length")
_LARGER = (1.0, 2.0)
"""Sizes of the changes that are put in, in floors, where none are given."""


@dataclass(frozen=True)
class Looked:
    """What a look at a past moment comes to."""

    at: datetime
    result: str
    reason: str
    alerts: tuple[Alert, ...]


@dataclass(frozen=True)
class Change:
    """A change that was put into the calls, and what became of it."""

    signal: str
    title: str
    unit: str
    size: float
    """A difference of shares, or of numbers a relative change."""
    begun: int
    """In how many copies it began, each on another day."""
    delays: tuple[int, ...]
    """After how many periods it was found, of those in which it was."""
    watched: int
    """For how many periods it was looked for."""


@dataclass(frozen=True)
class Replay:
    """What looks at traffic that is past come to."""

    calls: int
    first: datetime
    last: datetime
    level: float
    """Of each look."""
    looks: tuple[Looked, ...]
    changes: tuple[Change, ...]
    budget: float
    """The false alarms a month that the settings allow."""

    @property
    def results(self) -> Mapping[str, int]:
        """How many looks came to what."""
        return Counter(one.result for one in self.looks)

    @property
    def alarms(self) -> tuple[Looked, ...]:
        """The looks that alarm where the one before did not: looks that go on saying the same are one alarm."""
        before = [False, *(bool(one.alerts) for one in self.looks)]
        return tuple(one for one, said in zip(self.looks, before, strict=False) if one.alerts and not said)

    @property
    def months(self) -> float:
        """For how long was looked."""
        return (self.looks[-1].at - self.looks[0].at) / _MONTH if len(self.looks) > 1 else 0.0

    @property
    def alarms_a_month(self) -> float | None:
        """None where less than a week was looked at."""
        return len(self.alarms) / self.months if self.months >= timedelta(days=7) / _MONTH else None


def replay(
    calls: pd.DataFrame,
    traffic: TrafficConfig,
    *,
    floors: Mapping[str, float] | None = None,
    level: float | None = None,
    signals: Sequence[str] | None = None,
    sizes: Sequence[float] = (),
    starts: int = 6,
    seed: int = 0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Replay:
    """Look at past calls period by period, then put changes into them and look again.

    Parameters
    ----------
    calls
        The columns of the telemetry record.
    level : float, optional
        Of each look; by default what the budget leaves to it.
    signals : sequence of str, optional
        Those in which changes are put; by default errors, refusals, latency and length of the replies, where told.
    sizes : sequence of float
        Of the changes; by default a signal's floor and twice that.
    starts : int
        In how many copies each change begins, on days spread over those that were looked at.
    seed
        Decides which calls fail, or are refused, in the copies.
    advance : callable
        Told how many of all looks are made.

    Raises
    ------
    DriftgateError
        There are no calls, or not of enough days; or a change cannot be put into a signal.
    """
    import numpy as np

    if traffic.request_model:
        calls = calls[calls["request_model"] == traffic.request_model]
    if calls.empty:
        raise DriftgateError("there are no calls to replay", "name a file of calls, or check traffic.request_model")
    calls = calls.sort_values("time", ignore_index=True)
    length = timedelta(days=traffic.current_days)
    first, last = (one.to_pydatetime().astimezone(UTC) for one in (calls["time"].iloc[0], calls["time"].iloc[-1]))
    moments = _moments(first, last, length)
    if not moments:
        raise DriftgateError(
            f"the calls are of {first:%Y-%m-%d} to {last:%Y-%m-%d}; a replay needs more than {_LEAST} times "
            f"{traffic.current_days:g} days",
            "take calls of more days",
        )
    level = traffic.level() if level is None else level
    put = _put(calls, signals, sizes, floors)
    begins = _begins(moments, starts)
    total, done = len(moments) + len(put) * len(begins) * _WATCHED, 0
    mature = MOST * traffic.reference_days / traffic.current_days
    looks: list[Looked] = []
    anchor, anchors = traffic.anchor, []
    for moment in moments:
        anchors.append(anchor)
        found = examine(calls, moment, traffic, anchor, floors=floors, alpha=level)
        looks.append(Looked(moment, found.conclusion.result, found.conclusion.why, found.look.alerts))
        periods = max((f.everywhere.detail.get("days", 0.0) for f in found.look.findings), default=0.0)
        if anchor is None and found.conclusion.result == "quiet" and periods >= mature:
            anchor = windows_at(moment, traffic, None)[0].reference.start
        advance(done := done + 1, total)
    named = traffic.signals or [name for name in SIGNALS.names() if not SIGNALS.get(name).of_canaries]
    past, changes = _Past(traffic, floors, level / len(named), looks, anchors), []
    for signal, size in put:
        delays = []
        for number, begin in enumerate(begins):
            copy = _with(calls, signal, size, moments[begin] - length, np.random.default_rng([seed, number]))
            delays.append(past.delay(copy, signal, begin))
            advance(done := done + _WATCHED, total)
        known = tuple(one for one in delays if one is not None)
        watched = min(_WATCHED, len(moments) - begins[-1])
        changes.append(Change(signal.name, signal.title, signal.unit, size, len(begins), known, watched))
    return Replay(len(calls), first, last, level, tuple(looks), tuple(changes), traffic.false_alarms_per_month)


def _moments(first: datetime, last: datetime, length: timedelta) -> list[datetime]:
    """The ends of whole periods, by whole days where they last some, the first with something to compare with."""
    begin = first.replace(hour=0, minute=0, second=0, microsecond=0) if length >= timedelta(days=1) else first
    moments, moment = [], begin + (_LEAST + 1) * length
    while moment <= last + length / 24:
        moments.append(moment)
        moment += length
    return moments


def _begins(moments: Sequence[datetime], starts: int) -> list[int]:
    """The looks before which changes begin: spread over those behind which there is time to find them."""
    fit = max(1, len(moments) - _WATCHED)
    # The later, the more is known of what is usual; the second half is what a monitor is like after some weeks.
    return sorted({fit // 2 + round(place * (fit - 1 - fit // 2) / max(starts - 1, 1)) for place in range(starts)})


def _put(
    calls: pd.DataFrame, names: Sequence[str] | None, sizes: Sequence[float], floors: Mapping[str, float] | None
) -> list[tuple[Signal, float]]:
    found = []
    for name in names if names is not None else _DEFAULT:
        signal = SIGNALS.get(name)
        if _changed(signal) is None:
            raise DriftgateError(
                f"a change cannot be put into the signal '{name}'", f"name some of {', '.join(_fit())}"
            )
        told = len(signal.read(calls))
        if told < MIN_ROWS:
            if names is not None:
                raise DriftgateError(
                    f"{told:,} of {len(calls):,} calls tell {name}", "name signals that the calls tell"
                )
            continue
        floor = (floors or {}).get(name, signal.floor)
        found += [(signal, size) for size in (sizes or [floor * times for times in _LARGER])]
    return found


def _fit() -> list[str]:
    return [name for name in SIGNALS.names() if _changed(SIGNALS.get(name)) is not None]


def _changed(signal: Signal) -> str | None:
    """The column into which a change of a signal is put; None where it is in none by itself."""
    if signal.kind not in OF_DAYS:
        return None
    column = signal.columns[0]
    return column if signal.kind == "continuous" or column in ("error", *TRUTHS) else None


@dataclass(frozen=True)
class _Past:
    """The looks as they were without a change, and what they were taken with."""

    traffic: TrafficConfig
    floors: Mapping[str, float] | None
    level: float
    """Of one signal."""
    looks: Sequence[Looked]
    anchors: Sequence[datetime | None]

    def delay(self, copy: pd.DataFrame, signal: Signal, begin: int) -> int | None:
        """After how many looks a change is found in a copy of the calls; None where it is not."""
        for after, told in enumerate(self.looks[begin : begin + _WATCHED], start=1):
            if any(alert.signal == signal.name for alert in told.alerts):
                continue  # it alarms without the change
            # A look was not quiet after the change began, so that the reference is that of the looks before.
            pairs = windows_at(told.at, self.traffic, self.anchors[begin])
            seen = copy[copy["time"] < told.at]
            pairs = [pair for pair in pairs if seen["time"].iloc[0] < pair.reference.end]
            found = look(pairs, telemetry=seen, signals=[signal.name], floors=self.floors, alpha=self.level)
            if found.alerts:
                return after
        return None


def _with(calls: pd.DataFrame, signal: Signal, size: float, since: datetime, rng: np.random.Generator) -> pd.DataFrame:
    """Calls with a change from a moment on."""
    column = str(_changed(signal))
    late = calls["time"] >= since
    if signal.kind == "continuous":
        sign = -1.0 if signal.bad == "lower" else 1.0
        values = calls[column].astype(float)
        return calls.assign(**{column: values.where(~late, values * (1.0 + sign * size))})
    values = signal.read(calls)
    usual = float(values.mean())
    worse = 0.0 if signal.bad == "lower" else 1.0
    room = usual if signal.bad == "lower" else 1.0 - usual
    told = calls.index.isin(values.index)
    chosen = late & told & (rng.random(len(calls)) < (min(size / room, 1.0) if room else 0.0))
    changed = calls[column].astype(object).mask(chosen, "injected" if column == "error" else bool(worse))
    return calls.assign(**{column: changed})
