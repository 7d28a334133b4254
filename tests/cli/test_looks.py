"""What a look comes to where the model cannot be asked, or telemetry is not there: never quiet."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status, Step, limited
from fastapi.testclient import TestClient
from ingestion_endpoint import IngestionEndpoint, properties

from driftgate.api.bench import Begun, Done
from driftgate.api.night import NightDisplay, Unseen, run_night
from driftgate.api.watching import take_look
from driftgate.api.workspace import open_workspace
from driftgate.benchmarks.progress import CellProgress, Display
from driftgate.finetune.remediation import remediations
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, open_ledger, start_run
from driftgate.monitor.telemetry import ModelCall, Store
from driftgate.monitor.watch import alerts_of, looks_of
from driftgate.service import Lease, Scheduler
from driftgate.service._make import jobs_of, make_service

CANARIES = 40
TOKEN = "a-token-of-enough-letters"


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a monitor of forty canaries and one that looks at traffic too."""
    lines = [
        {"id": f"c{n}", "question": f"문제 {n}번은?", "choices": ["가", "나", "다", "라"], "answer": "A"}
        for n in range(CANARIES)
    ]
    (tmp_path / "canaries.jsonl").write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    canaries = {"dataset": "canaries", "variant": "terse"}
    workspace = {
        "version": 1,
        "models": {"live": model},
        "datasets": {"canaries": {"kind": "jsonl", "path": "canaries.jsonl"}},
        "champions": {"assistant": "live"},
        "monitors": {
            "watch": {"champion": "assistant", "canaries": canaries},
            "both": {"champion": "assistant", "canaries": canaries, "traffic": {"request_model": "gpt-live"}},
        },
        "nightly": {"monitors": ["watch"]},
        "service": {"token": "${env:TEST_TOKEN}"},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(workspace, allow_unicode=True), encoding="utf-8")
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()


def change(folder: Path, edit: Callable[[dict], object]) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    edit(config)
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def number(prompt: str) -> int:
    return int(prompt.split("번")[0].split()[-1])


def instead(step: Step, count: int) -> Callable[[str], Step]:
    """``step`` for so many of the canaries, and the right answer for the others."""
    return lambda prompt: step if number(prompt) < count else Answer("A")


def settle(cli, folder: Path, monitor: str = "watch") -> None:
    """Two reference looks and a quiet one."""
    for _ in range(2):
        assert "reference look" in cli("monitor", "check", monitor, "-w", folder).out
    assert "look 1 at live: quiet" in cli("monitor", "check", monitor, "-w", folder).out


UNAVAILABLE, REFUSED = Status(500, {}), Status(400, {"error": {"message": "no"}})
DOWN = {
    "401": Status(401, {"error": {"message": "bad key"}}),
    "404": Status(404, {"error": {"message": "no such deployment"}}),
    "500": UNAVAILABLE,
    "400": REFUSED,
    "filtered": Status(400, AZURE_FILTERED),
    "not JSON": Status(200, b"<html>"),
}


@pytest.mark.parametrize("what", DOWN)
def test_a_model_that_gives_no_answers_is_unmeasurable(cli, folder, endpoint, ledger, what) -> None:
    settle(cli, folder)
    endpoint.default = DOWN[what]
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4, done.out + done.err
    assert "look at live: unmeasurable: " in done.out
    kept = looks_of(ledger, "watch")[0]
    assert kept.conclusion.result == "unmeasurable"
    assert kept.conclusion.reason in done.out
    assert not alerts_of(ledger)
    listed = cli("monitor", "alerts", "-w", folder).out
    assert "no alert" in listed and f"watch canaries: unmeasurable: {kept.conclusion.reason}" in listed
    endpoint.default = Answer("A")
    assert (
        "look 2 at live: quiet" in cli("monitor", "check", "watch", "-w", folder).out
    )  # what was not compared is not counted
    assert re.search(r"watch canaries: quiet \(\d minutes ago\)\n", cli("monitor", "alerts", "-w", folder).out)


