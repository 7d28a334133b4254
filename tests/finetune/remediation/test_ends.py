"""A remediation that fails, is too long or is stopped has a stated end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from remediation_steps import advance, asking, earlier, failing, steps

from driftgate.finetune.remediation import (
    Abandoned,
    BudgetConfig,
    Held,
    Progress,
    Spent,
    StepResult,
    Trained,
    abandon,
    approve,
    events_of,
    find_remediation,
    open_remediation,
    resume,
    set_spent,
    spent,
    spent_on,
    stop,
)
from driftgate.finetune.remediation import advance as advance_with
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, audit_of


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
