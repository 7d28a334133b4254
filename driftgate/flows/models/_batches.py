"""Requests delivered in batches: collected, submitted by the file, waited for, and taken up again after an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar
from uuid import uuid4

from driftgate.flows.deadlines import off_the_clock
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._batch_service import (
    BatchesRefused,
    BatchReply,
    BatchRequest,
    BatchService,
    BatchState,
)
from driftgate.flows.models._errors import ModelMisconfigured, RateLimited, Unavailable
from driftgate.flows.models._patience import Patience

Told = TypeVar("Told")
QUIET = 1.0
"""Seconds without a further request after which those that came are submitted."""
MOST_REQUESTS = 10_000
"""Of one batch; services take 50,000, and a file of at most 200 MB."""
_MOST_BYTES = 150_000_000
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two questions about a batch: a tenth of the time that it has taken, within these."""
_LONGEST_ASKED = 600.0
"""Seconds that a service can have a question about a batch put off."""
_LATEST = timedelta(hours=26)
"""A service ends a batch within a day; one that has not is not waited for any longer."""
_TRIES = 12
"""Questions that a service may leave unanswered one after the other: about nine minutes of them."""
_WITHOUT = {"failed": "was refused by its service", "cancelled": "was cancelled at its service"}
"""Ends that a person has to see to, in words."""


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch as its run remembers it."""

    key: str
    """Driftgate's own name for it, which the service is told."""
    model: str
    path: str
    """The operation that its requests ask for."""
    file: str
    """The service's id of the file of its requests."""
    requests: Sequence[str]
    """Their ids."""
    at: datetime
    """When it was written down, before it was submitted."""
    batch: str = ""
    """The service's id of the batch; empty while it has said none."""


class BatchBook(Protocol):
    """Where a run remembers its batches, so that one that goes on asks nothing twice."""

    async def kept(self, model: str) -> Sequence[KeptBatch]:
        """The batches of a model, the oldest first."""

    async def begin(self, batch: KeptBatch) -> None:
        """Remember a batch before it is submitted."""

    async def submitted(self, batch: KeptBatch) -> None:
        """Remember what the service calls it."""


