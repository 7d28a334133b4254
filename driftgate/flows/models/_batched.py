"""A model whose requests are delivered in batches, as a wrapper that is itself a model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from driftgate.flows.models._batch_service import BatchRequest, BatchService, Prepared
from driftgate.flows.models._batches import Batches
from driftgate.flows.models._errors import Unavailable
from driftgate.flows.models._resilience import Wrapper, given_up
from driftgate.flows.models._sample import asked_as
from driftgate.flows.models._types import Message, Model, Reply, cache_key
from driftgate.flows.models._usage import Usage


class Batchable(Model, Protocol):
    """A model whose requests can be handed in as a file."""

    def batch_service(self) -> BatchService:
        """Where they are handed in."""

    def prepare(self, messages: Sequence[Message]) -> Prepared:
        """A request as it would be made now."""


@dataclass
class _Batched(Wrapper):
    inner: Batchable
    batches: Batches
    attempts: int
    whose: str
    _asked: Counter[str] = field(default_factory=Counter)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        failures, error = 0, ""
        usage: Usage | None = None
        while failures < self.attempts:
            prepared = self.inner.prepare(messages)
            request = BatchRequest(self._request_id(messages), prepared.path, prepared.body)
            try:
                reply = await self.batches.ask(request)
                found = None if reply is None else prepared.read(reply.status, reply.body)
            except Unavailable as problem:
                failures, error, usage = failures + 1, problem.message, usage or problem.usage
                continue
            if found is not None:
                return replace(found, attempts=failures + 1, batched=True)
        raise Unavailable(given_up(self.attempts, error), usage=usage)

    def _request_id(self, messages: Sequence[Message]) -> str:
        """The same in the process that goes on with a run: whose request it is, what it asks and how often before."""
        parts = f"{self.whose}\n{asked_as()}\n{cache_key(self.inner, messages)}"
        base = hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:40]
        self._asked[base] += 1
        return f"{base}-{self._asked[base]}"


def batched(model: Batchable, batches: Batches, attempts: int, whose: str) -> Model:
    """Wrap ``model`` so that its requests are delivered in batches.

    A request that failed in passing, or that its batch left without a reply, is put into another batch.

    Parameters
    ----------
    attempts : int
        How often a request may fail.
    whose : str
        Names who asks, such as a cell of a run: requests of others are not taken for its own.
    """
    return _Batched(model, batches, attempts, whose)
