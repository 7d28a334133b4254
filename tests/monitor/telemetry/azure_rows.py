"""Rows of Azure Monitor Logs as Application Insights writes them, with the texts where it keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 1, tzinfo=UTC)
WORKSPACE = "00000000-0000-0000-0000-000000000001"
POINTER = "The value of this attribute has moved; look for it elsewhere."
NAMES = {"InputMessages": "gen_ai.input.messages", "OutputMessages": "gen_ai.output.messages"}


def messages(role: str, text: str) -> str:
    """A list of messages as the conventions have it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)


def moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def span(number: int, time: datetime, properties: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A row of AppDependencies."""
    held = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "az.ai.openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.usage.input_tokens": "12",
        "gen_ai.usage.output_tokens": str(20 + number % 7),
        **(properties or {}),
    }
    return {
        "TimeGenerated": moment(time),
        "OperationId": f"{number + 1:032x}",
        "Id": f"{number + 1:016x}",
        "ParentId": "",
        "Name": "chat gpt-5-mini",
        "DurationMs": 500.0 + number % 13,
        "Success": True,
        "ItemCount": 1,
        "Properties": json.dumps(held, ensure_ascii=False),
        **fields,
    }


def in_span(number: int, time: datetime, asked: str, answered: str) -> dict[str, Any]:
    """A call of before the texts moved: on the span, each cut where the exporter cuts it."""
    texts = {"InputMessages": messages("user", asked), "OutputMessages": messages("assistant", answered)}
    return span(number, time, {name: texts[column][:8192] for column, name in NAMES.items()})


def apart(number: int, time: datetime, asked: str, answered: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A call of since: pointers on the span, and a row of AppGenAIContent."""
    row = span(number, time, dict.fromkeys(NAMES.values(), POINTER))
    return row, {
        "TimeGenerated": row["TimeGenerated"],
        "TraceId": row["OperationId"],
        "SpanId": row["Id"],
        "InputMessages": messages("user", asked),
        "OutputMessages": messages("assistant", answered),
        "SystemInstructions": "",
    }


def log_record(of: dict[str, Any], event: str, body: Any, **fields: Any) -> dict[str, Any]:
    """A row of AppTraces: a log record of a span."""
    return {
        "TimeGenerated": of["TimeGenerated"],
        "OperationId": of["OperationId"],
        "ParentId": of["Id"],
        "Message": json.dumps(body, ensure_ascii=False),
        "Properties": json.dumps({"event.name": event}),
        **fields,
    }


def days(count: float) -> timedelta:
    return timedelta(days=count)
