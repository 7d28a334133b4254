"""A call has failed also where its span's status does not say so, or the row's error does not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from driftgate.monitor.telemetry import Intake
from driftgate.monitor.telemetry._rows import call_from_row, identified
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry._spans import in_dialect
from driftgate.monitor.telemetry.dialects import DIALECTS

AT = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
RAISED = [("exception", {"exception.type": "APITimeoutError"})]


def error(events: Any = (), **attributes: Any) -> str | None:
    told = {**ASKED, **{name.replace("__", "."): value for name, value in attributes.items()}}
    span = Span("5b" * 16, "ee" * 8, AT, 0.8, told, events)
    return in_dialect(span, Intake(), DIALECTS.get("otel_genai")).error


@pytest.mark.parametrize(
    ("ended", "found"),
    [("error", "error"), ("network_error", "error"), ("stop", ""), ("user_cancel", ""), ("length", "")],
)
def test_a_reply_that_the_service_broke_off_is_a_failure(ended: str, found: str) -> None:
    assert error(gen_ai__response__finish_reasons=[ended]) == found
    row = {"time": AT.isoformat(), "finish_reason": ended, "error": ""}
    assert call_from_row(identified(row, Counter()), Intake()).error == found


def test_a_row_that_names_its_error_keeps_it() -> None:
    row = {"time": AT.isoformat(), "finish_reason": "error", "error": "503"}
    assert call_from_row(identified(row, Counter()), Intake()).error == "503"


@pytest.mark.parametrize(
    ("status", "found"), [(500, "500"), (429, "429"), ("404", "404"), (200, ""), (302, ""), ("", "")]
)
def test_a_status_of_http_says_that_a_call_failed(status: Any, found: str) -> None:
    assert error(http__response__status_code=status) == found
    assert error(http__status_code=status, gen_ai__usage__output_tokens=3) == found


def test_what_was_raised_is_a_failure_where_nothing_tells_of_a_reply() -> None:
    assert error(RAISED) == "APITimeoutError"
    assert error(RAISED, gen_ai__usage__output_tokens=5) == ""  # it was tried again
    assert error(RAISED, gen_ai__response__id="chatcmpl-1") == ""
    assert error() == ""
