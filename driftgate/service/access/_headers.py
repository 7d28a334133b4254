"""The headers of every reply: what a browser may do with it, and that nobody keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

_ALWAYS = {
    # No script and no style but from files of our own: a text that got past the templates would still do nothing.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: forms would come with `Origin: null`, which says of no page that it is ours.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
_TLS = {"strict-transport-security": "max-age=31536000"}


def safe_headers(tls: bool) -> dict[str, str]:
    """The headers of every reply, by name."""
    return {**_ALWAYS, **(_TLS if tls else {})}


class SafeHeaders:
    """Middleware that adds them, where a reply does not say otherwise by itself.

    Parameters
    ----------
    app : callable
        The ASGI application.
    tls : bool
        Browsers reach it by TLS, and are not to try otherwise.
    """

    def __init__(self, app: App, tls: bool) -> None:
        self._app = app
        self._added = [(name.encode(), value.encode()) for name, value in safe_headers(tls).items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                stated = {name.lower() for name, _ in message.get("headers", ())}
                more = [pair for pair in self._added if pair[0] not in stated]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
