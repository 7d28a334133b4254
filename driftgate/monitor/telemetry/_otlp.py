"""OTLP/HTTP trace requests and replies, in protobuf and in JSON, apart from any web framework.

References
----------
.. [1] OpenTelemetry, "OTLP specification 1.8", https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._spans import Span, is_model_call, model_call

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MAX_BYTES = 16 * 2**20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID_FIELDS = ("traceId", "spanId", "parentSpanId")


class Refused(DriftgateError):
    """A request that cannot be taken.

    Parameters
    ----------
    status : int
        The HTTP status to answer with.
    message : str
        What was found, what was expected.
    code : int
        Of ``google.rpc.Code``; 3 is INVALID_ARGUMENT.
    """

    def __init__(self, status: int, message: str, code: int = 3) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Decoded:
    """The model calls of a request; spans that are no model calls are not counted anywhere."""

    calls: list[ModelCall]
    rejected: int = 0
    """Model calls without a valid identity or start time."""


def encoding_of(content_type: str) -> str:
    """Return which of the two encodings a content type names.

    Raises
    ------
    Refused
        Neither (415).

    Examples
    --------
    >>> encoding_of("application/json; charset=utf-8")
    'application/json'
    """
    media = content_type.partition(";")[0].strip().lower()
    if media not in (PROTOBUF, JSON):
        raise Refused(415, f"the content type is '{media}', expected {PROTOBUF} or {JSON}")
    return media


def decode(
    body: bytes,
    content_type: str,
    content_encoding: str = "",
    intake: Intake | None = None,
    max_bytes: int = MAX_BYTES,
) -> Decoded:
    """Read the model calls of an export request.

    Parameters
    ----------
    body : bytes
        As received.
    content_type, content_encoding : str
        The request's headers; gzip and deflate are understood.
    intake : Intake, optional
        What to do with content.
    max_bytes : int
        The most the body may take when uncompressed.

    Raises
    ------
    Refused
        The body is malformed (400), too large (413) or of an unknown encoding (415).

    Examples
    --------
    >>> body = b'''{"resourceSpans": [{"scopeSpans": [{"spans": [{
    ...   "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
    ...   "startTimeUnixNano": "1772355600000000000", "endTimeUnixNano": "1772355600800000000",
    ...   "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]}]}]}]}'''
    >>> call = decode(body, "application/json").calls[0]
    >>> call.trace_id, call.time.isoformat(), call.latency
    ('5b8efff798038103d269b633813fc60c', '2026-03-01T09:00:00+00:00', 0.8)
    """
    encoding = encoding_of(content_type)
    plain = _uncompressed(body, content_encoding, max_bytes)
    request = ExportTraceServiceRequest()
    try:
        if encoding == JSON:
            json_format.ParseDict(_with_base64_ids(json.loads(plain)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(plain)
    except (json_format.ParseError, DecodeError, ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise Refused(400, f"the body is no ExportTraceServiceRequest in {encoding}: {str(problem)[:200]}") from None
    calls, rejected = [], 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = _mapping(span.attributes)
                if is_model_call(attributes):
                    if _is_valid(span):
                        calls.append(model_call(_span(span, attributes), intake or Intake()))
                    else:
                        rejected += 1
    return Decoded(calls, rejected)


def encode_reply(encoding: str, rejected: int = 0) -> bytes:
    """Write the reply to a request that was taken, in the encoding of the request.

    Examples
    --------
    >>> encode_reply("application/json")
    b'{}'
    >>> encode_reply("application/json", 2)[:38]
    b'{"partialSuccess":{"rejectedSpans":"2"'
    """
    reply = ExportTraceServiceResponse()
    if rejected:
        reply.partial_success.CopyFrom(
            ExportTracePartialSuccess(
                rejected_spans=rejected,
                error_message="expected 16 bytes of trace_id, 8 of span_id and a start time in every span",
            )
        )
    return _encoded(reply, encoding)


def encode_status(encoding: str, code: int, message: str) -> bytes:
    """Write a ``google.rpc.Status``, in the encoding of the request."""
    return _encoded(Status(code=code, message=message), encoding)


def _encoded(message: Message, encoding: str) -> bytes:
    if encoding == JSON:
        return json.dumps(json_format.MessageToDict(message), ensure_ascii=False, separators=(",", ":")).encode()
    written: bytes = message.SerializeToString()
    return written


def _uncompressed(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    kind = content_encoding.strip().lower()
    if kind in ("gzip", "deflate"):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: both headers are recognised
        try:
            body = inflate.decompress(body, max_bytes + 1)
        except zlib.error as problem:
            raise Refused(400, f"the body is not {kind}: {problem}") from None
        if len(body) <= max_bytes and not inflate.eof:
            raise Refused(400, f"the {kind} body ends before its end")
    elif kind not in ("", "identity"):
        raise Refused(415, f"the content encoding is '{kind[:40]}', expected gzip, deflate or none")
    if len(body) > max_bytes:
        raise Refused(413, f"the request has more than {max_bytes} bytes; send smaller batches")
    return body


def _with_base64_ids(document: Any) -> Any:
    """Rewrite hexadecimal ids, which OTLP/JSON prescribes, to the base64 that protobuf's JSON mapping expects."""
    if not isinstance(document, dict):
        raise ValueError("expected an object")
    for resource in document.get("resourceSpans") or ():
        for scope in resource.get("scopeSpans") or ():
            for span in scope.get("spans") or ():
                span.pop("links", None)  # not read, and full of ids
                for name in _ID_FIELDS:
                    if span.get(name):
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return document


def _is_valid(span: trace_pb2.Span) -> bool:
    ids = len(span.trace_id) == 16 and len(span.span_id) == 8 and any(span.trace_id) and any(span.span_id)
    return ids and span.start_time_unix_nano > 0


def _span(span: trace_pb2.Span, attributes: Mapping[str, Any]) -> Span:
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        start=_EPOCH + timedelta(microseconds=start // 1000),
        latency=(end - start) / 1e9 if end >= start else None,
        attributes=attributes,
        events=[(event.name, _mapping(event.attributes)) for event in span.events],
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
    )


def _mapping(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(entry) for entry in value.array_value.values]
    if kind == "kvlist_value":
        return _mapping(value.kvlist_value.values)
    found = getattr(value, kind)
    return None if isinstance(found, float) and not math.isfinite(found) else found
