"""A look at traffic whose calls come from a file, as applications write them: an outage is never quiet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.alert import Alert
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.telemetry import Intake, Store
from driftgate.monitor.telemetry.sources import SOURCES, parse_config
from driftgate.monitor.watch import Watched, look_at_traffic

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)  # a Thursday
DAY = timedelta(days=1)
GONE = object()
Look = Callable[..., Watched]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def look(tmp_path: Path, ledger: Ledger) -> Look:
    """Put calls into a file, collect it and look."""
    (tmp_path / "calls").mkdir()

    def run(*calls: dict[str, Any], columns: dict[str, str] | None = None, **traffic: Any) -> Watched:
        said = {"absent_error": traffic.pop("absent_error")} if "absent_error" in traffic else {}
        path = tmp_path / "calls" / "calls.jsonl"
        path.write_text("".join(json.dumps(call) + "\n" for call in calls), encoding="utf-8")
        source = parse_config({"source": "files", "folder": path.parent, "columns": columns or {}, **said})
        with Store(tmp_path / "store") as store:
            SOURCES.get("files").collect(source, store, ledger, Intake(), NOW)
        return look_at_traffic(ledger, "m", tmp_path / "store", TrafficConfig(**traffic), NOW)

    return run


def calls(count: int, end: datetime, span: timedelta = DAY, **fields: Any) -> list[dict[str, Any]]:
    """Calls spread over the time before ``end``."""
    rows = []
    for n in range(count):
        row = {
            "time": (end - span * ((n + 0.5) / count)).isoformat(),
            "request_model": "prod",
            "latency": 1 + n % 11 / 10,
            "output_tokens": 20 + n % 7,
            "output_text": "the answer is " + "x" * (n % 9),
            "input_text": f"hello, question number {n % 37} on billing",
            "error": "",
            **fields,
        }
        rows.append({name: value for name, value in row.items() if value is not GONE})
    return rows


def before(days: int = 13, **fields: Any) -> list[dict[str, Any]]:
    return calls(60 * days, NOW - DAY, days * DAY, **fields)


def now(count: int = 60, **fields: Any) -> list[dict[str, Any]]:
    return calls(count, NOW, **fields)


FINE_AND_FAILED = [
    (False, True),
    (0, 1),
    (0.0, 1.0),
    ("none", "timeout"),
    ("None", "Timeout"),
    (None, "429"),
    ("null", "500"),
    ("false", "true"),
    ("OK", "HTTP 500"),
    (200, 503),
    ("0", "1"),
    ("", {"message": "boom"}),
    ({}, {"code": 500}),
    ([], ["boom"]),
    ({"code": None}, {"code": "rate_limit"}),
]


@pytest.mark.parametrize(("fine", "failed"), FINE_AND_FAILED, ids=repr)
def test_what_stands_for_an_error_is_read_in_any_words(look: Look, fine: object, failed: object) -> None:
    found = look(*before(error=fine), *now(error=failed))
    assert [alert.signal for alert in found.alerts] == ["error_rate"]


@pytest.mark.parametrize("fine", [fine for fine, _ in FINE_AND_FAILED], ids=repr)
def test_what_stands_for_no_error_is_quiet(look: Look, fine: object) -> None:
    found = look(*before(error=fine), *now(error=fine))
    assert found.conclusion.result == "quiet", found.conclusion


def test_a_column_that_only_failed_calls_have_is_read(look: Look) -> None:
    assert look(*before(error=GONE), *now(error=GONE), absent_error="none").conclusion.result == "quiet"
    moved = look(*before(error=GONE, latency=1.5), *now(error="timeout", latency=1.5), absent_error="none")
    assert [alert.signal for alert in moved.alerts] == ["error_rate"]


def test_a_row_without_the_column_did_not_go_well_because_another_row_has_it(look: Look) -> None:
    found = look(*before(error=GONE), *now(error=GONE)[:-1], *now(1)).conclusion
    assert (found.result, "1 of 60 calls tell error_rate" in found.reason) == ("unmeasurable", True), found
    assert "absent_error: none" in found.remedy


def test_calls_that_name_no_model_may_be_those_that_failed(look: Look) -> None:
    failed = now(20, request_model=GONE, error="500")
    found = look(*before(), *now(), *failed, request_model="prod").conclusion
    assert (found.result, "20 calls of the current window name no model" in found.reason) == ("unmeasurable", True)


@pytest.mark.parametrize(
    ("was", "is_", "columns"),
    [
        ({"error": GONE}, {"error": GONE}, {}),
        ({}, {}, {"error": "exception"}),
        ({"error": "unknown"}, {"error": "unknown"}, {}),
        ({}, {"error": "unknown"}, {}),
    ],
)
def test_calls_that_do_not_tell_whether_they_failed_are_not_quiet(
    look: Look, was: dict[str, Any], is_: dict[str, Any], columns: dict[str, str]
) -> None:
    found = look(*before(**was), *now(**is_), columns=columns).conclusion
    assert (found.result, found.reason) == ("unmeasurable", "no call of the current window tells error_rate")


@pytest.mark.parametrize("untold", [45, 30, 2])
def test_calls_that_tell_of_errors_do_not_speak_for_the_others(look: Look, untold: int) -> None:
    found = look(*before(), *now(untold, error="unknown"), *now(60 - untold, latency=1.6)).conclusion
    assert found.result == "unmeasurable" and f"{60 - untold} of 60 calls tell error_rate" in found.reason


@pytest.mark.parametrize("untold", [3, 29, 45])
def test_replies_that_are_withheld_may_be_those_that_went_wrong(look: Look, untold: int) -> None:
    found = look(*before(), *now(untold, output_text=GONE), *now(60 - untold)).conclusion
    assert found.result == "unmeasurable" and f"{60 - untold} of 60 calls tell empty_share" in found.reason


def test_calls_that_fail_need_no_reply(look: Look) -> None:
    failed = now(2, output_text=GONE, error="500")
    assert look(*before(), *now(58), *failed).conclusion.result == "quiet"


def test_a_sample_of_replies_may_be_smaller_on_one_day(look: Look) -> None:
    one_in = [row | ({} if n % 2 else {"output_text": None}) for n, row in enumerate(before())]
    fewer = [row | ({} if n % 5 < 2 else {"output_text": None}) for n, row in enumerate(now())]
    assert look(*one_in, *fewer).conclusion.result == "quiet"


def test_a_number_that_never_varies_hides_nothing(look: Look) -> None:
    same = {"input_text": "the same question"}
    assert look(*before(**same), *now(**same)).conclusion.result == "quiet"


def test_whoever_does_not_look_at_errors_is_told_so(look: Look) -> None:
    found = look(*before(error=GONE), *now(error=GONE), signals=["latency"]).conclusion
    assert (found.result, found.reason) == ("quiet", "errors are not looked at")


@pytest.mark.parametrize("outage", [{"error": "500", "output_text": GONE}, {"output_text": ""}])
def test_an_outage_is_no_reference(look: Look, outage: dict[str, Any]) -> None:
    found = look(*before(**outage), *now(**outage)).conclusion
    assert found.result == "unmeasurable" and "an outage is no reference" in found.reason
    half = look(*before(7, **outage), *calls(60 * 6, NOW - 8 * DAY, 6 * DAY), *now(**outage, latency=1.5))
    assert half.conclusion.result != "quiet"


def topics(rows: list[dict[str, Any]], refunds: float) -> list[dict[str, Any]]:
    """The calls, a share of them about refunds and the others about one of four matters."""
    matters = ("배송은 언제 오나요", "비밀번호를 바꿔 주세요", "영수증을 메일로 보내 주세요", "계정을 합치고 싶어요")

    def asked(n: int) -> str:
        return matters[n % 4] if n * 37 % 100 >= 100 * refunds else "주문을 취소하고 환불받고 싶습니다"

    return [{**row, "input_text": f"{asked(n)} {n % 29}번"} for n, row in enumerate(rows)]


def test_a_topic_that_tripled_is_said_with_its_share(look: Look) -> None:
    rows = topics(before(), 0.1), topics(now(300), 0.3)
    (alert,) = look(*rows[0], *rows[1]).alerts
    assert alert.signal == "input_drift" and alert.cause == "input"
    assert 0.1 < alert.effect < 0.3 and alert.effect_unit == "share of traffic"
    assert "topics that grew went from" in alert.summary and "most of all group" in alert.summary
    assert Alert.from_json(alert.to_json()) == alert
    assert look(*topics(before(), 0.1), *topics(now(300), 0.1)).conclusion.result == "quiet"


@pytest.mark.parametrize(("of_now", "result"), [(0.3, "inconclusive"), (0.9, "moved")])
def test_a_first_weekend_is_no_alert_and_not_quiet(look: Look, of_now: float, result: str) -> None:
    """It asks about refunds three times as often, and its replies are two thirds longer, as those of weekends may."""
    found = look(*topics(before(5), 0.1), *topics(now(300, output_tokens=38), of_now))
    assert found.conclusion.result == result, found.conclusion
    assert [alert.signal for alert in found.alerts] == (["input_drift"] if result == "moved" else [])
    assert result == "moved" or "length of replies went from" in found.conclusion.reason


def test_replies_that_become_others_are_found(look: Look) -> None:
    changed = look(*before(), *now(300, output_text="as a language model I prefer to answer in verse"))
    assert "output_drift" in [alert.signal for alert in changed.alerts]


def test_texts_counted_by_an_earlier_version_are_said_not_to_be_comparable(look: Look) -> None:
    old = [{**row, "input_ngrams": [n % 3] * 256} for n, row in enumerate(before(input_text=GONE))]
    found = look(*old, *now())
    assert (found.conclusion.result, found.alerts) == ("inconclusive", ())
    assert "input_drift" in found.conclusion.reason
    recent = [{**row, "input_ngrams": [n % 3] * 256} for n, row in enumerate(now(input_text=GONE))]
    assert look(*old, *recent).conclusion.result == "quiet"


def test_replies_that_become_empty_are_seen_whatever_their_tokens(look: Look) -> None:
    assert [alert.signal for alert in look(*before(), *now(output_text="")).alerts] == ["empty_share"]


def test_a_reply_that_calls_a_tool_needs_no_text(look: Look) -> None:
    calling = {"output_text": "", "finish_reason": "tool_calls"}
    found = look(*before(**calling), *now(**calling))
    assert found.conclusion.result == "quiet", found.conclusion
    assert "empty_share" not in [alert.signal for alert in look(*before(), *now(**calling)).alerts]


@pytest.mark.parametrize(
    ("current", "said"),
    [
        (now(12), "12 calls were recorded in the current window where 60 were to be expected"),
        (calls(12, NOW - timedelta(hours=19), timedelta(hours=4)), "calls were recorded in the current window"),
        (calls(40, NOW - timedelta(hours=12), timedelta(hours=12)), "no call was recorded since"),
    ],
)
def test_calls_that_are_missing_are_not_quiet(look: Look, current: list[dict[str, Any]], said: str) -> None:
    found = look(*before(), *current).conclusion
    assert found.result == "unmeasurable" and said in found.reason, found


def weeks(today: int, holidays: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """Sixty calls a day and twelve on Sundays, ``today`` in the day up to now."""
    rows = calls(today, NOW + 3 * DAY)
    for day in range(1, 15):
        sunday = day % 7 == 0  # now is moved to a Sunday by the test
        rows += calls(12 if sunday or day in holidays else 60, NOW + 3 * DAY - day * DAY)
    return rows


@pytest.mark.parametrize(("today", "result"), [(12, "quiet"), (2, "inconclusive")])
def test_a_quiet_sunday_is_compared_with_sundays(
    tmp_path: Path, ledger: Ledger, look: Look, today: int, result: str
) -> None:
    look(*weeks(today))
    sunday = NOW + 3 * DAY
    assert sunday.weekday() == 6
    found = look_at_traffic(ledger, "m", tmp_path / "store", TrafficConfig(), sunday).conclusion
    assert found.result == result, found


def test_a_reference_without_the_weekday_is_being_built(look: Look) -> None:
    found = look(*before(4), *now()).conclusion
    assert (found.result, "the reference is being built" in found.reason) == ("inconclusive", True), found
    assert f"look again from {NOW - DAY + 3 * DAY:%Y-%m-%d} on" in found.remedy


def test_a_reference_that_is_meant_to_be_short_is_compared_by_days(look: Look) -> None:
    assert look(*before(4), *now(), reference_days=4).conclusion.result == "quiet"


def test_calls_of_the_days_before_are_missed_too(look: Look) -> None:
    assert look(*before(4), *now(12)).conclusion.result == "unmeasurable"


@pytest.mark.parametrize("error", ["", "500"])
def test_calls_dated_after_the_look_are_said(look: Look, error: str) -> None:
    found = look(*before(), *now(), *calls(60, NOW + 12 * timedelta(hours=1), timedelta(hours=11), error=error))
    assert found.conclusion.result == "unmeasurable"
    assert "60 calls are dated after the look" in found.conclusion.reason
    assert "time_zone" in found.conclusion.remedy


def test_a_few_calls_dated_after_the_look_are_said_beside_the_result(look: Look) -> None:
    found = look(*before(), *now(), *calls(3, NOW + timedelta(hours=2), timedelta(hours=1))).conclusion
    assert (found.result, found.reason) == ("quiet", "3 calls are dated after the look and were not compared")
    clock = look(*before(), *now(), *calls(30, NOW + timedelta(minutes=4), timedelta(minutes=3))).conclusion
    assert "30" not in clock.reason  # the clocks of two machines


def shifted(hours: float, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Times of a place so many hours ahead of UTC, as if they were UTC."""
    return [{**row, "time": (datetime.fromisoformat(row["time"]) + timedelta(hours=hours)).isoformat()} for row in rows]


