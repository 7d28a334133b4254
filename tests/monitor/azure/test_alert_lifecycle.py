"""An hour of outage and a restart: everything arrives once, and no rule fires and resolves meanwhile."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ingestion_endpoint import IngestionEndpoint, LostAnswer, Reset, Status, properties
from kusto import Workspace, filled

from driftgate.api.publishing import publish_incidents
from driftgate.api.workspace import open_workspace
from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.alert import Alert
from driftgate.monitor.azure import (
    AlertEvent,
    EvaluationResult,
    IncidentEvent,
    LookEvent,
    NightEvent,
    Payload,
    VerdictEvent,
    drain,
    enqueue,
    unsent,
)
from driftgate.monitor.azure._queries import read_query
from driftgate.monitor.drift import Period, Windows, look
from driftgate.monitor.incidents import IncidentsConfig, incidents, observe
from driftgate.monitor.looks import Conclusion, LookRow, keep_look

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
VALUES = {"Workspace": "shop.driftgate", "Hours": "26", "Monitors": '["support/canaries"]'}
State = frozenset[tuple[str, ...]]


def _rows(workspace: Workspace, rule: str, columns: Sequence[str], now: datetime) -> State:
    found = workspace.ask(filled(read_query(f"rule_{rule}"), VALUES), now)
    return frozenset(tuple(str(row[column]) for column in columns) for row in found)


def _look(at: datetime, result: str, of: str = "canaries", monitor: str = "support") -> LookEvent:
    name = f"{of}-{monitor}-{at:%d%H%M}"
    return LookEvent(at=at, look=name, monitor=monitor, of=of, model="gpt", result=result)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def moved() -> Alert:
    """An alert of a real look at canaries."""
    march, june = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)

    def answers(time: datetime, right: int) -> pd.DataFrame:
        correct = [1.0] * right + [0.0] * (80 - right)
        return pd.DataFrame({"time": time, "key": range(80), "slice": "all", "answer": "yes", "correct": correct})

    windows = Windows("canaries", Period(march, june), Period(june, datetime(2026, 9, 1, tzinfo=UTC)))
    frame = pd.concat([answers(march, 76), answers(june, 30)])
    [alert] = look([windows], canaries=frame, signals=["canary_accuracy"]).alerts
    return alert


def _looked(ledger: Ledger, at: datetime, result: Any, alert: Alert) -> str:
    """A look as ``driftgate monitor check`` keeps it, with its incidents."""
    name = f"support-{at:%Y%m%dT%H%M%S}"
    row = LookRow(0, "support", "gpt#1", name, 1, [], at, Conclusion(result, "the reason", "the remedy"))
    window = Period(at - timedelta(minutes=15), at)
    keep_look(ledger, row, [replace(alert, current=window)] if result == "moved" else [])
    observe(ledger, IncidentsConfig(resolve_after=2), at)
    return name


def test_an_hour_of_outage_and_a_restart_neither_double_nor_lose_nor_resolve_anything(
    tmp_path: Path,
    ingestion: IngestionEndpoint,
    moved: Alert,
    evaluation: EvaluationResult,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A look every fifteen minutes for eight hours; the model moves in hour 2 to 7, ingestion is out in hour 4 to 5."""
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", ingestion.connection_string)
    settings = (
        "version: 1\nname: shop\nazure_monitor:\n  connection_string: ${env:APPLICATIONINSIGHTS_CONNECTION_STRING}\n"
    )
    (tmp_path / "driftgate.yaml").write_text(settings, encoding="utf-8")
    workspace = open_workspace(tmp_path)
    ledger = open_ledger("ledger.db", tmp_path)
    azure, seen, fired = Workspace(), 0, []
    evaluations: list[str] = []
    for quarter in range(32):
        now = START + timedelta(minutes=15 * quarter)
        told = {12: "unmeasurable", 13: "inconclusive", 20: "unmeasurable"}.get(quarter)
        _looked(ledger, now, told or ("moved" if 8 <= quarter < 28 else "quiet"), moved)
        publish_incidents(workspace, ledger, now)
        evaluations.append(f"evaluation-{quarter:02}")
        enqueue(ledger, evaluations[-1], evaluation.model_copy(update={"at": now}))
        match quarter:
            case 16:
                ingestion.faults.append(Status(500))
            case 17:
                ingestion.faults.append(Status(429))
            case 18:
                ingestion.stop()  # refused
                ledger.close()  # and the service begins anew
                ledger = open_ledger("ledger.db", tmp_path)
            case 19:
                ingestion.start()
                ingestion.faults.append(Reset())
            case 20:
                ingestion.faults.append(LostAnswer())  # taken, and the service does not hear of it
        drain(ledger, ingestion.connection_string, workspace="shop", now=now)
        azure.ingest(ingestion.accepted[seen:])
        seen = len(ingestion.accepted)
        fired.append(_rows(azure, "incident", ("Incident", "Kind"), now + timedelta(minutes=3)))
    assert unsent(ledger) == 0
    [incident] = incidents(ledger)
    assert incident.state == "resolved" and incident.signs == 17
    ledger.close()
    assert [key for key in ingestion.once() if key.startswith("evaluation")] == evaluations, "everything arrived"
    assert len(ingestion.accepted) > len(ingestion.once()), "some of it more than once: the answer was lost"
    one = frozenset({(incident.id, "model_moved")})
    quiet = frozenset[tuple[str, ...]]()
    assert fired == [one if 8 <= quarter < 29 else quiet for quarter in range(32)], "once, to its end, under one name"
    shown = azure.ask(filled(read_query("incidents"), DELIVERY), START + timedelta(hours=8))
    assert [(row["Incident"], row["State"]) for row in shown] == [(incident.id, "resolved")]
    scores = azure.ask(filled(read_query("evaluations"), DELIVERY | SHOWN), START + timedelta(hours=8))
    assert len(scores) == 32, "each is read once"


