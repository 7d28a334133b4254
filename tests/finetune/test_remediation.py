"""The remediation: one at a time, step by step, cut off anywhere and gone on with."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from driftgate.finetune.remediation import (
    STEPS,
    Abandoned,
    Agreement,
    BudgetConfig,
    Busy,
    Choice,
    Found,
    Held,
    Judgement,
    Material,
    Progress,
    Promoted,
    Proposed,
    Proved,
    Rejected,
    Remediation,
    RolledOut,
    Spent,
    StepResult,
    Steps,
    Trained,
    _store,
    abandon,
    approval_of,
    approve,
    asked_for,
    events_of,
    find_remediation,
    open_remediation,
    reject,
    remediations,
    resume,
    set_spent,
    spent,
    spent_on,
    stop,
)
from driftgate.finetune.remediation import advance as advance_with
from driftgate.finetune.remediation._store import add_event
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, audit_of, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def either(location: str, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger on each database."""
    opened = open_ledger(location, tmp_path)
    yield opened
    opened.close()


RESULTS: Mapping[str, StepResult] = {
    "choose": Choice(),
    "synthesise": Material(items="items.jsonl", sha256="0f", count=40),
    "train": Trained(model="m"),
    "evaluate": Proved(run="r"),
    "judge": Judgement(),
    "approve": Agreement(),
    "roll_out": RolledOut(),
    "promote": Promoted(model="m", run="r"),
}
Step = Callable[[Progress], Awaitable[Any]]


def steps(done: list[str], **special: Step) -> Steps:
    """Steps that note their name; some behave otherwise."""

    def plain(name: str) -> Step:
        async def step(progress: Progress) -> StepResult:
            done.append(name)
            return RESULTS[name]

        return step

    return Steps(**{name: special.get(name, plain(name)) for name in STEPS})


async def nothing(progress: Progress) -> None:
    """Nothing is to be taken back."""


async def advance(ledger: Ledger, remediation: Remediation, steps: Steps, budget: BudgetConfig | None = None) -> Any:
    return await advance_with(ledger, remediation, steps, nothing, budget, seconds=0.4)


async def test_it_goes_through_every_step_and_ends_promoted(ledger: Ledger) -> None:
    done: list[str] = []
    opened, new = open_remediation(ledger, "tickets", "alert", "champion-1", {"recipe": "r"})
    ended = await advance(ledger, opened, steps(done))
    assert new
    assert ended.state == "promoted"
    assert done == list(STEPS)
    finished = {event.step: event.detail for event in events_of(ledger, opened.id) if event.status == "finished"}
    assert finished == {name: result.model_dump(mode="json") for name, result in RESULTS.items()}
    assert find_remediation(ledger, opened.id).state == "promoted"


def test_an_alert_storm_opens_one(either: Ledger) -> None:
    open_remediation(either, "other", "warm-up", "c", {})

    def storm(number: int) -> tuple[str, bool]:  # whatever the recipe, it is one champion that is repaired
        remediation, new = open_remediation(either, "tickets", f"recipe {number % 2}", "c", {"number": number})
        return remediation.id, new

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(storm, range(100)))
    assert len({name for name, _ in found}) == 1
    assert sum(new for _, new in found) == 1
    assert len(remediations(either, state="open")) == 2


async def test_after_it_ended_another_may_be_opened(ledger: Ledger) -> None:
    first, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, first, steps([]))
    second, new = open_remediation(ledger, "tickets", "alert", "c", {})
    assert new
    assert second.id != first.id


async def test_a_rejection_ends_it_without_the_later_steps(ledger: Ledger) -> None:
    async def judge(progress: Progress) -> StepResult:
        raise Rejected("the gate says fail")

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    ended = await advance(ledger, opened, steps(done, judge=judge))
    assert ended.state == "rejected"
    assert done == ["choose", "synthesise", "train", "evaluate"]
    assert events_of(ledger, opened.id)[-1].message == "the gate says fail"


async def test_where_another_model_was_chosen_nothing_is_trained(ledger: Ledger) -> None:
    async def choose(progress: Progress) -> StepResult:
        return Choice(run="c1", model="other", proposal="model other", options=[])

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    assert (await advance(ledger, opened, steps(done, choose=choose))).state == "promoted"
    assert done == ["judge", "approve", "roll_out", "promote"]
    found = Found.of(opened.id, events_of(ledger, opened.id))
    assert (found.chosen, found.candidate, found.proof) == ("other", "other", "c1")


