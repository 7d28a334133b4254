"""The service's own telemetry: configure_azure_monitor in a process of its own, as it sets global providers."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from ingestion_endpoint import IngestionEndpoint, properties

from driftgate.monitor.azure import job_span

SERVE = """
import logging, sys
from datetime import UTC, datetime
from driftgate.monitor.azure import instrument, job_span

stop = instrument(sys.argv[1], workspace="shop")
at = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
with job_span("nightly", at) as ended:
    ended(1)
    logging.getLogger("driftgate").warning("the disk is nearly full")
    logging.getLogger("another.package").warning("not ours")
try:
    with job_span("canaries", at):
        raise TimeoutError("no answer within 60 s")
except TimeoutError:
    pass
with job_span("look", at) as ended:
    ended(4)
stop()
"""


def test_jobs_arrive_as_requests_with_their_schedule_and_their_failure(ingestion: IngestionEndpoint) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "APPLICATIONINSIGHTS_"))}
    ran = subprocess.run(
        [sys.executable, "-c", SERVE, ingestion.connection_string],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    nightly, canaries, look = ingestion.of("RequestData")
    names = [e["data"]["baseData"]["name"] for e in (nightly, canaries, look)]
    assert names == ["job nightly", "job canaries", "job look"]
    # A night that found a model worse did its work; a look that could not measure did not.
    assert [e["data"]["baseData"]["success"] for e in (nightly, canaries, look)] == [True, False, False]
    assert [properties(e).get("driftgate.exit_code") for e in (nightly, canaries, look)] == ["1", None, "4"]
    assert properties(nightly)["driftgate.scheduled_at"] == "2026-11-22T23:00:00+00:00"
    assert nightly["tags"]["ai.cloud.role"] == "shop.driftgate"
    [failure] = ingestion.of("ExceptionData")
    assert failure["data"]["baseData"]["exceptions"][0]["message"] == "no answer within 60 s"
    [warning] = ingestion.of("MessageData")
    assert warning["data"]["baseData"]["message"] == "the disk is nearly full"
    assert warning["tags"]["ai.operation.id"] == nightly["tags"]["ai.operation.id"]
    assert ingestion.of("MetricData") == [], "no counters, no statistics of the distribution's own"


def test_without_instrument_a_job_runs_as_if_there_were_no_span() -> None:
    with pytest.raises(KeyError, match="x"), job_span("nightly", datetime.now(UTC)):
        raise KeyError("x")
