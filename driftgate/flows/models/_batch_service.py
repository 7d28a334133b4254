"""The files and batches of a service that takes requests by the file: ``/files`` and ``/batches``.

Sources: OpenAI, API reference, "Files" and "Batch"; Microsoft, Azure OpenAI v1 reference, "Create batch".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.flows.models._asking import in_its_words
from driftgate.flows.models._errors import ModelError, ModelMisconfigured, Unavailable
from driftgate.flows.models._refusal import line, read_words, refusal, safe, well_formed
from driftgate.flows.models._usage import count
from driftgate.flows.network import Connections, Unreadable, beginning, read_json

if TYPE_CHECKING:
    import aiohttp

    from driftgate.flows.models._entra import Headers
    from driftgate.flows.models._types import Reply

WINDOW = "24h"
"""Within which a service answers a batch; no other is offered."""
_LATE = 300.0
"""Seconds for one call; a file holds megabytes."""
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class BatchesRefused(ModelMisconfigured):
    """The service has no batches, or not this one."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request of a batch."""

    id: str
    """By which its reply is told from the others."""
    path: str
    """The operation, such as ``/v1/chat/completions``; one for all requests of a batch."""
    body: Mapping[str, Any]

    def as_line(self) -> bytes:
        """Its line in the batch's file."""
        told = {"custom_id": self.id, "method": "POST", "url": self.path, "body": self.body}
        return json.dumps(told, ensure_ascii=False).encode(errors="replace") + b"\n"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that a model would make."""

    path: str
    body: Mapping[str, Any]
    read: Callable[[int, bytes], Reply | None]
    """What the status and the body of its reply say; None where it is to be made anew, without what was refused. Raises
    :class:`ModelError` where they say that there is no reply."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a batch is, as its service says it."""

    status: str
    files: tuple[str, ...] = ()
    """Those that hold the replies."""
    words: str = ""
    """Why it failed."""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in _ENDED


@dataclass(frozen=True, slots=True)
class BatchReply:
    """What became of one request."""

    status: int
    body: bytes


