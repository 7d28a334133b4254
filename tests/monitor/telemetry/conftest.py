"""Calls and spans for the telemetry tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.telemetry import ModelCall

sys.path.insert(0, str(Path(__file__).parent))  # the stand-in for Azure Monitor Logs

collect_ignore_glob = ["instrumentations/*"]  # programs that are run by interpreters that have their libraries
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def make_call() -> Callable[..., ModelCall]:
    """Make the n-th call: a minute after the one before, with an identity of its own."""

    def make(number: int, **fields: Any) -> ModelCall:
        return ModelCall(
            **{
                "time": START + timedelta(minutes=number),
                "trace_id": f"{number + 1:032x}",
                "span_id": f"{number + 1:016x}",
                "provider": "azure.ai.openai",
                "request_model": "gpt-4o",
                "latency": 0.5,
                **fields,
            }
        )

    return make


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger("ledger.db", tmp_path)
