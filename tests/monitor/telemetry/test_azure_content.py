"""Texts in Azure Monitor Logs: on the spans, in a table of their own, on both on one day, or kept from the reader."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure_rows import POINTER, START, WORKSPACE, apart, days, in_span, log_record, messages, moment, span
from dialect_examples import EXAMPLES
from logs_endpoint import LogsEndpoint, self_signed

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.telemetry import Intake, Reason, Store, frame
from driftgate.monitor.telemetry.dialects import DIALECTS
from driftgate.monitor.telemetry.sources import Collected, log_analytics, parse_config
from driftgate.monitor.watch import Watched, look_at_traffic

PROTECTED = (403, "The table AppGenAIContent is protected: the identity needs another role")
WORDS = (
    "환불",
    "배송",
    "결제",
    "회원",
    "비밀번호",
    "주문",
    "취소",
    "교환",
    "영수증",
    "쿠폰",
    "포인트",
    "적립",
    "문의",
    "상담",
)
A_DAY = 60
NOW = START + days(15)


class Credential:
    """Always the same token."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("of-the-test", int(time.time()) + 3600)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LogsEndpoint]:
    served = LogsEndpoint(certificate=self_signed(tmp_path / "certificate.pem"))
    served.start()
    yield served
    served.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "telemetry") as opened:
        yield opened


@pytest.fixture
def collect(service: LogsEndpoint, store: Store, ledger: Ledger) -> Callable[..., Collected]:
    def run(now: datetime = NOW, retries: int = 2, **settings: Any) -> Collected:
        config = parse_config(
            {
                "source": "log_analytics",
                "workspace_id": WORKSPACE,
                "endpoint": service.address,
                "certificate": str(service.certificate),
                "since": START,
                "lag": "PT0S",
                "window": "P5D",
                **settings,
            }
        )
        options = {"retry_total": retries, "retry_backoff_factor": 0.01}
        return log_analytics.collect_with(Credential(), config, store, ledger, Intake(), now, options)

    return run


def traffic(service: LogsEndpoint, moved: float) -> None:
    """Fifteen days of the same traffic, one call of five with a long document; since a day the texts lie apart."""
    drawn = random.Random(7)
    content = service.tables.setdefault("AppGenAIContent", [])
    for number in range(15 * A_DAY):
        at = START + days((number + 0.5) / A_DAY)
        asked = " ".join(drawn.choices(WORDS, k=8 if number % 5 else 4000))
        answered = " ".join(drawn.choices(WORDS, k=6))
        if at < START + days(moved):
            service.spans.append(in_span(number, at, asked, answered))
        else:
            row, kept = apart(number, at, asked, answered)
            service.spans.append(row)
            content.append(kept)


def looked(ledger: Ledger, store: Store, now: datetime = NOW) -> Watched:
    return look_at_traffic(ledger, "watch", store.folder, TrafficConfig(), now)


def all_calls(store: Store) -> Any:
    return frame(store.folder, START, START + days(60))


@pytest.mark.parametrize("moved", [14.0, 14.5, 7.3])
def test_texts_that_move_are_an_event_of_the_telemetry_and_no_drift(
    service: LogsEndpoint, store: Store, ledger: Ledger, collect: Callable[..., Collected], moved: float
) -> None:
    traffic(service, moved)
    assert collect().note == ""
    found = looked(ledger, store)
    assert (found.alerts, found.conclusion.result) == ((), "quiet"), found.conclusion
    day = (START + days(moved)).date()
    assert f"telemetry: since {day} the input of calls is told in records of their own" in found.conclusion.reason
    events = [one for one in found.row.findings if one["signal"] == "telemetry_layout"]
    assert len(events) == 2 and events[0]["evidence"]["effect"] > 0.4
    read = {one["signal"]: one["p_value"] for one in found.row.findings}
    assert read["input_drift"] is not None  # it was compared, and not left out
    calls = all_calls(store)
    assert set(calls["input_from"]) == {"span", "cut", "apart", "apart_long"}
    assert set(calls["output_from"]) == {"span", "apart"}


def test_an_input_that_changes_with_the_layout_is_still_found(
    service: LogsEndpoint, store: Store, ledger: Ledger, collect: Callable[..., Collected]
) -> None:
    traffic(service, 14.0)
    for row in service.tables["AppGenAIContent"]:
        row["InputMessages"] = messages("user", "write a poem about the sea and the wind in English please")
    collect()
    assert "input_drift" in {alert.signal for alert in looked(ledger, store).alerts}


