"""A model whose requests are delivered in batches, as a wrapper that is itself a model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from driftgate.flows.models._batch_service import BatchReply, BatchRequest, BatchService
from driftgate.flows.models._batches import Batches
from driftgate.flows.models._errors import Unavailable
from driftgate.flows.models._resilience import Wrapper, given_up
from driftgate.flows.models._sample import asked_as
from driftgate.flows.models._types import Message, Model, Reply, cache_key


class Batchable(Model, Protocol):
    """A model whose requests can be handed in as a file."""

    def batch_service(self) -> BatchService:
        """Where they are handed in."""

    def request(self, messages: Sequence[Message]) -> tuple[str, Mapping[str, Any]]:
        """The operation and the body of a request as it would be sent now."""

    def read(self, reply: BatchReply, body: Mapping[str, Any]) -> Reply | None:
        """What a reply to a request of that body says; None where it is to be made anew, without what was refused.

        Raises
        ------
        ModelError
            It says that there is none.
        """


@dataclass
class _Batched(Wrapper):
    inner: Batchable
    batches: Batches
    attempts: int
    whose: str
    _asked: Counter[str] = field(default_factory=Counter)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        failures, error = 0, ""
        while failures < self.attempts:
            path, body = self.inner.request(messages)
            request = BatchRequest(self._request_id(messages), path, body)
            try:
                reply = await self.batches.ask(request)
                found = None if reply is None else self.inner.read(reply, body)
            except Unavailable as problem:
                failures, error = failures + 1, problem.message
                continue
            if found is not None:
                return replace(found, attempts=failures + 1, batched=True)
        raise Unavailable(given_up(self.attempts, error))

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
