"""Traffic that is past, looked at as if it were live: when it is looked at, what is put into it, what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.alert import Alert
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.replay import Looked, Replay, replay
from driftgate.monitor.telemetry._record import COLUMNS

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def calls(days: float, a_day: int = 40, **columns: Any) -> pd.DataFrame:
    rng, count = np.random.default_rng(3), int(days * a_day)
    frame = pd.DataFrame({name: [""] * count for name in COLUMNS if name not in ("input_text", "output_text")})
    times = BEGIN + pd.to_timedelta((np.arange(count) + 0.5) / a_day, unit="D")
    whole = frame.assign(
        time=pd.Series(times).astype("datetime64[ns, UTC]"),
        latency=rng.lognormal(0.0, 0.3, count),
        weight=1.0,
        request_model="prod",
        refused=0.0,
        evaluations=None,
    )
    numbers = ("input_tokens", "output_tokens", "output_chars", "unparsed", "addressed", "malformed", "input_korean")
    whole = whole.assign(**dict.fromkeys((*numbers, "output_korean", "time_to_first_token", "tool_calls"), np.nan))
    whole = whole.assign(**dict.fromkeys(("input_ngrams", "output_ngrams"), None))
    return whole.assign(**columns)


def replayed(frame: pd.DataFrame, signals: list[str] | None = None, **settings: Any) -> Replay:
    traffic = {"signals": ["latency"], **settings.pop("traffic", {})}
    return replay(frame, TrafficConfig(**traffic), signals=signals or ["latency"], **{"starts": 2, **settings})


def test_looks_are_at_the_ends_of_whole_days_from_a_week_on_and_changes_begin_in_the_second_half_of_them() -> None:
    told: list[tuple[int, int]] = []
    found = replayed(calls(24.5), sizes=[3.0], advance=lambda done, total: told.append((done, total)))
    assert [one.at for one in found.looks] == [BEGIN + n * DAY for n in range(8, 25)]
    assert (found.calls, found.first < BEGIN + DAY, found.last > BEGIN + 24 * DAY) == (980, True, True)
    (change,) = found.changes
    # Of 17 looks three have fourteen after them: of these the second half.
    assert (change.begun, change.watched, change.size, change.delays) == (2, 14, 3.0, (1, 1))
    assert told[-1] == (17 + 2 * 14, 17 + 2 * 14) and len({total for _, total in told}) == 1


def test_a_period_of_hours_is_counted_from_the_first_call() -> None:
    found = replayed(calls(2.0, a_day=400), sizes=[3.0], traffic={"current_days": 0.1, "reference_days": 1.0})
    first = found.looks[0].at
    assert first == found.first + 8 * DAY / 10 and found.looks[1].at - first == DAY / 10


def test_only_calls_of_the_model_that_is_looked_at_are_replayed() -> None:
    both = calls(10.0).assign(request_model=lambda frame: np.where(frame.index % 2, "prod", "other"))
    assert replayed(both, sizes=[3.0], traffic={"request_model": "prod"}).calls == 200
    with pytest.raises(DriftgateError, match="no calls to replay"):
        replayed(both, traffic={"request_model": "nobody"})
    with pytest.raises(DriftgateError, match="needs more than 7 times 1 days"):
        replayed(calls(7.5))


def test_what_is_put_in_is_as_large_as_is_said_and_begins_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[pd.DataFrame] = []

    def keep(self: object, copy: pd.DataFrame, signal: object, begin: int) -> int | None:
        seen.append(copy)
        return None

    monkeypatch.setattr("driftgate.monitor.replay._Past.delay", keep)
    frame = calls(9.0, a_day=400, error=["500" if n % 4 == 0 else "" for n in range(3600)], refused=np.nan)
    frame.loc[::2, "refused"] = 0.0
    found = replayed(frame, ["latency", "error_rate", "refusal_share"], sizes=[0.5], starts=1)
    slower, failing, refusing = seen
    late = frame["time"] >= found.looks[0].at - DAY  # what the first look looks at
    assert (slower["latency"] / frame["latency"]).round(6).tolist() == [1.5 if one else 1.0 for one in late]
    assert (failing.loc[~late, "error"] == frame.loc[~late, "error"]).all()
    rates = [float((part["error"] != "").mean()) for part in (frame[late], failing[late])]
    assert rates[0] == 0.25 and rates[1] == pytest.approx(0.75, abs=0.05)
    told = refusing.loc[late & frame["refused"].notna(), "refused"].astype(float)
    assert float(told.mean()) == pytest.approx(0.5, abs=0.06)
    assert refusing.loc[frame["refused"].isna(), "refused"].isna().all()  # of what nothing was told nothing is


def test_a_signal_in_which_no_change_can_be_put_is_refused_and_one_that_is_not_told() -> None:
    with pytest.raises(DriftgateError, match="cannot be put into the signal 'input_drift'"):
        replayed(calls(10.0), ["input_drift"])
    few = calls(10.0, latency=[1.0] * 9 + [np.nan] * 391)
    with pytest.raises(DriftgateError, match="9 of 400 calls tell latency"):
        replayed(few, ["latency"])


def test_a_change_is_not_found_by_a_look_that_alarms_without_it() -> None:
    """Latency is four times as long from day 12 on, and what is put in on top of it is found by no look."""
    frame = calls(24.0)
    frame.loc[frame["time"] >= BEGIN + 12 * DAY, "latency"] *= 4.0
    found = replayed(frame, sizes=[0.5], starts=1)
    assert found.looks[5].alerts and not found.looks[3].alerts
    alarming = [bool(one.alerts) for one in found.looks]
    (change,) = found.changes
    begun = (len(found.looks) - 14) // 2
    assert all(not alarming[begun + after - 1] for after in change.delays)


def looked(day: int, *signals: str) -> Looked:
    alerts: Any = tuple(object.__new__(Alert) for _ in signals)
    return Looked(BEGIN + day * DAY, "moved" if signals else "quiet", "", alerts)


def test_looks_that_go_on_saying_the_same_are_one_alarm() -> None:
    looks = tuple(looked(day, *(["latency"] if day in (0, 1, 5, 6, 7, 20) else [])) for day in range(31))
    found = Replay(0, BEGIN, BEGIN, 0.03, looks, (), 1.0)
    assert [one.at for one in found.alarms] == [BEGIN, BEGIN + 5 * DAY, BEGIN + 20 * DAY]
    assert found.results == {"moved": 6, "quiet": 25}
    assert found.months == pytest.approx(30 / (365.25 / 12))
    assert found.alarms_a_month == pytest.approx(3 / found.months)


@pytest.mark.parametrize(("days", "known"), [(7, False), (8, True), (1, False)])
def test_less_than_a_week_of_looks_gives_no_rate(days: int, known: bool) -> None:
    found = Replay(0, BEGIN, BEGIN, 0.03, tuple(looked(day) for day in range(days)), (), 1.0)
    assert (found.alarms_a_month is not None) is known