def test_a_table_that_may_not_be_read_leaves_the_calls_and_says_so_until_it_may(
    service: LogsEndpoint, store: Store, ledger: Ledger, collect: Callable[..., Collected]
) -> None:
    traffic(service, 14.0)
    service.denied["AppGenAIContent"] = PROTECTED
    brought = collect()
    assert brought.calls == 15 * A_DAY
    assert "Privileged Monitoring Data Reader" in brought.note
    found = looked(ledger, store)
    assert (found.alerts, found.conclusion.result) == ((), "unmeasurable")
    assert f"the input of {A_DAY} of {A_DAY} calls was not read where it is kept" in found.conclusion.reason
    assert f"since {(START + days(14)).date()} the input of calls is told where they may not be read" in (
        found.conclusion.reason
    )
    assert "Privileged Monitoring Data Reader" in found.conclusion.remedy
    service.denied.clear()
    assert collect(NOW + days(0.01)).note == ""
    assert looked(ledger, store).conclusion.result == "quiet"
    assert (all_calls(store)["input_from"] == "withheld").sum() == 0


@pytest.mark.parametrize(
    "refusal",
    [
        (401, "who is it"),
        PROTECTED,
        (400, "'where' operator: Failed to resolve table or column expression named 'AppGenAIContent'"),
    ],
)
def test_however_the_table_is_kept_the_pointer_is_no_prompt(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected], refusal: tuple[int, str]
) -> None:
    row, kept = apart(0, START, "17은 소수?", "네")
    service.spans, service.tables["AppGenAIContent"] = [row], [kept]
    service.denied["AppGenAIContent"] = refusal
    assert collect(START + days(1)).note
    call = all_calls(store).iloc[0]
    assert (call["input_from"], call["input_ngrams"], call["system_hash"]) == ("withheld", None, "")
    assert call["output_chars"] != call["output_chars"]  # not told, rather than of a length


