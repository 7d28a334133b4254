"""The chat-completions wire form that OpenAI-compatible services and Azure OpenAI share."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._errors import (
    ContentFiltered,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    RequestRejected,
    Unavailable,
)
from driftgate.flows.models._types import Message, Reply
from driftgate.flows.models._usage import read_usage

Headers = Callable[[], Awaitable[Mapping[str, str]]]


@dataclass
class ChatModel:
    """A model behind ``POST …/chat/completions``.

    Parameters
    ----------
    name : str
        The model's name in the workspace, for error messages.
    url : str
        Where to post.
    identity : Mapping
        Everything but the messages that determines a reply.
    body : Mapping
        Sent with every request beside the messages.
    headers : callable
        Asynchronously gives the headers that authenticate a request.
    """

    name: str
    url: str
    identity: Mapping[str, Any]
    body: Mapping[str, Any]
    headers: Headers
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Post the messages and read the reply; see :class:`driftgate.flows.models.Model`."""
        session = self._session or self._open()
        payload = {"messages": [{"role": m.role, "content": m.content} for m in messages], **self.body}
        # Hangul as it is, not as six ASCII characters a syllable; a lone surrogate could not be sent at all.
        body = json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        headers = {"Content-Type": "application/json", **await self.headers()}
        began = monotonic()
        try:
            async with session.post(self.url, data=body, headers=headers) as response:
                content = await response.read()
                status, response_headers = response.status, response.headers
        except (aiohttp.ClientError, OSError) as problem:
            raise Unavailable(f"{self.name}: {type(problem).__name__}: {problem or 'connection lost'}") from problem
        if status != 200:
            raise self._error(status, content, response_headers)
        return read_completion(self.name, content, monotonic() - began)

    def _open(self) -> aiohttp.ClientSession:
        # The caller's limit bounds the number of connections; a time-out is the caller's as well.
        self._session = aiohttp.ClientSession(
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

    def _error(self, status: int, content: bytes, headers: Mapping[str, str]) -> ModelError:
        code, message = _error_words(content)
        said = f"{self.name}: HTTP {status}" + (f" {message}" if message else "")
        if code == "content_filter":
            return ContentFiltered(said)
        if status == 429:
            return RateLimited(said, retry_after(headers))
        if status >= 500 or status == 408:
            return Unavailable(said)
        if status in (401, 403):
            return ModelMisconfigured(
                f"the service refused the key of model '{self.name}' (HTTP {status}: {message})",
                "check the environment variable its api_key names, and that the key belongs to this endpoint",
            )
        if status == 404:
            return ModelMisconfigured(
                f"model '{self.name}' is not served at {_safe(self.url)} (HTTP 404: {message})",
                "check its endpoint, its model or deployment name and its api_version",
            )
        return RequestRejected(said)


def read_completion(name: str, content: bytes, latency: float) -> Reply:
    """Read a chat completion as OpenAI-compatible services send it.

    Raises
    ------
    Unavailable
        It is none.
    ContentFiltered
        The service filtered it.
    """
    try:
        body = json.loads(content, parse_int=_whole)
        choice = body["choices"][0]
        text = choice["message"].get("content")
        finish = choice.get("finish_reason") or "stop"
        reply = Reply(
            text=_well_formed(text or ""),
            finish_reason=finish,
            usage=read_usage(body.get("usage"), wrote=bool(text)),
            latency=latency,
            model=_well_formed(body.get("model") or ""),
            fingerprint=_well_formed(body.get("system_fingerprint") or ""),
            first_token=first_token(choice),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        start = content[:60].decode(errors="replace")
        raise Unavailable(f"{name}: the reply is not a chat completion: {start!r}") from problem
    if finish == "content_filter":
        raise ContentFiltered(f"{name}: the completion was filtered", reply.usage)
    return reply


def _whole(digits: str) -> int | float:
    """A number of thousands of digits, which Python refuses to read as a whole one, is as good as infinite."""
    return int(digits) if len(digits) < 100 else float(digits)


def first_token(choice: Mapping[str, Any]) -> dict[str, float] | None:
    """Read the first token's log-probabilities from a chat completion's choice, without those of probability 0."""
    content = (choice.get("logprobs") or {}).get("content") or []
    if not content:
        return None
    given = {_well_formed(entry["token"]): float(entry["logprob"]) for entry in content[0].get("top_logprobs") or []}
    return {token: logprob for token, logprob in given.items() if math.isfinite(logprob)}


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


def _error_words(content: bytes) -> tuple[str, str]:
    """Code and message of an error body, whatever its shape."""
    try:
        error = json.loads(content).get("error") or {}
        inner = error.get("innererror") or {}
        code = "content_filter" if inner.get("code") == "ResponsibleAIPolicyViolation" else str(error.get("code") or "")
        return code, " ".join(_well_formed(str(error.get("message") or "")).split())[:200]
    except (ValueError, AttributeError):
        return "", " ".join(content[:80].decode(errors="replace").split())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a reply asks to wait, where it says so."""
    for header, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[header]) * scale
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def _well_formed(text: str) -> str:
    """The text without lone surrogates: JSON can say them, and neither a file nor a database can hold them."""
    return text.encode(errors="replace").decode()


def _safe(url: str) -> str:
    """The URL without a query or a user's password, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
