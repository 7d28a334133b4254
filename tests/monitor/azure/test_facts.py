"""From a real run in the ledger and a real look to what is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from driftgate.benchmarks.datasets import make_sample
from driftgate.benchmarks.gate import GateVerdict, RuleVerdict
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.finetune.remediation import events_of, open_remediation
from driftgate.finetune.remediation._store import add_event
from driftgate.ledger import (
    Ledger,
    Record,
    RunRow,
    add_cell,
    find_run,
    finish_run,
    pending_samples,
    record,
    start_run,
)
from driftgate.monitor.azure import (
    alert_event,
    evaluation_results,
    finding_events,
    remediation_events,
    run_trace,
    signal_values,
    verdict_events,
)
from driftgate.monitor.drift import Look, Period, Windows, look
from driftgate.monitor.looks import LookRow


def _record(cell_id: int, sample_id: int, outcome: str, correct: float | None, finished_at: datetime) -> Record:
    return Record(
        cell_id=cell_id,
        sample_id=sample_id,
        round=0,
        outcome=outcome,
        answer="A",
        correct=correct,
        rule="letter",
        error="",
        finish_reason="stop",
        input_tokens=100,
        output_tokens=2,
        cost=0.5,
        latency=0.2,
        seconds=0.3,
        served_model="m",
        fingerprint="",
        attempts=1,
        cached=False,
        finished_at=finished_at,
    )


@pytest.fixture
def scored(ledger: Ledger) -> tuple[RunRow, list[CellScores]]:
    run = start_run(ledger, "nightly", {}, "0123456789abcdef", 7, "0.1.0")
    samples = [make_sample("exam", "test", i, {"question": f"q{i}"}, category="c") for i in range(4)]
    for ordinal in range(2):
        settings = {"provider": "azure_openai", "deployment": "gpt-5-mini", "prices": {"currency": "KRW"}}
        row = {"model": "support-gpt", "flow": "multiple_choice", "variant": "terse", "dataset": "exam"}
        row |= {"signature": "v1|exam", "details": {"model_config": settings}}
        cell_id = add_cell(ledger, run.id, ordinal, row, samples)
        ids = [pending_samples(ledger, cell_id)[s.key][0] for s in samples]
        at = run.created_at + timedelta(minutes=5 * (ordinal + 1))
        outcomes = [("answered", 1.0), ("answered", 1.0), ("answered", 0.0)][: 3 - ordinal]
        record(ledger, [_record(cell_id, i, o, c, at) for i, (o, c) in zip(ids, outcomes, strict=False)])
    finish_run(ledger, run.id)
    return find_run(ledger, run.id), score_run(ledger, run.id)


def test_a_run_becomes_a_trace_of_its_cells_in_order(scored: tuple[RunRow, list[CellScores]]) -> None:
    run, scores = scored
    trace = run_trace(run, scores, "fail")
    assert (trace.run, trace.suite, trace.status, trace.verdict) == (run.id, "nightly", "complete", "fail")
    first, second = trace.cells
    assert (first.started_at, first.finished_at) == (run.created_at, run.created_at + timedelta(minutes=5))
    assert (second.started_at, second.finished_at) == (first.finished_at, run.created_at + timedelta(minutes=10))
    assert trace.finished_at >= second.finished_at
    assert (first.provider, first.request_model, first.currency) == ("azure.ai.openai", "gpt-5-mini", "KRW")
    assert first.outcomes["answered"] == 3 and first.outcomes["missing"] == 1
    assert first.accuracy == 0.5 and first.accuracy_low is not None and first.accuracy_low < 0.5
    assert (first.input_tokens, first.output_tokens, first.cost) == (300, 6, 1.5)


def test_what_a_run_took_is_not_told_where_nobody_stated_it(ledger: Ledger) -> None:
    run = start_run(ledger, "nightly", {}, "0123456789abcdef", 7, "0.1.0")
    samples = [make_sample("exam", "test", i, {"question": f"q{i}"}, category="c") for i in range(2)]
    row = {"model": "m", "flow": "f", "variant": "v", "dataset": "exam", "signature": "v1", "details": {"priced": True}}
    cell_id = add_cell(ledger, run.id, 0, row, samples)
    first, second = (pending_samples(ledger, cell_id)[s.key][0] for s in samples)
    known = _record(cell_id, first, "answered", 1.0, run.created_at + timedelta(minutes=1))
    record(ledger, [known, replace(known, sample_id=second, input_tokens=None, output_tokens=None, cost=None)])
    finish_run(ledger, run.id)
    run, scores = find_run(ledger, run.id), score_run(ledger, run.id)
    (cell,) = run_trace(run, scores).cells
    assert (cell.input_tokens, cell.output_tokens, cell.cost) == (None, None, None)
    named = {result.name for result in evaluation_results(run, scores)}
    assert "accuracy" in named and not named & {"cost", "cost_per_sample", "input_tokens", "output_tokens"}


def test_every_score_of_a_whole_cell_becomes_an_evaluation_within_the_run(
    scored: tuple[RunRow, list[CellScores]],
) -> None:
    run, scores = scored
    found = evaluation_results(run, scores)
    accuracies = {(e.cell, e.value) for e in found if e.name == "accuracy"}
    assert accuracies == {(0, 0.5), (1, 0.5)}
    assert {e.run for e in found} == {run.id} and all(e.provider == "azure.ai.openai" for e in found)
    explained = next(e.explanation for e in found if e.name == "accuracy")
    assert explained.startswith("95% interval 0.15 to 0.85, n = 4; v1|exam")


@pytest.fixture(scope="module")
def looked() -> Look:
    march, june = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)

    def answers(time: datetime, right: int) -> pd.DataFrame:
        slices = ["primes"] * 40 + ["20261122231500"] * 40
        correct = [1.0] * right + [0.0] * (40 - right) + [1.0] * 40
        return pd.DataFrame({"time": time, "key": range(80), "slice": slices, "answer": "yes", "correct": correct})

    windows = Windows("canaries", Period(march, june), Period(june, datetime(2026, 9, 1, tzinfo=UTC)))
    return look([windows], canaries=pd.concat([answers(march, 38), answers(june, 10)]), signals=["canary_accuracy"])


def test_a_look_becomes_one_value_a_signal_and_slice_but_for_slices_that_are_identifiers(looked: Look) -> None:
    values = {value.slice: value for value in signal_values(looked, "support-gpt")}
    assert {name: value.value for name, value in values.items()} == {"all": 0.625, "primes": 0.25}
    assert {(v.signal, v.unit, v.model) for v in values.values()} == {("canary_accuracy", "share", "support-gpt")}
    assert values["all"].at == datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def looked_row() -> LookRow:
    return LookRow(1, "support", "support-gpt#1", "canary-1", 2, [], datetime(2026, 9, 1, tzinfo=UTC), None)


def test_a_finding_becomes_an_event_with_its_band_and_whether_it_moved(looked: Look, looked_row: LookRow) -> None:
    found = {event.slice: event for event in finding_events(looked, looked_row, "support-gpt")}
    assert found.keys() == {"all", "primes", "20261122231500"}
    primes = found["primes"]
    assert (primes.value, primes.reference, primes.moved, primes.n) == (0.25, 0.95, True, 40)
    assert primes.low is not None and primes.high is not None and primes.low < 0.25 < primes.high < 0.95
    assert primes.band_low is not None and 0.25 < primes.band_low < 0.95, "it has moved out of its band"
    assert primes.band_high is None, "of canaries only a fall is bad news"
    assert not found["all"].moved, "a slice moved, and not all"
    assert (primes.look, primes.monitor, primes.of, primes.at) == ("canary-1", "support", "canaries", looked_row.at)


def test_a_number_has_its_band_in_its_own_unit_and_a_distance_has_one_from_nought(looked_row: LookRow) -> None:
    may, june, july = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
    random = np.random.default_rng(0)

    def calls(time: datetime, seconds: float) -> pd.DataFrame:
        return pd.DataFrame(
            {"time": [time + timedelta(minutes=i) for i in range(400)], "latency": random.gamma(4, seconds / 4, 400)}
        )

    frame = pd.concat([calls(may, 1.0), calls(june, 2.0)]).assign(error="", slice="all")
    windows = Windows("telemetry", Period(may, june), Period(june, july))
    found = look([windows], telemetry=frame, signals=["latency"], floors={"latency": 0.25})
    event = finding_events(found, looked_row, "m")[0]
    assert event.unit == "s" and event.moved
    assert event.band_high == pytest.approx(1.25 * event.reference) and event.low is not None
    assert event.band_high < event.low <= event.value * 1.2


def test_every_gate_and_every_step_of_a_remediation_is_told(
    scored: tuple[RunRow, list[CellScores]], ledger: Ledger
) -> None:
    run, _ = scored
    rules = tuple(
        RuleVerdict("accuracy", f"m on {name}", said, f"{said} it is") for name, said in (("a", "pass"), ("b", "fail"))
    )  # type: ignore[arg-type]
    [event] = verdict_events(run, [GateVerdict("promote", run.id, "fail", rules, champion="m")])
    assert (event.gate, event.verdict, event.suite, event.champion) == ("promote", "fail", "nightly", "m")
    assert event.why == "m on b: accuracy: fail it is"
    repair, _ = open_remediation(ledger, "support", "recipe tune", "m", {})
    add_event(ledger, repair.id, "synthesise", "finished", {}, "120 items")
    add_event(ledger, repair.id, "train", "started", {})
    steps = remediation_events(repair, events_of(ledger, repair.id))
    assert [(step.step, step.status, step.why) for step in steps] == [
        ("synthesise", "finished", "120 items"),
        ("train", "started", ""),
    ]


def test_an_alert_becomes_an_event_with_its_effect_and_the_slice_that_moved(looked: Look, looked_row: LookRow) -> None:
    [alert] = looked.alerts
    event = alert_event(alert, "support-gpt", looked_row, report="https://reports.example/1")
    assert (event.look, event.monitor, event.of) == ("canary-1", "support", "canaries")
    assert (event.alert, event.slices, event.moved, event.cause) == (alert.key, ("primes",), "fell", "model")
    assert event.effect == pytest.approx(-0.7) and event.summary == alert.summary
    assert event.effect_low is not None and event.effect_low < event.effect
    assert event.report == "https://reports.example/1"
