"""Models that are asked over HTTP: what a service takes is negotiated, and what it refuses is learnt."""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._asking import in_its_words
from driftgate.flows.models._batch_service import BatchService, Prepared
from driftgate.flows.models._capabilities import CAPS, CHAT, EFFORT, Capabilities, listed_efforts
from driftgate.flows.models._errors import ModelMisconfigured, NoLogprobs
from driftgate.flows.models._refusal import ParameterRefused, WireRefused, refusal
from driftgate.flows.models._types import Message, Reply
from driftgate.flows.models._wire import Spoken, Wire
from driftgate.flows.models._wires import wire_form
from driftgate.flows.network import Connections, NetworkRefused, in_force

Headers = Callable[[], Awaitable[Mapping[str, str]]]


FIRST_TOKEN: Mapping[str, Any] = MappingProxyType({"logprobs": True, "top_logprobs": 20})
"""What asks for the first token's log-probabilities: as many as services give, so that no letter is missed."""
_OF_REASONING = frozenset({CHAT, CAPS[0], "temperature"})
"""What the services of models that reason refuse."""
AUTO = "auto"
"""Chat Completions, unless the service says that the model answers on the Responses API only."""


@dataclass(frozen=True)
class Door:
    """Where a service takes requests of one wire form."""

    url: str
    headers: Headers
    """Asynchronously gives the headers that authenticate a request."""
    body: Mapping[str, Any]
    """Sent with every request beside messages and parameters."""


@dataclass(frozen=True)
class _Way:
    """How requests are made by what is known, and what their replies say of it."""

    known: Capabilities
    wire: Wire
    spoken: Spoken
    without: Mapping[str, str]
    """The service's words, by the name of each default of ours that is not sent."""

    def asks_as(self, other: _Way) -> bool:
        """Whether a request would be the same either way."""
        return (self.wire, self.spoken) == (other.wire, other.spoken)


