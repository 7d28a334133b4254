"""How much of a request is read, and how many are answered at once."""

from __future__ import annotations

import json
from typing import Any

from driftgate.service.access._headers import App, Message, Receive, Send


class _TooLarge(Exception):
    """More of a request came than may."""


class Bounds:
    """Middleware that answers 413 to a body that is too large, and 503 where too many requests are being answered.

    Parameters
    ----------
    app : callable
        The ASGI application.
    body : int
        Bytes a request may have, but below ``/v1/``, where the receiver of telemetry counts by itself.
    concurrent : int
        Requests that are answered at once.
    """

    def __init__(self, app: App, body: int, concurrent: int) -> None:
        self._app = app
        self._body, self._concurrent = body, concurrent
        self._now = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._now >= self._concurrent:
            await _answer(send, 503, "too many requests are being answered; try again later", retry=True)
            return
        self._now += 1
        try:
            await self._bounded(scope, receive, send)
        finally:
            self._now -= 1

    async def _bounded(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        words = f"the request has more than {self._body} bytes"
        stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if stated.isdigit() and int(stated[:20]) > self._body:
            await _answer(send, 413, words)
            return
        size, started = 0, False

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._body:
                raise _TooLarge
            return message

        async def unless_too_large(message: Message) -> None:
            nonlocal started
            if size <= self._body or started:  # what the application makes of our exception is not what we answer
                started = True
                await send(message)

        try:
            await self._app(scope, counted, unless_too_large)
        except _TooLarge:
            if started:
                raise
        if size > self._body and not started:
            await _answer(send, 413, words)


async def _answer(send: Send, status: int, words: str, *, retry: bool = False) -> None:
    body = json.dumps({"detail": words}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if retry:
        headers.append((b"retry-after", b"1"))
    # Whatever of the request has not come yet is not waited for.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
