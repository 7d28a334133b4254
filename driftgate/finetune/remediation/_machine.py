"""Take a remediation from step to step; every step may be cut off at any moment and is begun again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from driftgate.finetune.remediation._store import Event, Remediation, add_event, close, events_of
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger

STEPS = ("synthesise", "train", "evaluate", "judge", "approve", "roll_out", "promote")
"""The way from a regression to a promotion."""


class Held(Exception):
    """A step waits for something outside: an approval, a remote job. It is tried again at the next advance.

    Parameters
    ----------
    message : str
        What it waits for.
    awaits : str, optional
        Where it waits for a person's agreement: the hash of what is to be agreed to. An approval is bound to it.
    """

    def __init__(self, message: str, *, awaits: str = "") -> None:
        super().__init__(message)
        self.awaits = awaits


class Rejected(Exception):
    """The remediation ends here without a promotion; the message says why."""


@dataclass(frozen=True)
class Progress:
    """What a step may know: the remediation, what earlier steps found, and a place for its own notes."""

    ledger: Ledger
    remediation: Remediation
    found: Mapping[str, Mapping[str, Any]]
    """What each finished step found, by its name."""
    notes: Mapping[str, Any]
    """What this step noted before it was cut off: the name of a job it submitted, of a run it began."""
    step: str

    def note(self, detail: Mapping[str, Any], message: str = "") -> None:
        """Keep something durable at once, so that the step finds it again after a kill; the message is for people."""
        add_event(self.ledger, self.remediation.id, self.step, "noted", detail, message)


Step = Callable[[Progress], Awaitable[Mapping[str, Any]]]
"""A step returns what it found, as JSON-serialisable values. It must be able to run twice."""


async def advance(ledger: Ledger, remediation: Remediation, steps: Mapping[str, Step]) -> Remediation:
    """Run the steps that are still to be run, until one is held, one rejects, or the promotion is made.

    Raises
    ------
    DriftgateError
        A step failed; the remediation stays open and the step is tried again at the next advance.
    """
    for name in STEPS:
        events = [event for event in events_of(ledger, remediation.id) if event.status != "failed"]
        if any(event.status == "rejected" for event in events):  # a kill may have come before the state moved
            return _closed(ledger, remediation, "rejected")
        found = {event.step: event.detail for event in events if event.status == "finished"}
        if name in found:
            continue
        progress = Progress(ledger, remediation, found, _notes(events, name), name)
        add_event(ledger, remediation.id, name, "started", {})
        try:
            detail = await steps[name](progress)
        except Held as reason:
            detail = {"awaits": reason.awaits} if reason.awaits else {}
            add_event(ledger, remediation.id, name, "held", detail, str(reason))
            return remediation
        except Rejected as reason:
            add_event(ledger, remediation.id, name, "rejected", {}, str(reason))
            return _closed(ledger, remediation, "rejected")
        except DriftgateError as problem:
            add_event(ledger, remediation.id, name, "failed", {}, str(problem))
            raise
        add_event(ledger, remediation.id, name, "finished", detail)
    return _closed(ledger, remediation, "promoted")


def _notes(events: list[Event], step: str) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    for event in events:
        if event.step == step and event.status == "noted":
            notes |= event.detail
    return notes


def _closed(ledger: Ledger, remediation: Remediation, state: str) -> Remediation:
    close(ledger, remediation.id, state)
    return replace(remediation, state=state)