@dataclass
class ChatModel:
    """A model that is asked over HTTP, by Chat Completions or the Responses API.

    A default of ours that the service refuses by name is left out from then on, or sent under the name that the service
    has for it; every reply says so. What the user set may get another name, and is never left out.

    Parameters
    ----------
    name : str
        The model's name in the workspace, for error messages.
    doors : Mapping
        Where it is asked, by wire form.
    batches : Door
        Where files and batches of requests are handed in, below its address.
    target : Mapping
        Who is asked: everything but messages and parameters that determines a reply.
    parameters : Mapping
        Sent with every request, each under its portable name or the service's own.
    ours : frozenset of str
        Names of those parameters that the user did not set.
    scoring : str
        How a choice is read from replies; for ``logprobs`` what asks for them is sent too, and a reply without them
        is an error.
    wire : str
        The wire form that the user states, or :data:`AUTO`.
    """

    name: str
    doors: Mapping[str, Door]
    batches: Door
    target: Mapping[str, Any]
    parameters: Mapping[str, Any]
    ours: frozenset[str]
    scoring: str = "text"
    wire: str = AUTO
    room: int = field(default=0, init=False)
    """See :meth:`make_room`."""
    refusals: int = field(default=0, init=False)
    """Requests by which something was learnt, as the service refused them."""
    _way: _Way = field(init=False)
    _remembered: bool = field(default=False, init=False)
    """What is known was learnt another day, and may have changed since."""
    _connections: Connections = field(default_factory=Connections, init=False)

    def __post_init__(self) -> None:
        if self.scoring == "logprobs":
            self.ours |= FIRST_TOKEN.keys() - self.parameters.keys()
            self.parameters = {**FIRST_TOKEN, **self.parameters}
        self._learn(self._nothing())

    @property
    def capabilities(self) -> Capabilities:
        """What is known of the deployment by now."""
        return self._way.known

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything but the messages that determines a reply, without what the service is known to refuse."""
        way = self._way
        told = {"wire": way.wire.name} if way.wire.name != CHAT and self.wire == AUTO else {}
        return {**self.target, **told, "parameters": dict(way.spoken.body)}

    @property
    def cap(self) -> int | None:
        """Tokens that a reply may have, at most, as requests say it now; None where they do not."""
        return next((self._way.spoken.body[name] for name in CAPS if name in self._way.spoken.body), None)

    def make_room(self, tokens: int) -> None:
        """Raise a limit of ours to so many tokens where the model reasons within it, as what it refuses tells."""
        self.room = tokens
        self._learn(self._way.known)

    def remember(self, known: Capabilities) -> None:
        """Begin with what was learnt another day; where it does not hold any more it is learnt anew."""
        if self.wire in (AUTO, known.wire):
            self._remembered = True
            self._learn(known)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Post the messages and read the reply; see :class:`driftgate.flows.models.Model`."""
        while True:
            way = self._way
            try:
                return self._noted(way, await self._ask(messages, way))
            except (ParameterRefused, WireRefused) as refused:
                self._learn_from(way, refused)

    def _noted(self, way: _Way, reply: Reply) -> Reply:
        """A reply that says what it was asked without; what was taken is known from it."""
        if way.asks_as(self._way) and not self._way.known.taken.issuperset(way.spoken.said):
            self._learn(self._way.known.having_taken(name for name, of in way.spoken.said.items() if of))
        return replace(reply, without=way.without) if way.without else reply

    def _nothing(self) -> Capabilities:
        return Capabilities(wire=CHAT if self.wire == AUTO else self.wire)

    def _learn(self, known: Capabilities) -> None:
        """Make requests from now on by what is known."""
        self._way = self._way_by(known)

    def _way_by(self, known: Capabilities) -> _Way:
        needed = FIRST_TOKEN.keys() if self.scoring == "logprobs" else frozenset()
        set_by_user = (self.parameters.keys() - self.ours) | needed
        wire = wire_form(known.wire)
        kept = {wire.refused(name) for name in set_by_user} - set(CAPS)
        if known.refused.keys() >= set(wire.caps) and set_by_user & set(CAPS):
            kept |= set(wire.caps)  # what the user set is sent, so that the service refuses it again
        spoken = wire.speak(self.parameters, known.refused.keys() - kept)
        sent = set(spoken.said.values())
        cap = next((name for name in CAPS[1:] if spoken.said.get(name) in self.ours), None)
        if cap is not None and self.room and not _OF_REASONING.isdisjoint(known.refused):
            spoken = replace(spoken, body={**spoken.body, cap: max(self.room, spoken.body[cap])})
        without = {name: _words(known, wire, name) for name in self.parameters if name not in sent}
        if known.wire != CHAT and CHAT in known.refused:
            without[CHAT] = known.refused[CHAT]
        return _Way(known, wire, spoken, without)

    def _learn_from(self, way: _Way, refused: ParameterRefused | WireRefused) -> None:
        """Learn from a refusal, unless another request has learnt something meanwhile.

        Raises
        ------
        ModelError
            It is nothing to be learnt from, and what is known was not learnt another day.
        """
        if not way.asks_as(self._way):
            self.refusals += 1
            return
        try:
            if isinstance(refused, ParameterRefused):
                self._leave_out(refused, way)
            else:
                self._change_wire(refused, way)
        except ModelMisconfigured:
            anew = self._way_by(self._nothing())
            if not self._remembered or anew.asks_as(way):
                raise
            self._remembered, self._way = False, anew
        self.refusals += 1

    def _leave_out(self, refused: ParameterRefused, way: _Way) -> None:
        """Leave out what the service refused from now on, or say it by another name.

        Raises
        ------
        ModelMisconfigured
            The user set it, or the service refuses it though it was not sent.
        ParameterRefused
            It is no parameter, but something that this request holds.
        """
        name, known = way.wire.refused(refused.parameter), self._way.known
        if name not in way.spoken.said:
            if name in known.refused:
                raise ModelMisconfigured(
                    f"the service refuses the parameter '{name}' of model '{self.name}' though it is not sent "
                    f"({refused.message})",
                    "check its endpoint and its model or deployment name",
                ) from refused
            raise refused
        written = way.spoken.said[name]
        learnt = known.without(name, refused.message)
        if name == EFFORT and (efforts := listed_efforts(refused.message)):
            learnt = replace(learnt, efforts=efforts)
        if name in CAPS and any(other not in learnt.refused for other in way.wire.caps):
            self._learn(learnt)
            return
        if self.scoring == "logprobs" and name in FIRST_TOKEN:
            self._learn(learnt)
            raise ModelMisconfigured(
                f"the service does not take the parameter '{name}' of model '{self.name}', which scoring: logprobs "
                f"needs ({refused.message})",
                f"set scoring: text, or models.{self.name}.parameters.top_logprobs to a number that the model takes",
            ) from refused
        if written and written not in self.ours:
            self._learn(learnt)
            remedy = f"take it out of models.{self.name}.parameters, or give it a value that the model takes"
            raise ModelMisconfigured(
                f"the service does not take the parameter '{written}' of model '{self.name}' ({refused.message})",
                remedy + (f": {', '.join(learnt.efforts)}" if name == EFFORT and learnt.efforts else ""),
            ) from refused
        self._learn(learnt)

    def _change_wire(self, refused: WireRefused, way: _Way) -> None:
        """Ask in the other wire form from now on.

        Raises
        ------
        WireRefused
            The user stated this one, or the other was refused before.
        """
        if self.wire != AUTO or refused.wire == CHAT:
            raise refused
        self._learn(replace(self._way.known.without(CHAT, refused.words), wire=refused.wire))

    async def _ask(self, messages: Sequence[Message], way: _Way) -> Reply:
        door = self.doors[way.wire.name]
        payload = {**way.wire.messages(messages), **door.body, **way.spoken.body}
        # Hangul as it is, not as six ASCII characters a syllable; a lone surrogate could not be sent at all.
        body = json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        headers = {"Content-Type": "application/json", **await door.headers()}
        began = monotonic()
        with in_its_words(self.name):
            received = await self._connections.ask("POST", door.url, data=body, headers=headers)
        return self._read(way, received.status, received.body, received.headers, monotonic() - began)

    def _read(self, way: _Way, status: int, content: bytes, headers: Mapping[str, str], latency: float) -> Reply:
        if status != 200:
            raise refusal(self.name, self.doors[way.wire.name].url, status, content, headers)
        reply = way.wire.read(self.name, content, latency)
        if self.scoring == "logprobs" and reply.first_token is None:
            raise NoLogprobs(
                f"{self.name}: the reply holds no log-probabilities, which its scoring reads; set scoring: text, or "
                "ask a service that gives them",
                reply.usage,
            )
        return reply

    def batch_service(self) -> BatchService:
        """Where requests are handed in by the file."""
        return BatchService(self.name, self.batches.url, self.batches.headers, self._connections)

    def prepare(self, messages: Sequence[Message]) -> Prepared:
        """A request as it would be made now, for a batch."""
        way = self._way
        body = {**way.wire.messages(messages), **self.batches.body, **way.spoken.body}
        return Prepared(f"/v1/{way.wire.path}", body, partial(self._read_later, way))

    def _read_later(self, way: _Way, status: int, content: bytes) -> Reply | None:
        try:
            reply = self._read(way, status, content, {}, 0.0)
        except (ParameterRefused, WireRefused) as refused:
            self._learn_from(way, refused)
            return None
        return self._noted(way, reply)

    async def aclose(self) -> None:
        """Close the connections; who asks meanwhile, or later, opens others."""
        await self._connections.aclose()


