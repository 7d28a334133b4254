"""No secret in what the service answers, whichever route, page or error it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from driftgate.flows.scrubbing import scrub_bytes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_EVENTS = b"text/event-stream"
_TEXTS = (b"text/", b"application/json", b"application/xml")


class WithoutSecrets:
    """Middleware that blanks registered secrets in the headers of every reply, and in its body where that is text.

    A body is held until it is whole, since a secret may stand across two parts of it. Server-sent events go out as they
    come: each part of such a body is a whole event.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        told = False
        parts: list[bytes] = []

        async def scrubbed(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                start.update(message)
                told = any(name == b"content-type" and value.startswith(_EVENTS) for name, value in message["headers"])
                if told:
                    await send(
                        {**message, "headers": [(name, scrub_bytes(value)) for name, value in message["headers"]]}
                    )
            elif told:
                await send({**message, "body": scrub_bytes(message.get("body", b""))})
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    body = b"".join(parts)
                    headers = [(name, scrub_bytes(value)) for name, value in start["headers"]]
                    if any(name == b"content-type" and value.startswith(_TEXTS) for name, value in headers):
                        body = scrub_bytes(body)
                        headers = [pair for pair in headers if pair[0] != b"content-length"]
                        headers.append((b"content-length", str(len(body)).encode()))
                    await send({**start, "headers": headers})
                    await send({**message, "body": body})
            else:
                await send(message)

        await self._app(scope, receive, scrubbed)