def test_no_alert_where_nobody_looked_says_so(cli, folder, endpoint, ledger) -> None:
    nobody = cli("monitor", "alerts", "-w", folder)
    assert nobody.code == 4
    for what in ("watch canaries", "both canaries", "both traffic"):
        assert f"{what}: nothing has looked; driftgate monitor check {what.split()[0]} does" in nobody.out
    change(folder, lambda config: config["monitors"].pop("both"))
    endpoint.default = UNAVAILABLE
    cli("monitor", "check", "watch", "-w", folder)
    failed = cli("monitor", "alerts", "-w", folder)
    assert failed.code == 4 and "; no look could tell yet" in failed.out
    endpoint.default = Answer("A")
    settle(cli, folder)
    assert cli("monitor", "alerts", "-w", folder).code == 0
    endpoint.default = UNAVAILABLE
    cli("monitor", "check", "watch", "-w", folder)
    again = cli("monitor", "alerts", "-w", folder)
    assert again.code == 4 and "; the last look that could tell was at " in again.out
    start_run(ledger, "canary-watch", {"cells": []}, "hash", 0, "0.1", id="killed", kind="canary")
    assert "has not ended (driftgate runs show killed)" in cli("monitor", "alerts", "-w", folder).out


def test_an_endpoint_that_refuses_connections_is_unmeasurable(cli, folder, ledger) -> None:
    settle(cli, folder)
    gone = ChatEndpoint()
    gone.start()
    gone.stop()
    change(folder, lambda config: config["models"]["live"].update(endpoint=f"{gone.url}/v1"))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert f"nothing answers at 127.0.0.1:{gone.port}" in done.out
    assert looks_of(ledger, "watch")[0].conclusion.remedy == "start the service or correct the model's endpoint"


def test_canaries_that_are_gone_are_an_error_and_the_look_is_unmeasurable(cli, folder, ledger) -> None:
    settle(cli, folder)
    (folder / "canaries.jsonl").unlink()
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 2 and "canaries.jsonl does not exist" in done.err
    newest = looks_of(ledger, "watch")[0].conclusion
    assert newest.result == "unmeasurable" and "canaries.jsonl does not exist" in newest.why


def test_a_look_at_a_service_that_always_says_429_ends(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = limited(0.05, "Retry-After")
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(max_minutes=0.02))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "the limit of 0.02 minutes is reached" in done.out and "HTTP 429" in done.out
    assert looks_of(ledger, "watch")[0].conclusion.result == "unmeasurable"


def test_a_monitor_that_is_not_there_is_an_error(cli, folder) -> None:
    assert cli("monitor", "check", "wotch", "-w", folder).code == 2


def test_a_failed_call_is_neither_good_news_nor_an_alert(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = instead(UNAVAILABLE, 1)
    assert (
        cli("monitor", "check", "watch", "-w", folder).code == 0
    )  # one of forty is less than the floor of five points
    endpoint.default = instead(UNAVAILABLE, 2)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "2 of the reference's 40 canaries were not measured (2 failed: " in done.out
    assert not alerts_of(ledger)


def test_wrong_answers_are_an_alert_also_beside_failed_calls(cli, folder, endpoint) -> None:
    settle(cli, folder)
    endpoint.default = lambda prompt: UNAVAILABLE if number(prompt) < 10 else Answer("B")
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1
    assert "from 100.0% to 0.0%" in done.out
    assert "30 now against 30 before" in done.out


def test_a_wrong_answer_that_becomes_a_failed_call_makes_no_look_quiet(cli, folder, endpoint) -> None:
    settle(cli, folder)
    for wrong in range(12, -1, -3):
        endpoint.default = lambda prompt, wrong=wrong: (
            Answer("A") if number(prompt) >= 12 else Answer("B") if number(prompt) < wrong else UNAVAILABLE
        )
        assert cli("monitor", "check", "watch", "-w", folder).code == (1 if wrong >= 9 else 4)


@pytest.mark.parametrize(
    "answer", [Answer("생각해 보면", "length"), Answer("모르겠습니다"), Answer("")], ids=["cut", "unread", "empty"]
)
def test_replies_without_an_answer_are_evidence_but_no_reference(cli, folder, endpoint, ledger, answer) -> None:
    endpoint.default = answer
    first = cli("monitor", "check", "watch", "-w", folder)
    assert first.code == 4
    assert "0 of 40 canaries were answered" in first.out
    endpoint.default = Answer("A")
    settle(cli, folder)
    endpoint.default = answer
    assert cli("monitor", "check", "watch", "-w", folder).code == 1


def test_what_could_not_be_measured_is_no_reference(cli, folder, endpoint, ledger) -> None:
    endpoint.default = instead(UNAVAILABLE, 10)
    for _ in range(3):
        assert cli("monitor", "check", "watch", "-w", folder).code == 4
    endpoint.default = Answer("A")
    settle(cli, folder)
    assert [row.conclusion.result for row in reversed(looks_of(ledger, "watch"))] == [
        *["unmeasurable"] * 3,
        *["reference"] * 2,
        "quiet",
    ]


def test_other_canaries_than_the_references_are_unmeasurable(cli, folder) -> None:
    settle(cli, folder)
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(limit=10))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "30 of the reference's 40 canaries were not measured (30 not asked any more); give the monitor" in done.out


