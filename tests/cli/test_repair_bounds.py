"""A repair that is killed, raced, failed, stopped, refused or too dear pays nothing twice and has a stated end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status
from repairs import (
    MEASURED,
    WORDS,
    change,
    earlier,
    ledger_of,
    make_workspace,
    messages,
    newest,
    opened,
    right,
    state,
    wrong,
)

import driftgate
from driftgate.api.repair import NotOpened, begin_repair
from driftgate.finetune.remediation import Remediation, Spent, _hold, events_of, remediations, set_spent, spent
from driftgate.ledger import audit_of, champion_of

SLOW = pytest.mark.acceptance


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, plugin: str) -> Path:
    """A workspace with a recipe that asks for no approval; the champion is bad and what is trained is good."""
    endpoint.default, candidate.default = wrong, right
    return make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process held is had soon."""
    monkeypatch.setattr(_hold, "SECONDS", 0.6)


@pytest.fixture
def needs_approval(folder: Path, cli) -> str:
    """A remediation that waits for a person; its id."""
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 3
    assert "waits for: driftgate remediation approve" in state(folder)[2]
    return name


def book(folder: Path) -> Counter[str]:
    """How often the training service was asked for a job, was paid for one, and cancelled one."""
    file = folder / "service.txt"
    return Counter(file.read_text().split()[0::2] if file.exists() else [])


def script(folder: Path, state: str) -> None:
    """What becomes of training jobs."""
    (folder / "job.txt").write_text(state)


def process(folder: Path, deadly: str = "") -> subprocess.Popen[bytes]:
    """``driftgate remediation run`` in a process of its own."""
    environment = {**os.environ, "DEADLY": deadly, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path.cwd())])}
    command = [sys.executable, "-m", "driftgate", "remediation", "run", "-w", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


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
    change(folder, ("recipes", "other"), _recipe(folder))
    with driftgate.open(folder) as ws, ThreadPoolExecutor(8) as pool:

        def alarm(number: int) -> str:
            recipe = ("mend", "other")[number % 2]
            return begin_repair(ws.files, ws.ledger, recipe, "live", {"number": number})[0].id

        found = set(pool.map(alarm, range(100)))
        assert len(found) == len(remediations(ws.ledger)) == 1


def _recipe(folder: Path) -> object:
    import yaml

    return yaml.safe_load((folder / "driftgate.yaml").read_text())["recipes"]["mend"]


@pytest.mark.parametrize("words", ["429: the quota of the region is used up", "401: the token has expired"])
def test_what_is_refused_for_three_nights_ends_with_the_reason(cli, folder, words) -> None:
    script(folder, f"error: {words}")
    opened(folder)
    for night in range(3):
        done = cli("remediation", "run", "-w", folder)
        assert (done.code, state(folder)[1]) == ((2, "open") if night < 2 else (4, "abandoned"))
        with ledger_of(folder) as ledger:
            earlier(ledger, 1.0)
    assert words in state(folder)[2]
    assert book(folder) == {"asked": 1, "paid": 1, "cancelled": 1}


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("gone", "the training job is gone"),
        ("failed: cancelled by somebody", "training failed: cancelled by somebody"),
        ("failed: out of memory", "training failed: out of memory"),
    ],
)
def test_a_job_that_brings_nothing_ends_it(cli, folder, candidate, job, told) -> None:
    script(folder, job)
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[:2] == ("live", "abandoned")
    assert any(told in message for message in messages(folder))
    assert candidate.requests == []


def test_one_that_fails_does_not_stop_another(cli, folder, candidate) -> None:
    change(folder, ("champions", "second"), "live")
    change(folder, ("recipes", "second"), {**_recipe(folder), "champion": "second"})  # type: ignore[dict-item]
    with driftgate.open(folder) as ws:
        first = begin_repair(ws.files, ws.ledger, "mend", "live", {})[0]
        begin_repair(ws.files, ws.ledger, "second", "live", {})
        items = ws.files.folder / ".driftgate" / "remediations" / first.id
    items.parent.mkdir(parents=True, exist_ok=True)
    items.write_text("in the way of its folder")
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2
    with ledger_of(folder) as ledger:
        assert {one.slot: one.state for one in remediations(ledger)} == {"assistant": "open", "second": "promoted"}


def test_a_recipe_that_is_gone_does_not_keep_it_open_for_ever(cli, folder) -> None:
    opened(folder)
    change(folder, ("monitors",), {})
    change(folder, ("nightly",), {})
    recipe = _recipe(folder)
    change(folder, ("recipes",), {"other": recipe})
    for night in range(3):
        assert cli("remediation", "run", "-w", folder).code == (2 if night < 2 else 4)
        with ledger_of(folder) as ledger:
            earlier(ledger, 1.0)
    assert state(folder)[1] == "abandoned"
    assert "follows the recipe 'mend', which is not in the file" in state(folder)[2]


