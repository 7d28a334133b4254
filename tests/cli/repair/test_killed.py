"""A repair that is killed, raced or alarmed a hundred times pays nothing twice."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_endpoint import Answer, Status
from repairs import (
    MEASURED,
    WORDS,
    book,
    change,
    ledger_of,
    opened,
    process,
    recipe_of,
    right,
    script,
    state,
    wrong,
)

import driftgate
from driftgate.api.repair import begin_repair
from driftgate.finetune.remediation import Remediation, events_of, remediations, spent


@pytest.mark.parametrize(
    "moment",
    [
        "submit",
        pytest.param("poll", marks=pytest.mark.acceptance),
        pytest.param("result", marks=pytest.mark.acceptance),
    ],
)
def test_killed_while_it_trains_it_pays_one_job(cli, folder, quick, moment) -> None:
    opened(folder)
    assert process(folder, moment).wait(120) == -signal.SIGKILL
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[1] == "promoted"
    assert book(folder) == {"asked": 2 if moment == "submit" else 1, "paid": 1}


@pytest.mark.acceptance
def test_killed_while_it_makes_items_it_pays_no_answer_twice(cli, folder, quick, endpoint) -> None:
    tickets = [{"text": f"{word} 문의", "label": "gh"[n % 2]} for n, word in enumerate(WORDS)]
    (folder / "tickets.jsonl").write_text("\n".join(map(json.dumps, tickets)), encoding="utf-8")
    source = {"kind": "examples", "path": "tickets.jsonl", "generator": "model"}
    wanted, at_once = 60, 32
    synthesis = {"sources": [source], "model": "live", "count": wanted, "surplus": 1.0, "per_source": 60}
    change(folder, ("recipes", "mend", "synthesis"), synthesis)
    running: list[subprocess.Popen[bytes]] = []
    asked: list[str] = []

    def write(prompt: str) -> Answer:
        if "JSON으로만" not in prompt:
            return wrong(prompt)
        asked.append(prompt)
        if len(asked) == 50 and running[0].poll() is None:
            running[0].kill()
        label, text = (re.findall(f"{name}: (.*)", prompt)[0] for name in ("분류", "예문"))
        return Answer(json.dumps({"question": f"{text} {len(asked)}번째", "answer": label, "wrong": []}))

    endpoint.default = write
    opened(folder)
    running.append(process(folder))
    assert running[0].wait(120) == -signal.SIGKILL
    begun = len(asked)
    cli("remediation", "run", "-w", folder)
    assert len(asked) - begun <= wanted - begun + at_once  # without what was kept it would be all of them again
    with ledger_of(folder) as ledger:
        assert spent(ledger, remediations(ledger)[0].id).calls >= len(set(asked))


@pytest.mark.acceptance
def test_killed_while_it_proves_it_asks_nothing_twice(cli, folder, quick, endpoint, candidate) -> None:
    opened(folder)
    running: list[subprocess.Popen[bytes]] = []

    def deadly(prompt: str) -> Answer:
        if len(candidate.requests) == MEASURED:
            running[0].kill()
        return right(prompt)

    candidate.default = deadly
    running.append(process(folder))
    assert running[0].wait(120) == -signal.SIGKILL
    begun = len(candidate.requests)
    assert begun >= MEASURED
    kept = begun - 16  # as many as may be under way at a time
    candidate.default = right
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[1] == "promoted"
    assert len(candidate.requests) - begun <= 2 * MEASURED - kept
    with ledger_of(folder) as ledger:
        (run,) = {e.detail["run"] for e in events_of(ledger, remediations(ledger)[0].id) if e.detail.get("run")}
    assert run


def test_a_job_is_asked_for_once_however_often_it_is_looked_for(cli, folder) -> None:
    script(folder, "error: 503: try again")
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 2
    script(folder, "succeeded")
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[1] == "promoted"
    assert book(folder) == {"asked": 1, "paid": 1}


def test_a_proof_that_is_no_longer_the_same_is_not_gone_on_with(cli, folder, candidate) -> None:
    candidate.default = Status(401, {"error": {"message": "no"}})
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 2
    rows = (folder / "hold_out.jsonl").read_text("utf-8")
    (folder / "hold_out.jsonl").write_text(rows.replace("가까운", "먼"), "utf-8")
    candidate.default = right
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2 and "cannot go on" in done.err
    assert state(folder)[:2] == ("live", "open")


@pytest.mark.acceptance
@pytest.mark.parametrize("step", ["judge", "promote"])
def test_killed_in_a_step_that_pays_nothing_it_is_promoted_once(cli, folder, quick, step) -> None:
    opened(folder)
    running = process(folder)
    with ledger_of(folder) as ledger:
        name = remediations(ledger)[0].id
        while running.poll() is None and not any(e.step == step for e in events_of(ledger, name)):
            time.sleep(0.002)
        running.kill()
        running.wait()
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "promoted"
    assert book(folder) == {"asked": 1, "paid": 1}


@pytest.mark.core
def test_two_processes_at_once_pay_one_job_and_one_proof(folder, quick, candidate) -> None:
    script(folder, "running")
    opened(folder)

    def run(number: int) -> list[Remediation]:
        with driftgate.open(folder) as ws:
            return ws.mend()

    threading.Timer(2.5, script, (folder, "succeeded")).start()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, range(2)))
    assert Counter(len(one) for one in found) == {1: 1, 0: 1}
    assert state(folder)[1] == "promoted"
    assert book(folder) == {"asked": 1, "paid": 1} and len(candidate.requests) == 2 * MEASURED


def test_a_hundred_alerts_in_a_minute_open_one(folder) -> None:
    change(folder, ("recipes", "other"), recipe_of(folder))
    with driftgate.open(folder) as ws, ThreadPoolExecutor(8) as pool:

        def alarm(number: int) -> str:
            recipe = ("mend", "other")[number % 2]
            return begin_repair(ws.files, ws.ledger, recipe, "live", {"number": number})[0].id

        found = set(pool.map(alarm, range(100)))
        assert len(found) == len(remediations(ws.ledger)) == 1