@dataclass
class Batches:
    """The batches of one model in one run; all cells of the model share them.

    Parameters
    ----------
    service : BatchService
        Where they are handed in.
    book : BatchBook
        What the run remembers of them.
    patience : Patience
        How long a batch is waited for. One that is left is found again by the run that goes on.
    say : callable
        Tells the user.
    """

    service: BatchService
    book: BatchBook
    patience: Patience
    say: Callable[[str], None]
    _new: set[str] = field(default_factory=set)
    """Keys of batches that this process wrote down: nobody else can have submitted them."""
    _of: dict[str, KeptBatch] = field(default_factory=dict)
    """The batch of each request that is in one."""
    _loaded: asyncio.Task[None] | None = None
    _collected: dict[str, BatchRequest] = field(default_factory=dict)
    _last: float = 0.0
    _waiting: dict[str, asyncio.Future[BatchReply | None]] = field(default_factory=dict)
    _untaken: dict[str, BatchReply] = field(default_factory=dict)
    """Replies that nobody has asked for yet: a batch of a process that ended may hold some of another cell."""
    _attended: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _collecting: asyncio.Task[None] | None = None

    async def ask(self, request: BatchRequest) -> BatchReply | None:
        """Have a request answered within a batch: in one that was submitted before, where it is in one.

        Returns
        -------
        BatchReply or None
            None where its batch, submitted before this process began, ended without a reply to it.

        Raises
        ------
        Unavailable
            Its batch ended without a reply to it.
        DriftgateError
            The service takes no batches or refuses this one, or nobody waits for it any longer.
        """
        self._loaded = self._loaded or asyncio.create_task(self._load())
        await asyncio.shield(self._loaded)
        if (reply := self._untaken.pop(request.id, None)) is not None:
            return reply
        answer: asyncio.Future[BatchReply | None] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = answer
        try:
            if (batch := self._of.get(request.id)) is None:
                self._collect(request)
            elif (attended := self._attended.get(batch.key)) is None:
                self._attend(batch)
            elif attended.done():
                return None
            with off_the_clock(), self.patience.wait():
                return await answer
        finally:
            self._waiting.pop(request.id, None)
            self._collected.pop(request.id, None)

    async def aclose(self) -> None:
        """Wait for nothing any longer; batches go on at their service."""
        tasks = [task for task in (self._loaded, self._collecting, *self._attended.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self) -> None:
        self._of = {id_: batch for batch in await self.book.kept(self.service.name) for id_ in batch.requests}

    def _collect(self, request: BatchRequest) -> None:
        self._collected[request.id] = request
        self._last = asyncio.get_running_loop().time()
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._submit_when_quiet())

    async def _submit_when_quiet(self) -> None:
        loop = asyncio.get_running_loop()
        while self._collected:
            while len(self._collected) < MOST_REQUESTS and (left := self._last + QUIET - loop.time()) > 0:
                await asyncio.sleep(left)
            asked = list(self._collected)
            try:
                taken, content = self._take()
                asked = [request.id for request in taken]
                self._attend(await self._write_down(taken, content))
            except Exception as problem:  # whatever it is: who is not told waits for ever
                for request in asked:
                    self._collected.pop(request, None)
                self._answer(asked, problem)

    def _take(self) -> tuple[list[BatchRequest], bytes]:
        """The requests of the next batch, which are all for one operation, and its file."""
        taken: list[BatchRequest] = []
        lines: list[bytes] = []
        size = 0
        for request in list(self._collected.values()):
            if taken and request.path != taken[0].path:
                continue
            written = request.as_line()
            size += len(written)
            if taken and (size > _MOST_BYTES or len(taken) >= MOST_REQUESTS):
                break
            taken.append(self._collected.pop(request.id))
            lines.append(written)
        return taken, b"".join(lines)

    async def _write_down(self, requests: Sequence[BatchRequest], content: bytes) -> KeptBatch:
        """Hand in the file of a batch, and remember the batch before the service is asked to work on it."""
        file = await self._patiently(lambda: self.service.upload(content))
        ids = [request.id for request in requests]
        batch = KeptBatch(uuid4().hex, self.service.name, requests[0].path, file, ids, datetime.now(UTC))
        self._new.add(batch.key)
        await self.book.begin(batch)
        self._of |= dict.fromkeys(ids, batch)
        return batch

    def _attend(self, batch: KeptBatch) -> None:
        self._attended[batch.key] = asyncio.create_task(self._see_through(batch))

    async def _see_through(self, batch: KeptBatch) -> None:
        """Submit a batch unless it was, wait for its end and hand out its replies."""
        earlier = batch.batch
        try:
            if not earlier:
                batch = replace(batch, batch=await self._submitted(batch))
                await self.book.submitted(batch)
            self.say(_told(batch, "is waited for again" if earlier else "was submitted"))
            state = await self._end_of(batch)
            for file in state.files:
                await self._patiently(partial(self._hand_out, file))
            if state.status in _WITHOUT and not earlier:
                raise ModelMisconfigured(
                    f"the batch {batch.batch} of model '{batch.model}' {_WITHOUT[state.status]}"
                    f"{f': {state.words}' if state.words else ''}",
                    "mend what it names, then go on with the run, which asks what was not answered in a new batch",
                )
            self._answer(
                batch.requests, None if earlier else Unavailable(f"the batch {batch.batch} ended without a reply")
            )
        except BatchesRefused as problem:
            if earlier:
                self.say(f"model '{batch.model}': what {batch.batch} was answered is asked anew: {problem.message}")
            self._answer(batch.requests, None if earlier else problem)
        except Exception as problem:  # whatever it is: who is not told waits for ever
            self._answer(batch.requests, problem)

    async def _submitted(self, batch: KeptBatch) -> str:
        """Have a batch worked on; the service's id of it.

        Where the service may have been told already, by a process that died or in a call without a reply, the batch is
        looked for first.
        """
        told = batch.key not in self._new
        for tried in range(_TRIES):
            try:
                if told and (found := await self._listed(batch)):
                    return found
                told = True
                return await self.service.submit(batch.file, batch.path, batch.key)
            except Unavailable as problem:
                last = problem
                await asyncio.sleep(_pause(tried))
        raise _unreachable(batch.model, last)

    async def _listed(self, batch: KeptBatch) -> str | None:
        try:
            return await self.service.find(batch.file, batch.key)
        except BatchesRefused as problem:
            self.say(
                f"model '{batch.model}': whether its batch of {len(batch.requests):,} requests was submitted cannot be "
                f"known, so it is submitted and may be paid for twice: {problem.message}"
            )
            return None

    async def _end_of(self, batch: KeptBatch) -> BatchState:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            state = await self._patiently(partial(self.service.state, batch.batch))
            if state.ended:
                return state
            if datetime.now(UTC) - batch.at > _LATEST:
                raise ModelMisconfigured(
                    f"the batch {batch.batch} of model '{batch.model}' has not ended after "
                    f"{_LATEST.total_seconds() / 3600:g} hours; its service says it is '{state.status}'",
                    "see what became of it at the service, then go on with the run",
                )
            await asyncio.sleep(min(_LONGEST_PAUSE, max(_FIRST_PAUSE, (loop.time() - began) / 10)))

    async def _hand_out(self, file: str) -> None:
        async for request, reply in self.service.replies(file):
            waiting = self._waiting.get(request)
            if waiting is None:
                if request in self._of:  # what nobody handed in nobody will take up
                    self._untaken.setdefault(request, reply)
            elif not waiting.done():
                waiting.set_result(reply)

    def _answer(self, requests: Iterable[str], problem: Exception | None) -> None:
        """Tell those that still wait that there is no reply, or why; a defect stops the run, which can then go on."""
        if problem is not None and not isinstance(problem, DriftgateError):
            told = f"the batches of model '{self.service.name}' went wrong here: {type(problem).__name__}: {problem}"
            problem = ModelMisconfigured(told, "please report it; what was submitted is not asked again by a --resume")
        for request in requests:
            waiting = self._waiting.get(request)
            if waiting is not None and not waiting.done():
                if problem is None:
                    waiting.set_result(None)
                else:
                    waiting.set_exception(problem)

    async def _patiently(self, ask: Callable[[], Awaitable[Told]]) -> Told:
        """Ask the service until it answers.

        Raises
        ------
        ModelError
            It refuses, or leaves the question unanswered again and again.
        """
        for tried in range(_TRIES):
            try:
                return await ask()
            except Unavailable as problem:
                last = problem
                asked = problem.retry_after if isinstance(problem, RateLimited) else None
                await asyncio.sleep(min(asked or _pause(tried), _LONGEST_ASKED))
        raise _unreachable(self.service.name, last)


def _told(batch: KeptBatch, what: str) -> str:
    return (
        f"model '{batch.model}': a batch of {len(batch.requests):,} requests {what} ({batch.batch}); it may take up to "
        "24 hours, and goes on without this process"
    )


def _unreachable(model: str, last: Unavailable) -> ModelMisconfigured:
    return ModelMisconfigured(
        f"the batches of model '{model}' cannot be reached: {last.message}",
        "go on with the run once their service answers: what was submitted is not asked again",
    )


def _pause(tried: int) -> float:
    """Seconds before another try, doubling up to a minute."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**tried)
