"""OTLP/HTTP requests of spans and of log records and the replies to them, apart from any web framework.

References
----------
.. [1] OpenTelemetry, "OTLP specification 1.8", https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry import _otlp_json, _otlp_wire
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._logs import Logs
from driftgate.monitor.telemetry._reasons import Reason, in_words
from driftgate.monitor.telemetry._received import Spans, readers
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._span import Span

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MAX_BYTES = 16 * 2**20


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
    """What a request brings."""

    calls: list[ModelCall]
    """Model calls; of log records what they tell of calls."""
    steps: list[ModelCall] = field(default_factory=list)
    """What agents and tools did around calls; none of them is a call."""
    left: Mapping[Reason, int] = field(default_factory=Counter)
    """How many of its records are no calls of models, or could not be taken, by reason."""

    @property
    def rejected(self) -> int:
        """How many could not be taken."""
        return sum(count for reason, count in self.left.items() if reason.refused)


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
    """Read the model calls of an export request of spans.

    Parameters
    ----------
    body : bytes
        As received.
    content_type, content_encoding : str
        The request's headers; gzip and deflate are understood.
    intake : Intake, optional
        What to do with content, and which times to believe.
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
    spans = Spans(intake or Intake())
    spans.take(_read(body, content_type, content_encoding, max_bytes, "spans"))
    return Decoded(spans.once(), spans.steps, spans.left)


def decode_logs(
    body: bytes,
    content_type: str,
    content_encoding: str = "",
    intake: Intake | None = None,
    max_bytes: int = MAX_BYTES,
) -> Decoded:
    """Read what an export request of log records tells of model calls; see :func:`decode`.

    Raises
    ------
    Refused
        The body is malformed (400), too large (413) or of an unknown encoding (415).
    """
    logs = Logs(intake or Intake())
    for read in _read(body, content_type, content_encoding, max_bytes, "logs"):
        logs.take(read)
    return Decoded(logs.parts(), [], logs.left)


def encode_reply(encoding: str, left: Mapping[Reason, int] | None = None, of: str = "spans") -> bytes:
    """Write the reply to a request that was taken, in the encoding of the request.

    Examples
    --------
    >>> encode_reply("application/json", {Reason.AGENT: 3})
    b'{}'
    >>> encode_reply("application/json", {Reason.NO_TIME: 2})
    b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"not taken: 2 without a start time"}}'
    """
    refused = {reason: count for reason, count in (left or {}).items() if reason.refused and count}
    total, message = sum(refused.values()), f"not taken: {in_words(refused)}" if refused else ""
    if of == "logs":
        logs = ExportLogsServiceResponse()
        if refused:
            logs.partial_success.CopyFrom(ExportLogsPartialSuccess(rejected_log_records=total, error_message=message))
        return _encoded(logs, encoding)
    spans = ExportTraceServiceResponse()
    if refused:
        spans.partial_success.CopyFrom(ExportTracePartialSuccess(rejected_spans=total, error_message=message))
    return _encoded(spans, encoding)


def encode_status(encoding: str, code: int, message: str) -> bytes:
    """Write a ``google.rpc.Status``, in the encoding of the request."""
    return _encoded(Status(code=code, message=message), encoding)


def room_for(body: bytes | bytearray, content_encoding: str, max_bytes: int) -> int:
    """How many bytes a body takes when uncompressed, at most, told without doing it.

    Examples
    --------
    >>> import gzip
    >>> room_for(gzip.compress(bytes(5000)), "gzip", 2**20), room_for(bytes(10), "", 2**20)
    (5000, 10)
    """
    kind = content_encoding.strip().lower()
    if kind == "gzip":  # it ends with its size when uncompressed, RFC 1952
        return min(int.from_bytes(body[-4:], "little"), max_bytes)
    return max_bytes if kind == "deflate" else len(body)


def _read(
    body: bytes, content_type: str, content_encoding: str, max_bytes: int, of: str
) -> Iterator[Callable[[], Span]]:
    """A function for each span or log record of a request, which reads it."""
    encoding = encoding_of(content_type)
    plain = _uncompressed(body, content_encoding, max_bytes)
    try:
        yield from _of_json(plain, of) if encoding == JSON else _of_protobuf(plain, of)
    except (ValueError, RecursionError) as problem:
        kind = "ExportLogsServiceRequest" if of == "logs" else "ExportTraceServiceRequest"
        raise Refused(400, f"the body is no {kind} in {encoding}: {str(problem)[:200]}") from None


def _of_json(plain: bytes, of: str) -> Iterator[Callable[[], Span]]:
    document = _otlp_json.document_of(plain)
    if of == "logs":
        return readers(_otlp_json.record_of, _otlp_json.scoped(document, ("resourceLogs", "scopeLogs", "logRecords")))
    return readers(_otlp_json.span_of, _otlp_json.scoped(document, ("resourceSpans", "scopeSpans", "spans")))


def _of_protobuf(plain: bytes, of: str) -> Iterator[Callable[[], Span]]:
    if of == "logs":
        logs: Any = ExportLogsServiceRequest()
        records = _otlp_wire.records(plain, logs, "resource_logs", "scope_logs", "log_records")
        return readers(_otlp_wire.record_of, records)
    spans: Any = ExportTraceServiceRequest()
    return readers(_otlp_wire.span_of, _otlp_wire.records(plain, spans, "resource_spans", "scope_spans", "spans"))


def _encoded(message: Message, encoding: str) -> bytes:
    if encoding == JSON:
        return json.dumps(json_format.MessageToDict(message), ensure_ascii=False, separators=(",", ":")).encode()
    written: bytes = message.SerializeToString()
    return written


def _uncompressed(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    kind = content_encoding.strip().lower()
    if kind in ("gzip", "deflate"):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: both headers are recognised
        room = room_for(body, kind, max_bytes)
        try:
            body = inflate.decompress(body, room + 1)
        except zlib.error as problem:
            raise Refused(400, f"the body is not {kind}: {problem}") from None
        if len(body) <= max_bytes and (not inflate.eof or inflate.unused_data):
            raise Refused(400, f"the {kind} body ends before its end, or something follows it")
    elif kind not in ("", "identity"):
        raise Refused(415, f"the content encoding is '{kind[:40]}', expected gzip, deflate or none")
    if len(body) > max_bytes:
        raise Refused(413, f"the request has more than {max_bytes} bytes; send smaller batches")
    return body
