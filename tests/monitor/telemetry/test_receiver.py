"""The receiver under uvicorn: the stock exporter sends to it, strangers do not get in."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import otlp_bodies as otlp
import pytest
import requests
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from google.rpc.status_pb2 import Status
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus

from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Intake, Reason, Store, decode, frame, router

TOKEN = {"authorization": "Bearer of-the-test"}
LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
NOON = 1_772_366_400_000_000_000
ROOT = Path(__file__).parents[3]


def authorise(authorization: str = Header("")) -> None:
    if authorization != TOKEN["authorization"]:
        raise HTTPException(401, "expected a token")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "telemetry", max_pending=1_000) as opened:
        yield opened


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    app = FastAPI()
    app.include_router(router(store, authorise, Intake(refused=lambda text: "cannot" in text), max_bytes=100_000))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/traces"
    server.should_exit = True
    thread.join()


def request_of(first: int, count: int) -> bytes:
    spans = [
        {
            "trace_id": n.to_bytes(16, "big"),
            "span_id": n.to_bytes(8, "big"),
            "start_time_unix_nano": NOON + n,
            "end_time_unix_nano": NOON + n + 500_000_000,
            "attributes": [{"key": "gen_ai.operation.name", "value": {"string_value": "chat"}}],
        }
        for n in range(first, first + count)
    ]
    return ExportTraceServiceRequest(resource_spans=[{"scope_spans": [{"spans": spans}]}]).SerializeToString()


def post(url: str, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> requests.Response:
    return requests.post(url, body, headers={**TOKEN, "content-type": content_type, **headers}, timeout=20)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_spans_of_the_stock_sdk_arrive(url: str, store: Store, compression: Compression) -> None:
    provider = TracerProvider()
    exporter = OTLPSpanExporter(url, headers=TOKEN, timeout=10, compression=compression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("GET /ask"):
        for n in range(20):
            with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as span:
                span.set_attributes(
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "azure.ai.openai",
                        "gen_ai.request.model": "gpt-4o",
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.usage.input_tokens": n,
                        "gen_ai.input.messages": json.dumps([{"role": "user", "content": "Is 17 prime?"}]),
                        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "I cannot say."}]),
                        "driftgate.slice": "primes",
                    }
                )
                if n == 3:
                    span.set_status(SpanStatus(StatusCode.ERROR, "of which nothing is kept"))
    provider.shutdown()
    table = frame(store.folder, LONG_AGO, FAR_AHEAD)
    assert sorted(table["input_tokens"]) == list(range(20))
    assert set(table["finish_reason"]) == {"stop"}
    assert table["trace_id"].nunique() == 1
    assert sorted(table["error"]) == [""] * 19 + ["error"]
    assert set(table["refused"]) == {1.0}
    assert tuple(table["input_ngrams"][0]) == ngrams("Is 17 prime?")
    assert table["input_text"].isna().all()
    assert abs(table["time"].max() - datetime.now(UTC)) < timedelta(minutes=5)


def test_log_records_of_the_stock_sdk_are_joined_to_their_call(url: str, store: Store) -> None:
    to = {"headers": TOKEN, "timeout": 10}
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, **to)))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(url.replace("traces", "logs"), **to)))
    tracer, logger = tracers.get_tracer("app"), loggers.get_logger("app")
    with tracer.start_as_current_span("chat m", kind=SpanKind.CLIENT) as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m"})
        logger.emit(LogRecord(event_name="gen_ai.user.message", body={"content": "Is 17 prime?"}))
        logger.emit(LogRecord(event_name="gen_ai.choice", body={"index": 0, "message": {"content": "I cannot say."}}))
        logger.emit(LogRecord(body="a line of the application's log"))
    loggers.shutdown()
    assert len(frame(store.folder, LONG_AGO, FAR_AHEAD)) == 0  # a call is there when its span is
    tracers.shutdown()
    (call,) = frame(store.folder, LONG_AGO, FAR_AHEAD).to_dict("records")
    assert (call["output_chars"], call["refused"], call["input_text"]) == (13, 1.0, None)
    assert tuple(call["input_ngrams"]) == ngrams("Is 17 prime?")
    assert store.left_out(datetime.now(UTC)) == {Reason.ORDINARY: 1}


def test_refusals_are_told_of_what_otlp_brings(url: str, store: Store) -> None:
    said = {"gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "I cannot say."}])}
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "prod"}
    reply = post(url, otlp.body(*(otlp.span(n, chat | said) for n in range(1, 21))), otlp.JSON)
    assert reply.status_code == 200
    assert frame(store.folder, LONG_AGO, FAR_AHEAD)["refused"].tolist() == [1.0] * 20


def test_a_sender_is_told_how_many_and_why_and_the_rest_is_counted(url: str, store: Store) -> None:
    chat = {"gen_ai.operation.name": "chat"}
    spans = [
        otlp.span(1, chat),
        otlp.span(2, chat, spanId="xyz"),
        otlp.span(3, chat, startTimeUnixNano="0"),
        otlp.span(4, {"gen_ai.operation.name": "invoke_agent"}),
        otlp.span(5, {"gen_ai.something.new": 1}),
        otlp.span(6, {"http.request.method": "GET"}),
    ]
    told = post(url, otlp.body(*spans), otlp.JSON).json()["partialSuccess"]
    assert told["rejectedSpans"] == "2"
    assert "1 without 16 bytes of trace id" in told["errorMessage"] and "1 without a start time" in told["errorMessage"]
    assert store.left_out(datetime.now(UTC)) == {
        Reason.NO_IDENTITY: 1,
        Reason.NO_TIME: 1,
        Reason.AGENT: 1,
        Reason.UNKNOWN: 1,
        Reason.ORDINARY: 1,
    }
    log = otlp.log(1, "gen_ai.choice", {"message": {"content": "A"}}, spanId="xyz")
    told = post(url.replace("traces", "logs"), otlp.logs_body(log), otlp.JSON).json()["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    assert post(url.replace("traces", "logs"), b"{", otlp.JSON).status_code == 400


def test_many_large_bodies_at_once_are_taken_or_asked_to_come_again(url: str, store: Store) -> None:
    bodies = [request_of(1 + 900 * n, 900) for n in range(16)]
    assert 50_000 < len(bodies[0]) < 100_000
    replies: list[int] = []

    def send(body: bytes) -> None:
        for _ in range(100):
            replies.append(post(url, gzip.compress(body), **{"content-encoding": "gzip"}).status_code)
            if replies[-1] == 200:
                return
            time.sleep(0.05)

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(replies) <= {200, 503}
    assert len(frame(store.folder, LONG_AGO, FAR_AHEAD)) == 16 * 900


def test_a_stranger_is_sent_away_before_anything_is_read(url: str, store: Store) -> None:
    reply = requests.post(url, request_of(1, 1), headers={"content-type": "application/x-protobuf"}, timeout=20)
    assert reply.status_code == 401
    assert len(frame(store.folder, LONG_AGO, FAR_AHEAD)) == 0


def test_replies_are_in_the_encoding_of_the_request(url: str) -> None:
    reply = post(url, request_of(1, 2))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(reply.content) == ExportTraceServiceResponse()
    span = {"spanId": "00", "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    reply = post(url, gzip.compress(body), "application/json; charset=utf-8", **{"content-encoding": "gzip"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json()["partialSuccess"]["rejectedSpans"] == "1"


def test_what_cannot_be_taken_gets_a_status(url: str) -> None:
    reply = post(url, b"\xff\xff")
    assert reply.status_code == 400
    assert Status.FromString(reply.content).code == 3
    reply = post(url, b"{", "application/json")
    assert (reply.status_code, reply.json()["code"]) == (400, 3)
    assert "ExportTraceServiceRequest" in reply.json()["message"]
    assert post(url, b"x" * 100_001).status_code == 413
    assert post(url, gzip.compress(b"x" * 100_001), **{"content-encoding": "gzip"}).status_code == 413
    assert post(url, b"", "text/plain").status_code == 415


def test_an_overload_asks_to_come_again(url: str, store: Store) -> None:
    with store._segment_lock:  # the disk takes its time, and what waits fills up
        waiting = store.submit(decode(request_of(1, 900), "application/x-protobuf").calls)
        reply = post(url, request_of(5_000, 200))
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "1"
        assert Status.FromString(reply.content).code == 8
    waiting.result(timeout=10)
    assert post(url, request_of(5_000, 200)).status_code == 200
    assert len(frame(store.folder, LONG_AGO, FAR_AHEAD)) == 1_100


def test_a_closed_store_is_unavailable(url: str, store: Store) -> None:
    store.close()
    reply = post(url, request_of(1, 1))
    assert (reply.status_code, Status.FromString(reply.content).code) == (503, 14)
    assert str(store.folder) not in Status.FromString(reply.content).message


@pytest.mark.parametrize(
    "body",
    [
        {"resourceSpans": [5]},
        {"resourceSpans": [None]},
        {"resourceSpans": [{"scopeSpans": "x"}]},
        {"resourceSpans": [{"scopeSpans": ["x"]}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": {"a": 1}}]}]},
    ],
)
def test_what_stands_where_spans_are_to_be_is_said_to_be_refused(url: str, store: Store, body: object) -> None:
    reply = post(url, json.dumps(body).encode(), "application/json")
    assert reply.status_code == 200 and int(reply.json()["partialSuccess"]["rejectedSpans"]) == 1, reply.text
    assert sum(store.left_out(datetime.now(UTC)).values()) == 1
