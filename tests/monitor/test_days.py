"""Calls of a user and of a day hang together: what that takes from the evidence, and what a slow change leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.ledger import open_ledger
from driftgate.monitor._days import Units, weaker
from driftgate.monitor._traffic import compared
from driftgate.monitor.alert import Period
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.detectors import DETECTORS, USUAL
from driftgate.monitor.drift import Windows, look
from driftgate.monitor.looks import looks_of
from driftgate.monitor.signals import SIGNALS
from driftgate.monitor.telemetry import ModelCall, Store
from driftgate.monitor.watch import look_at_traffic

NOW = datetime(2026, 3, 22, tzinfo=UTC)  # a Sunday begins; the current window is a Saturday
DAY = timedelta(days=1)
CURRENT = Period(NOW - DAY, NOW)
WINDOWS = Windows("telemetry", Period(NOW - 29 * DAY, NOW - DAY), CURRENT)


def day(number: int, rng: np.random.Generator, size: int = 200, **columns: Any) -> pd.DataFrame:
    """Calls of the day so many before the current one."""
    seconds = np.sort(rng.integers(0, 86_400, size))
    frame = pd.DataFrame(
        {
            "time": pd.Timestamp(CURRENT.start - number * DAY) + pd.to_timedelta(seconds, unit="s"),
            "latency": rng.lognormal(0.0, 0.4, size),
            "error": np.where(rng.random(size) < 0.02, "500", ""),
            "user": [f"u{one}" for one in rng.integers(0, 100, size)],
        }
    )
    return frame.assign(**columns)


def month(seed: int, now: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.concat([*(day(number, rng) for number in range(28, 0, -1)), now], ignore_index=True)


def moved(frame: pd.DataFrame, *signals: str) -> list[str]:
    return [alert.signal for alert in look([WINDOWS], telemetry=frame, signals=signals, alpha=0.01).alerts]


def test_one_user_whose_calls_all_fail_is_no_change_of_the_traffic() -> None:
    now = day(0, np.random.default_rng(1))
    bot = np.arange(len(now)) % 5 == 0
    told = now.assign(user=now["user"].mask(bot, "bot"), error=now["error"].mask(bot, "429"))
    assert moved(month(0, told), "error_rate") == []
    # The same failures, over all users, are one.
    assert moved(month(0, now.assign(error=now["error"].mask(bot, "429"))), "error_rate") == ["error_rate"]


def test_what_a_weekend_is_like_is_compared_with_weekends() -> None:
    rng = np.random.default_rng(2)
    slower = [day(number, rng) for number in range(28, -1, -1)]
    for place, number in enumerate(range(28, -1, -1)):
        if number % 7 == 0:
            slower[place]["latency"] *= 1.6
    assert moved(pd.concat(slower, ignore_index=True), "latency") == []
    late = slower[-1].assign(latency=slower[-1]["latency"] * 1.6)
    assert moved(pd.concat([*slower[:-1], late], ignore_index=True), "latency") == ["latency"]


def test_a_day_unlike_others_is_none_where_days_are_unlike_each_other() -> None:
    rng = np.random.default_rng(3)
    factors = [*rng.lognormal(0.0, 0.35, 28), 1.5]
    frames = [day(28 - place, rng) for place in range(29)]
    unlike = [one.assign(latency=one["latency"] * factor) for one, factor in zip(frames, factors, strict=True)]
    assert moved(pd.concat(unlike, ignore_index=True), "latency") == []
    alike = [*frames[:-1], unlike[-1]]
    assert moved(pd.concat(alike, ignore_index=True), "latency") == ["latency"]


def test_too_few_days_of_the_same_weekday_are_made_up_for_by_all() -> None:
    rng = np.random.default_rng(4)
    young = [day(number, rng) for number in range(6, 0, -1)]
    slow = day(0, rng).assign(latency=lambda frame: frame["latency"] * 2)
    assert moved(pd.concat([*young, slow], ignore_index=True), "latency") == ["latency"]


@pytest.mark.parametrize(
    ("days", "factor", "failing", "found"),
    [
        (5, 1.6, 0.05, []),  # a first Saturday, as unlike the days before as weekends are
        (5, 2.5, 0.0, ["latency"]),
        (5, 1.0, 0.12, ["error_rate"]),
        (12, 2.5, 0.0, ["latency"]),
    ],
)
def test_on_a_weekday_that_was_never_seen_only_a_large_move_is_one(
    days: int, factor: float, failing: float, found: list[str]
) -> None:
    rng = np.random.default_rng(5)
    earlier = [day(number, rng, 400) for number in range(days, 0, -1)]
    now = day(0, rng, 400).assign(latency=lambda frame: frame["latency"] * factor)
    now["error"] = now["error"].mask(np.random.default_rng(6).random(len(now)) < failing, "500")
    told = look([WINDOWS], telemetry=pd.concat([*earlier, now]), signals=["latency", "error_rate"], alpha=0.01)
    assert [alert.signal for alert in told.alerts] == found
    unmatched = {bool(one.everywhere.detail.get("unmatched")) for one in told.findings}
    assert unmatched == {days < 7}


def test_days_pooled_with_weekdays_that_the_reference_lacks_are_no_alarm() -> None:
    """Saturday to Monday against the first Monday to Friday."""
    rng = np.random.default_rng(7)
    frames = [day(number, rng, 400) for number in range(7, -1, -1)]  # from a Saturday on, as if it were a Monday
    slower = [
        one.assign(latency=one["latency"] * (1.6 if place in (5, 6) else 1.0)) for place, one in enumerate(frames)
    ]
    calls, begun = pd.concat(slower, ignore_index=True), NOW - 8 * DAY
    pairs = [pair for pair in compared(NOW, DAY, 28 * DAY, begun) if pair.reference.end > begun]
    found = look(pairs, telemetry=calls, signals=["latency"], alpha=0.01)
    assert [one.windows.periods for one in found.findings] == [1, 3]
    assert found.alerts == () and found.findings[1].everywhere.detail["unmatched"]


@given(
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(["error_rate", "latency", "output_length"]),
    users=st.integers(1, 40),
    days=st.integers(1, 15),
)
def test_dependence_only_ever_weakens_evidence(seed: int, kind: str, users: int, days: int) -> None:
    rng = np.random.default_rng(seed)
    signal = SIGNALS.get(kind)
    sizes = days * 20, 40
    times = [CURRENT.start - pd.to_timedelta(rng.uniform(1, 86_400 * days, sizes[0]), unit="s")]
    times.append(CURRENT.start + pd.to_timedelta(rng.uniform(0, 86_399, sizes[1]), unit="s"))
    units = [
        Units.of(pd.DataFrame({"time": pd.to_datetime(at, utc=True), "user": rng.integers(0, users, len(at))}), CURRENT)
        for at in times
    ]
    if signal.kind == "proportion":
        sides = [(rng.random(size) < rng.random()).astype(float) for size in sizes]
    else:
        sides = [rng.lognormal(rng.normal(), 0.5, size) for size in sizes]
    compare = DETECTORS.get(USUAL[signal.kind]).compare
    found = compare(sides[0][units[0].matched], sides[1], bad=signal.bad, resolution=signal.resolution)
    left = weaker(signal, found, (sides[0], sides[1]), (units[0], units[1]))
    assert found.p_value is not None and left.p_value is not None
    assert found.p_value <= left.p_value <= 1.0
    assert left.effect.estimate == found.effect.estimate
    if found.effect.low is not None and found.effect.high is not None:
        assert left.effect.low is not None and left.effect.high is not None
        assert left.effect.low <= found.effect.low and left.effect.high >= found.effect.high


def slowly(days: range) -> list[ModelCall]:
    """Calls of which each day's take two per cent longer than those of the day before, after 32 days as they were."""
    rng = np.random.default_rng(days.start)
    calls = []
    for number in days:
        factor = 1.02 ** max(number - 32, 0)
        for call in range(60):
            at = NOW - 60 * DAY + number * DAY + timedelta(minutes=24 * call)
            calls.append(
                ModelCall(at, f"{number:032x}", f"{call + 1:016x}", latency=float(factor * rng.lognormal(0, 0.3)))
            )
    return calls


