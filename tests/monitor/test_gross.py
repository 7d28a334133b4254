"""Of a service that fails grossly every look says so, on its second day too; a look that saw nothing is not quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from driftgate.monitor._days import Units
from driftgate.monitor._examined import Examined, examine
from driftgate.monitor._gross import with_gross
from driftgate.monitor._visible import Short
from driftgate.monitor.alert import Period
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.detectors import DETECTORS
from driftgate.monitor.signals import SIGNALS
from driftgate.monitor.telemetry import COLUMNS

NOW = datetime(2026, 3, 22, tzinfo=UTC)
DAY = timedelta(days=1)
CURRENT = Period(NOW - DAY, NOW)
ERRORS = SIGNALS.get("error_rate")


def calls(count: int, ago: timedelta, errors: float, *, seconds: float = 1.0, **columns: Any) -> pd.DataFrame:
    """Calls one after another from so long ago, of which a share fails, evenly."""
    times = [NOW - ago + timedelta(seconds=seconds * n) for n in range(count)]
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(times, utc=True),
            "latency": 0.8 + np.arange(count) % 11 / 100,
            "error": np.where((np.arange(count) * 0.618034) % 1 < errors, "timeout", ""),
            "weight": 1.0,
        }
    )
    return frame.assign(**{name: None for name in COLUMNS if name not in frame}).assign(**columns)


def looked(*frames: pd.DataFrame, **settings: Any) -> Examined:
    traffic = TrafficConfig(**settings)
    return examine(pd.concat(frames, ignore_index=True), NOW, traffic, None, floors=None, alpha=0.033)


YESTERDAY = calls(2000, 5 * DAY, 0.02)


@pytest.mark.parametrize("errors", [0.13, 0.25, 0.5, 1.0])
def test_an_endpoint_that_fails_for_many_calls_is_an_alert_with_one_day_to_compare_with(errors: float) -> None:
    found = looked(YESTERDAY, calls(400, timedelta(hours=6), errors))
    (alert,) = found.look.alerts
    assert found.conclusion.result == "moved" and alert.signal == "error_rate" and alert.cause == "service"
    assert alert.effect_low is not None and 0.05 < alert.effect_low < alert.effect


def test_of_a_reference_of_one_day_no_share_that_is_not_gross_is_an_alert_and_none_is_quiet() -> None:
    same = looked(YESTERDAY, calls(400, timedelta(hours=6), 0.02)).conclusion
    assert same.result == "inconclusive" and "not to be seen: error_rate: a change below 1" in same.reason
    assert "the reference is being built" in same.reason and "error rate went" not in same.reason
    between = looked(YESTERDAY, calls(400, timedelta(hours=6), 0.08)).conclusion
    assert between.result == "inconclusive" and between.remedy
    assert "error rate went from 2.0% to 8.0%; a reference of a single day does not tell" in between.reason
    # Of few calls the same share is nothing yet.
    few = looked(YESTERDAY, calls(60, timedelta(hours=6), 0.05)).conclusion
    assert few.result == "inconclusive" and "not to be seen: error_rate" in few.reason


def test_one_who_fails_all_the_time_is_no_fault_of_the_service_and_a_fault_of_all_is() -> None:
    users = [f"u{n % 40}" for n in range(2000)]
    before = calls(2000, 5 * DAY, 0.0, seconds=30).assign(user=users)
    now = calls(400, timedelta(hours=6), 0.0, seconds=30).assign(user=users[:400])
    bot = np.arange(400) % 4 == 0
    alone = now.assign(user=now["user"].mask(bot, "bot"), error=now["error"].mask(bot, "429"))
    assert looked(before, alone).look.alerts == ()
    of_all = now.assign(error=now["error"].mask(np.arange(400) % 7 < 2, "429"))
    assert [alert.signal for alert in looked(before, of_all).look.alerts] == ["error_rate"]


def test_an_account_that_asks_for_everybody_does_not_hide_a_fault() -> None:
    before = YESTERDAY.assign(user="service")
    found = looked(before, calls(400, timedelta(hours=6), 0.25).assign(user="service"))
    assert [alert.signal for alert in found.look.alerts] == ["error_rate"]


def test_a_slice_that_is_down_is_named_on_the_second_day() -> None:
    models = [f"m{n % 10}" for n in range(2000)]
    before = YESTERDAY.assign(slice=models)
    now = calls(400, timedelta(hours=6), 0.0).assign(slice=models[:400])
    now["error"] = now["error"].mask(now["slice"] == "m3", "503")
    (alert,) = looked(before, now).look.alerts
    assert alert.signal == "error_rate" and alert.slices == ("m3",)


def test_replies_without_text_are_gross_as_well() -> None:
    said = {"output_chars": 20.0}
    now = calls(400, timedelta(hours=6), 0.0, **said)
    now["output_chars"] = now["output_chars"].mask(np.arange(400) % 4 == 0, 0.0)
    found = looked(calls(2000, 5 * DAY, 0.0, **said), now)
    assert "empty_share" in {alert.signal for alert in found.look.alerts}


def test_a_look_that_could_see_nothing_of_a_signal_is_inconclusive() -> None:
    rng = np.random.default_rng(1)

    def slow(frame: pd.DataFrame) -> pd.DataFrame:
        sessions = np.arange(len(frame)) // (len(frame) // 2)
        return frame.assign(
            session=[f"{len(frame)}-{one}" for one in sessions], latency=np.exp(rng.normal(0, 2, 2)[sessions])
        )

    found = looked(slow(YESTERDAY), slow(calls(400, timedelta(hours=6), 0.02)), signals=["latency"]).conclusion
    assert found.result == "inconclusive", found
    assert "not even a gross change could have been seen: latency: " in found.reason
    assert "traffic.signals names the signals" in found.remedy


def test_the_p_value_is_twice_fishers_of_those_who_ask_each_with_the_share_of_its_calls() -> None:
    before, now = np.zeros(160), np.zeros(80)
    now[[0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 20, 24, 28]] = 1.0  # of four calls of each who asks
    units = []
    for values, start in ((before, NOW - 3 * DAY), (now, NOW - DAY)):
        times = pd.to_datetime([start + timedelta(minutes=n) for n in range(values.size)], utc=True)
        units.append(Units.of(pd.DataFrame({"time": times, "user": np.arange(values.size) // 4}), CURRENT))
    found = DETECTORS.get("contingency").compare(before, now, bad="higher")
    judged = with_gross(ERRORS, replace(found, p_value=1.0), (before, now), (units[0], units[1]))
    # 1 + 3/4 + 6 * 1/4 = 3.25 of 20 who ask, none of 40 before: at least 3 of 20.
    exact = scipy.stats.fisher_exact([[3, 17], [0, 40]], alternative="greater").pvalue
    assert judged.p_value == pytest.approx(2.0 * exact)
    assert (judged.detail["askers_reference"], judged.detail["askers_current"]) == (40, 20)


@pytest.mark.parametrize(
    ("smallest", "floor", "relative", "blind"),
    [
        (2.6, 0.25, True, True),
        (2.4, 0.25, True, False),
        (0.21, 0.02, False, True),
        (0.19, 0.02, False, False),
        (1.1, 0.2, False, True),
        (0.9, 0.2, False, False),
        (float("inf"), 0.02, False, True),
    ],
)
def test_what_is_ten_times_a_floor_or_not_possible_is_gross(
    smallest: float, floor: float, relative: bool, blind: bool
) -> None:
    assert Short("s", smallest, floor, relative, 1.0).blind is blind


@given(
    before=st.lists(st.booleans(), min_size=30, max_size=60),
    now=st.lists(st.booleans(), min_size=30, max_size=60),
    asking=st.integers(1, 60),
    place=st.integers(0, 59),
)
def test_one_more_failed_call_is_never_less_evidence(
    before: list[bool], now: list[bool], asking: int, place: int
) -> None:
    worse = list(now)
    worse[place % len(now)] = True

    def p_value(current: list[bool]) -> float:
        windows = np.array(before, dtype=float), np.array(current, dtype=float)
        units = []
        for values, start in zip(windows, (NOW - 3 * DAY, NOW - DAY), strict=True):
            times = pd.to_datetime([start + timedelta(minutes=n) for n in range(values.size)], utc=True)
            told = {"time": times, "user": np.arange(values.size) % asking}
            units.append(Units.of(pd.DataFrame(told), CURRENT))
        found = DETECTORS.get("contingency").compare(*windows, bad="higher")
        # Of the test of a gross rise alone.
        judged = with_gross(ERRORS, replace(found, p_value=1.0), windows, (units[0], units[1]))
        assert judged.p_value is not None
        return judged.p_value

    assert p_value(worse) <= p_value(now) + 1e-12