def test_a_workspace_that_never_moved_its_texts_reads_them_without_the_table(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service.spans = [in_span(0, START, "17은 소수?", "네")]
    service.denied["AppGenAIContent"] = PROTECTED
    collect(START + days(1))
    assert all_calls(store)["input_from"].tolist() == ["span"]


def test_told_not_told_and_empty_are_three(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    told, kept = apart(0, START, "17은 소수?", "네")
    empty, nothing = apart(1, START, "", "")
    nothing |= {"InputMessages": "[]", "OutputMessages": None}
    bare, half = apart(3, START, "", "")
    half["InputMessages"] = messages("user", "긴 글 " * 4000)[:8192]
    service.spans = [told, empty, span(2, START), bare]
    service.tables["AppGenAIContent"] = [kept, nothing, half]
    collect(START + days(1))
    for _ in range(2):
        assert all_calls(store)["input_from"].tolist() == ["apart", "empty", "", "cut"]
        assert all_calls(store)["input_ngrams"].notna().tolist() == [True, False, False, False]
        store.compact()


def test_texts_that_come_after_their_call_are_joined_to_it(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    row, kept = apart(0, START + days(0.5), "17은 소수?", "네")
    service.spans = [row]
    collect(START + days(1))
    store.compact()
    assert all_calls(store)["input_from"].tolist() == ["withheld"]
    service.tables["AppGenAIContent"] = [kept | {"ingested": moment(START + days(1.2))}]
    collect(START + days(1.3))
    assert all_calls(store)["input_from"].tolist() == ["apart"]
    assert all_calls(store)["output_chars"].tolist() == [1.0]


@pytest.mark.parametrize("kept", [65_532, 40_000, 400, 60, 40])
def test_attributes_that_are_cut_off_keep_the_call(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected], kept: int
) -> None:
    row = span(0, START, {"gen_ai.input.messages": messages("user", "긴 문서 " * 15_000)})
    long = row["Properties"]
    service.spans = [row | {"Properties": long[:kept]}, in_span(1, START, "17은 소수?", "네")]
    assert collect(START + days(1)).calls == 2
    call = all_calls(store).iloc[0]
    assert (call["request_model"], call["operation"], call["latency"]) == ("gpt-5-mini", "chat", 0.5)
    assert call["input_ngrams"] is None
    assert (call["input_tokens"] == 12.0) == (kept > 200)
    assert call["input_from"] == ("cut" if kept > 200 else "")


def test_attributes_that_begin_with_the_long_text_keep_the_call_too(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    cut = '{"gen_ai.input.messages": "[{\\"role\\": \\"user\\"' + "가" * 60_000
    service.spans = [span(0, START, Properties=cut), span(1, START, Properties=cut, Name="something")]
    assert collect(START + days(1)).calls == 1
    assert all_calls(store)["input_from"].tolist() == ["cut"]
    assert store.left_out(START)[Reason.UNKNOWN] == 1  # nobody can say what it was: it may be a call that is lost


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_query_finds_the_spans_of_every_dialect(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected], name: str
) -> None:
    example = EXAMPLES[name]
    row = span(0, START, Name=example.name)
    row["Properties"] = _as_text(example.attributes)
    service.searches = True
    service.spans = [row]
    assert collect(START + days(1)).calls == 1
    call = all_calls(store).iloc[0]
    assert (call["request_model"], call["input_tokens"]) == (example.told["request_model"], 20.0)
    assert any(mark in row["Properties"] for mark in DIALECTS.get(name).marks)


def test_spans_of_servers_agents_and_tools_are_read_or_counted(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service.tables["AppRequests"] = [span(0, START)]
    agent = span(1, START, {"gen_ai.operation.name": "invoke_agent"})
    inner = span(2, START, OperationId=agent["OperationId"], ParentId=agent["Id"])
    again = span(3, START, OperationId=agent["OperationId"], ParentId=inner["Id"])
    service.spans = [agent, inner, again]
    assert collect(START + days(1)).calls == 2
    assert dict(store.left_out(START)) == {Reason.AGENT: 1, Reason.TOLD_TWICE: 1}
    collect(START + days(1.01))
    assert dict(store.left_out(START)) == {Reason.AGENT: 1, Reason.TOLD_TWICE: 1}


def test_log_records_and_evaluations_are_joined_to_their_calls(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service.spans = [span(number, START) for number in range(3)]
    first, second, third = service.spans
    service.tables["AppTraces"] = [
        log_record(first, "gen_ai.user.message", {"content": "17은 소수?"}),
        log_record(first, "gen_ai.choice", {"message": {"content": "네"}, "finish_reason": "stop", "index": 0}),
        log_record(second, "gen_ai.user.message", {}, Message='{"content": "' + "긴 글 " * 9000),
        log_record(third, "", "gen_ai.content.prompt", Properties="{}", Message="something else"),
    ]
    scored = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": "2"}
    service.tables["AppEvents"] = [
        log_record(first, "", None, Message=None, Name="gen_ai.evaluation.result", Properties=_as_text(scored))
    ]
    collect(START + days(1))
    calls = all_calls(store)
    assert calls["input_from"].tolist() == ["apart", "", ""]
    assert calls["output_chars"].tolist()[0] == 1.0
    assert [list(told) for told in calls["evaluations"].dropna()] == [
        ['{"label": "", "name": "Relevance", "score": 2.0}']
    ]


def test_spans_that_an_exporter_held_back_are_read_when_they_arrive(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service.spans = [span(0, START + days(0.1))]
    collect(START + days(1))
    late = span(1, START + days(0.2), ingested=moment(START + days(1.5)))
    older = span(2, START - days(3), ingested=moment(START + days(1.5)))
    service.spans += [late, older]
    service.now = START + days(1.4)
    collect(START + days(1.4))
    assert len(frame(store.folder, START - days(9), NOW)) == 1
    service.now = START + days(1.6)
    collect(START + days(1.6))
    assert len(frame(store.folder, START - days(9), NOW)) == 2


def test_what_was_not_delivered_is_not_passed_over(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service.spans = [span(number, START + days(number / 10)) for number in range(10)]
    service.denied["AppTraces"] = (500, "out of order")
    with pytest.raises(DriftgateError, match="goes on from there"):
        collect(START + days(1), retries=0)
    service.denied.clear()
    row = log_record(service.spans[0], "gen_ai.user.message", {"content": "17은 소수?"})
    service.tables["AppTraces"] = [row]
    collect(START + days(1.1))
    assert all_calls(store)["input_from"].tolist() == ["apart", *[""] * 9]


def test_a_service_that_asks_to_wait_for_an_hour_holds_nothing_up(
    service: LogsEndpoint, collect: Callable[..., Collected]
) -> None:
    service.spans = [span(0, START)]
    service.failures = [(429, {"Retry-After": "3600"})]
    began = time.monotonic()
    with pytest.raises(DriftgateError, match=r"status 429.*the next collection goes on"):
        collect(START + days(1))
    assert time.monotonic() - began < 30
    assert collect(START + days(1)).calls == 1


def test_a_pointer_is_known_by_no_words() -> None:
    assert "AppGenAIContent" not in POINTER


def _as_text(attributes: dict[str, Any]) -> str:
    """As the exporter writes attributes: every value a text."""
    import json

    return json.dumps({name: str(value) for name, value in attributes.items()}, ensure_ascii=False)