@pytest.mark.parametrize("hours", [9, 5.5, -8])
def test_times_of_another_zone_are_not_quiet(look: Look, hours: float) -> None:
    rows = [*before(), *calls(60, NOW - DAY / 3, 2 * DAY / 3), *calls(30, NOW, DAY / 3, error="500")]
    assert look(*shifted(hours, rows)).conclusion.result in ("unmeasurable", "moved")


def test_a_row_that_stands_for_a_thousand_is_not_passed_over(look: Look) -> None:
    heavy = [{**now(1)[0], "weight": 1000, "error": "500"}, *now(59, weight=1)]
    found = look(*before(weight=1), *heavy).conclusion
    assert found.result == "inconclusive" and "unequal weight" in found.reason, found


def test_where_some_rows_outweigh_most_little_can_be_said(look: Look) -> None:
    uneven = [{**row, "weight": 50 if n % 20 == 0 else 1} for n, row in enumerate(now(600))]
    found = look(*before(weight=1), *uneven).conclusion
    assert found.result == "inconclusive" and "of 1,380 were left out" in found.reason


def test_one_heavier_row_costs_no_others(look: Look) -> None:
    found = look(*before(weight=1), *[{**row, "weight": 1 + 4 * (n == 0)} for n, row in enumerate(now(600))])
    assert (found.conclusion.result, found.conclusion.reason) == ("quiet", "")


