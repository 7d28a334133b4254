"""A quiet look says what is unlike before and no alert: calls that are missing, who answers, a change not yet sure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftgate.monitor._examined import Examined, examine
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.telemetry import COLUMNS

NOW = datetime(2026, 3, 22, tzinfo=UTC)
DAY = timedelta(days=1)


def day(ago: int, count: int = 150, errors: float = 0.02, **columns: Any) -> pd.DataFrame:
    """Calls of a day, of 40 users, of which a share fails by chance."""
    rng = np.random.default_rng(ago)
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime([NOW - ago * DAY - DAY * ((n + 0.5) / count) for n in range(count)], utc=True),
            "latency": rng.lognormal(0.0, 0.4, count),
            "error": np.where(rng.random(count) < errors, "timeout", ""),
            "user": [f"u{one}" for one in rng.integers(0, 40, count)],
            "response_model": "m-2026-01",
            "weight": 1.0,
        }
    )
    return frame.assign(**{name: None for name in COLUMNS if name not in frame}).assign(**columns)


def looked(newest: pd.DataFrame, days: int = 21) -> Examined:
    frame = pd.concat([newest, *(day(ago) for ago in range(1, days + 1))], ignore_index=True)
    traffic = TrafficConfig(reference_days=20, signals=["error_rate", "latency"])
    return examine(frame.sort_values("time", ignore_index=True), NOW, traffic, None, floors=None, alpha=0.0036)


def test_a_day_like_the_others_has_nothing_of_it_said() -> None:
    found = looked(day(0)).conclusion
    assert found.result == "quiet"
    assert not re.search("calls, and every earlier|are answered by|not sure enough", found.reason)


@pytest.mark.parametrize(("count", "said"), [(90, True), (119, True), (121, False)])
def test_fewer_calls_than_on_any_day_before_are_said(count: int, said: bool) -> None:
    found = looked(day(0, count)).conclusion
    assert found.result == "quiet"
    assert (f"the current window has {count} calls, and every earlier one had 150 or more" in found.reason) is said


def test_another_model_that_answers_is_said() -> None:
    found = looked(day(0, response_model="m-2026-05")).conclusion
    assert found.result == "quiet"
    assert "100% of the calls are answered by m-2026-05, which answered none of the reference" in found.reason


def test_a_clock_that_stands_still_tells_no_latency() -> None:
    found = looked(day(0, latency=0.0)).conclusion
    assert found.result == "unmeasurable" and "no call of the current window tells latency" in found.reason
    rounded = looked(day(0).assign(latency=lambda frame: frame["latency"].round())).conclusion  # some of them 0 s
    assert rounded.result != "unmeasurable"


def test_a_change_that_is_likely_and_not_sure_is_said_with_its_interval() -> None:
    found = looked(day(0, errors=0.12))
    assert found.conclusion.result == "quiet"
    told = (
        r"error rate went from \d\.\d% to 1\d\.\d%, 95% interval \+(\d+\.\d) to \+(\d+\.\d) points, which is not sure"
    )
    said = re.search(told, found.conclusion.reason)
    assert said is not None and float(said[1]) >= 2.0, found.conclusion


def test_what_is_not_to_be_seen_is_said_of_the_newest_day_too() -> None:
    found = looked(day(0)).conclusion
    told = re.search(
        r"below ([\d.]+) points that lasted (\d+) windows, or ([\d.]+) points in the newest alone", found.reason
    )
    assert told is not None and float(told[3]) > 1.5 * float(told[1]) and int(told[2]) > 1
