"""A remediation waits for a person, and goes on with what they were shown."""

from __future__ import annotations

import pytest
from remediation_steps import advance, asking, steps

from driftgate.finetune.remediation import (
    Held,
    Progress,
    StepResult,
    approve,
    asked_for,
    events_of,
    open_remediation,
    reject,
)
from driftgate.finetune.remediation._store import add_event
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger


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


async def test_a_second_approval_is_refused_and_the_first_stands(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, opened, steps([], approve=asking("v1")))
    approve(ledger, opened, "v1", "minsu")
    for who in ("jiwoo", "minsu"):
        with pytest.raises(DriftgateError, match="does not wait for an approval: minsu gave it at "):
            approve(ledger, opened, "v1", who)
    assert [event.detail["who"] for event in events_of(ledger, opened.id) if event.status == "approved"] == ["minsu"]


async def test_what_was_approved_can_be_rejected_until_it_goes_on(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    await advance(ledger, opened, steps([], approve=asking("v1")))
    approve(ledger, opened, "v1", "minsu")
    reject(ledger, opened, "jiwoo", "not today")
    done: list[str] = []
    assert (await advance(ledger, opened, steps(done, approve=asking("v1")))).state == "rejected"
    assert done == []


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


async def test_a_person_rejects_only_what_waits_for_them(ledger: Ledger) -> None:
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    with pytest.raises(DriftgateError, match="does not wait for an approval"):
        reject(ledger, opened, "minsu", "too slow")
    await advance(ledger, opened, steps([], approve=asking("v1")))
    reject(ledger, opened, "minsu", "too slow")
    with pytest.raises(DriftgateError, match="does not wait for an approval"):
        approve(ledger, opened, "v1", "jiwoo")
    assert (await advance(ledger, opened, steps([], approve=asking("v1")))).state == "rejected"
