"""A look at traffic, wherever its calls come from and wherever it is kept: live and replayed it is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftgate.monitor._answered_by import newly_answering
from driftgate.monitor._calls import Beside, Calls
from driftgate.monitor._ceased import as_event, ceased
from driftgate.monitor._days import Units
from driftgate.monitor._silence import fewer, silent
from driftgate.monitor._told import comparable, layout
from driftgate.monitor._traffic import compared, conclude_traffic
from driftgate.monitor._volume import lost
from driftgate.monitor._weights import alike
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.drift import Look, Windows, look
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd

MOST = 0.75
"""The share of a reference's periods with calls from which it is one to stay."""


@dataclass(frozen=True)
class Examined:
    """What was found in calls, and those of the sliding reference and of the newest period."""

    conclusion: Conclusion
    look: Look
    before: pd.DataFrame
    current: pd.DataFrame
    events: Sequence[dict[str, Any]]
    """What changed of the telemetry itself, as findings."""


def windows_at(now: datetime, traffic: TrafficConfig, anchor: datetime | None) -> list[Windows]:
    """What a look at a moment compares; the newest period and the sliding reference first."""
    length, lasting = timedelta(days=traffic.current_days), timedelta(days=traffic.reference_days)
    return compared(now, length, lasting, anchor)


def examine(
    calls: pd.DataFrame,
    now: datetime,
    traffic: TrafficConfig,
    anchor: datetime | None,
    *,
    floors: Mapping[str, float] | None,
    alpha: float,
    volumes: pd.DataFrame | None = None,
    beside: Beside = Beside(),  # noqa: B008 - a frozen value
) -> Examined:
    """Compare the newest calls with those before them.

    Parameters
    ----------
    calls
        All that the windows need; those dated after ``now`` are not looked at.
    anchor
        Where the reference begins that does not slide.
    volumes
        Of calls that are a sample: how many there were, see `driftgate.monitor.telemetry.volumes`.
    beside
        What is known beside the calls.
    """
    import pandas as pd

    windows, *others = windows_at(now, traffic, anchor)
    middle, start = windows.current.start, windows.reference.start
    calls = calls[calls["time"] < now]
    old, recent = calls["time"] < start, calls["time"] >= middle
    older, earlier, newest = comparable(calls[old], calls[~old & ~recent], calls[recent])
    volumes = calls[~old] if volumes is None else volumes
    before, current = alike(earlier), alike(newest)
    fixed = next((pair.reference for pair in others if pair.periods == 1), None)
    anchored = 0 if fixed is None else int(((calls["time"] >= fixed.start) & (calls["time"] < fixed.end)).sum())
    every = pd.concat([older, earlier, newest])
    first = every["time"].min() if len(every) else now
    missed = ceased(earlier, newest)
    seen = Calls(
        before,
        current,
        lost(volumes, windows.reference, windows.current),
        beside,
        (len(earlier), len(newest)),
        int(Units.of(before, windows.current).matched.sum()),
        fixed,
        anchored,
        layout(before, current, windows.reference, windows.current),
        silent(volumes, windows.reference, windows.current, traffic.ended),
        fewer(volumes, windows.reference, windows.current),
        newly_answering(earlier, newest),
        missed,
    )
    chosen = traffic.signals or [name for name in SIGNALS.names() if not SIGNALS.get(name).of_canaries]
    pairs = [windows, *(pair for pair in others if first < pair.reference.end)]
    found = look(pairs, telemetry=every, signals=chosen, floors=floors, alpha=alpha)
    conclusion = (
        Conclusion("moved", seen.told)
        if found.alerts
        else conclude_traffic(found.findings, seen, traffic.signals, floors=floors, alpha=alpha)
    )
    counts = len(earlier), len(newest)
    events = [*seen.layout.events, *([as_event(missed, counts, windows.reference, windows.current)] if missed else [])]
    return Examined(conclusion, found, before, current, events)
