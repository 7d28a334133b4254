"""A repair that fails, is refused or switched off has a stated end, and stops no other."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from repairs import (
    book,
    change,
    earlier,
    ledger_of,
    messages,
    newest,
    opened,
    process,
    recipe_of,
    right,
    script,
    state,
    wrong,
)

import driftgate
from driftgate.api.repair import NotOpened, begin_repair
from driftgate.finetune.remediation import remediations
from driftgate.ledger import champion_of


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
    change(folder, ("recipes", "second"), {**recipe_of(folder), "champion": "second"})
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
    recipe = recipe_of(folder)
    change(folder, ("recipes",), {"other": recipe})
    for night in range(3):
        assert cli("remediation", "run", "-w", folder).code == (2 if night < 2 else 4)
        with ledger_of(folder) as ledger:
            earlier(ledger, 1.0)
    assert state(folder)[1] == "abandoned"
    assert "follows the recipe 'mend', which is not in the file" in state(folder)[2]


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