def test_what_stands_for_days_is_told_again_each_day(
    tmp_path: Path, ingestion: IngestionEndpoint, moved: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", ingestion.connection_string)
    settings = (
        "version: 1\nname: shop\nazure_monitor:\n  connection_string: ${env:APPLICATIONINSIGHTS_CONNECTION_STRING}\n"
    )
    (tmp_path / "driftgate.yaml").write_text(settings, encoding="utf-8")
    workspace = open_workspace(tmp_path)
    ledger = open_ledger("ledger.db", tmp_path)
    _looked(ledger, START, "moved", moved)
    for hour in (0, 1, 24, 48, 72):
        now = START + timedelta(hours=hour)
        publish_incidents(workspace, ledger, now)
        drain(ledger, ingestion.connection_string, workspace="shop", now=now)
        newest = [e for e in ingestion.accepted if datetime.fromisoformat(e["time"]) > now - timedelta(hours=48)]
        assert len(_rows(Workspace(newest), "incident", ("Incident",), now)) == 1, "the rule sees two days"
    ledger.close()
    assert len(ingestion.accepted) == 4, "once a day"


def test_a_process_that_is_killed_between_the_answer_and_its_note_sends_again_what_counts_once(
    tmp_path: Path, ingestion: IngestionEndpoint, alert: AlertEvent
) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    keys = [f"alert-{n:02}" for n in range(40)]
    for key in keys:
        enqueue(ledger, key, alert)
    ledger.close()
    drainer = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from driftgate.ledger import open_ledger
        from driftgate.monitor.azure import drain
        ledger = open_ledger("ledger.db", Path(sys.argv[1]))
        drain(ledger, sys.argv[2], workspace="shop", page=10)
        """
    )
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", drainer, str(tmp_path), ingestion.connection_string])
        ingestion.faults.append(LostAnswer(then=partial(os.kill, process.pid, signals.SIGKILL)))
        assert process.wait(60) == -signals.SIGKILL
    ledger = open_ledger("ledger.db", tmp_path)
    assert drain(ledger, ingestion.connection_string, workspace="shop").left == 0
    ledger.close()
    assert ingestion.once() == sorted(keys)
    again = Counter(properties(envelope)["driftgate.key"] for envelope in ingestion.accepted)
    assert max(again.values()) == 3
    azure = Workspace(ingestion.accepted)
    delivered = {row["Table"]: row for row in azure.ask(filled(read_query("delivery"), DELIVERY))}
    assert delivered["AppEvents"]["Records"] == len(keys) and delivered["AppEvents"]["Repeated"] == 20


DELIVERY = {"TimeRange": "> ago(3d)", "Workspace": "'*'"}
SHOWN = {"Model": "'*'", "Flow": "'*'"}


def _azure(ledger: Ledger, ingestion: IngestionEndpoint, facts: Mapping[str, Payload], now: datetime) -> Workspace:
    for key, payload in facts.items():
        enqueue(ledger, key, payload)
    drain(ledger, ingestion.connection_string, workspace="shop", now=now)
    return Workspace(ingestion.accepted)


def test_a_monitor_of_which_nothing_ever_arrived_is_silent(ledger: Ledger, ingestion: IngestionEndpoint) -> None:
    now = START + timedelta(hours=28)
    assert _rows(Workspace(), "silent", ("Monitor", "Last"), now) == {("support/canaries", "None")}
    look = _look(START, "quiet")
    azure = _azure(ledger, ingestion, {"look": look, "other": _look(now, "quiet", of="traffic")}, START)
    assert _rows(azure, "silent", ("Monitor",), START + timedelta(hours=25)) == frozenset()
    assert _rows(azure, "silent", ("Monitor",), now) == {("support/canaries",)}


@pytest.mark.parametrize("result", ["unmeasurable", "inconclusive"])
def test_looks_that_come_to_no_conclusion_leave_a_monitor_silent(
    ledger: Ledger, ingestion: IngestionEndpoint, result: str
) -> None:
    now = START + timedelta(hours=28)
    azure = _azure(ledger, ingestion, {"1": _look(START, "quiet"), "2": _look(now, result)}, now)
    assert _rows(azure, "silent", ("Monitor",), now) == {("support/canaries",)}


@pytest.mark.parametrize(("code", "missing"), [(0, False), (1, False), (3, False), (2, True), (4, True)])
def test_a_night_without_a_result_is_missing(
    ledger: Ledger, ingestion: IngestionEndpoint, code: int, missing: bool
) -> None:
    now = START + timedelta(hours=1)
    assert _rows(Workspace(), "nightly", ("Workspace",), now) == {("shop.driftgate",)}
    azure = _azure(ledger, ingestion, {"night": NightEvent(at=START, exit_code=code)}, now)
    assert _rows(azure, "nightly", ("Workspace",), now) == ({("shop.driftgate",)} if missing else frozenset())
    assert _rows(azure, "nightly", ("Workspace",), START + timedelta(hours=27)) == {("shop.driftgate",)}


def test_a_gate_that_failed_stays_so_until_it_passes(
    ledger: Ledger, ingestion: IngestionEndpoint, verdict: VerdictEvent
) -> None:
    states = []
    for hour, said in enumerate(("pass", "fail", "inconclusive", "unmeasurable", "pass")):
        now = START + timedelta(hours=hour)
        event = verdict.model_copy(update={"verdict": said, "at": now, "run": f"run-{hour}"})
        azure = _azure(ledger, ingestion, {f"verdict-{hour}": event}, now)
        states.append({row[0] for row in _rows(azure, "gate", ("Verdict",), now)})
    assert states == [set(), {"fail"}, {"fail"}, {"unmeasurable"}, set()]


def test_a_workspace_is_told_of_its_own_alone(
    ledger: Ledger, ingestion: IngestionEndpoint, incident: IncidentEvent
) -> None:
    enqueue(ledger, "incident", incident)
    enqueue(ledger, "look", _look(START, "quiet"))
    drain(ledger, ingestion.connection_string, workspace="another", now=START)
    azure = Workspace(ingestion.accepted)
    assert _rows(azure, "incident", ("Incident",), START) == frozenset()
    assert _rows(azure, "silent", ("Monitor",), START) == {("support/canaries",)}
