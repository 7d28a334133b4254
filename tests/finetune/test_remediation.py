"""The remediation: one at a time, step by step, cut off anywhere and gone on with."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from driftgate.finetune.remediation import (
    STEPS,
    Held,
    Progress,
    Rejected,
    Step,
    advance,
    approval_of,
    approve,
    asked_for,
    events_of,
    find_remediation,
    open_remediation,
    remediations,
)
from driftgate.finetune.remediation._store import add_event
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


def steps(done: list[str], **special: Step) -> dict[str, Step]:
    """Steps that note their name; some behave otherwise."""

    def plain(name: str) -> Step:
        async def step(progress: Progress) -> Mapping[str, Any]:
            done.append(name)
            return {"by": name, "before": sorted(progress.found)}

        return step

    return {name: special.get(name, plain(name)) for name in STEPS}


async def test_it_goes_through_every_step_and_ends_promoted(ledger: Ledger) -> None:
    done: list[str] = []
    opened, new = open_remediation(ledger, "tickets", "alert", "champion-1", {"recipe": "r"})
    ended = await advance(ledger, opened, steps(done))
    assert new
    assert ended.state == "promoted"
    assert done == list(STEPS)
    finished = [event for event in events_of(ledger, opened.id) if event.status == "finished"]
    assert finished[-1].detail["before"] == sorted(STEPS[:-1])
    assert find_remediation(ledger, opened.id).state == "promoted"


def test_an_alert_storm_opens_one(ledger: Ledger) -> None:
    open_remediation(ledger, "tickets", "warm-up", "c", {})

    def storm(number: int) -> tuple[str, bool]:
        remediation, new = open_remediation(ledger, "tickets", "alert", "c", {"number": number})
        return remediation.id, new

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(storm, range(64)))
    assert len({name for name, _ in found}) == 1
    assert sum(new for _, new in found) == 1
    assert len(remediations(ledger, state="open")) == 2


async def test_after_it_ended_another_may_be_opened(ledger: Ledger) -> None:
    first, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, first, steps([]))
    second, new = open_remediation(ledger, "tickets", "alert", "c", {})
    assert new
    assert second.id != first.id


async def test_a_rejection_ends_it_without_the_later_steps(ledger: Ledger) -> None:
    async def judge(progress: Progress) -> Mapping[str, Any]:
        raise Rejected("the gate says fail")

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    ended = await advance(ledger, opened, steps(done, judge=judge))
    assert ended.state == "rejected"
    assert done == ["synthesise", "train", "evaluate"]
    assert events_of(ledger, opened.id)[-1].message == "the gate says fail"


def asking(what: str) -> Step:
    """A step that wants a person's agreement to ``what``."""

    async def ask(progress: Progress) -> Mapping[str, Any]:
        given = approval_of(progress.ledger, progress.remediation, what)
        if given is None:
            raise Held("waits for a person", awaits=what)
        return {"who": given.who}

    return ask


async def test_it_waits_for_an_approval_and_goes_on(ledger: Ledger) -> None:
    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    assert (await advance(ledger, opened, steps(done, approve=asking("v1")))).state == "open"
    assert approve(ledger, opened, asked_for(ledger, opened), "minsu").who == "minsu"
    assert (await advance(ledger, opened, steps(done, approve=asking("v1")))).state == "promoted"
    assert done == ["synthesise", "train", "evaluate", "judge", "roll_out", "promote"]


async def test_an_approval_is_of_what_was_shown(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, opened, steps([], approve=asking("v1")))
    with pytest.raises(DriftgateError, match="something else"):
        approve(ledger, opened, "v2", "minsu")
    approve(ledger, opened, "v1", "minsu")
    assert (await advance(ledger, opened, steps([], approve=asking("v2")))).state == "open"
    assert asked_for(ledger, opened) == "v2"
    approve(ledger, opened, "v2", "jiwoo")
    assert (await advance(ledger, opened, steps([], approve=asking("v2")))).state == "promoted"


async def test_who_approved_first_stands(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, opened, steps([], approve=asking("v1")))
    first = approve(ledger, opened, "v1", "minsu")
    assert approve(ledger, opened, "v1", "jiwoo") == first
    assert [event.detail["who"] for event in events_of(ledger, opened.id) if event.status == "approved"] == ["minsu"]


async def test_no_approval_counts_before_it_is_asked_for_or_after_the_end(ledger: Ledger) -> None:
    async def broken(progress: Progress) -> Mapping[str, Any]:
        raise DriftgateError("the service does not answer")

    async def elsewhere(progress: Progress) -> Mapping[str, Any]:
        raise Held("the deployment is being created")

    def refused(words: str) -> None:
        with pytest.raises(DriftgateError, match=f"does not wait for an approval: {words}"):
            approve(ledger, opened, "v1", "minsu")

    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    refused("it has not begun")
    with pytest.raises(DriftgateError):
        await advance(ledger, opened, steps([], train=broken))
    refused("its step 'train' is failed: the service does not answer")
    await advance(ledger, opened, steps([], approve=asking("v1")))
    approve(ledger, opened, "v1", "minsu")
    await advance(ledger, opened, steps([], approve=asking("v1"), roll_out=elsewhere))
    refused("its step 'roll_out' is held: the deployment is being created")
    await advance(ledger, opened, steps([]))
    refused("it is promoted")


async def test_it_still_waits_while_another_process_looks_at_it(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, opened, steps([], approve=asking("v1")))
    add_event(ledger, opened.id, "approve", "started", {})  # what a process leaves that dies here
    assert asked_for(ledger, opened) == "v1"


async def test_a_failed_step_is_tried_again_and_earlier_ones_are_not(ledger: Ledger) -> None:
    broken = True

    async def train(progress: Progress) -> Mapping[str, Any]:
        if broken:
            raise DriftgateError("the service does not answer")
        return {"model": "m"}

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    with pytest.raises(DriftgateError, match="does not answer"):
        await advance(ledger, opened, steps(done, train=train))
    broken = False
    assert (await advance(ledger, opened, steps(done, train=train))).state == "promoted"
    assert done.count("synthesise") == 1


CUT_OFF = """
import asyncio, os, signal, sys
from pathlib import Path
from driftgate.ledger import open_ledger
from driftgate.finetune.remediation import STEPS, advance, open_remediation

ledger = open_ledger("ledger.db", Path(sys.argv[1]))
remediation, _ = open_remediation(ledger, "tickets", "alert", "c", {})
deadly, log = sys.argv[2], Path(sys.argv[1]) / "log.txt"

def make(name):
    async def step(progress):
        with log.open("a") as file:
            file.write(f"{name} {progress.notes.get('job', '-')}\\n")
        progress.note({"job": f"job-of-{name}"})
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"by": name}
    return step

print(asyncio.run(advance(ledger, remediation, {name: make(name) for name in STEPS})).state)
"""


@pytest.mark.parametrize("deadly", STEPS)
def test_killed_in_any_step_it_goes_on_from_there(tmp_path: Path, deadly: str) -> None:
    def process(victim: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(CUT_OFF), str(tmp_path), victim]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert process(deadly).returncode == -9
    again = process("none")
    assert again.stdout.strip() == "promoted", again.stderr
    lines = (tmp_path / "log.txt").read_text().split("\n")[:-1]
    expected = [f"{name} -" for name in STEPS]
    place = STEPS.index(deadly)
    # The deadly step runs twice and finds what it noted before it died; every other step runs once.
    assert lines == [*expected[: place + 1], f"{deadly} job-of-{deadly}", *expected[place + 1 :]]
