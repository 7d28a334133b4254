"""A ledger, a loopback ingestion endpoint, and a record of each kind with every field filled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingestion_endpoint import IngestionEndpoint

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.azure import (
    AlertEvent,
    CellTrace,
    EvaluationResult,
    FindingEvent,
    IncidentEvent,
    LookEvent,
    NightEvent,
    Payload,
    RemediationEvent,
    RunTrace,
    SignalValue,
    VerdictEvent,
)

NOW = datetime.now(UTC).replace(microsecond=123456)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def ingestion() -> Iterator[IngestionEndpoint]:
    endpoint = IngestionEndpoint()
    endpoint.start()
    yield endpoint
    endpoint.stop()


@pytest.fixture
def signal() -> SignalValue:
    return SignalValue(
        at=NOW - timedelta(hours=1),
        signal="refusal_share",
        model="support-gpt",
        slice="환불",
        unit="share",
        value=0.125,
    )


@pytest.fixture
def alert() -> AlertEvent:
    return AlertEvent(
        at=NOW - timedelta(minutes=50),
        alert="3f9a02b1c4d5",
        look="20261122-231500-canary-support-3fa2",
        monitor="support",
        of="canaries",
        model="support-gpt",
        signal="canary_accuracy",
        moved="fell",
        slices=("primes", "환불"),
        cause="model",
        detector="eprocess",
        p_value=0.0004,
        effect=-0.31,
        effect_low=-0.42,
        effect_high=-0.2,
        effect_unit="difference of shares",
        floor=0.05,
        summary="Canary accuracy fell on slice 'primes'.",
        report="https://reports.example/drift.html",
    )


@pytest.fixture
def look() -> LookEvent:
    return LookEvent(
        at=NOW - timedelta(minutes=45),
        look="20261122-231500-canary-support-3fa2",
        monitor="support",
        of="canaries",
        model="support-gpt",
        result="unmeasurable",
        reason="the service refused the key of model 'support-gpt' (HTTP 401)",
        remedy="check the environment variable its api_key names",
    )


@pytest.fixture
def finding() -> FindingEvent:
    return FindingEvent(
        at=NOW - timedelta(minutes=45),
        look="20261122-231500-canary-support-3fa2",
        monitor="support",
        of="canaries",
        model="support-gpt",
        signal="canary_accuracy",
        slice="primes",
        unit="share",
        value=0.25,
        low=0.13,
        high=0.4,
        reference=0.95,
        band_low=0.9,
        band_high=1.0,
        moved=True,
        n=40,
    )


@pytest.fixture
def incident() -> IncidentEvent:
    return IncidentEvent(
        at=NOW - timedelta(minutes=44),
        incident="20261122-2316-3fa2",
        monitor="support",
        cause="service",
        name="credentials_refused",
        state="acknowledged",
        severity="high",
        since=NOW - timedelta(minutes=45),
        summary="the service refused the key of model 'support-gpt'",
        remedy="check the environment variable its api_key names",
        acknowledged_by="kim",
    )


@pytest.fixture
def verdict() -> VerdictEvent:
    return VerdictEvent(
        at=NOW - timedelta(minutes=20),
        gate="promote",
        run="20261122-231500-nightly-3fa2",
        suite="nightly",
        verdict="fail",
        champion="support-gpt",
        why="support-gpt on click: accuracy: 12 points worse",
    )


@pytest.fixture
def night() -> NightEvent:
    return NightEvent(at=NOW - timedelta(minutes=10), exit_code=1, why="monitor 'support': no answer")


@pytest.fixture
def remediation() -> RemediationEvent:
    return RemediationEvent(
        at=NOW - timedelta(minutes=15),
        remediation="20261122-233000-0a1b2c",
        slot="support",
        cause="recipe tune",
        champion="support-gpt",
        state="open",
        step="train",
        status="started",
        why="on 120 items",
    )


@pytest.fixture
def evaluation() -> EvaluationResult:
    return EvaluationResult(
        at=NOW - timedelta(minutes=40),
        name="accuracy",
        value=0.75,
        low=0.3,
        high=0.95,
        n=4,
        label="good",
        explanation="n = 4",
        model="support-gpt",
        provider="azure.ai.openai",
        flow="multiple_choice",
        dataset="click",
        response_id="chatcmpl-1",
        run="20261122-231500-nightly-3fa2",
        cell=0,
    )


@pytest.fixture
def run() -> RunTrace:
    started = NOW - timedelta(minutes=30)
    cells = tuple(
        CellTrace(
            ordinal=i,
            model="support-gpt",
            request_model="gpt-4.1-mini",
            provider="azure.ai.openai",
            flow="multiple_choice",
            variant="terse",
            dataset=dataset,
            started_at=started + timedelta(minutes=10 * i),
            finished_at=started + timedelta(minutes=10 * i + 10),
            outcomes={"answered": 4, "failed": 1},
            accuracy=0.6,
            accuracy_low=0.2,
            accuracy_high=0.9,
            input_tokens=500,
            output_tokens=5,
            cost=0.25,
            currency="KRW",
        )
        for i, dataset in enumerate(("kmmlu", "click"))
    )
    return RunTrace(
        run="20261122-231500-nightly-3fa2",
        suite="nightly",
        status="complete",
        verdict="fail",
        started_at=started,
        finished_at=started + timedelta(minutes=20),
        cells=cells,
    )


@pytest.fixture
def one_of_each(
    signal: SignalValue,
    alert: AlertEvent,
    look: LookEvent,
    finding: FindingEvent,
    incident: IncidentEvent,
    verdict: VerdictEvent,
    night: NightEvent,
    remediation: RemediationEvent,
    evaluation: EvaluationResult,
    run: RunTrace,
) -> dict[str, Payload]:
    """By outbox key; the late signal is from before the two days that the service takes."""
    late = signal.model_copy(update={"at": NOW - timedelta(days=3), "value": 0.25})
    return {
        "signal:1": signal,
        "signal:late": late,
        "alert:1": alert,
        "look:1": look,
        "finding:1": finding,
        "incident:1": incident,
        "verdict:1": verdict,
        "night:1": night,
        "remediation:1": remediation,
        "evaluation:1": evaluation,
        "run:1": run,
    }


@pytest.fixture
def now() -> datetime:
    return NOW