def test_rows_of_equal_weight_are_as_good_as_without(look: Look) -> None:
    assert look(*before(weight=10), *now(weight=10)).conclusion.result == "quiet"


def test_weights_are_counted(look: Look) -> None:
    """A tenth of the rows fail, and they stand for five times as many calls as the others."""
    rows = [row | ({"weight": 5, "error": "500"} if n % 10 == 0 else {"weight": 1}) for n, row in enumerate(now(600))]
    (alert,) = look(*calls(7800, NOW - DAY, 13 * DAY, weight=1), *rows).alerts
    assert alert.signal == "error_rate" and alert.current_value == pytest.approx(0.36, abs=0.1)


def test_of_more_calls_than_are_needed_a_sample_is_compared_and_said(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.monitor.watch._MOST_CALLS", 700)
    many = calls(6500, NOW - DAY, 13 * DAY)
    quiet = look(*many, *now(500))
    assert quiet.conclusion.result == "quiet", quiet.conclusion
    assert "of about 6,500 calls of the reference" in quiet.conclusion.reason
    down = look(*many, *now(450), *calls(50, NOW, error="timeout"))
    assert [alert.signal for alert in down.alerts] == ["error_rate"]


def test_a_few_calls_of_tomorrow_are_few_beside_all_and_not_beside_those_that_were_drawn(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.monitor.watch._MOST_CALLS", 300)
    found = look(*calls(13_000, NOW - DAY, 13 * DAY), *now(1000), *calls(50, NOW + DAY, DAY / 2))
    assert found.conclusion.result == "quiet" and "50 calls are dated after" in found.conclusion.reason, found


def test_calls_that_are_gone_are_not_taken_for_calls_that_were_not_drawn(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.monitor.watch._MOST_CALLS", 700)
    gone = look(*calls(6500, NOW - DAY, 13 * DAY), *now(150))
    assert gone.conclusion.result == "unmeasurable" and "150 calls" in gone.conclusion.reason, gone.conclusion


def test_a_small_part_that_goes_on_is_not_silent_though_hardly_any_of_it_is_drawn(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.monitor.watch._MOST_CALLS", 300)
    small = {"slice": "acme"}
    both = [*calls(7000, NOW - DAY, 14 * DAY), *calls(40 * 14, NOW - DAY, 14 * DAY, **small), *now(500)]
    assert look(*both, *now(40, **small)).conclusion.result == "quiet"


def test_a_small_part_that_has_fallen_silent_is_named_though_hardly_any_of_it_was_drawn(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.monitor.watch._MOST_CALLS", 300)
    gone = look(*calls(7000, NOW - DAY, 14 * DAY), *calls(40 * 14, NOW - DAY, 14 * DAY, slice="acme"), *now(500))
    assert gone.conclusion.result == "unmeasurable" and "slice=acme" in gone.conclusion.reason, gone.conclusion