async def test_what_only_a_person_can_put_in_place_ends_it_and_is_kept(ledger: Ledger) -> None:
    async def choose(progress: Progress) -> StepResult:
        raise Proposed("prompt terse passes", Choice(run="c1", proposal="prompt terse"))

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    assert (await advance(ledger, opened, steps(done, choose=choose))).state == "proposed"
    assert done == []
    assert Found.of(opened.id, events_of(ledger, opened.id)).get(Choice).proposal == "prompt terse"
    with pytest.raises(DriftgateError, match="it is proposed"):
        asked_for(ledger, opened)
    assert open_remediation(ledger, "tickets", "alert", "c", {})[1]  # another may be opened


async def test_a_history_without_a_choice_goes_on(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    add_event(ledger, opened.id, "synthesise", "started", {})
    add_event(ledger, opened.id, "synthesise", "finished", RESULTS["synthesise"].model_dump(mode="json"))
    done: list[str] = []
    assert (await advance(ledger, opened, steps(done))).state == "promoted"
    assert done == ["train", "evaluate", "judge", "approve", "roll_out", "promote"]


async def test_without_a_choice_there_is_no_such_step(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    done: list[str] = []
    plain = dataclasses.replace(steps(done), choose=None)
    assert (await advance(ledger, opened, plain)).state == "promoted"
    assert done == list(STEPS)[1:]
    assert "choose" not in {event.step for event in events_of(ledger, opened.id)}


def asking(what: str) -> Step:
    """A step that wants a person's agreement to ``what``."""

    async def ask(progress: Progress) -> StepResult:
        given = approval_of(progress.ledger, progress.remediation, what)
        if given is None:
            raise Held("waits for a person", awaits=what)
        return Agreement(who=given.who)

    return ask


async def test_it_waits_for_an_approval_and_goes_on(ledger: Ledger) -> None:
    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    assert (await advance(ledger, opened, steps(done, approve=asking("v1")))).state == "open"
    assert approve(ledger, opened, asked_for(ledger, opened), "minsu").who == "minsu"
    assert (await advance(ledger, opened, steps(done, approve=asking("v1")))).state == "promoted"
    assert done == ["choose", "synthesise", "train", "evaluate", "judge", "roll_out", "promote"]


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
    async def broken(progress: Progress) -> StepResult:
        raise DriftgateError("the service does not answer")

    async def elsewhere(progress: Progress) -> StepResult:
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

    async def train(progress: Progress) -> StepResult:
        if broken:
            raise DriftgateError("the service does not answer")
        return Trained(model="m")

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
from driftgate.finetune.remediation import *
from driftgate.finetune.remediation import advance, open_remediation

ledger = open_ledger("ledger.db", Path(sys.argv[1]))
remediation, _ = open_remediation(ledger, "tickets", "alert", "c", {})
deadly, log = sys.argv[2], Path(sys.argv[1]) / "log.txt"
results = {
    "choose": Choice(), "synthesise": Material(items="i", sha256="0f", count=40), "train": Trained(model="m"),
    "evaluate": Proved(run="r"), "judge": Judgement(),
    "approve": Agreement(), "roll_out": RolledOut(), "promote": Promoted(model="m", run="r"),
}

def make(name):
    async def step(progress):
        with log.open("a") as file:
            file.write(f"{name} {progress.notes.get('job', '-')}\\n")
        progress.note({"job": f"job-of-{name}"})
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return results[name]
    return step

async def nothing(progress):
    pass

steps = Steps(**{name: make(name) for name in STEPS})
print(asyncio.run(advance(ledger, remediation, steps, nothing, seconds=0.4)).state)
"""


@pytest.mark.parametrize("deadly", STEPS)
def test_killed_in_any_step_it_goes_on_from_there(tmp_path: Path, deadly: str) -> None:
    def process(victim: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(CUT_OFF), str(tmp_path), victim]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    died = process(deadly)
    assert died.returncode == -9, died.stderr
    again = process("none")
    assert again.stdout.strip() == "promoted", again.stderr
    lines = (tmp_path / "log.txt").read_text().split("\n")[:-1]
    expected = [f"{name} -" for name in STEPS]
    place = list(STEPS).index(deadly)
    # The deadly step runs twice and finds what it noted before it died; every other step runs once.
    assert lines == [*expected[: place + 1], f"{deadly} job-of-{deadly}", *expected[place + 1 :]]


@pytest.mark.core
async def test_two_processes_at_once_do_a_step_once(either: Ledger, location: str, tmp_path: Path) -> None:
    done: list[str] = []

    async def train(progress: Progress) -> StepResult:
        done.append("train")
        await asyncio.sleep(1.0)  # longer than a lease lasts: it is kept up
        return Trained(model="m")

    opened, _ = open_remediation(either, "tickets", "alert", "c", {})
    other = open_ledger(location, tmp_path)
    found = await asyncio.gather(
        advance(either, opened, steps(done, train=train)),
        advance(other, opened, steps(done, train=train)),
        return_exceptions=True,
    )
    other.close()
    assert sorted(done) == sorted(STEPS)
    assert sorted(type(one).__name__ for one in found) == ["Busy", "Remediation"]
    assert isinstance(next(one for one in found if isinstance(one, Exception)), Busy)


async def test_who_was_stopped_too_long_writes_nothing_any_more(ledger: Ledger, tmp_path: Path) -> None:
    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})

    async def stalls(progress: Progress) -> StepResult:
        progress.hold.kept.end()  # nobody renews it, as where a machine slept
        other = open_ledger("ledger.db", tmp_path)
        await advance(other, opened, steps(done))
        other.close()
        with pytest.raises(DriftgateError):
            progress.note({"handle": "mine"})
        return Trained(model="mine")

    with pytest.raises(DriftgateError, match="holds the lease"):
        await advance(ledger, opened, steps([], train=stalls))
    assert find_remediation(ledger, opened.id).state == "promoted"
    assert not any("mine" in str(event.detail) for event in events_of(ledger, opened.id))


def earlier(ledger: Ledger, days: float) -> None:
    """Let everything that happened have happened earlier."""
    ago = timedelta(days=days)
    with ledger.write() as connection:
        for row in connection.execute(select(_store._events.c.id, _store._events.c.at)).all():
            here = _store._events.c.id == row.id
            connection.execute(update(_store._events).where(here).values(at=row.at - ago))
        opened = _store._remediations.c.opened_at
        for moment in connection.execute(select(opened)).scalars().all():
            connection.execute(update(_store._remediations).values(opened_at=moment - ago))


def failing(words: str) -> Step:
    async def step(progress: Progress) -> StepResult:
        raise DriftgateError(words)

    return step


async def test_what_fails_for_three_nights_is_abandoned_with_the_reason(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    quota = steps([], train=failing("429: the quota of the region is used up"))
    for _ in range(2):
        for _ in range(4):  # hour by hour
            with pytest.raises(DriftgateError, match="quota"):
                await advance(ledger, opened, quota)
        assert find_remediation(ledger, opened.id).state == "open"
        earlier(ledger, 1.0)
    ended = await advance(ledger, opened, quota)
    assert ended.state == "abandoned"
    told = events_of(ledger, opened.id)[-1].message
    assert "step 'train' has failed 9 times since" in told and "quota of the region" in told


async def test_a_step_that_came_to_something_in_between_is_not_given_up(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    once = BudgetConfig(failing_nights=2)

    async def waits(progress: Progress) -> StepResult:
        raise Held("the deployment is being created")

    for step in (failing("503"), waits, failing("503")):
        with suppress(DriftgateError):
            await advance(ledger, opened, steps([], roll_out=step), once)
        earlier(ledger, 1.0)
    assert find_remediation(ledger, opened.id).state == "open"


async def test_a_defect_is_kept_in_the_history(ledger: Ledger) -> None:
    async def broken(progress: Progress) -> StepResult:
        raise KeyError("recipe")

    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    with pytest.raises(KeyError):
        await advance(ledger, opened, steps([], judge=broken))
    assert (events_of(ledger, opened.id)[-1].status, events_of(ledger, opened.id)[-1].message) == (
        "failed",
        "KeyError: 'recipe'",
    )


async def test_it_ends_when_its_days_are_over_also_while_it_waits_for_a_person(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    budget = BudgetConfig(days=2)
    await advance(ledger, opened, steps([], approve=asking("v1")), budget)
    earlier(ledger, 2.1)
    assert (await advance(ledger, opened, steps([], approve=asking("v1")), budget)).state == "abandoned"
    assert "longer than the 2 days" in events_of(ledger, opened.id)[-1].message
    with pytest.raises(DriftgateError, match="it is abandoned"):
        approve(ledger, opened, "v1", "minsu")


async def test_a_step_may_give_up(ledger: Ledger) -> None:
    async def gone(progress: Progress) -> StepResult:
        raise Abandoned("the training job is gone")

    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    assert (await advance(ledger, opened, steps([], train=gone))).state == "abandoned"


async def test_a_person_ends_it_however_far_it_is(either: Ledger) -> None:
    undone: list[str] = []

    async def undo(progress: Progress) -> None:
        undone.append(progress.step)

    opened, _ = open_remediation(either, "tickets", "alert", "c", {})
    with pytest.raises(DriftgateError, match="say why"):
        abandon(either, opened, "minsu", " ")
    with pytest.raises(DriftgateError, match="nobody is named"):
        abandon(either, opened, "", "no longer wanted")
    abandon(either, opened, "minsu", "no longer wanted")
    with pytest.raises(DriftgateError, match="being ended already"):
        abandon(either, opened, "jiwoo", "me too")
    done: list[str] = []
    assert (await advance_with(either, opened, steps(done), undo, seconds=0.4)).state == "abandoned"
    assert (done, undone) == ([], ["synthesise"])
    assert [(row.who, row.action) for row in audit_of(either)] == [("minsu", "remediation.abandon")]
    with pytest.raises(DriftgateError, match="is abandoned already"):
        abandon(either, opened, "minsu", "again")


async def test_a_step_under_way_is_cut_off_when_a_person_ends_it(ledger: Ledger) -> None:
    cut: list[str] = []

    async def train(progress: Progress) -> StepResult:
        abandon(ledger, opened, "minsu", "no longer wanted")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cut.append("train")
            raise
        return Trained(model="m")

    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    ended = await asyncio.wait_for(advance(ledger, opened, steps([], train=train)), 10)
    assert (ended.state, cut) == ("abandoned", ["train"])


async def test_what_cannot_be_taken_back_keeps_it_open(ledger: Ledger) -> None:
    away = True

    async def undo(progress: Progress) -> None:
        if away:
            raise DriftgateError("the endpoint does not answer")

    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    abandon(ledger, opened, "minsu", "no longer wanted")
    with pytest.raises(DriftgateError, match="does not answer"):
        await advance_with(ledger, opened, steps([]), undo, seconds=0.4)
    assert find_remediation(ledger, opened.id).state == "open"
    away = False
    assert (await advance_with(ledger, opened, steps([]), undo, seconds=0.4)).state == "abandoned"


async def test_a_person_rejects_only_what_waits_for_them(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    with pytest.raises(DriftgateError, match="does not wait for an approval"):
        reject(ledger, opened, "minsu", "too slow")
    await advance(ledger, opened, steps([], approve=asking("v1")))
    reject(ledger, opened, "minsu", "too slow")
    with pytest.raises(DriftgateError, match="does not wait for an approval"):
        approve(ledger, opened, "v1", "jiwoo")
    assert (await advance(ledger, opened, steps([], approve=asking("v1")))).state == "rejected"


async def test_the_switch_stops_a_step_under_way_and_all_that_follow(either: Ledger) -> None:
    async def train(progress: Progress) -> StepResult:
        stop(either, "minsu", "the bill")
        await asyncio.sleep(30)
        return Trained(model="m")

    done: list[str] = []
    opened, _ = open_remediation(either, "tickets", "alert", "c", {})
    await asyncio.wait_for(advance(either, opened, steps(done, train=train)), 10)
    for _ in range(3):  # said once
        await advance(either, opened, steps(done))
    assert done == ["choose", "synthesise"]
    told = [event.message for event in events_of(either, opened.id) if event.status == "held"]
    assert told == ["repairs were stopped by minsu: the bill (driftgate remediation resume)"]
    assert resume(either, "minsu") and not resume(either, "minsu")
    assert (await advance(either, opened, steps(done))).state == "promoted"
    assert {row.action for row in audit_of(either)} == {"remediation.stop", "remediation.resume"}


def test_what_was_taken_adds_up_and_what_is_not_known_is_not_free(either: Ledger) -> None:
    assert spent(either, "r1") == Spent(0, 0.0, 0.0)
    set_spent(either, "r1", "synthesis", Spent(30, 1.5))
    set_spent(either, "r1", "training", Spent(hours=0.25))
    set_spent(either, "r1", "training", Spent(hours=0.5))
    assert spent(either, "r1") == Spent(30, 1.5, 0.5)
    set_spent(either, "r1", "proof", Spent(120, None))
    assert spent(either, "r1") == Spent(150, None, 0.5)
    assert spent(either, "r1", beside="proof") == Spent(30, 1.5, 0.5)
    assert spent_on(either, "r1", "proof") == Spent(120, None)