@pytest.mark.core
def test_what_is_shown_is_what_is_approved(cli, folder, needs_approval) -> None:
    shown = cli("remediation", "show", needs_approval, "-w", folder).out
    assert f"it would make assistant-{needs_approval} champion of assistant" in shown
    assert "gate promotion on run" in shown and "better than" in shown and "reports/" in shown
    assert "trained on 38 items" in shown and "가까운 것은?" in shown
    assert f"{2 * 2 * MEASURED} calls" in shown


@pytest.mark.core
def test_after_a_change_of_the_data_there_is_nothing_to_approve(cli, folder, needs_approval) -> None:
    (items,) = (folder / ".driftgate" / "remediations" / needs_approval).glob("items-*.jsonl")
    whole = items.read_bytes()
    items.write_bytes(whole.replace(b'"target": "A"', b'"target": "B"', 1))
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and "have changed since they were made" in refused.err
    items.write_bytes(whole)
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    items.write_bytes(whole + whole)  # what was agreed to is not what is there
    cli("remediation", "run", "-w", folder)
    assert state(folder)[:2] == ("live", "open")
    items.write_bytes(whole)
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "promoted"


@pytest.mark.parametrize(
    ("change_of", "told"),
    [
        (lambda rows: [rows[0] | {"answer": "D"}, *rows[1:]], "dataset 'hold_out': rows 1 changed (hold_out-100)"),
        (lambda rows: rows[1:], "dataset 'hold_out': rows 1 removed (hold_out-100)"),
        (lambda rows: [*rows, rows[0] | {"id": "new", "question": "?"}], "dataset 'hold_out': rows 1 added (new)"),
    ],
)
def test_a_proof_of_other_rows_is_no_proof_of_these(cli, folder, needs_approval, change_of, told) -> None:
    file = folder / "hold_out.jsonl"
    whole = file.read_text(encoding="utf-8")
    changed = change_of([json.loads(line) for line in whole.splitlines()])
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in changed), encoding="utf-8")
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and told in refused.err
    shown = cli("remediation", "show", needs_approval, "-w", folder)
    assert "there is nothing to approve now" in shown.out and told in shown.out
    file.write_text(whole, encoding="utf-8")
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in changed), encoding="utf-8")
    assert cli("remediation", "run", "-w", folder).code == 3
    assert state(folder)[:2] == ("live", "open"), "nor is it promoted on an approval of before"
    assert told in state(folder)[2]


def test_a_proof_that_cannot_be_read_any_more_allows_nothing(cli, folder, needs_approval) -> None:
    (folder / "hold_out.jsonl").unlink()
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and "cannot be made any more" in refused.err


@pytest.mark.core
def test_without_clean_lineage_nothing_is_promoted(cli, folder, needs_approval) -> None:
    from sqlalchemy import delete

    from driftgate.finetune import _tables

    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    with ledger_of(folder) as ledger, ledger.write() as connection:
        connection.execute(delete(_tables.synthetic_items).where(_tables.synthetic_items.c.position == 7))
    cli("remediation", "run", "-w", folder)
    assert state(folder)[:2] == ("live", "open")
    assert "it is not known what item" in state(folder)[2]


def test_rejected_by_a_person_it_ends(cli, folder, needs_approval) -> None:
    assert cli("remediation", "reject", needs_approval, "--reason", " ", "-w", folder).code == 2
    done = cli("remediation", "reject", needs_approval, "--reason", "too terse", "-w", folder)
    assert (done.code, state(folder)[:2]) == (0, ("live", "rejected"))
    assert "too terse" in cli("remediation", "show", needs_approval, "-w", folder).out
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 2
    assert cli("remediation", "abandon", needs_approval, "--reason", "again", "-w", folder).code == 2
    with ledger_of(folder) as ledger:
        assert [row.action for row in audit_of(ledger, action="remediation")] == ["remediation.reject"]


@pytest.mark.acceptance
def test_abandoned_while_it_trains_its_job_is_cancelled(cli, folder) -> None:
    script(folder, "running")
    name = opened(folder)
    running = process(folder)
    until = time.monotonic() + 60
    while not book(folder)["paid"] and time.monotonic() < until:
        time.sleep(0.05)
    done = cli("remediation", "abandon", name, "--reason", "the bill", "-w", folder)
    assert done.code in (0, 3), done.err  # 3: the other process is at it
    running.wait(60)
    assert state(folder)[1] == "abandoned"
    assert book(folder) == {"asked": 1, "paid": 1, "cancelled": 1}
    assert cli("remediation", "abandon", name, "--reason", "again", "-w", folder).code == 2


