"""A deployment asked by its name, as a model that a run can ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, ModelMisconfigured, Reply, Unavailable
from driftgate.flows.models.openai import read_completion


@dataclass(frozen=True)
class DeployedModel:
    """A candidate on an endpoint, before any user sees it; see :class:`driftgate.flows.models.Model`."""

    name: str
    identity: Mapping[str, Any]
    parameters: Mapping[str, Any]
    ask: Callable[[Any], Awaitable[Any]]
    """Sends one JSON request to the deployment and returns its JSON reply."""

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Answer ``messages`` with a chat completion of the deployment."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = {"messages": [{"role": m.role, "content": m.content} for m in messages], **self.parameters}
        try:
            answer = await self.ask(body)
        except ModelMisconfigured:
            raise
        except DriftgateError as problem:
            raise Unavailable(problem.message) from problem
        return read_completion(self.name, json.dumps(answer).encode(), loop.time() - began)

    async def aclose(self) -> None:
        """Nothing is held open between requests."""
