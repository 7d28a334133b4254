"""What comes of a call apart from it is joined to it, in whatever order and however often it comes."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import otlp_bodies as otlp
import pandas as pd
import pyarrow.parquet as pq
import pytest

from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Intake, ModelCall, Reason, Store, decode, decode_logs, frame

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INTAKE = Intake(refused=lambda text: "sorry" in text, redact=str)
SCOPE = "opentelemetry.instrumentation.openai_v2"
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m"}
SYSTEM = otlp.log(1, "gen_ai.system.message", {"content": "Be brief."})
USER = otlp.log(1, "gen_ai.user.message", {"content": "환불은 며칠 걸리나요?"})
CHOICE = otlp.log(
    1, "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "sorry"}}
)
RESULT = otlp.log(
    1,
    "gen_ai.evaluation.result",
    None,
    {
        "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 2.0,
        "gen_ai.evaluation.score.label": "fail",
    },
)


def spans(*listed: dict[str, Any]) -> tuple[str, bytes]:
    return "spans", otlp.body(*listed)


def logs(*listed: dict[str, Any]) -> tuple[str, bytes]:
    return "logs", otlp.logs_body(*listed)


def keep(store: Store, *bodies: tuple[str, bytes], compacting: bool = False) -> None:
    for of, body in bodies:
        store.append((decode_logs if of == "logs" else decode)(body, otlp.JSON, intake=INTAKE).calls)
        if compacting:
            store.compact()


def read(folder: Path) -> pd.DataFrame:
    return frame(folder, NOON, NOON + timedelta(hours=1))


CALL = spans(otlp.span(1, CHAT, SCOPE))


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_log_records_are_joined_to_their_call_whatever_came_first(
    tmp_path: Path, order: tuple[int, ...], compacting: bool
) -> None:
    bodies = [CALL, logs(SYSTEM, USER), logs(CHOICE, RESULT)]
    with Store(tmp_path) as store:
        keep(store, *(bodies[place] for place in order), compacting=compacting)
        keep(store, *bodies)  # again, as after a lost reply
        table = read(tmp_path)
        store.compact()
        assert len(table) == len(read(tmp_path)) == 1
    for row in (table.iloc[0], read(tmp_path).iloc[0]):
        assert (row["input_text"], row["output_text"], row["output_chars"]) == ("환불은 며칠 걸리나요?", "sorry", 5)
        assert tuple(row["input_ngrams"]) == ngrams("환불은 며칠 걸리나요?")
        assert (row["refused"], row["finish_reason"], row["dialect"], row["tool_calls"]) == (1, "stop", "openai_v2", 0)
        assert len(row["system_hash"]) == 16 and row["system_hash"] == row["prompt_hash"]
        assert [json.loads(told) for told in row["evaluations"]] == [
            {"name": "Relevance", "score": 2.0, "label": "fail"}
        ]


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("first", ["span", "log"])
@pytest.mark.parametrize(
    ("asked", "answer", "malformed"),
    [("json", '{"a": 1}', 0.0), ("json", "Sure: {", 1.0), ("text", "Sure: {", None), (None, "Sure: {", None)],
)
def test_an_answer_in_a_log_record_is_held_to_the_format_that_its_span_asks_for(
    tmp_path: Path, asked: str | None, answer: str, malformed: float | None, first: str, compacting: bool
) -> None:
    call = spans(otlp.span(1, CHAT | ({"gen_ai.output.type": asked} if asked else {}), SCOPE))
    told = logs(otlp.log(1, "gen_ai.choice", {"message": {"content": answer}}))
    with Store(tmp_path) as store:
        keep(store, *((call, told) if first == "span" else (told, call)), compacting=compacting)
    (found,) = read(tmp_path)["malformed"]
    assert (None if found != found else found) == malformed


def test_a_log_record_without_its_call_is_no_call_and_waits_for_it(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        keep(store, logs(USER, CHOICE), compacting=True)
        assert len(read(tmp_path)) == 0
        for number in range(2, 12):  # until the parts of the day are merged
            keep(store, spans(otlp.span(number, CHAT)), compacting=True)
        assert len(read(tmp_path)) == 10
        keep(store, CALL)
        table = read(tmp_path)
        assert len(table) == 11
        assert table["output_text"].tolist().count("sorry") == 1


def test_what_a_span_tells_itself_is_not_replaced(tmp_path: Path) -> None:
    told = CHAT | {"gen_ai.response.finish_reasons": ["length"], "gen_ai.output.messages": '[{"content": "Yes"}]'}
    with Store(tmp_path) as store:
        keep(store, spans(otlp.span(1, told)), logs(USER, CHOICE))
    row = read(tmp_path).iloc[0]
    assert (row["finish_reason"], row["output_text"], row["refused"]) == ("length", "Yes", 0)
    assert row["input_text"] == "환불은 며칠 걸리나요?"


def test_results_of_several_evaluations_are_all_kept(tmp_path: Path) -> None:
    def result(name: str) -> dict[str, Any]:
        return {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": 4}

    with Store(tmp_path) as store:
        keep(
            store,
            spans(otlp.span(1, CHAT, events=[otlp.event("gen_ai.evaluation.result", of=result("On the span"))])),
            logs(otlp.log(1, "gen_ai.evaluation.result", None, result("Apart"))),
            logs(otlp.log(1, "", None, result("Later") | {"event.name": "gen_ai.evaluation.result"})),
        )
        for _ in range(2):
            assert [json.loads(told)["name"] for told in read(tmp_path).iloc[0]["evaluations"]] == [
                "Apart",
                "Later",
                "On the span",
            ]
            store.compact()


def test_an_evaluation_of_no_call_is_counted() -> None:
    nowhere = {**RESULT, "traceId": "", "spanId": ""}
    other = otlp.log(1, "gen_ai.user.something", {"content": "x"})
    unrelated = otlp.log(1, "", "a line of a log")
    decoded = decode_logs(otlp.logs_body(nowhere, other, unrelated), otlp.JSON)
    assert decoded.calls == []
    assert dict(decoded.left) == {Reason.EVALUATION: 1, Reason.UNKNOWN: 1, Reason.ORDINARY: 1}
    agent = otlp.span(1, {"gen_ai.operation.name": "invoke_agent"}, events=[otlp.event("gen_ai.evaluation.result")])
    assert dict(decode(otlp.body(agent), otlp.JSON).left) == {Reason.AGENT: 1, Reason.EVALUATION: 1}


def test_an_instrumentation_that_keeps_content_back_tells_of_no_empty_answer(tmp_path: Path) -> None:
    silent = otlp.log(1, "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}})
    with Store(tmp_path) as store:
        keep(store, CALL, logs(otlp.log(1, "gen_ai.user.message", None), silent))
    row = read(tmp_path).iloc[0]
    assert (row["finish_reason"], row["output_text"]) == ("stop", None)
    assert row[["output_chars", "refused"]].isna().all()


@pytest.mark.parametrize(
    "name", ["gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "in an attribute"]
)
def test_every_form_of_log_record_is_read(tmp_path: Path, name: str) -> None:
    said = [{"role": "user", "content": "환불은 며칠 걸리나요?"}]
    records = {
        "gen_ai.client.inference.operation.details": [
            otlp.log(1, name, None, {"gen_ai.input.messages": said, "gen_ai.output.messages": [{"content": "sorry"}]})
        ],
        "gen_ai.content.prompt": [
            otlp.log(1, "gen_ai.content.prompt", json.dumps(said)),
            otlp.log(1, "gen_ai.content.completion", json.dumps([{"content": "sorry"}])),
        ],
        "in an attribute": [  # as Semantic Kernel does, its body a JSON text
            otlp.log(1, "", json.dumps(said[0]), {"event.name": "gen_ai.user.message"}),
            otlp.log(1, "", json.dumps({"message": {"content": "sorry"}}), {"event.name": "gen_ai.choice"}),
        ],
    }[name]
    body = otlp.logs_body(*records)
    with Store(tmp_path) as store:
        store.append(decode_logs(otlp.in_protobuf(body), otlp.PROTOBUF, intake=INTAKE).calls)
        keep(store, CALL)
    row = read(tmp_path).iloc[0]
    assert (row["input_text"], row["output_text"]) == ("환불은 며칠 걸리나요?", "sorry")


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_around_another_is_the_same_call_also_when_it_came_apart(
    tmp_path: Path, order: tuple[int, int], compacting: bool
) -> None:
    outer = CHAT | {
        "gen_ai.request.model": "openai/M",
        "gen_ai.conversation.id": "thread_9",
        "gen_ai.output.messages": '[{"content": "Yes"}]',
    }
    inner = CHAT | {"gen_ai.response.model": "m-2025-08-07", "gen_ai.usage.input_tokens": 12}
    bodies = [spans(otlp.span(1, outer)), spans(otlp.span(2, inner, parentSpanId=f"{1:016x}"))]
    with Store(tmp_path) as store:
        keep(store, *(bodies[place] for place in order), compacting=compacting)
        keep(store, *bodies)
        assert len(read(tmp_path)) == 1
        store.compact()
    row = read(tmp_path).iloc[0]
    assert (len(read(tmp_path)), int(row["span_id"], 16)) == (1, 2)
    assert (row["input_tokens"], row["conversation"], row["output_text"]) == (12, "thread_9", "Yes")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("inner_error", "told"), [("", "TimeoutError"), ("429", "429")])
def test_a_call_whose_outer_call_failed_has_failed(tmp_path: Path, together: bool, inner_error: str, told: str) -> None:
    outer = otlp.span(1, CHAT | {"error.type": "TimeoutError"})
    inner = otlp.span(2, CHAT | ({"error.type": inner_error} if inner_error else {}), parentSpanId=f"{1:016x}")
    with Store(tmp_path) as store:
        keep(store, *([spans(outer, inner)] if together else [spans(outer), spans(inner)]))
        assert list(read(tmp_path)["error"]) == [told]
        store.compact()
    assert list(read(tmp_path)["error"]) == [told]


def test_an_outer_call_of_which_nobody_knows_clears_no_inner_one(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        outer, inner = (
            ModelCall(NOON, "5b" * 16, f"{n:016x}", parent_id=p, request_model="m", error=e)
            for n, p, e in ((1, "", ""), (2, f"{1:016x}", None))
        )
        store.append([outer])
        store.append([inner])
    assert read(tmp_path)["error"].isna().all()


def test_calls_of_other_models_and_several_within_one_stay_apart(tmp_path: Path) -> None:
    def within(number: int, model: str) -> tuple[str, bytes]:
        return spans(otlp.span(number, CHAT | {"gen_ai.request.model": model}, parentSpanId=f"{1:016x}"))

    with Store(tmp_path) as store:
        keep(store, spans(otlp.span(1, CHAT | {"gen_ai.usage.input_tokens": 30})), within(2, "other"))
        assert len(read(tmp_path)) == 2
        keep(store, within(3, "m"), within(4, "m"))
    table = read(tmp_path)
    assert [int(span, 16) for span in table["span_id"]] == [2, 3, 4]
    assert table["input_tokens"].isna().all()


@pytest.mark.core
def test_compaction_leaves_one_row_a_call(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        keep(store, CALL, logs(SYSTEM, USER), logs(CHOICE), logs(RESULT))
        store.compact()
    (part,) = tmp_path.glob("*/*.parquet")
    assert pq.read_table(part).num_rows == 1


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_instrumentations_that_name_the_same_answer_tell_of_one_call_also_apart(
    tmp_path: Path, order: tuple[int, int], compacting: bool
) -> None:
    told = CHAT | {"gen_ai.response.id": "chatcmpl-79"}
    framework = otlp.span(1, told | {"gen_ai.conversation.id": "t-1"}, "AzureAIOpenTelemetryTracer")
    client = otlp.span(1, told, "opentelemetry.instrumentation.openai.v1", spanId=f"{2:016x}", traceId="cd" * 16)
    client["endTimeUnixNano"] = str(int(client["startTimeUnixNano"]) + 700_000_000)
    bodies = [spans(framework), spans(client)]
    with Store(tmp_path) as store:
        keep(store, *(bodies[place] for place in order), compacting=compacting)
        assert len(read(tmp_path)) == 1
        keep(store, spans(otlp.span(9, CHAT | {"gen_ai.response.id": "chatcmpl-80"})))
        store.compact()
    table = read(tmp_path)
    assert [int(span, 16) for span in table["span_id"]] == [2, 9]
    assert table["conversation"].tolist() == ["t-1", ""]


def test_a_service_that_gives_every_answer_one_id_loses_no_call(tmp_path: Path) -> None:
    told = CHAT | {"gen_ai.response.id": "x"}
    scopes = ("AzureAIOpenTelemetryTracer", "opentelemetry.instrumentation.openai.v1")
    with Store(tmp_path) as store:
        for number in range(1, 5):
            keep(store, spans(otlp.span(number, told, scopes[number % 2])))
        assert len(read(tmp_path)) == 4
        store.compact()
    assert len(read(tmp_path)) == 4


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("told", "less"),
    [
        ({"error": "500"}, {"error": None, "output_chars": 5, "output_text": "Hello"}),
        ({"error": "500"}, {"error": "", "output_chars": 5, "output_text": "Hello"}),
        ({"error": "", "output_chars": None}, {"error": None, "output_chars": 5}),
        ({"error": "", "output_chars": 5}, {"error": "", "output_chars": None}),
        ({"error": "", "input_ngrams": (1, 2)}, {"error": "", "input_ngrams": None}),
    ],
)
def test_of_copies_the_one_that_tells_of_a_failure_or_most_is_kept(
    tmp_path: Path, told: dict[str, Any], less: dict[str, Any], turned: bool, compacting: bool
) -> None:
    """A file is read again with its column for errors named: what was not known before must not come back."""
    copies = [ModelCall(NOON, "5b" * 16, "ee" * 8, **one) for one in ((less, told) if turned else (told, less))]
    with Store(tmp_path) as store:
        for copy in copies:
            store.append([copy])
        if compacting:
            store.compact()
    (row,) = read(tmp_path).to_dict("records")
    assert row["error"] == told["error"]
    assert (row["output_chars"] == row["output_chars"]) is (told.get("output_chars") is not None)
    assert (row["input_ngrams"] is not None) is ("input_ngrams" in told)


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize(
    ("scope", "later", "tokens"),
    [
        ("opentelemetry.instrumentation.openai.v1", 0, (20, 21)),  # another number of tokens
        ("opentelemetry.instrumentation.openai.v1", 1800, (20, 20)),  # half an hour later
        ("AzureAIOpenTelemetryTracer", 0, (20, 20)),  # the same instrumentation
    ],
)
def test_two_spans_with_one_answer_id_are_two_calls_where_they_cannot_be_one(
    tmp_path: Path, scope: str, later: int, tokens: tuple[int, int], compacting: bool
) -> None:
    told = [CHAT | {"gen_ai.response.id": "chatcmpl-79", "gen_ai.usage.output_tokens": count} for count in tokens]
    first = otlp.span(1, told[0], "AzureAIOpenTelemetryTracer")
    second = otlp.span(1, told[1], scope, spanId=f"{2:016x}", traceId="cd" * 16)
    begun = int(second["startTimeUnixNano"]) + later * 10**9
    second |= {"startTimeUnixNano": str(begun), "endTimeUnixNano": str(begun + 700_000_000)}
    with Store(tmp_path) as store:
        keep(store, spans(first), spans(second), compacting=compacting)
        store.compact()
    assert len(read(tmp_path)) == 2


@pytest.mark.parametrize("compacting", [False, True])
def test_a_span_that_is_its_own_parent_is_a_call(tmp_path: Path, compacting: bool) -> None:
    with Store(tmp_path) as store:
        keep(store, spans(otlp.span(1, CHAT, parentSpanId=f"{1:016x}")), CALL, compacting=compacting)
    assert len(read(tmp_path)) == 1
