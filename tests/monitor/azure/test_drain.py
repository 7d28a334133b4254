"""Nothing is lost and nothing counts twice, whatever the service, the network or the process does."""

from __future__ import annotations

import itertools
import os
import signal as signals
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from ingestion_endpoint import (
    Fault,
    IngestionEndpoint,
    LostAnswer,
    Partly,
    Reset,
    Silent,
    Status,
    properties,
)
from sqlalchemy import Column, Integer, MetaData, Table, select

from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import Network, NetworkConfig, enter
from driftgate.ledger import Ledger, create_tables, open_ledger
from driftgate.monitor.azure import (
    MAX_ATTEMPTS,
    AlertEvent,
    EvaluationResult,
    Payload,
    RunTrace,
    SignalValue,
    drain,
    enqueue,
    parked,
    unpark,
    unsent,
)

EVENTS = ("EventData",)


def enqueue_alerts(ledger: Ledger, alert: AlertEvent, n: int, start: int = 0) -> list[str]:
    keys = [f"alert:{i:03}" for i in range(start, start + n)]
    with ledger.write() as connection:
        for key in keys:
            enqueue(ledger, key, alert.model_copy(update={"alert": key}), connection=connection)
    return keys


def is_poison(envelope: dict[str, Any]) -> bool:
    return properties(envelope).get("driftgate.alert.key") in ("alert:003", "alert:017")


def test_a_fact_enqueued_twice_is_sent_once(ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent) -> None:
    for _ in range(2):
        enqueue(ledger, "alert:1", alert)
    enqueue(ledger, "alert:1", alert.model_copy(update={"summary": "another"}))
    assert (drained := drain(ledger, ingestion.connection_string)).sent == 1 and drained.left == 0
    assert properties(ingestion.accepted[0])["driftgate.alert.summary"] == alert.summary
    assert drain(ledger, ingestion.connection_string).sent == 0
    assert len(ingestion.requests) == 1


def test_a_record_is_enqueued_with_the_fact_or_not_at_all(ledger: Ledger, alert: AlertEvent) -> None:
    metadata = MetaData()
    facts = Table("facts", metadata, Column("id", Integer, primary_key=True))
    create_tables(ledger, metadata)
    with pytest.raises(RuntimeError, match="crash"), ledger.write() as connection:
        connection.execute(facts.insert().values(id=1))
        enqueue(ledger, "alert:1", alert, connection=connection)
        raise RuntimeError("crash")
    with ledger.read() as connection:
        assert connection.execute(select(facts)).all() == []
    assert unsent(ledger) == 0
    with ledger.write() as connection:
        connection.execute(facts.insert().values(id=1))
        enqueue(ledger, "alert:1", alert, connection=connection)
    assert unsent(ledger) == 1


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_is_refused_in_words(ledger: Ledger, alert: AlertEvent, key: str) -> None:
    with pytest.raises(DriftgateError, match="1 to 200"):
        enqueue(ledger, key, alert)


@pytest.mark.parametrize("text", ["", "InstrumentationKey=not-a-uuid", "nonsense"])
def test_a_connection_string_is_refused_in_words(ledger: Ledger, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APPLICATIONINSIGHTS_CONNECTION_STRING", raising=False)
    with pytest.raises(DriftgateError, match="connection string"):
        drain(ledger, text)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Status(500), "500"),
        (Status(503), "503"),
        (Status(503, {"Retry-After": "3600"}), "503"),
        (Status(429, {"Retry-After": "3600"}), "429"),
        (Status(401), "Monitoring Metrics Publisher"),
        (Status(402), "quota"),
        (Status(404), "endpoint"),
        (Status(439), "quota"),
        (Reset(), "no answer"),
        (Silent(), "acknowledged 0 of 7 records"),
        (Partly({0: 500}), "500"),
    ],
    ids=str,
)
def test_after_a_fault_the_next_drain_sends_what_is_left(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, fault: Fault, reason: str
) -> None:
    keys = enqueue_alerts(ledger, alert, 7)
    ingestion.faults.append(fault)
    first = drain(ledger, ingestion.connection_string)
    assert first.left == 7 - first.sent > 0 and reason in first.problem and first.parked == 0
    assert len(ingestion.requests) == 1, "an outage ends the drain; the next one is the retry"
    second = drain(ledger, ingestion.connection_string)
    assert (second.sent, second.left, second.problem) == (first.left, 0, "")
    assert ingestion.once() == keys and len(ingestion.accepted) == 7