SLIDING = {"reference_days": 14, "signals": ["latency", "error_rate"]}


def test_a_slow_change_is_seen_against_the_reference_that_does_not_slide(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    config = TrafficConfig(**SLIDING)
    with Store(tmp_path / "calls") as store:
        store.append(slowly(range(30)))
        first = look_at_traffic(ledger, "m", tmp_path / "calls", config, NOW - 30 * DAY)
        assert first.conclusion.result == "quiet", first.conclusion
        store.append(slowly(range(30, 60)))
    (alert,) = look_at_traffic(ledger, "m", tmp_path / "calls", config, NOW).alerts
    assert alert.signal == "latency" and alert.reference.start == NOW - 45 * DAY
    # A person who accepts what has changed sets the anchor anew.
    accepted = TrafficConfig(**SLIDING, anchor=NOW - 20 * DAY)
    assert (
        look_at_traffic(ledger, "m", tmp_path / "calls", accepted, NOW + timedelta(seconds=1)).conclusion.result
        == "quiet"
    )
    kept = looks_of(ledger, "m")
    assert {tuple(found["reference"]) for found in kept[1].findings} == {
        ((NOW - 45 * DAY).isoformat(), (NOW - 31 * DAY).isoformat()),
        ((NOW - 15 * DAY).isoformat(), (NOW - DAY).isoformat()),
    }
    ledger.close()


def test_an_anchor_without_calls_is_said(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    with Store(tmp_path / "calls") as store:
        store.append(slowly(range(30)))
    config = TrafficConfig(**SLIDING, anchor=NOW - 300 * DAY)
    found = look_at_traffic(ledger, "m", tmp_path / "calls", config, NOW - 30 * DAY).conclusion
    assert (
        found.result == "unmeasurable" and "no call is left of the reference that began on 2025-05-26" in found.reason
    )
    ledger.close()