def test_too_few_canaries_to_tell_are_inconclusive(cli, folder, endpoint) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(limit=3))
    for _ in range(2):
        assert cli("monitor", "check", "watch", "-w", folder).code == 0
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 3
    assert "3 canaries are too few for look 1" in done.out


def calls(folder: Path, count: int, ago: timedelta, **fields: object) -> None:
    """Model calls of an application, from ``ago`` before now on, as they lie in the telemetry store."""
    begun = datetime.now(UTC) - ago
    with Store(folder / ".driftgate/telemetry") as store:
        store.append(
            [
                ModelCall(
                    **{
                        "time": begun + timedelta(seconds=n),
                        "trace_id": uuid4().hex,
                        "span_id": uuid4().hex[:16],
                        "provider": "openai",
                        "request_model": "gpt-live",
                        "response_model": "gpt-live-1",
                        "latency": 1.0 + n % 11 / 100,
                        "output_tokens": 20 + n % 5,
                        **fields,
                    }
                )
                for n in range(count)
            ]
        )


def test_traffic_without_calls_is_unmeasurable_and_with_few_inconclusive(cli, folder, ledger) -> None:
    for _ in range(3):
        assert cli("monitor", "check", "both", "-w", folder).code == 4
    kept = looks_of(ledger, "both")[0]
    assert (kept.of, kept.conclusion.result) == ("traffic", "unmeasurable")
    assert kept.conclusion.reason == "no call was recorded in the current window"
    calls(folder, 300, timedelta(days=4))
    calls(folder, 300, timedelta(hours=5), request_model="gpt-other")
    assert cli("monitor", "check", "both", "-w", folder).code == 4
    calls(folder, 5, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 3
    assert "traffic: inconclusive: 5 calls in the current window and 300 in the reference" in done.out
    calls(folder, 100, timedelta(hours=3))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 0
    assert "traffic: quiet" in done.out


def test_traffic_without_a_past_is_inconclusive(cli, folder) -> None:
    calls(folder, 300, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 3
    assert "300 calls in the current window and 0 in the reference" in done.out


def test_a_column_that_is_no_longer_sent_is_unmeasurable(cli, folder) -> None:
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), output_tokens=None)
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 4
    assert "no call of the current window tells output_length" in done.out


def test_a_signal_that_is_asked_for_and_never_sent_is_unmeasurable(cli, folder) -> None:
    change(folder, lambda config: config["monitors"]["both"]["traffic"].update(signals=["latency", "refusal_share"]))
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 4
    assert "no call of the current window tells refusal_share" in done.out


def test_a_signal_that_does_not_exist_is_an_error_before_anything_is_asked(cli, folder, endpoint, ledger) -> None:
    change(folder, lambda config: config["monitors"]["both"]["traffic"].update(signals=["latenci"]))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 2
    assert "did you mean 'latency'?" in done.err
    assert not endpoint.requests
    looks = looks_of(ledger, "both")
    assert sorted((row.of, row.conclusion.result) for row in looks) == [
        ("canaries", "unmeasurable"),
        ("traffic", "unmeasurable"),
    ]


def test_traffic_is_looked_at_though_the_canaries_could_not_be_asked(cli, folder, endpoint, ledger) -> None:
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), latency=9.0)
    endpoint.default = DOWN["401"]
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 1
    assert "look at live: unmeasurable" in done.out
    assert "traffic: moved" in done.out
    assert [row.alert.signal for row in alerts_of(ledger)] == ["latency"]


