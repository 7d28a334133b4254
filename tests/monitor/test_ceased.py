"""A field that vanishes from the telemetry never improves a look, nor silences a signal: it is said by its name."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from driftgate.monitor._calls import Beside
from driftgate.monitor._examined import Examined, examine
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.signals import SIGNALS
from driftgate.monitor.telemetry import Intake, to_arrow
from driftgate.monitor.telemetry._record import TRUTHS
from driftgate.monitor.telemetry._rows import call_from_row, identified

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GONE = object()
TOLD_BY_ALL = {
    "request_model": "prod",
    "error": "",
    "latency": 1.5,
    "prompt_hash": "5b",
    "prompt_version": "3",
    "response_model": "prod-2026-01",
    "fingerprint": "fp_1",
    "finish_reason": "stop",
    "time_to_first_token": 0.2,
    "cached_tokens": 9,
    "input_tokens": 12,
    "output_chars": 80,
    "unparsed": False,
    "refused": False,
    "tenant": "acme",
    "slice": "billing",
}


def rows(count: int, end: datetime, span: timedelta = DAY, **fields: Any) -> list[dict[str, Any]]:
    """Calls spread over the time before ``end``, which tell all that is looked at but texts."""
    found = []
    for n in range(count):
        row = {
            **TOLD_BY_ALL,
            "time": (end - span * ((n + 0.5) / count)).isoformat(),
            "output_tokens": 20 + n % 7,
            "user": f"u{n % 40}",
            "conversation": f"c{n // 2}",
            **fields,
        }
        found.append({name: value for name, value in row.items() if value is not GONE})
    return found


def before(**fields: Any) -> list[dict[str, Any]]:
    return rows(60 * 13, NOW - DAY, 13 * DAY, **fields)


def now(count: int = 60, **fields: Any) -> list[dict[str, Any]]:
    return rows(count, NOW, **fields)


def look(*calls: dict[str, Any], beside: Beside = Beside(), **traffic: Any) -> Examined:  # noqa: B008 - frozen
    intake, seen = Intake(pseudonym=str), Counter[str]()
    frame = to_arrow([call_from_row(identified(row, seen), intake) for row in calls]).to_pandas()
    frame = frame.assign(**{name: frame[name].astype(float) for name in (*TRUTHS, "weight")})
    frame["time"] = frame["time"].astype("datetime64[ns, UTC]")
    ordered = frame.sort_values("time", ignore_index=True)
    return examine(ordered, NOW, TrafficConfig(**traffic), None, floors=None, alpha=0.033, beside=beside)


def failing(calls: list[dict[str, Any]], one_in: int) -> list[dict[str, Any]]:
    return [row | {"error": "500"} if n % one_in == 1 else row for n, row in enumerate(calls)]


def test_calls_that_tell_all_as_before_are_quiet() -> None:
    whole = look(*before(), *now())
    assert (whole.conclusion.result, whole.conclusion.reason) == ("quiet", ""), whole.conclusion
    assert whole.events == []


@pytest.mark.parametrize(
    ("names", "result"),
    [
        (("error",), "unmeasurable"),
        (("latency",), "unmeasurable"),
        (("output_tokens", "input_tokens", "finish_reason"), "unmeasurable"),
        (("unparsed", "refused", "output_chars"), "unmeasurable"),
        (("tenant",), "unmeasurable"),
        (("slice",), "unmeasurable"),
        (("user", "conversation", "prompt_hash", "prompt_version", "response_model", "fingerprint"), "quiet"),
        (("time_to_first_token", "cached_tokens"), "quiet"),
    ],
)
def test_fields_that_vanish_are_said_and_kept(names: tuple[str, ...], result: str) -> None:
    found = look(*before(), *now(**dict.fromkeys(names, GONE)))
    assert found.conclusion.result == result, found.conclusion
    for name in names:
        reads = [signal for signal in SIGNALS.names() if name in SIGNALS.get(signal).columns] or [name]
        assert any(read in found.conclusion.reason for read in reads), found.conclusion
    (event,) = found.events
    assert event["signal"] == "telemetry_fields" and not event["moved"]
    assert all(f"{name} is told by no call of the current window" in event["told"] for name in names)


def test_without_who_asks_a_look_is_not_quiet_where_it_would_miss_a_change() -> None:
    """Latency is the conversation's, of which a day has thirty; by the hour it cannot be known."""
    rng, gone = np.random.default_rng(3), dict.fromkeys(("user", "conversation"), GONE)

    def slow(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = rng.lognormal(0.0, 0.8, len(calls))
        return [{**row, "latency": float(own[n // 2])} for n, row in enumerate(calls)]

    names = ["latency", "error_rate"]
    whole = look(*slow(before()), *slow(now()), signals=names).conclusion
    assert whole.result == "quiet" and "not to be seen: latency" in whole.reason, whole
    found = look(*slow(before()), *slow(now(**gone)), signals=names).conclusion
    assert (found.result, found.remedy) == ("inconclusive", "let the application tell conversation again"), found
    assert "without it not to be seen: latency" in found.reason


def test_a_field_of_few_calls_or_of_half_of_them_is_not_missed() -> None:
    some = [row | {"fingerprint": "" if n % 12 else "fp"} for n, row in enumerate(before())]
    assert look(*some, *now(fingerprint=GONE)).events == []
    fewer = [row if n % 5 < 3 else row | {"fingerprint": ""} for n, row in enumerate(now())]
    assert look(*before(), *fewer).events == []


@pytest.mark.parametrize("telling", [0, 2])
@pytest.mark.parametrize("answer", [{}, {"output_chars": GONE, "finish_reason": GONE}])
def test_calls_that_cease_to_tell_whether_they_failed_are_no_improvement(answer: dict[str, Any], telling: int) -> None:
    """A twentieth of the earlier calls failed; the newest do not say, and answer or not."""
    found = look(*failing(before(), 20), *now(60 - telling, error=GONE, **answer), *now(telling)).conclusion
    assert found.result == "unmeasurable" and "error_rate" in found.reason, found
    assert "absent_error: none" in found.remedy


@pytest.mark.parametrize(("one_in", "result"), [(10, "unmeasurable"), (1000, "quiet")])
def test_errors_that_only_failed_calls_told_hide_no_rise(one_in: int, result: str) -> None:
    """Of earlier calls only those that failed say so, which looks like errors alone; now all say, and some fail."""
    found = look(*failing(before(error=GONE), 50), *failing(now(), one_in)).conclusion
    assert found.result == result, found
    assert ("16 of 780 calls of the reference tell error_rate" in found.reason) is (result == "unmeasurable")


def test_calls_without_a_model_are_no_reason_where_there_were_as_many_before() -> None:
    told = look(*before(), *now(), beside=Beside(unnamed=(0.0, 20.0))).conclusion
    assert (told.result, "20 calls of the current window name no model" in told.reason) == ("unmeasurable", True)
    assert look(*before(), *now(), beside=Beside(unnamed=(260.0, 20.0))).conclusion.result == "quiet"
    assert look(*before(), *now(), beside=Beside(unnamed=(0.0, 1.0))).conclusion.result == "quiet"
