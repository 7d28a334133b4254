"""Take a remediation from step to step; every step may be cut off at any moment and is begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from driftgate.finetune.remediation._budget import BudgetConfig
from driftgate.finetune.remediation._hold import Hold, hold
from driftgate.finetune.remediation._results import (
    LEFT_OUT,
    STEPS,
    Agreement,
    Choice,
    Found,
    Judgement,
    Material,
    Promoted,
    Proved,
    RolledOut,
    StepResult,
    Trained,
)
from driftgate.finetune.remediation._store import (
    Event,
    Remediation,
    State,
    Status,
    ending,
    events_of,
    find_remediation,
)
from driftgate.finetune.remediation._switch import stopped
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, Ledger

_LOOK_SECONDS = 1.0
"""Between two looks whether a step is to be cut off."""
_STATES: Mapping[str, State] = {"rejected": "rejected", "abandoned": "abandoned", "proposed": "proposed"}
"""What a remediation is when it has ended, by what ended it."""
_EARLY = timedelta(hours=2)
"""A night may begin so much earlier than the one before."""
_Note = TypeVar("_Note", bound=BaseModel)


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
    """The candidate is not good enough; the remediation ends here without a promotion, and the message says why."""


class Abandoned(Exception):
    """The remediation cannot be carried out and ends here; the message says why."""


class Proposed(Exception):
    """Something is better that only a person can put in place; the remediation ends here, and the message says what.

    Parameters
    ----------
    message : str
        What is proposed, and how it is put in place.
    found : StepResult
        What the step found, which is kept.
    """

    def __init__(self, message: str, found: StepResult) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True)
class Progress:
    """What a step may know: the remediation, what earlier steps found, and a place for its own notes."""

    ledger: Ledger
    remediation: Remediation
    found: Found
    """What each finished step found."""
    notes: Mapping[str, Any]
    """What this step noted before it was cut off, merged."""
    step: str
    hold: Hold

    def note(self, detail: Mapping[str, Any] | BaseModel, message: str = "") -> None:
        """Keep something durable at once, so that the step finds it again after a kill; the message is for people.

        Raises
        ------
        Deposed
            Another process does this step by now.
        """
        plain = detail.model_dump(mode="json") if isinstance(detail, BaseModel) else detail
        self.hold.write(self.step, "noted", plain, message)

    def noted(self, kind: type[_Note]) -> _Note:
        """What this step noted, as a value; every field of its type has a default, for what was not noted."""
        return kind.model_validate({name: self.notes[name] for name in kind.model_fields if name in self.notes})

    def of(self, step: str) -> Progress:
        """The same for another step."""
        return Progress(
            self.ledger,
            self.remediation,
            self.found,
            _notes(events_of(self.ledger, self.remediation.id), step),
            step,
            self.hold,
        )


_Found = TypeVar("_Found", bound=StepResult, covariant=True)


@dataclass(frozen=True)
class Steps:
    """What each step does. It must be able to run twice, since it may be cut off before what it found is kept."""

    synthesise: Callable[[Progress], Awaitable[Material]]
    train: Callable[[Progress], Awaitable[Trained]]
    evaluate: Callable[[Progress], Awaitable[Proved]]
    judge: Callable[[Progress], Awaitable[Judgement]]
    approve: Callable[[Progress], Awaitable[Agreement]]
    roll_out: Callable[[Progress], Awaitable[RolledOut]]
    promote: Callable[[Progress], Awaitable[Promoted]]
    choose: Callable[[Progress], Awaitable[Choice]] | None = None
    """None: there is nothing to choose from."""

    def of(self, name: str) -> Callable[[Progress], Awaitable[StepResult]]:
        """What a step does, by its name."""
        step: Callable[[Progress], Awaitable[StepResult]] = getattr(self, name)
        return step


Undo = Callable[[Progress], Awaitable[None]]
"""Takes back what the steps did outside, where the remediation ends without a promotion; it may run twice."""


class _CutOff(Exception):
    """A step is not to go on; the message says why."""


async def advance(
    ledger: Ledger,
    remediation: Remediation,
    steps: Steps,
    undo: Undo,
    budget: BudgetConfig | None = None,
    *,
    seconds: float | None = None,
) -> Remediation:
    """Run the steps that are still to be run, until one is held, one rejects, or the promotion is made.

    One process at a time does so; of whom was stopped for long, nothing is written any more.

    Parameters
    ----------
    budget : BudgetConfig, optional
        How many days it may take, and for how many nights a step may fail.
    seconds : float
        How long a process that was killed keeps others from it; by default 6.

    Raises
    ------
    Busy
        Another process takes it further.
    Deposed
        Another process took it over meanwhile.
    DriftgateError
        A step failed; the remediation stays open and the step is tried again at the next advance.
    """
    async with hold(ledger, remediation.id, seconds) as held:
        now = find_remediation(ledger, remediation.id)
        return now if now.state != "open" else await _Run(held, now, undo, steps, budget or BudgetConfig()).run()


async def settle(ledger: Ledger, remediation: Remediation, undo: Undo, *, seconds: float | None = None) -> Remediation:
    """Carry out the end that somebody gave a remediation; nothing is done where nobody did.

    Raises
    ------
    Busy
        Another process takes it further, and carries it out.
    DriftgateError
        What it did outside could not be taken back; that is tried again at the next advance.
    """
    async with hold(ledger, remediation.id, seconds) as held:
        now = find_remediation(ledger, remediation.id)
        end = ending(events_of(ledger, now.id))
        return now if now.state != "open" or end is None else await _Ending(held, now, undo).end(end)


@dataclass(frozen=True)
class _Ending:
    hold: Hold
    remediation: Remediation
    undo: Undo

    @property
    def ledger(self) -> Ledger:
        return self.hold.ledger

    def events(self) -> list[Event]:
        return events_of(self.ledger, self.remediation.id)

    def progress(self, step: str, events: Sequence[Event]) -> Progress:
        found = Found.of(self.remediation.id, events)
        return Progress(self.ledger, self.remediation, found, _notes(events, step), step, self.hold)

    async def end(self, end: Event) -> Remediation:
        """Take back what was done outside, then end it: what could not be taken back keeps it open."""
        try:
            await self.undo(self.progress(end.step, self.events()))
        except DriftgateError as problem:
            self.hold.write(end.step, "failed", {}, f"it is to end and cannot yet: {problem}")
            raise
        self.hold.close(_STATES[end.status])
        return find_remediation(self.ledger, self.remediation.id)


@dataclass(frozen=True)
class _Run(_Ending):
    steps: Steps
    budget: BudgetConfig

    async def run(self) -> Remediation:
        for name in STEPS:
            events = self.events()
            if (end := ending(events)) is not None:  # a kill may have come before the state moved
                return await self.end(end)
            if name in Found.of(self.remediation.id, events).details or self._left_out(name, events):
                continue
            if (why := self._too_late()) is not None:
                return await self._end_with(name, "abandoned", why)
            if (off := stopped(self.ledger)) is not None:
                self._hold_once(name, off.told)
                return self.remediation
            if (ended := await self._step(name, events)) is not None:
                return ended
        self.hold.close("promoted")
        return find_remediation(self.ledger, self.remediation.id)

    async def _step(self, name: str, events: Sequence[Event]) -> Remediation | None:
        """Do a step; None where it is finished and the next one may begin."""
        progress = self.progress(name, events)
        self.hold.write(name, "started", {})
        try:
            found = await self._watched(self.steps.of(name)(progress))
        except _CutOff as reason:
            if self.hold.kept.lost.is_set():
                raise Deposed(f"another process took remediation {self.remediation.id} over") from None
            if (end := ending(self.events())) is not None:
                return await self.end(end)
            self._hold_once(name, str(reason))
            return self.remediation
        except Held as reason:
            self.hold.write(name, "held", {"awaits": reason.awaits} if reason.awaits else {}, str(reason))
            return self.remediation
        except Rejected as reason:
            return await self._end_with(name, "rejected", str(reason))
        except Abandoned as reason:
            return await self._end_with(name, "abandoned", str(reason))
        except Proposed as reason:
            return await self._end_with(name, "proposed", str(reason), reason.found)
        except Deposed:
            raise
        except Exception as problem:  # also a defect: it is seen in the history, and is no reason to try for ever
            told = str(problem) if isinstance(problem, DriftgateError) else f"{type(problem).__name__}: {problem}"
            self.hold.write(name, "failed", {}, told)
            if (why := self._given_up(name)) is not None:
                return await self._end_with(name, "abandoned", f"{why}; the last time: {told}")
            raise
        told = found.told if isinstance(found, Choice) else ""
        self.hold.write(name, "finished", found.model_dump(mode="json"), told)
        return None

    def _left_out(self, name: str, events: Sequence[Event]) -> bool:
        """Whether a step is not to be done: where nothing is to be chosen, or another model was."""
        if name == "choose":  # also of one that an older driftgate opened, and took further without it
            return self.steps.choose is None or any(event.status == "finished" for event in events)
        return name in LEFT_OUT and bool(Found.of(self.remediation.id, events).chosen)

    async def _watched(self, step: Awaitable[StepResult]) -> StepResult:
        """Run a step to its end, or cut it off where it is not to go on.

        Raises
        ------
        _CutOff
            It was cut off.
        """
        work = asyncio.ensure_future(step)
        looking = asyncio.ensure_future(self._why_not())
        try:
            await asyncio.wait({work, looking}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            work.cancel()
            await asyncio.wait({work})
            if not work.cancelled() and work.exception() is None:
                return work.result()
            raise _CutOff(looking.result())
        finally:
            work.cancel()
            looking.cancel()
            await asyncio.wait({work, looking})

    async def _why_not(self) -> str:
        """Wait until a step is to be cut off, and say why."""
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self.hold.lease.seconds / 4))
            if self.hold.kept.lost.is_set():
                return "another process took it over"
            try:
                if ending(await asyncio.to_thread(self.events)) is not None:
                    return "it was ended"
                if (off := await asyncio.to_thread(stopped, self.ledger)) is not None:
                    return off.told
            except DriftgateError:  # the database is away for a moment; where it stays away, the lease is lost
                continue

    def _too_late(self) -> str | None:
        taken = datetime.now(UTC) - self.remediation.opened_at
        if taken <= timedelta(days=self.budget.days):
            return None
        return f"it has taken longer than the {self.budget.days:g} days of its budget"

    def _given_up(self, step: str) -> str | None:
        """Why a step that failed is not to be tried again; None where it is."""
        failures: list[Event] = []
        for event in reversed(self.events()):
            if event.step != step or event.status == "held":  # it came to something in between
                break
            if event.status == "failed":
                failures.append(event)
        nights = self.budget.failing_nights
        since = failures[-1].at
        if len(failures) < nights or datetime.now(UTC) - since < timedelta(days=nights - 1) - _EARLY:
            return None
        return f"step '{step}' has failed {len(failures)} times since {since:%Y-%m-%d %H:%M} UTC"

    def _hold_once(self, step: str, message: str) -> None:
        last = next(reversed(self.events()), None)
        if last is None or (last.status, last.message) != ("held", message):
            self.hold.write(step, "held", {}, message)

    async def _end_with(self, step: str, status: Status, message: str, found: StepResult | None = None) -> Remediation:
        self.hold.write(step, status, found.model_dump(mode="json") if found is not None else {}, message)
        end = ending(self.events())
        assert end is not None
        return await self.end(end)


def _notes(events: Sequence[Event], step: str) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    for event in events:
        if event.step == step and event.status == "noted":
            notes |= event.detail
    return notes
