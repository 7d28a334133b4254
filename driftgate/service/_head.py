"""HEAD is answered wherever GET is, as load balancers and ``curl -I`` ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_ONLY_ASKED = "driftgate.head"


class HeadAsGet:
    """Middleware that has a HEAD answered by the route of its GET, with the same refusals and headers and no body.

    What a stream would tell after its headers is not waited for.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def without_body(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        asked = {**scope, "method": "GET", _ONLY_ASKED: True}  # the server's own scope says still that no body follows
        try:
            await self._app(asked, receive, without_body)
        finally:
            if "route" in asked:  # by which requests are counted
                scope["route"] = asked["route"]


def only_asked(scope: Message) -> bool:
    """Whether a request is a HEAD, for a route whose GET spends something."""
    return _ONLY_ASKED in scope
