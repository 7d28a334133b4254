"""A service on the loopback interface, in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Any

from aiohttp import web


class LoopbackApp(ABC):
    """Listens on a free port, keeps what it was asked, and answers with the faults that a test lays out first."""

    path: str
    """What is posted to it."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.faults: list[web.Response] = []
        """Given in place of the next replies, in this order."""
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = ""

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the endpoint did not begin to listen within 10 s")

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @abstractmethod
    def answer(self, body: Any) -> web.Response:
        """The reply to a body."""

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post(self.path, self._take)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._listening.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append({"path": request.path, "query": dict(request.query), "headers": headers, "body": body})
        return self.faults.pop(0) if self.faults else self.answer(body)