def test_an_outage_and_a_restart_in_between(
    tmp_path: Path, ingestion: IngestionEndpoint, one_of_each: dict[str, Payload]
) -> None:
    where = ingestion.connection_string
    faults = itertools.cycle((Status(503), Reset(), Status(429), Status(502), Status(500), Status(404)))
    for key, payload in one_of_each.items():
        ledger = open_ledger("ledger.db", tmp_path)  # a new process each time, as far as the ledger can tell
        ingestion.stop()
        enqueue(ledger, key, payload)
        assert (during := drain(ledger, where)).left == 1 and "no answer" in during.problem
        ledger.close()
        ledger = open_ledger("ledger.db", tmp_path)
        ingestion.start()
        ingestion.faults.append(next(faults))
        assert drain(ledger, where).left == 1
        assert drain(ledger, where).left == 0
        ledger.close()
    assert ingestion.once() == sorted([*(one_of_each.keys() - {"signal:1"}), "run:1/0", "run:1/1"])
    assert len(ingestion.of("MetricData")) == 1 and len(ingestion.accepted) == len(one_of_each) + 2


DRAIN = """
import sys
from pathlib import Path
from driftgate.ledger import open_ledger
from driftgate.monitor.azure import drain
print(drain(open_ledger("ledger.db", Path(sys.argv[1])), sys.argv[2], page=2))
"""


def test_killed_between_acknowledgement_and_mark_it_sends_again_and_the_reader_counts_once(
    tmp_path: Path, ingestion: IngestionEndpoint, alert: AlertEvent, signal: SignalValue, run: RunTrace
) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    keys = enqueue_alerts(ledger, alert, 4)
    for hour in range(3):
        enqueue(ledger, f"signal:{hour}", signal.model_copy(update={"value": float(hour)}))
    enqueue(ledger, "run:1", run)
    command = [sys.executable, "-c", DRAIN, str(tmp_path), ingestion.connection_string]
    child = subprocess.Popen(command)

    def kill() -> None:
        os.kill(child.pid, signals.SIGKILL)
        child.wait()

    ingestion.faults.append(LostAnswer(kill))
    assert child.wait(timeout=60) == -signals.SIGKILL
    assert unsent(ledger) == 8 and len(ingestion.accepted) == 2
    assert drain(ledger, ingestion.connection_string).left == 0
    assert len(ingestion.of("EventData")) == 4 + 2, "two were sent again"
    assert ingestion.once() == sorted([*keys, "run:1", "run:1/0", "run:1/1"])
    values = {e["data"]["baseData"]["metrics"][0]["value"] for e in ingestion.of("MetricData")}
    assert values == {0.0, 1.0, 2.0}
    ledger.close()


def test_a_lost_answer_repeats_metrics_that_are_equal_in_every_column_the_reader_groups_by(
    ledger: Ledger, ingestion: IngestionEndpoint, signal: SignalValue
) -> None:
    enqueue(ledger, "signal:1", signal)
    ingestion.faults.append(LostAnswer())
    assert drain(ledger, ingestion.connection_string).left == 1
    assert drain(ledger, ingestion.connection_string).left == 0
    once, again = ingestion.of("MetricData")
    assert once == again


@pytest.mark.parametrize("named", [True, False], ids=["named", "whole request"])
def test_invalid_records_are_set_apart_and_parked_without_holding_up_the_rest(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, named: bool
) -> None:
    ingestion.invalid, ingestion.names_invalid = is_poison, named
    keys = enqueue_alerts(ledger, alert, 20)
    good = [key for key in keys if key not in ("alert:003", "alert:017")]
    first = drain(ledger, ingestion.connection_string)
    assert (first.sent, first.left, first.parked) == (18, 2, 0) and "400" in first.problem
    assert ingestion.once() == good
    for i in range(1, MAX_ATTEMPTS):
        enqueue_alerts(ledger, alert, 1, start=100 + i)
        assert drain(ledger, ingestion.connection_string).sent == 1
    assert unsent(ledger) == 0
    assert [row.key for row in parked(ledger)] == ["alert:003", "alert:017"]
    assert all(row.kind == "alert" and "400" in row.refusal for row in parked(ledger))
    before = len(ingestion.requests)
    assert drain(ledger, ingestion.connection_string).parked == 2 and len(ingestion.requests) == before
    ingestion.invalid = lambda envelope: False
    assert unpark(ledger) == 2
    assert drain(ledger, ingestion.connection_string).sent == 2
    assert parked(ledger) == [] and len(ingestion.accepted) == 24


