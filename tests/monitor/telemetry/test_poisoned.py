"""What is wrong with one span or log record costs that one only, and its sender is told how many and why."""

from __future__ import annotations

import json
import random
from typing import Any

import otlp_bodies as otlp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from driftgate.monitor.telemetry import Decoded, Reason, Refused, decode, decode_logs
from driftgate.monitor.telemetry._otlp import encode_reply

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
DEEP = 900


def deep_value(levels: int) -> str:
    """An attribute's value in JSON, ``levels`` lists within each other."""
    return '{"arrayValue":{"values":[' * levels + '{"stringValue":"x"}' + "]}}" * levels


def numbers(decoded: Decoded) -> list[int]:
    return [int(call.span_id, 16) for call in decoded.calls]


def with_text(body: bytes, mark: str, instead: str) -> bytes:
    return body.replace(json.dumps({"stringValue": mark}).encode(), instead.encode())


POISON: dict[str, dict[str, Any]] = {
    "an id that is no hexadecimal number": {"traceId": "not hexadecimal"},
    "an id that is a number": {"spanId": 7},
    "no id": {"spanId": ""},
    "an id of zeros": {"traceId": "0" * 32},
    "no start": {"startTimeUnixNano": 0},
    "a start that is a word": {"startTimeUnixNano": "yesterday"},
    "a start beyond all time": {"startTimeUnixNano": str(2**70)},
    "a start before all time": {"startTimeUnixNano": "-5"},
}


@pytest.mark.parametrize("what", POISON)
def test_a_span_without_identity_or_time_costs_itself_only(what: str) -> None:
    decoded = decode(otlp.body(otlp.span(1, CHAT), otlp.span(2, CHAT, **POISON[what]), otlp.span(3, CHAT)), otlp.JSON)
    assert numbers(decoded) == [1, 3]
    reason = Reason.NO_TIME if "start" in what else Reason.NO_IDENTITY
    assert dict(decoded.left) == {reason: 1}
    reply = json.loads(encode_reply(otlp.JSON, decoded.left))["partialSuccess"]
    assert reply["rejectedSpans"] == "1"
    assert ("start time" if "start" in what else "trace id") in reply["errorMessage"]


ODD: dict[str, dict[str, Any]] = {
    "attributes that are no list": {"attributes": {"gen_ai.operation.name": "chat"}},
    "attributes that are words": {"attributes": ["chat", 3, None, {"key": 3, "value": 3}]},
    "events that are no objects": {"events": [3, "x", None]},
    "events that are a number": {"events": 3},
    "a status that is a word": {"status": "bad"},
    "a name that is a list": {"name": ["x"]},
    "an end before its start": {"endTimeUnixNano": "1"},
    "a huge end": {"endTimeUnixNano": str(2**64 - 1)},
    "values of the wrong types": {
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9" * 5_000}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": [3]}},
            {"key": "gen_ai.request.model", "value": {"arrayValue": 3}},
            {"key": "gen_ai.response.model", "value": {"kvlistValue": [3]}},
            {"key": "gen_ai.input.messages", "value": {"bytesValue": "\ud800"}},
            {"key": "driftgate.slice", "value": {"stringValue": "a\ud800b"}},
            {"key": "\udfff", "value": {"doubleValue": "many"}},
        ]
    },
}


@pytest.mark.parametrize("what", ODD)
def test_a_span_of_odd_shapes_costs_no_neighbour(what: str) -> None:
    decoded = decode(otlp.body(otlp.span(1, CHAT), otlp.span(2, CHAT) | ODD[what], otlp.span(3, CHAT)), otlp.JSON)
    assert {1, 3} <= set(numbers(decoded))
    assert len(decoded.calls) + sum(decoded.left.values()) == 3


def test_a_span_900_levels_deep_costs_itself_only() -> None:
    deep = otlp.span(2, CHAT | {"gen_ai.input.messages": "DEEP"})
    body = otlp.body(otlp.span(1, CHAT), deep, otlp.span(3, CHAT))
    by_json = decode(with_text(body, "DEEP", deep_value(DEEP)), otlp.JSON)
    assert (numbers(by_json), dict(by_json.left)) == ([1, 3], {Reason.UNREADABLE: 1})
    by_protobuf = decode(in_depth(body, DEEP), otlp.PROTOBUF)
    assert (numbers(by_protobuf), dict(by_protobuf.left)) == ([1, 3], {Reason.UNREADABLE: 1})
    reply = ExportTraceServiceResponse.FromString(encode_reply(otlp.PROTOBUF, by_protobuf.left)).partial_success
    assert (reply.rejected_spans, "could not be read" in reply.error_message) == (1, True)


def test_a_message_900_levels_deep_costs_its_text_only() -> None:
    nested = '{"role": "user", "content": ' + "[" * DEEP + '"x"' + "]" * DEEP + "}"
    for text in (f"[{nested}]", "[" * DEEP + "]" * DEEP, "[" * 100_000):
        decoded = decode(otlp.body(otlp.span(1, CHAT | {"gen_ai.input.messages": text})), otlp.JSON)
        assert numbers(decoded) == [1]


