"""Looks that the night and the service take: each is kept and told, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from chat_endpoint import Status
from fastapi.testclient import TestClient
from ingestion_endpoint import IngestionEndpoint, properties
from looks import (
    DOWN,
    TOKEN,
    UNAVAILABLE,
    change,
)

from driftgate.api.bench import Begun, Done
from driftgate.api.jobs import LEAD, ask_for, list_jobs
from driftgate.api.night import NightDisplay, Unseen, run_night
from driftgate.api.watching import take_look
from driftgate.api.workspace import open_workspace
from driftgate.benchmarks.progress import CellProgress, Display
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Lease
from driftgate.monitor.watch import looks_of
from driftgate.service._make import make_service, runner_of


def test_a_night_with_an_endpoint_that_is_down_looks_and_says_so(cli, folder, endpoint, ledger) -> None:
    for _ in range(2):
        assert cli("nightly", "-w", folder).code == 0
    endpoint.default = UNAVAILABLE
    assert cli("nightly", "-w", folder).code == 4

    def edit(config: dict) -> None:
        config["suites"] = {"all": {"models": ["live"], "datasets": ["canaries"]}}
        config["nightly"]["suites"] = ["all"]

    change(folder, edit)
    endpoint.default = DOWN["401"]
    done = cli("nightly", "-w", folder)
    assert done.code == 2  # the suite could not be run at all, and the monitor was looked at nevertheless
    assert "refused the key" in done.err
    assert looks_of(ledger, "watch")[0].conclusion.reason in done.out
    assert len(looks_of(ledger, "watch")) == 4


class Broken(Unseen):
    """Raises what nobody foresaw once a run has begun."""

    def begin(self, progress: CellProgress) -> None:
        raise OverflowError("int too large to convert to float")


def test_a_look_that_crashes_is_kept_as_unmeasurable(folder, ledger) -> None:
    found = take_look(open_workspace(folder), ledger, "watch", Broken())
    assert found.run is not None
    kept = looks_of(ledger, "watch")[0]
    assert (kept.run_id, kept.conclusion.result) == (found.run.id, "unmeasurable")
    assert kept.conclusion.reason == "a defect of driftgate, OverflowError: int too large to convert to float"


class BrokenNight(NightDisplay):
    """Raises what nobody foresaw in the night's first part that is shown."""

    def __init__(self) -> None:
        self.told: list[tuple[str, DriftgateError]] = []

    def benched(self, begun: Begun, finish: Callable[[Display], Done]) -> Done:
        raise ZeroDivisionError("division by zero")

    def failed(self, part: str, problem: DriftgateError) -> None:
        self.told.append((part, problem))


def test_a_part_of_the_night_that_crashes_costs_no_other(folder, ledger) -> None:
    def edit(config: dict) -> None:
        config["suites"] = {"all": {"models": ["live"], "datasets": ["canaries"], "max_failed": 1.0}}
        config["nightly"]["suites"] = ["all"]

    change(folder, edit)
    display = BrokenNight()
    with pytest.raises(DriftgateError, match="a defect of driftgate, ZeroDivisionError"):
        run_night(open_workspace(folder), ledger, display)
    assert [part for part, _ in display.told] == ["all"]
    assert [row.conclusion.result for row in looks_of(ledger, "watch")] == ["reference"]


def test_the_service_shows_what_looks_came_to(cli, folder, endpoint, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    cli("monitor", "check", "watch", "-w", folder)
    endpoint.default = Status(401, {"error": {"message": "<b>bad key</b>"}})
    cli("monitor", "check", "watch", "-w", folder)
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        shown = client.get("/api/looks").json()
        page, looks = client.get("/").text, client.get("/monitors/watch").text
    assert [(look["monitor"], look["of"], look["result"]) for look in shown] == [
        ("watch", "canaries", "unmeasurable"),
        ("watch", "canaries", "reference"),
    ]
    assert "refused the key" in shown[0]["why"]
    assert "<b>bad key" not in page + looks
    assert "unmeasurable" in page and "&lt;b&gt;bad key" in looks


def test_a_look_that_could_not_be_made_is_sent_to_azure_monitor(cli, folder, endpoint, monkeypatch) -> None:
    ingestion = IngestionEndpoint()
    ingestion.start()
    monkeypatch.setenv("TEST_CONNECTION", ingestion.connection_string)
    change(folder, lambda config: config.update(azure_monitor={"connection_string": "${env:TEST_CONNECTION}"}))
    endpoint.default = DOWN["401"]
    done = cli("monitor", "check", "watch", "-w", folder)
    ingestion.stop()
    assert done.code == 4
    events = {event["data"]["baseData"]["name"]: properties(event) for event in ingestion.of("EventData")}
    assert events.keys() - {"driftgate.incident"} == {"driftgate.look"}
    sent = events["driftgate.look"]
    assert (sent["driftgate.look.monitor"], sent["driftgate.look.result"]) == ("watch", "unmeasurable")
    assert sent["driftgate.look.reason"] in done.out


async def test_the_exit_code_of_a_scheduled_look_is_kept_and_shown(folder, endpoint, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    endpoint.default = DOWN["404"]
    runner = runner_of(open_workspace(folder), ledger, Lease(ledger, LEAD))
    ask_for(ledger, "look-watch", "kim")
    runner.start()
    for _ in range(300):
        if list_jobs(ledger)[0].ended:
            break
        await asyncio.sleep(0.2)
    await runner.stop()
    (job,) = list_jobs(ledger)
    assert (job.name, job.state, job.exit_code, job.reason) == ("look-watch", "done", 4, "")
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        shown = {job["name"]: job for job in client.get("/api/jobs").json()}
        page = client.get("/jobs").text
    assert (shown["look-watch"]["exit_code"], shown["look-watch"]["result"]) == (4, "unmeasurable")
    assert "unmeasurable</span>" in page