def with_recipe(folder: Path) -> None:
    recipe = {
        "champion": "assistant",
        "synthesis": {"sources": [{"kind": "questions", "path": "canaries.jsonl"}]},
        "base_model": "live",
        "trainer": {"trainer": "local"},
        "proof": ["canaries"],
        "gate": "promotion",
    }
    rules = [{"metric": "accuracy", "better_than": "champion", "dataset": "canaries"}]

    def edit(config: dict) -> None:
        config["recipes"] = {"mend": recipe}
        config["gates"] = {"promotion": {"rules": rules}}
        config["monitors"]["both"]["recipe"] = "mend"

    change(folder, edit)


@pytest.mark.parametrize("canaries", ["quiet", "unmeasurable", "filtered"])
def test_slow_calls_open_no_repair_whatever_the_canaries_say(cli, folder, endpoint, ledger, canaries) -> None:
    with_recipe(folder)
    for _ in range(2):
        cli("monitor", "check", "both", "-w", folder)
    calls(folder, 300, timedelta(days=4))
    # The provider serves another model, which is slower: the model is to blame, and its answers are as good as before.
    calls(folder, 100, timedelta(hours=4), latency=9.0, response_model="gpt-live-2")
    endpoint.default = {"quiet": Answer("A"), "unmeasurable": UNAVAILABLE, "filtered": DOWN["filtered"]}[canaries]
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 1
    assert {row.alert.cause for row in alerts_of(ledger)} == {"model"}
    assert remediations(ledger) == []
    assert "remediation" not in done.out


def test_canaries_that_are_answered_worse_open_a_repair_that_names_them(cli, folder, endpoint, ledger) -> None:
    with_recipe(folder)
    for _ in range(2):
        cli("monitor", "check", "both", "-w", folder)
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), latency=9.0)
    endpoint.default = Answer("B")
    assert cli("monitor", "check", "both", "-w", folder).code == 1
    (opened,) = remediations(ledger)
    assert opened.evidence["alert"]["signal"].startswith("canary_")


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
        page = client.get("/").text
    assert [(look["monitor"], look["of"], look["result"]) for look in shown] == [
        ("watch", "canaries", "unmeasurable"),
        ("watch", "canaries", "reference"),
    ]
    assert "refused the key" in shown[0]["why"]
    assert '<span class="badge unmeasurable">unmeasurable</span>' in page
    assert "&lt;b&gt;bad key" in page


def test_a_look_that_could_not_be_made_is_sent_to_azure_monitor(cli, folder, endpoint, monkeypatch) -> None:
    ingestion = IngestionEndpoint()
    ingestion.start()
    monkeypatch.setenv("TEST_CONNECTION", ingestion.connection_string)
    change(folder, lambda config: config.update(azure_monitor={"connection_string": "${env:TEST_CONNECTION}"}))
    endpoint.default = DOWN["401"]
    done = cli("monitor", "check", "watch", "-w", folder)
    ingestion.stop()
    assert done.code == 4
    (event,) = ingestion.of("EventData")
    assert event["data"]["baseData"]["name"] == "driftgate.look"
    sent = properties(event)
    assert (sent["driftgate.look.monitor"], sent["driftgate.look.result"]) == ("watch", "unmeasurable")
    assert sent["driftgate.look.reason"] in done.out


async def test_the_exit_code_of_a_scheduled_look_is_kept_and_shown(folder, endpoint, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    endpoint.default = DOWN["404"]
    lease = Lease(ledger)
    scheduler = Scheduler([job for job in jobs_of(open_workspace(folder)) if job.name == "look-watch"], lease)
    scheduler.start()
    for _ in range(300):
        if lease.firings() and lease.firings()[0].ended_at:
            break
        await asyncio.sleep(0.2)
    await scheduler.stop()
    (firing,) = lease.firings()
    assert (firing.job, firing.exit_code, firing.reason) == ("look-watch", 4, "")
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        shown = {job["job"]: job for job in client.get("/api/jobs").json()}
        page = client.get("/").text
    assert (shown["look-watch"]["exit_code"], shown["look-watch"]["result"]) == (4, "unmeasurable")
    assert "4 unmeasurable</span>" in page
