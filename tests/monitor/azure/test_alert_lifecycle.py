"""An hour of outage and a restart: everything arrives once, and no rule fires and resolves meanwhile."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ingestion_endpoint import IngestionEndpoint, LostAnswer, Reset, Status, properties
from kusto import Workspace, filled

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.azure import (
    AlertEvent,
    EvaluationResult,
    LookEvent,
    NightEvent,
    Payload,
    VerdictEvent,
    drain,
    enqueue,
    unsent,
)
from driftgate.monitor.azure._queries import read_query

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
VALUES = {"Workspace": "shop.driftgate", "Hours": "26", "Monitors": '["support/canaries"]'}
State = frozenset[tuple[str, ...]]


def _rows(workspace: Workspace, rule: str, columns: Sequence[str], now: datetime) -> State:
    found = workspace.ask(filled(read_query(f"rule_{rule}"), VALUES), now)
    return frozenset(tuple(str(row[column]) for column in columns) for row in found)


def _look(at: datetime, result: str, of: str = "canaries", monitor: str = "support") -> LookEvent:
    name = f"{of}-{monitor}-{at:%d%H%M}"
    return LookEvent(at=at, look=name, monitor=monitor, of=of, model="gpt", result=result)  # type: ignore[arg-type]


def _alert(look: LookEvent, alert: AlertEvent) -> AlertEvent:
    known = {"look": look.look, "monitor": look.monitor, "of": look.of, "model": look.model, "at": look.at}
    return alert.model_copy(update={**known, "alert": f"{look.at:%d%H%M}"})


def _facts(result: str, at: datetime, alert: AlertEvent) -> Iterator[tuple[str, Payload]]:
    look = _look(at, result)
    yield f"look-{look.look}", look
    if result == "moved":
        yield f"alert-{look.look}-1", _alert(look, alert)


def test_an_hour_of_outage_and_a_restart_neither_double_nor_lose_nor_resolve_anything(
    tmp_path: Path, ingestion: IngestionEndpoint, alert: AlertEvent, evaluation: EvaluationResult
) -> None:
    """A look every fifteen minutes for eight hours; the model moves in hour 2, ingestion is out in hour 4 to 5."""
    ledger = open_ledger("ledger.db", tmp_path)
    azure, seen, fired = Workspace(), 0, []
    keys: list[str] = []
    for quarter in range(32):
        now = START + timedelta(minutes=15 * quarter)
        moved = 8 <= quarter < 28
        result = (
            "unmeasurable"
            if quarter in (12, 20)
            else "inconclusive"
            if quarter == 13
            else "moved"
            if moved
            else "quiet"
        )
        for key, payload in _facts(result, now, alert):
            enqueue(ledger, key, payload)
            keys.append(key)
        key = f"evaluation-{quarter}"
        enqueue(ledger, key, evaluation.model_copy(update={"at": now}))
        keys.append(key)
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
        fired.append(_rows(azure, "incident", ("Monitor", "Model", "Signal"), now + timedelta(minutes=3)))
    assert unsent(ledger) == 0
    assert ingestion.once() == sorted(keys), "everything arrived"
    assert len(ingestion.accepted) > len(keys), "some of it more than once: the answer was lost"
    moves = [("support", "gpt", "canary_accuracy") in state for state in fired]
    assert moves == [8 <= quarter < 28 for quarter in range(32)], "it fires once, stays, and resolves once"
    blind = [("support", "gpt", "look at canaries") in state for state in fired]
    assert [quarter for quarter, is_blind in enumerate(blind) if is_blind] == [12, 20]
    for key, count in Counter(row["Looks"] for row in _counts(azure)).items():
        assert (key, count) == (32, 1)
    ledger.close()


def _counts(azure: Workspace) -> Iterable[Mapping[str, Any]]:
    values = {"TimeRange": "> ago(3d)", "Workspace": "'*'", "Model": "'*'", "SilentHours": "26"}
    return azure.ask(filled(read_query("health"), values), START + timedelta(hours=8))


def test_a_process_that_is_killed_between_the_answer_and_its_note_sends_again_what_counts_once(
    tmp_path: Path, ingestion: IngestionEndpoint, alert: AlertEvent
) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    keys = [
        key
        for n in range(40)
        for key, payload in _facts("moved", START + timedelta(minutes=n), alert)
        if enqueue(ledger, key, payload) is None
    ]
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


def test_a_workspace_is_told_of_its_own_looks_alone(ledger: Ledger, ingestion: IngestionEndpoint) -> None:
    enqueue(ledger, "look", _look(START, "unmeasurable"))
    drain(ledger, ingestion.connection_string, workspace="another", now=START)
    azure = Workspace(ingestion.accepted)
    assert _rows(azure, "incident", ("Signal",), START) == frozenset()
    assert _rows(azure, "silent", ("Monitor",), START) == {("support/canaries",)}