@pytest.mark.parametrize("named", [True, False], ids=["named", "whole request"])
def test_a_wrong_connection_string_parks_nothing(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, named: bool
) -> None:
    ingestion.invalid, ingestion.names_invalid = (lambda envelope: True), named
    keys = enqueue_alerts(ledger, alert, 40)
    for _ in range(MAX_ATTEMPTS + 1):
        drained = drain(ledger, ingestion.connection_string)
        assert (drained.sent, drained.left, drained.parked) == (0, 40, 0) and drained.problem
    assert len(ingestion.requests) <= 24 * (MAX_ATTEMPTS + 1)
    ingestion.invalid = lambda envelope: False
    assert drain(ledger, ingestion.connection_string).sent == 40
    assert ingestion.once() == keys


@pytest.mark.parametrize("fault", [Reset(), Partly({0: 400}), Status(503)], ids=str)
def test_a_failure_is_reported_by_the_drain_and_no_record_is_printed_into_the_log(
    ledger: Ledger,
    ingestion: IngestionEndpoint,
    alert: AlertEvent,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    enqueue_alerts(ledger, alert, 2)
    ingestion.faults.append(fault)
    assert drain(ledger, ingestion.connection_string).problem
    assert [record.name for record in caplog.records if "exporter" in record.name] == []
    assert alert.summary not in caplog.text


def test_a_run_of_which_a_part_is_refused_is_sent_again_as_a_whole(
    ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace
) -> None:
    enqueue(ledger, "run:1", run)
    ingestion.faults.append(Partly({1: 503}))
    assert drain(ledger, ingestion.connection_string).left == 1
    assert drain(ledger, ingestion.connection_string).left == 0
    assert ingestion.once() == ["run:1", "run:1/0", "run:1/1"] and len(ingestion.accepted) == 5


def test_many_records_go_in_requests_of_bounded_size(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, run: RunTrace
) -> None:
    enqueue_alerts(ledger, alert, 25)
    wide = run.model_copy(update={"cells": tuple(run.cells[0].model_copy(update={"ordinal": i}) for i in range(300))})
    for i in range(3):
        enqueue(ledger, f"run:{i}", wide.model_copy(update={"run": f"r{i}"}))
    assert drain(ledger, ingestion.connection_string, page=10).sent == 28
    assert max(len(request) for request in ingestion.requests) == 301
    assert len(ingestion.accepted) == len(ingestion.once()) == 25 + 3 * 301


def test_evaluations_of_all_kinds_survive_the_ledger(
    ledger: Ledger, ingestion: IngestionEndpoint, evaluation: EvaluationResult
) -> None:
    bare = EvaluationResult(at=evaluation.at, name="정확도", model="m")
    enqueue(ledger, "evaluation:bare", bare)
    drain(ledger, ingestion.connection_string)
    found = properties(ingestion.accepted[0])
    assert found["gen_ai.evaluation.name"] == "정확도" and "gen_ai.evaluation.score.value" not in found
    assert ingestion.accepted[0]["tags"]["ai.operation.id"] == "0" * 32


@pytest.mark.parametrize("code", [307, 308])
def test_a_redirect_is_not_followed(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent, endpoint: ChatEndpoint, code: int
) -> None:
    enqueue(ledger, "alert:1", alert)
    ingestion.faults.append(Status(code, {"Location": f"{endpoint.url}/v1/chat/completions"}))
    drained = drain(ledger, ingestion.connection_string)
    assert drained.left == 1 and "which is not followed" in drained.problem
    assert not endpoint.requests and len(ingestion.requests) == 1


def test_a_host_that_is_not_named_is_sent_nothing(
    ledger: Ledger, ingestion: IngestionEndpoint, alert: AlertEvent
) -> None:
    enqueue(ledger, "alert:1", alert)
    enter(Network(NetworkConfig(allow=["elsewhere.test"])))
    with pytest.raises(DriftgateError, match=r"the host 127\.0\.0\.1 may not be asked"):
        drain(ledger, ingestion.connection_string)
    assert not ingestion.requests and unsent(ledger) == 1
