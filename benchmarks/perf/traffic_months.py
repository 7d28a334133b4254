"""How many false alarms does a month of daily looks at traffic raise, and when does one see that something changed?

Made-up months of traffic: four weeks of reference, then thirty days that are looked at each in turn. Users come with
sessions of very different length, and what a session is like (slow, long, refused, failing) is the session's own; each
day is a little unlike the others; a weekend has a third of the calls, of another mix. In the null months nothing else
changes. In the others latency or refusals rise, at once on day ten or by two per cent a day from day one on. The level
of a look is what the budget of one false alarm a month leaves to it; looks that follow each other and alarm are one
alarm. `by calls` is the same months looked at as if calls were independent: all days of the reference, each call by
itself. Of as many others the first two weeks are looked at, while there is little or no reference yet, and some with a
change in the first week. Run it from the project's root:

    python -m benchmarks.perf.traffic_months
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from driftgate.monitor._traffic import compared
from driftgate.monitor.drift import look
from driftgate.monitor.pooling import TrafficBudget

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
REFERENCE, WATCHED = 28, 30
SIGNALS = ("latency", "output_length", "error_rate", "refusal_share")
BUDGET = 1.0

Change = Callable[[int], tuple[float, float]]
"""Of a watched day, from 0: the factor of latency, and points of refusals on top."""


def month(seed: int, change: Change, calls: int, *, sessions: bool, weekends: bool) -> pd.DataFrame:
    """Calls of the reference and of the days that are watched."""
    rng = np.random.default_rng(seed)
    days = []
    for number in range(REFERENCE + WATCHED):
        weekend = weekends and number % 7 >= 5
        size = calls // 3 if weekend else calls
        slower, refusing = change(number - REFERENCE) if number >= REFERENCE else (1.0, 0.0)
        # One session in ten has most of the calls.
        lengths = rng.pareto(1.2, size).astype(int) + 1 if sessions else np.ones(size, dtype=int)
        session = np.repeat(np.arange(size), lengths)[:size]
        slow = rng.normal(0.0, 0.5, size)[session] + rng.normal(0.0, 0.05) + (0.4 if weekend else 0.0)
        inclined = (rng.random(size) < 0.05)[session]
        own = rng.random(size)
        latency = slower * np.exp(slow + rng.normal(0.0, 0.4, size))
        refused = own < np.where(inclined, 0.6, 0.01) + (0.03 if weekend else 0.0) + refusing
        days.append(
            pd.DataFrame(
                {
                    "time": pd.Timestamp(START + number * DAY)
                    + pd.to_timedelta(np.sort(rng.integers(0, 86_400, size)), unit="s"),
                    "session": [f"{number}-{one}" for one in session],
                    "latency": latency,
                    "output_tokens": np.ceil(60 * np.exp(slow + rng.normal(0.0, 0.5, size))),
                    "error": np.where(rng.random(size) < np.where(inclined, 0.2, 0.01), "500", ""),
                    "refused": refused.astype(float),
                }
            )
        )
    return pd.concat(days, ignore_index=True)


def alarms(calls: pd.DataFrame, *, independent: bool) -> list[int]:
    """The watched days whose look alarms."""
    if independent:
        # Each call a block of its own, and all of the reference as one day.
        calls = calls.assign(session=np.arange(len(calls)).astype(str))
    level = TrafficBudget(BUDGET, 365.25, 1.0).level
    found = []
    for number in range(WATCHED):
        now = START + (REFERENCE + number + 1) * DAY
        windows, *beside = compared(now, DAY, REFERENCE * DAY, START)
        if independent:
            earlier = (calls["time"] >= windows.reference.start) & (calls["time"] < windows.reference.end)
            together = pd.Timestamp(windows.reference.end - timedelta(seconds=1))
            look_at = look([windows], telemetry=calls.assign(time=calls["time"].mask(earlier, together)), **how(level))
        else:
            look_at = look([windows, *beside], telemetry=calls, **how(level))
        if look_at.alerts:
            found.append(number)
    return found


def first_alarms(calls: pd.DataFrame, days: range = range(1, 14)) -> list[int]:
    """The days of the first two weeks, from the second on, whose look alarms; the first is a Monday."""
    level = TrafficBudget(BUDGET, 365.25, 1.0).level
    found = []
    for number in days:
        now = START + (number + 1) * DAY
        until = calls[calls["time"] < pd.Timestamp(now)]
        if look(compared(now, DAY, REFERENCE * DAY, START), telemetry=until, **how(level)).alerts:
            found.append(number)
    return found


def early_alarm(seed: int, factor: float, points: float, calls: int) -> bool:
    """Whether one of the first two looks at a change in the first week alarms."""
    whole = month(seed, nothing, calls, sessions=True, weekends=True)
    begun = whole[whole["time"] < pd.Timestamp(START + (FIRST + 3) * DAY)].reset_index(drop=True)
    late = begun["time"] >= pd.Timestamp(START + FIRST * DAY)
    refusing = late & (np.random.default_rng(seed).random(len(begun)) < points)
    latency = begun["latency"].where(~late, begun["latency"] * factor)
    changed = begun.assign(latency=latency, refused=begun["refused"].mask(refusing, 1.0))
    return bool(first_alarms(changed, range(FIRST, FIRST + 2)))


def how(level: float) -> dict[str, Any]:
    """How a look is taken."""
    return {"signals": SIGNALS, "alpha": level}


def episodes(days: list[int]) -> int:
    """How many alarms there are, where looks that follow each other are one."""
    return sum(day - 1 not in days for day in days)


def nothing(day: int) -> tuple[float, float]:
    """No change."""
    return 1.0, 0.0


CHANGES: dict[str, tuple[int, Change]] = {
    "latency half as long again from day 10": (10, lambda day: (1.5 if day >= 10 else 1.0, 0.0)),
    "five points more refusals from day 10": (10, lambda day: (1.0, 0.05 if day >= 10 else 0.0)),
    "latency two per cent more a day": (0, lambda day: (1.02 ** (day + 1), 0.0)),
}


FIRST = 3
EARLY = (
    ("latency half as long again", 1.5, 0.0),
    ("latency two and a half times as long", 2.5, 0.0),
    ("latency four times as long", 4.0, 0.0),
    ("fifteen points more refusals", 1.0, 0.15),
)
"""Changes in the first week, in which the reference has no day of the same weekday: a factor of latency, and points."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=10)
    parser.add_argument("--calls", type=int, default=1000, help="of a weekday")
    arguments = parser.parse_args()
    kinds = {"even traffic": (False, False), "heavy sessions": (True, False), "sessions and weekends": (True, True)}
    for name, (sessions, weekends) in kinds.items():
        for independent in (False, True):
            months = [
                alarms(
                    month(seed, nothing, arguments.calls, sessions=sessions, weekends=weekends), independent=independent
                )
                for seed in range(arguments.months if not independent else min(arguments.months, 4))
            ]
            count, quiet = sum(map(episodes, months)), sum(not days for days in months)
            how = "by calls" if independent else "by days and blocks"
            print(
                f"nothing changed, {name}, {how}: {count / len(months):.1f} false alarms a month; "
                f"{quiet} of {len(months)} months without",
                flush=True,
            )
    for name, (sessions, weekends) in kinds.items():
        begun = [
            first_alarms(month(200 + seed, nothing, arguments.calls, sessions=sessions, weekends=weekends))
            for seed in range(arguments.months)
        ]
        print(
            f"nothing changed, {name}, looks of the first two weeks: {sum(map(len, begun))} of {13 * len(begun)} alarm",
            flush=True,
        )
    for name, factor, points in EARLY:
        early = [early_alarm(300 + seed, factor, points, arguments.calls) for seed in range(arguments.months)]
        print(
            f"{name} from the fourth day of all on: found within two looks in {sum(early)} of {len(early)}", flush=True
        )
    for name, (first, change) in CHANGES.items():
        months = [
            alarms(month(100 + seed, change, arguments.calls, sessions=True, weekends=True), independent=False)
            for seed in range(arguments.months)
        ]
        delays = [min(day for day in days if day >= first) - first for days in months if any(d >= first for d in days)]
        told = f"after {median(delays):.0f} days (median), {max(delays)} at most" if delays else ""
        print(f"{name}: found in {len(delays)} of {len(months)} months {told}", flush=True)


if __name__ == "__main__":
    main()