def _words(known: Capabilities, wire: Wire, parameter: str) -> str:
    """What the service said of a parameter that is left out, by whichever of its names."""
    return next((known.refused[name] for name in (wire.refused(parameter), *wire.caps) if name in known.refused), "")


def check_connection(name: str, url: str, timeout: float = 5.0, kind: str = "model") -> str:
    """Open a TCP connection to the host of ``url``, or to the proxy through which it is asked.

    Raises
    ------
    DriftgateError
        Nothing listens there, or the host may not be asked.
    """
    network = in_force()
    try:
        network.check(url)
        proxy = network.proxy_for(url)
    except NetworkRefused as problem:
        raise ModelMisconfigured(f"{kind} '{name}': {problem.message}", problem.remedy) from problem
    parts = urlsplit(proxy or url)
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
            f"{kind} '{name}': nothing answers at {'the proxy ' if proxy else ''}{parts.hostname}:{port} "
            f"({problem.strerror or problem})",
            "correct network.proxy, HTTPS_PROXY or NO_PROXY"
            if proxy
            else f"start the service or correct the {kind}'s endpoint",
            fault="endpoint_down",
        ) from problem
    answers = f"{parts.hostname}:{port} answers"
    return f"the proxy {answers}, through which {urlsplit(url).hostname} is asked" if proxy else answers
