"""A remediation goes through its steps once, one remediation at a time."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from remediation_steps import RESULTS, advance, steps

from driftgate.finetune.remediation import (
    STEPS,
    Choice,
    Found,
    Progress,
    Proposed,
    Rejected,
    StepResult,
    asked_for,
    events_of,
    find_remediation,
    open_remediation,
    remediations,
)
from driftgate.finetune.remediation._store import add_event
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger


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
