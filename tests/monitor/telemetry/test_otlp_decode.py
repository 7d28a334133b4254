"""Decoding OTLP: no bytes crash it, and both encodings say the same."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from driftgate.monitor.telemetry import Decoded, Refused, decode

PROTOBUF, JSON = "application/x-protobuf", "application/json"

NAMES = [
    "gen_ai.operation.name",
    "gen_ai.system",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.input.messages",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_tokens",
    "driftgate.parsed",
    "error.type",
]
scalars: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries(
        {"string_value": st.sampled_from(["chat", "[", '[{"role":"user","content":"a"}]']) | st.text()}
    ),
    st.fixed_dictionaries({"int_value": st.integers(-(2**63), 2**63 - 1)}),
    st.fixed_dictionaries({"double_value": st.floats()}),
    st.fixed_dictionaries({"bool_value": st.booleans()}),
    st.fixed_dictionaries({"bytes_value": st.binary()}),
    st.just({}),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda entries: {"array_value": {"values": entries}})
        | st.dictionaries(st.sampled_from(["role", "parts", "content", "type", "text"]), inner, max_size=3).map(
            lambda entries: {"kvlist_value": {"values": [{"key": k, "value": v} for k, v in entries.items()]}}
        )
    ),
    max_leaves=6,
)
attributes = st.dictionaries(st.sampled_from(NAMES), values, max_size=6).map(
    lambda given: [
        *({"key": name, "value": value} for name, value in given.items()),
        {"key": "gen_ai.operation.name", "value": {"string_value": "chat"}},
    ]
)
nanoseconds = st.integers(0, 2**64 - 1)
spans = st.fixed_dictionaries(
    {
        "trace_id": st.binary(min_size=16, max_size=16) | st.binary(max_size=20),
        "span_id": st.binary(min_size=8, max_size=8) | st.binary(max_size=10),
        "start_time_unix_nano": nanoseconds,
        "end_time_unix_nano": nanoseconds,
        "attributes": attributes,
        "events": st.lists(
            st.fixed_dictionaries({"name": st.just("gen_ai.choice"), "attributes": attributes}), max_size=2
        ),
        "status": st.fixed_dictionaries({"code": st.integers(0, 3)}),
    }
)


def with_hexadecimal_ids(document: dict[str, Any]) -> dict[str, Any]:
    for resource in document.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                for name in {"traceId", "spanId"} & span.keys():
                    span[name] = base64.b64decode(span[name]).hex().upper()
    return document


@settings(deadline=None, max_examples=50)
@given(st.lists(spans, max_size=4))
def test_json_and_protobuf_give_equal_records(listed: list[dict[str, Any]]) -> None:
    request = ExportTraceServiceRequest(resource_spans=[{"scope_spans": [{"spans": listed}]}])
    by_protobuf = decode(request.SerializeToString(), PROTOBUF)
    by_json = decode(json.dumps(with_hexadecimal_ids(MessageToDict(request))).encode(), JSON)
    assert by_json == by_protobuf
    assert len(by_protobuf.calls) + sum(by_protobuf.left.values()) == len(listed)


@settings(deadline=None)
@given(st.binary(), st.sampled_from([PROTOBUF, JSON]), st.sampled_from(["", "gzip", "deflate"]))
def test_arbitrary_bytes_are_read_or_refused(body: bytes, encoding: str, compression: str) -> None:
    try:
        assert isinstance(decode(body, encoding, compression), Decoded)
    except Refused as refused:
        assert refused.status == 400


keys = st.sampled_from(
    [
        "resourceSpans",
        "scopeSpans",
        "spans",
        "traceId",
        "spanId",
        "attributes",
        "key",
        "value",
        "stringValue",
        "kind",
        "x",
    ]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(documents)
def test_arbitrary_json_is_read_or_refused(document: Any) -> None:
    try:
        assert isinstance(decode(json.dumps(document).encode(), JSON), Decoded)
    except Refused as refused:
        assert refused.status == 400


def chat_span(**span: Any) -> dict[str, Any]:
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "startTimeUnixNano": "1772355600000000000",
        "endTimeUnixNano": "1772355600800000000",
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
        **span,
    }


def body_of(*listed: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": listed}]}]}).encode()


def test_compressed_bodies_are_read() -> None:
    body = body_of(chat_span())
    expected = decode(body, JSON)
    assert len(expected.calls) == 1
    assert decode(gzip.compress(body), JSON, "gzip") == expected
    assert decode(zlib.compress(body), JSON, "deflate") == expected


def test_a_model_call_without_identity_or_start_is_rejected_and_other_spans_are_let_go() -> None:
    decoded = decode(
        body_of(
            chat_span(),
            chat_span(spanId=""),
            chat_span(traceId="ab"),
            chat_span(spanId="0" * 16),
            chat_span(startTimeUnixNano=0),
            chat_span(spanId="", attributes=[]),
        ),
        JSON,
    )
    assert (len(decoded.calls), decoded.rejected) == (1, 4)


def test_unknown_fields_and_links_are_passed_over() -> None:
    links = [{"traceId": "zz", "spanId": "zz"}]
    assert decode(body_of(chat_span(links=links, newField={"a": 1}, flags=256)), JSON) == decode(
        body_of(chat_span()), JSON
    )


@pytest.mark.parametrize(
    ("body", "encoding", "compression", "status"),
    [
        (b"{", JSON, "", 400),
        (b"[]", JSON, "", 400),
        (b'{"resourceSpans": 3}', JSON, "", 400),
        (b"[" * 100_000, JSON, "", 400),
        (b'{"a":' * 100_000, JSON, "", 400),
        (b"\xff\xff", PROTOBUF, "", 400),
        (b"no gzip", PROTOBUF, "gzip", 400),
        (gzip.compress(b"x" * 1000, mtime=0)[:-20], PROTOBUF, "gzip", 400),
        (b"", "text/plain", "", 415),
        (b"", "", "", 415),
        (b"", PROTOBUF, "br", 415),
        (b"x" * 2000, PROTOBUF, "", 413),
        (gzip.compress(b"x" * 1_000_000, mtime=0), PROTOBUF, "gzip", 413),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_status(
    body: bytes, encoding: str, compression: str, status: int
) -> None:
    with pytest.raises(Refused) as caught:
        decode(body, encoding, compression, max_bytes=1500 if status == 413 else 2**24)
    assert caught.value.status == status
