"""What arrives at the service for each kind of record, through Azure Monitor's real exporters."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from ingestion_endpoint import IngestionEndpoint, properties
from pydantic import ValidationError

from driftgate.ledger import Ledger
from driftgate.monitor.azure import AlertEvent, EvaluationResult, RunTrace, SignalValue, drain, enqueue


def _at(envelope: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(envelope["time"]))


def test_a_signal_is_a_metric_at_its_own_time_without_any_identifier(
    ledger: Ledger, ingestion: IngestionEndpoint, signal: SignalValue
) -> None:
    enqueue(ledger, "signal:1", signal)
    assert drain(ledger, ingestion.connection_string, workspace="shop").sent == 1
    [envelope] = ingestion.accepted
    assert envelope["data"]["baseData"]["metrics"] == [
        {"name": "driftgate.signal.refusal_share", "value": 0.125, "count": 1}
    ]
    dimensions = {"driftgate.model": "support-gpt", "driftgate.slice": "환불", "driftgate.unit": "share"}
    assert properties(envelope) == dimensions
    assert _at(envelope) == signal.at
    assert envelope["tags"]["ai.cloud.role"] == "shop.driftgate"


@pytest.mark.parametrize("field", ["slice", "unit"])
@pytest.mark.parametrize("value", ["run 20261122231500", "0f8fad5b-d9cb-469f-a165-70867728950e", "x" * 129])
def test_a_metric_takes_no_identifier_as_a_dimension(signal: SignalValue, field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=r"identifier|characters"):
        SignalValue.model_validate({**signal.model_dump(), field: value})


def test_a_signal_older_than_two_days_is_an_event_of_today_with_its_own_time_beside(
    ledger: Ledger, ingestion: IngestionEndpoint, signal: SignalValue, now: datetime
) -> None:
    late = signal.model_copy(update={"at": now - timedelta(days=3)})
    enqueue(ledger, "signal:late", late)
    assert drain(ledger, ingestion.connection_string, now=now).sent == 1
    [envelope] = ingestion.of("EventData")
    assert envelope["data"]["baseData"]["name"] == "driftgate.signal"
    found = properties(envelope)
    assert found["driftgate.signal"] == "refusal_share" and float(found["driftgate.value"]) == 0.125
    assert datetime.fromisoformat(found["driftgate.at"]) == late.at
    assert _at(envelope) == now


def test_an_alert_is_a_custom_event(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, now: datetime
) -> None:
    enqueue(ledger, "alert:1", alert)
    drain(ledger, ingestion.connection_string, now=now)
    [envelope] = ingestion.accepted
    assert (envelope["data"]["baseType"], envelope["data"]["baseData"]["name"]) == ("EventData", "driftgate.alert")
    found = properties(envelope)
    assert found["driftgate.key"] == "alert:1"
    assert found["driftgate.slice"] == "primes, 환불"
    assert float(found["driftgate.alert.effect"]) == -0.31
    assert _at(envelope) == now, "an alert rule's window looks at what was delivered, not at when it happened"
    assert datetime.fromisoformat(found["driftgate.at"]) == alert.at


def test_an_evaluation_is_the_conventions_event_within_the_trace_of_its_cell(
    ledger: Ledger, ingestion: IngestionEndpoint, evaluation: EvaluationResult, run: RunTrace
) -> None:
    enqueue(ledger, "evaluation:1", evaluation)
    enqueue(ledger, "run:1", run)
    drain(ledger, ingestion.connection_string)
    [event] = ingestion.of("EventData")
    assert event["data"]["baseData"]["name"] == "gen_ai.evaluation.result"
    found = properties(event)
    assert found["gen_ai.evaluation.name"] == "accuracy" and float(found["gen_ai.evaluation.score.value"]) == 0.75
    assert found["gen_ai.system"] == found["gen_ai.provider.name"] == "azure.ai.openai"
    first = next(e for e in ingestion.of("RemoteDependencyData") if properties(e)["driftgate.cell"] == "0")
    assert event["tags"]["ai.operation.id"] == first["tags"]["ai.operation.id"]
    assert event["tags"]["ai.operation.parentId"] == first["data"]["baseData"]["id"]


def test_a_run_is_one_trace_whose_cells_the_portal_takes_for_genai(
    ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace
) -> None:
    enqueue(ledger, "run:1", run)
    drain(ledger, ingestion.connection_string)
    [request] = ingestion.of("RequestData")
    cells = ingestion.of("RemoteDependencyData")
    assert request["data"]["baseData"]["name"] == "run nightly" and request["data"]["baseData"]["success"] is True
    assert request["data"]["baseData"]["duration"] == "0.00:20:00.000"
    assert {e["tags"]["ai.operation.id"] for e in cells} == {request["tags"]["ai.operation.id"]}
    assert {e["tags"]["ai.operation.parentId"] for e in cells} == {request["data"]["baseData"]["id"]}
    assert {e["data"]["baseData"]["type"] for e in cells} == {"GenAI | azure.ai.openai"}
    assert [properties(e)["driftgate.key"] for e in cells] == ["run:1/0", "run:1/1"]
    assert [_at(e) for e in cells] == [cell.started_at for cell in run.cells]
    found = properties(cells[0])
    assert found["gen_ai.usage.input_tokens"] == "500" and found["driftgate.outcome.failed"] == "1"


def test_what_is_not_known_is_not_sent(ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace) -> None:
    unknown = run.cells[0].model_copy(update={"input_tokens": None, "output_tokens": None, "cost": None})
    enqueue(ledger, "run:3", run.model_copy(update={"cells": (unknown,)}))
    drain(ledger, ingestion.connection_string)
    [cell] = ingestion.of("RemoteDependencyData")
    assert not {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "driftgate.cost"} & set(properties(cell))


def test_a_run_that_stopped_and_a_cell_without_samples_have_failed(
    ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace
) -> None:
    empty = run.cells[0].model_copy(update={"outcomes": {}, "accuracy": None})
    enqueue(ledger, "run:2", run.model_copy(update={"status": "stopped", "cells": (empty,)}))
    drain(ledger, ingestion.connection_string)
    assert [e["data"]["baseData"]["success"] for e in ingestion.accepted] == [False, False]
    assert "driftgate.accuracy" not in properties(ingestion.accepted[1])


def test_an_old_trace_is_moved_as_a_whole(
    ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace, now: datetime
) -> None:
    enqueue(ledger, "run:1", run)
    drain(ledger, ingestion.connection_string, now=now + timedelta(days=5))
    [request] = ingestion.of("RequestData")
    first, second = ingestion.of("RemoteDependencyData")
    assert _at(request) == now + timedelta(days=5) - timedelta(minutes=20)
    assert _at(second) - _at(first) == timedelta(minutes=10)
    assert datetime.fromisoformat(properties(request)["driftgate.at"]) == run.started_at


def test_what_is_too_long_is_cut_and_says_so(
    ledger: Ledger, ingestion: IngestionEndpoint, evaluation: EvaluationResult
) -> None:
    long = "이유 " * 5000
    enqueue(ledger, "evaluation:1", evaluation.model_copy(update={"explanation": long}))
    drain(ledger, ingestion.connection_string)
    arrived = properties(ingestion.accepted[0])["gen_ai.evaluation.explanation"]
    assert len(arrived) == 8192 and arrived.endswith(" … [15,000 characters, cut]")


def test_the_same_record_looks_the_same_each_time_it_is_sent(
    ledger: Ledger, ingestion: IngestionEndpoint, signal: SignalValue, run: RunTrace, now: datetime
) -> None:
    for key in ("first", "second"):
        enqueue(ledger, f"signal:{key}", signal)
        enqueue(ledger, f"run:{key}", run)
        drain(ledger, ingestion.connection_string, now=now)
    before, after = ingestion.of("MetricData")
    assert before == after
    identifiers = [(e["data"]["baseData"]["id"], e["time"]) for e in ingestion.of("RequestData")]
    assert identifiers[0] == identifiers[1]