@pytest.mark.acceptance
def test_one_that_was_submitted_and_not_noted_is_named_when_it_is_abandoned(cli, folder, quick) -> None:
    name = opened(folder)
    assert process(folder, "submit").wait(120) == -signal.SIGKILL
    assert cli("remediation", "abandon", name, "--reason", "the bill", "-w", folder).code == 0
    assert any(f"training job assistant-{name} may be under way" in told for told in messages(folder))


@pytest.mark.core
def test_a_budget_of_calls_is_kept_before_they_are_made(cli, folder, candidate, endpoint) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 4 * MEASURED})
    with ledger_of(folder) as ledger:
        set_spent(ledger, opened(folder), "training", Spent(1))
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert f"the proof takes {4 * MEASURED} calls, and {4 * MEASURED - 1} are left" in state(folder)[2]
    assert not any("submitting training job" in told for told in messages(folder))
    assert (candidate.requests, endpoint.requests) == ([], [])


def test_a_budget_that_no_proof_fits_in_begins_nothing(cli, folder, candidate, endpoint) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 4 * MEASURED - 1})
    opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2 and f"its proof takes {4 * MEASURED} calls" in done.out
    assert not any("submitting training job" in told for told in messages(folder))
    assert (candidate.requests, endpoint.requests) == ([], [])


def test_a_budget_of_money_is_not_kept_by_a_model_without_a_price(cli, folder, candidate) -> None:
    change(folder, ("recipes", "mend", "budget"), {"money": 5})
    opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2 and "cannot be kept" in done.err
    assert candidate.requests == []


@pytest.mark.core
def test_a_budget_of_money_ends_a_proof_that_costs_more(cli, folder, candidate) -> None:
    change(folder, ("models", "live", "prices"), {"input": 1000, "output": 1000})
    change(folder, ("recipes", "mend", "trainer", "prices"), {"input": 1000, "output": 1000})
    change(folder, ("recipes", "mend", "budget"), {"money": 0.5})
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert "the limit of 0.5 on cost is reached" in state(folder)[2]
    assert len(candidate.requests) < 2 * MEASURED


def test_a_budget_of_hours_cancels_the_job(cli, folder) -> None:
    change(folder, ("recipes", "mend", "trainer", "instance_count"), 3600)  # an hour a second
    change(folder, ("recipes", "mend", "budget"), {"gpu_hours": 0.5})
    script(folder, "running")
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert any("the budget of 0.5 hours of training is used up" in told for told in messages(folder))
    assert book(folder) == {"asked": 1, "paid": 1, "cancelled": 1}
    with ledger_of(folder) as ledger:
        assert spent(ledger, name).hours > 0.5


def test_after_one_ended_a_champion_is_left_alone_for_a_while(cli, folder, candidate) -> None:
    candidate.default = wrong  # so that the gate rejects it
    opened(folder)
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "rejected"
    with pytest.raises(NotOpened, match="waits 20 hours"):
        opened(folder)
    with ledger_of(folder) as ledger:
        earlier(ledger, 21 / 24)
    assert opened(folder) == newest(folder)


def test_a_night_goes_on_where_none_is_opened(cli, folder, endpoint, candidate) -> None:
    candidate.default = wrong
    endpoint.default = right
    for _ in range(2):
        assert cli("nightly", "-w", folder).code == 0
    endpoint.default = wrong
    assert cli("nightly", "-w", folder).code == 1
    assert state(folder)[1] == "rejected"
    first = newest(folder)
    done = cli("nightly", "-w", folder)
    assert done.code == 1 and "no repair of 'assistant' is opened" in " ".join(done.out.split())
    assert newest(folder) == first


@pytest.fixture(params=["command", "setting"])
def switch(request: pytest.FixtureRequest, cli, folder: Path) -> Iterator[tuple[str, str]]:
    """How repairs are switched off; the words that say so."""
    if request.param == "setting":
        change(folder, ("repairs",), False)
        yield "setting", "repairs: false"
    else:
        assert cli("remediation", "stop", "--reason", "the bill", "-w", folder).code == 0
        yield "command", "repairs were stopped by"


def test_switched_off_nothing_is_opened_and_nothing_goes_on(cli, folder, switch, candidate) -> None:
    how, words = switch
    with pytest.raises(NotOpened, match=words):
        opened(folder)
    change(folder, ("repairs",), True)
    if how == "command":
        assert cli("remediation", "resume", "-w", folder).code == 0
    opened(folder)
    if how == "command":
        assert cli("remediation", "stop", "--reason", "the bill", "-w", folder).code == 0
    else:
        change(folder, ("repairs",), False)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 4 and "no remediation goes on" in done.out and words in done.out
    assert words in cli("remediation", "list", "-w", folder).out
    assert not book(folder) and state(folder)[1] == "open"
    with ledger_of(folder) as ledger:
        assert champion_of(ledger, "assistant") in (None, "live")