@dataclass(frozen=True)
class BatchService:
    """Files and batches of a service.

    Parameters
    ----------
    name : str
        The model's name in the workspace, for error messages.
    root : str
        Address under which ``/files`` and ``/batches`` lie.
    headers : callable
        Asynchronously gives the headers that authenticate a request.
    connections : Connections
        Those of the model.
    """

    name: str
    root: str
    headers: Headers
    connections: Connections

    async def upload(self, content: bytes) -> str:
        """Hand in the file of a batch; returns its id.

        Raises
        ------
        ModelError
            The service did not take it.
        """
        import aiohttp

        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        form.add_field("file", content, filename="driftgate.jsonl", content_type="application/jsonl")
        return _id(self.name, await self._json("POST", "files", data=form))

    async def submit(self, file: str, path: str, key: str) -> str:
        """Have the requests of a file answered; returns the batch's id.

        Parameters
        ----------
        key : str
            By which :meth:`find` knows it again.

        Raises
        ------
        ModelError
            The service did not take it.
        """
        wanted = {
            "input_file_id": file,
            "endpoint": path,
            "completion_window": WINDOW,
            "metadata": {"driftgate": key},
        }
        return _id(self.name, await self._json("POST", "batches", json=wanted))

    async def find(self, file: str, key: str) -> str | None:
        """The id of the batch that answers a file, among the newest hundred; None where there is none.

        Raises
        ------
        ModelError
            The service does not list its batches.
        """
        told = await self._json("GET", "batches?limit=100")
        listed = told.get("data")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping):
                metadata = one.get("metadata")
                ours = isinstance(metadata, Mapping) and metadata.get("driftgate") == key
                if ours or one.get("input_file_id") == file:
                    return _id(self.name, one)
        return None

    async def state(self, batch: str) -> BatchState:
        """How far a batch is.

        Raises
        ------
        ModelError
            The service does not say it.
        """
        told = await self._json("GET", f"batches/{batch}")
        files = (told.get(name) for name in ("output_file_id", "error_file_id"))
        errors = told.get("errors")
        return BatchState(
            well_formed(str(told.get("status"))),
            tuple(str(file) for file in files if file),
            _why(errors.get("data")) if isinstance(errors, Mapping) else "",
        )

    async def replies(self, file: str) -> AsyncIterator[tuple[str, BatchReply]]:
        """The replies in a file, each with the id of its request, one line in memory at a time.

        Raises
        ------
        ModelError
            The service does not give the file, or breaks off.
        """
        async with self._call("GET", f"files/{file}/content") as response:
            async for found in _lines(response.content.iter_any(), self.connections.network.most):
                if (reply := _reply(found)) is not None:
                    yield reply

    async def _json(self, method: str, path: str, **sent: Any) -> Mapping[str, Any]:
        async with self._call(method, path, **sent) as response:
            content = await self.connections.whole(response)
        try:
            told = read_json(content)
        except Unreadable:
            told = None
        if not isinstance(told, Mapping):
            raise Unavailable(f"{self.name}: the reply to {method} {path} is no JSON object: {line(_start(content))!r}")
        return told

    @asynccontextmanager
    async def _call(self, method: str, path: str, **sent: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp

        url = f"{self.root}/{path}"
        limit = aiohttp.ClientTimeout(total=_LATE)
        headers = dict(await self.headers())
        try:
            with in_its_words(self.name):
                async with self.connections.open(method, url, headers=headers, timeout=limit, **sent) as response:
                    if response.status in (404, 405):
                        raise BatchesRefused(
                            f"the service of model '{self.name}' has nothing at {method} {safe(url)} "
                            f"(HTTP {response.status}{_said(await beginning(response))})",
                            "take delivery: batch out of the suite, or see that the model's endpoint takes batches",
                        )
                    if response.status not in (200, 201):
                        raise refusal(self.name, url, response.status, await beginning(response), response.headers)
                    yield response
        except TimeoutError as problem:
            raise Unavailable(f"{self.name}: no whole reply within {_LATE:g} s") from problem


async def _lines(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Lines of up to ``most`` bytes: aiohttp's own end at 128 KiB, which a model that thinks aloud may pass.

    Of one that is longer nothing is kept; its request has no reply.
    """
    begun: list[bytes] = []
    size = 0
    async for piece in pieces:
        first, *rest = piece.split(b"\n")
        size += len(first)
        begun = [*begun, first] if size <= most else []
        for following in rest:
            if found := b"".join(begun).strip():
                yield found
            begun, size = [following], len(following)
    if found := b"".join(begun).strip():
        yield found


def _id(name: str, told: Mapping[str, Any]) -> str:
    found = told.get("id")
    if not isinstance(found, str) or not found:
        raise ModelError(f"{name}: the service gave no id to what it was handed", "see that it takes batches")
    return well_formed(found)


def _reply(found: bytes) -> tuple[str, BatchReply] | None:
    """One line of a file of replies; None of what is none, whose request then has no reply."""
    try:
        told = read_json(found)
        request = told["custom_id"]
        response, error = told.get("response"), told.get("error")
        if isinstance(response, Mapping):
            body = json.dumps(response.get("body"), ensure_ascii=False).encode(errors="replace")
            return str(request), BatchReply(count(response.get("status_code")) or 502, body)
        # One that ran out of time, or that the service lost: what concerns the request itself has a response.
        return str(request), BatchReply(503, json.dumps({"error": error}, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _why(errors: Any) -> str:
    said = [read_words(json.dumps({"error": one}).encode()) for one in errors[:3]] if isinstance(errors, list) else []
    return "; ".join(words.message or words.code for words in said)


def _said(content: bytes) -> str:
    words = read_words(content).message
    return f": {words}" if words else ""


def _start(content: bytes) -> str:
    return content[:60].decode(errors="replace")