def test_a_lone_surrogate_costs_no_span() -> None:
    spans = [otlp.span(n, CHAT | {"driftgate.slice": "a\ud800b"}) for n in (1, 2)]
    decoded = decode(otlp.body(*spans), otlp.JSON)
    assert [call.slice for call in decoded.calls] == ["a?b", "a?b"]


def test_text_that_is_no_utf_8_costs_its_span_only() -> None:
    good = otlp.in_protobuf(otlp.body(otlp.span(1, CHAT | {"driftgate.slice": "MARK"}), otlp.span(2, CHAT)))
    decoded = decode(good.replace(b"MARK", b"\xff\xfe\xfd\xfc"), otlp.PROTOBUF)
    assert (numbers(decoded), dict(decoded.left)) == ([2], {Reason.UNREADABLE: 1})


def test_a_hundred_poisoned_spans_among_a_thousand_good_ones() -> None:
    rng = random.Random(1)
    spans = [otlp.span(n, CHAT) for n in range(1, 1_001)]
    kinds = [*POISON.values(), {"attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "DEEP"}}]}]
    for number in range(100):
        poisoned = otlp.span(5_000 + number, CHAT) | rng.choice(kinds)
        spans.insert(rng.randrange(len(spans)), poisoned)
    decoded = decode(with_text(otlp.body(*spans), "DEEP", deep_value(DEEP)), otlp.JSON)
    assert sorted(numbers(decoded)) == list(range(1, 1_001))
    assert decoded.rejected == 100


def test_log_records_have_their_own_guard() -> None:
    said = {"content": "Hi"}
    records = [otlp.log(n, "gen_ai.user.message", said) for n in (1, 2, 3, 4)]
    records[1]["traceId"] = "not hexadecimal"
    records[2]["body"] = {"stringValue": "DEEP"}
    decoded = decode_logs(with_text(otlp.logs_body(*records), "DEEP", deep_value(DEEP)), otlp.JSON)
    assert numbers(decoded) == [1, 4]
    assert dict(decoded.left) == {Reason.NO_IDENTITY: 1, Reason.UNREADABLE: 1}
    reply = json.loads(encode_reply(otlp.JSON, decoded.left, "logs"))["partialSuccess"]
    assert reply["rejectedLogRecords"] == "2"


def in_depth(body: bytes, levels: int) -> bytes:
    """A body in protobuf with lists within each other in the place of the text ``DEEP``."""
    inner = b"\x0a\x01x"  # AnyValue.string_value
    for _ in range(levels):
        listed = b"\x0a" + _length(inner) + inner  # ArrayValue.values
        inner = b"\x2a" + _length(listed) + listed  # AnyValue.array_value
    return _grown(otlp.in_protobuf(body), b"\x0a\x04DEEP", inner, (1, 2, 2, 9, 2))


def _length(data: bytes) -> bytes:
    size, found = len(data), bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*found, size])


def _grown(data: bytes, mark: bytes, instead: bytes, path: tuple[int, ...]) -> bytes:
    """The message with one value replaced, and the lengths of the fields on the path to it mended."""
    if not path:
        return data.replace(mark, instead)
    found, at = b"", 0
    while at < len(data):
        begin = at
        tag, at = _number(data, at)
        if tag & 7 == 2:
            length, at = _number(data, at)
            held = data[at : at + length]
            at += length
            if tag >> 3 == path[0] and mark in held:
                held = _grown(held, mark, instead, path[1:])
                found += _length_of_tag(tag) + _length(held) + held
                continue
        elif tag & 7 == 0:
            _, at = _number(data, at)
        else:
            at += 8 if tag & 7 == 1 else 4
        found += data[begin:at]
    return found


def _length_of_tag(tag: int) -> bytes:
    return bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])


def _number(data: bytes, at: int) -> tuple[int, int]:
    found = place = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return found, at


@settings(deadline=None, max_examples=200)
@given(st.data(), st.booleans())
def test_a_body_with_bytes_changed_is_read_or_refused(data: st.DataObject, of_logs: bool) -> None:
    if of_logs:
        body = otlp.in_protobuf(otlp.logs_body(*(otlp.log(n, "gen_ai.user.message", {"content": "x"}) for n in (1, 2))))
    else:
        body = otlp.in_protobuf(otlp.body(*(otlp.span(n, CHAT) for n in (1, 2, 3))))
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    for each in (bytes(changed), cut):
        try:
            assert isinstance((decode_logs if of_logs else decode)(each, otlp.PROTOBUF), Decoded)
        except Refused as refused:
            assert refused.status == 400


def test_a_body_that_is_cut_off_is_refused_whole() -> None:
    body = otlp.in_protobuf(otlp.body(otlp.span(1, CHAT), otlp.span(2, CHAT)))
    for end in range(1, len(body)):
        with pytest.raises(Refused):
            decode(body[:end], otlp.PROTOBUF)
