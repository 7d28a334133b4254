"""A look at traffic of which a part is not there, or is not told, has a name of its own and is never quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import ModelCall, Store
from driftgate.monitor.watch import Watched, look_at_traffic

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Calls = list[ModelCall]
ASKED = ("환불은 며칠 걸리나요?", "배송은 언제 되나요?", "영수증을 다시 받을 수 있나요?")


def calls_of(tenant: str = "acme", number: int = 0, until: datetime = NOW, every: float = 20) -> Calls:
    """Fifteen days of the same traffic, a call every so many minutes."""
    found = []
    for n in range(int(15 * 1440 / every)):
        found.append(
            ModelCall(
                time=NOW - 15 * DAY + timedelta(minutes=n * every),
                trace_id=f"{number:08x}{n:024x}",
                span_id=f"{number:04x}{n + 1:012x}",
                provider="openai",
                request_model="gpt-a",
                tenant=tenant,
                latency=1.0 + n % 11 / 100,
                input_tokens=30 + n % 7,
                output_tokens=20 + n % 5,
                output_chars=20 + n % 5,
                refused=False,
                input_ngrams=ngrams(ASKED[n % 3]),
                dialect="otel_genai",
            )
        )
    return [call for call in found if call.time < until]


def now_with(calls: Calls, **fields: object) -> Calls:
    """The same, with other values in the current window."""
    return [replace(call, **fields) if call.time >= NOW - DAY else call for call in calls]  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger("ledger.db", tmp_path)


@pytest.fixture
def look(tmp_path: Path, ledger: Ledger) -> Callable[..., Watched]:
    def run(calls: Calls, **settings: object) -> Watched:
        with Store(tmp_path / "telemetry") as store:
            store.append(calls)
        return look_at_traffic(ledger, "watch", tmp_path / "telemetry", TrafficConfig(**settings), NOW)  # type: ignore[arg-type]

    return run


BOTH = calls_of("acme", 0) + calls_of("else", 1)
WITHOUT: dict[str, tuple[Calls, dict[str, object], str]] = {
    "no traffic": ([call for call in BOTH if call.time < NOW - DAY], {}, "no call was recorded in the current window"),
    "telemetry of yesterday only": (
        [call for call in BOTH if call.time < NOW - timedelta(hours=26)],
        {},
        "no call was recorded in the current window",
    ),
    "none since this morning": (
        [c for c in BOTH if c.time < NOW - timedelta(hours=8)],
        {},
        "no call was recorded since",
    ),
    "a clock ten hours ahead": (
        [replace(c, time=c.time + timedelta(hours=10)) for c in BOTH],
        {},
        "the newest calls cannot be told from those to come",
    ),
    "no content": (
        now_with(BOTH, input_ngrams=None, output_chars=None, refused=None),
        {},
        "no call of the current window tells",
    ),
    "no usage": (now_with(BOTH, input_tokens=None, output_tokens=None), {}, "tells input_length, output_length"),
    "a signal without data": (BOTH, {"signals": ["tool_call_share"]}, "tells tool_call_share"),
    "one tenant gone": (
        calls_of("acme", 0, NOW - DAY) + calls_of("else", 1, every=15),
        {},
        "no call of tenant=acme, of which every earlier window had 72 or more",
    ),
    "one tenant gone since the night": (
        calls_of("acme", 0, NOW - timedelta(hours=10)) + calls_of("else", 1, every=15),
        {},
        "no call since 2026-03-20 01:40 UTC of tenant=acme",
    ),
    "a model under another name": (
        now_with(BOTH, request_model="gpt-b"),
        {},
        "no call of request_model=gpt-a, of which every earlier window had 144 or more; request_model=gpt-b is new",
    ),
    "a model under another name that is watched by its old one": (
        now_with(BOTH, request_model="gpt-b"),
        {"request_model": "gpt-a"},
        "no call was recorded in the current window",
    ),
    "one of two sources gone": (
        [replace(call, dialect="") for call in calls_of("acme", 0, NOW - DAY)] + calls_of("acme", 1, every=10),
        {},
        "no call of dialect=(none)",
    ),
    "every call failed, always": ([replace(c, error="timeout") for c in BOTH], {}, "an outage is no reference"),
    "nobody knows which failed": ([replace(c, error=None) for c in BOTH], {}, "tells error_rate"),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_what_is_not_there_is_unmeasurable_under_its_own_name(look: Callable[..., Watched], missing: str) -> None:
    calls, settings, said = WITHOUT[missing]
    found = look(calls, **settings)
    assert found.conclusion.result == "unmeasurable", found.conclusion
    assert said in found.conclusion.reason
    assert found.conclusion.remedy


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"error": "timeout"}, "error_rate"), ({"output_chars": 0}, "empty_share"), ({"latency": 9.0}, "latency")],
)
def test_what_fails_is_an_alert_under_its_own_name(
    look: Callable[..., Watched], changed: dict[str, object], named: str
) -> None:
    found = look(now_with(BOTH, **changed))
    assert found.conclusion.result == "moved"
    assert named in {alert.signal for alert in found.alerts}


@pytest.mark.core
def test_the_same_traffic_is_quiet(look: Callable[..., Watched]) -> None:
    assert look(BOTH).conclusion.result == "quiet"


def test_a_part_that_is_known_to_have_ended_is_not_missed(look: Callable[..., Watched]) -> None:
    calls = calls_of("acme", 0, NOW - DAY) + calls_of("else", 1, every=15)
    assert look(calls, ended=["tenant=acme"]).conclusion.result == "quiet"


def test_a_tenant_that_comes_and_goes_is_not_missed(look: Callable[..., Watched]) -> None:
    on_three_days = [call for call in calls_of("acme", 0, NOW - DAY) if call.time.day in (9, 10, 16)]
    assert look(on_three_days + calls_of("else", 1, every=15)).conclusion.result == "quiet"


def test_a_tenant_that_rests_on_sundays_is_not_missed_on_one(look: Callable[..., Watched]) -> None:
    calls = [call for call in calls_of("acme", 0) if call.time.weekday() not in (3, 4)]  # NOW is a Friday
    assert "acme" not in look(calls + calls_of("else", 1, every=15)).conclusion.reason


@pytest.mark.core
def test_a_part_that_fell_silent_is_said_beside_an_alert(look: Callable[..., Watched]) -> None:
    found = look(now_with(calls_of("acme", 0, NOW - DAY) + calls_of("else", 1, every=15), latency=9.0))
    assert found.conclusion.result == "moved"
    assert "no call of tenant=acme" in found.conclusion.reason
