"""Bodies of OTLP requests, in JSON and in protobuf, for the telemetry tests."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

JSON, PROTOBUF = "application/json", "application/x-protobuf"
TRACE = "5b8efff798038103d269b633813fc60c"
NOON = 1_772_366_400_000_000_000  # 2026-03-01T12:00Z
_IDS = ("traceId", "spanId", "parentSpanId")


def value(told: Any) -> dict[str, Any]:
    if isinstance(told, bool):
        return {"boolValue": told}
    if isinstance(told, int):
        return {"intValue": str(told)}
    if isinstance(told, float):
        return {"doubleValue": told}
    if isinstance(told, str):
        return {"stringValue": told}
    if isinstance(told, list):
        return {"arrayValue": {"values": [value(entry) for entry in told]}}
    if isinstance(told, dict):
        return {"kvlistValue": {"values": pairs(told)}}
    return {}


def pairs(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(entry)} for name, entry in told.items()]


def event(name: str, after_ms: int = 0, **told: Any) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": str(NOON + after_ms * 10**6), "attributes": pairs(told.pop("of", {}) | told)}


def span(number: int, attributes: dict[str, Any], scope: str = "", **fields: Any) -> dict[str, Any]:
    """The n-th span of a trace; ``scope`` is taken out by :func:`body`."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "span",
        "kind": 3,
        "startTimeUnixNano": str(NOON + number * 10**9),
        "endTimeUnixNano": str(NOON + number * 10**9 + 800_000_000),
        "attributes": pairs(attributes),
        "status": {},
        "scope": scope,
        **fields,
    }


def body(*spans: dict[str, Any]) -> bytes:
    return json.dumps(_request(spans, "resourceSpans", "scopeSpans", "spans")).encode()


def log(number: int, name: str, told: Any, attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A log record of the n-th span."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "timeUnixNano": str(NOON + number * 10**9),
        "eventName": name,
        "body": value(told),
        "attributes": pairs(attributes or {}),
        **fields,
    }


def logs_body(*records: dict[str, Any]) -> bytes:
    return json.dumps(_request(records, "resourceLogs", "scopeLogs", "logRecords")).encode()


def in_protobuf(document: bytes) -> bytes:
    """The same request in protobuf."""
    request = json.loads(document)
    of_logs = "resourceLogs" in request
    for resource in request.get("resourceLogs" if of_logs else "resourceSpans", []):
        for scope in resource["scopeLogs" if of_logs else "scopeSpans"]:
            for record in scope["logRecords" if of_logs else "spans"]:
                for name in _IDS:
                    if name in record:
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    message = ExportLogsServiceRequest() if of_logs else ExportTraceServiceRequest()
    return bytes(ParseDict(request, message).SerializeToString())


def _request(records: tuple[dict[str, Any], ...], resources: str, scopes: str, of: str) -> dict[str, Any]:
    made = []
    for record in records:
        scope = record.get("scope", "")
        made.append({"scope": {"name": scope}, of: [{k: v for k, v in record.items() if k != "scope"}]})
    return {resources: [{scopes: made}]}
