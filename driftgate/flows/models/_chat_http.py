"""The chat-completions wire form that OpenAI-compatible services and Azure OpenAI share."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._batch_service import BatchesRefused, BatchReply, BatchService
from driftgate.flows.models._completion import read_completion
from driftgate.flows.models._errors import ModelMisconfigured, NoLogprobs, Unavailable
from driftgate.flows.models._refusal import ParameterRefused, refusal
from driftgate.flows.models._types import Message, Model, Reply

if TYPE_CHECKING:
    import aiohttp

Headers = Callable[[], Awaitable[Mapping[str, str]]]


_RENAMED = {"max_tokens": "max_completion_tokens"}
"""What a parameter is called by services that refuse it under its old name."""
FIRST_TOKEN: Mapping[str, Any] = MappingProxyType({"logprobs": True, "top_logprobs": 20})
"""What asks for the first token's log-probabilities: as many as services give, so that no letter is missed."""


@dataclass
class ChatModel:
    """A model behind ``POST …/chat/completions``.

    A parameter that the user did not set and that the service refuses by name is left out from then on, or sent under
    its new name; every reply says so. One that the user set is never left out.

    Parameters
    ----------
    name : str
        The model's name in the workspace, for error messages.
    url : str
        Where to post.
    target : Mapping
        Who is asked: everything but messages and parameters that determines a reply.
    body : Mapping
        Sent with every request beside messages and parameters.
    parameters : Mapping
        Sent with every request.
    ours : frozenset of str
        Names of those parameters that the user did not set.
    headers : callable
        Asynchronously gives the headers that authenticate a request.
    scoring : str
        How a choice is read from replies; for ``logprobs`` what asks for them is sent too, and a reply without them
        is an error.
    """

    name: str
    url: str
    target: Mapping[str, Any]
    body: Mapping[str, Any]
    parameters: Mapping[str, Any]
    ours: frozenset[str]
    headers: Headers
    scoring: str = "text"
    batches: str = ""
    """Address under which the service takes files and batches; empty where it takes none."""
    _without: Mapping[str, str] = field(default_factory=dict, init=False)
    """What the service said, by the name of each parameter that it refused."""
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.scoring == "logprobs":
            self.ours |= FIRST_TOKEN.keys() - self.parameters.keys()
            self.parameters = {**FIRST_TOKEN, **self.parameters}

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything but the messages that determines a reply, without what the service is known to refuse."""
        return {**self.target, "parameters": dict(self._sent(self._without))}

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Post the messages and read the reply; see :class:`driftgate.flows.models.Model`."""
        while True:
            without = self._without
            sent = self._sent(without)
            try:
                reply = await self._ask(messages, sent)
                return replace(reply, without=without) if without else reply
            except ParameterRefused as refused:
                self._leave_out(refused, sent)

    async def ask_once(self, messages: Sequence[Message]) -> Reply:
        """Post the messages in one request; a parameter that is refused is not left out and asked without.

        Raises
        ------
        ModelMisconfigured
            The service refuses a parameter that the user set.
        ParameterRefused
            It refuses one that the user did not set, which :meth:`complete` would leave out.
        ModelError
            There was no usable reply.
        """
        sent = self._sent({})
        try:
            return await self._ask(messages, sent)
        except ParameterRefused as refused:
            self._leave_out(refused, sent)
            raise

    def _sent(self, without: Mapping[str, str]) -> dict[str, Any]:
        """The parameters without those, under their new names where they have one that was not refused too."""
        sent = {name: value for name, value in self.parameters.items() if name not in without}
        for name in without:
            new = _RENAMED.get(name)
            if new is not None and name in self.parameters and new not in without:
                sent.setdefault(new, self.parameters[name])
        return sent

    def _leave_out(self, refused: ParameterRefused, sent: Mapping[str, Any]) -> None:
        """Leave out what the service refused from now on.

        Raises
        ------
        ModelMisconfigured
            The user set it, or the service refuses it though it was not sent.
        ParameterRefused
            It is no parameter, but something that this request holds.
        """
        name = re.split(r"[.\[]", refused.parameter)[0]
        if name in self._without and name not in sent:
            raise ModelMisconfigured(
                f"the service refuses the parameter '{name}' of model '{self.name}' though it is not sent "
                f"({refused.message})",
                "check its endpoint and its model or deployment name",
            ) from refused
        if name not in sent:
            raise refused
        if self.scoring == "logprobs" and name in FIRST_TOKEN:
            raise ModelMisconfigured(
                f"the service does not take the parameter '{name}' of model '{self.name}', which scoring: logprobs "
                f"needs ({refused.message})",
                f"set scoring: text, or models.{self.name}.parameters.top_logprobs to a number that the model takes",
            ) from refused
        if name not in self.ours and name in self.parameters:
            raise ModelMisconfigured(
                f"the service does not take the parameter '{name}' of model '{self.name}' ({refused.message})",
                f"take it out of models.{self.name}.parameters, or give it a value that the model takes",
            ) from refused
        self._without = {**self._without, name: refused.message}

    def batch_service(self) -> BatchService:
        """Where requests are handed in by the file.

        Raises
        ------
        BatchesRefused
            The model's provider takes none.
        """
        if not self.batches:
            raise BatchesRefused(
                f"model '{self.name}' is served where no batches are taken", "take delivery: batch out of the suite"
            )
        return BatchService(self.name, self.batches, self.headers, self._session_open)

    def request(self, messages: Sequence[Message]) -> tuple[str, Mapping[str, Any]]:
        """The operation and the body of a request as it would be sent now; see :class:`Batchable`."""
        return "/v1/chat/completions", self._body(messages, self._sent(self._without))

    def read(self, reply: BatchReply, body: Mapping[str, Any]) -> Reply | None:
        """What a reply of a batch says; see :class:`Batchable`."""
        try:
            found = self._read(reply.status, reply.body, {}, 0.0)
        except ParameterRefused as refused:
            self._leave_out(refused, body)
            return None
        return replace(found, without=self._without) if self._without else found

    def _body(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> dict[str, Any]:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        return {"messages": turns, **self.body, **parameters}

    async def _ask(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        import aiohttp

        # Hangul as it is, not as six ASCII characters a syllable; a lone surrogate could not be sent at all.
        body = json.dumps(self._body(messages, parameters), ensure_ascii=False).encode(errors="replace")
        headers = {"Content-Type": "application/json", **await self.headers()}
        began = monotonic()
        session = self._session_open()
        try:
            async with session.post(self.url, data=body, headers=headers, allow_redirects=False) as response:
                content = await response.read()
                status, response_headers = response.status, response.headers
        except (aiohttp.ClientError, OSError) as problem:
            raise Unavailable(f"{self.name}: {type(problem).__name__}: {problem or 'connection lost'}") from problem
        return self._read(status, content, response_headers, monotonic() - began)

    def _read(self, status: int, content: bytes, headers: Mapping[str, str], latency: float) -> Reply:
        if status != 200:
            raise refusal(self.name, self.url, status, content, headers)
        reply = read_completion(self.name, content, latency)
        if self.scoring == "logprobs" and reply.first_token is None:
            raise NoLogprobs(
                f"{self.name}: the reply holds no log-probabilities, which its scoring reads; set scoring: text, or "
                "ask a service that gives them",
                reply.usage,
            )
        return reply

    def _session_open(self) -> aiohttp.ClientSession:
        import aiohttp

        # The caller's limit bounds the number of connections; a time-out is the caller's as well.
        self._session = self._session or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def ask_once(model: Model, messages: Sequence[Message]) -> Reply:
    """Ask a chat model in one request; see :meth:`ChatModel.ask_once`."""
    assert isinstance(model, ChatModel)
    return await model.ask_once(messages)


def check_connection(name: str, url: str, timeout: float = 5.0, kind: str = "model") -> str:
    """Open a TCP connection to the host of ``url``.

    Raises
    ------
    DriftgateError
        Nothing listens there.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout).close()
    except ValueError as problem:  # of a port that is none, or a name that cannot be a host's
        raise DriftgateError(
            f"{kind} '{name}': {parts.netloc.rpartition('@')[2]} is not an address ({problem})",
            f"correct the {kind}'s endpoint",
        ) from problem
    except OSError as problem:
        raise DriftgateError(
            f"{kind} '{name}': nothing answers at {parts.hostname}:{port} ({problem.strerror or problem})",
            f"start the service or correct the {kind}'s endpoint",
        ) from problem
    return f"{parts.hostname}:{port} answers"
