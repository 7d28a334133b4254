"""An OpenAI-compatible endpoint for embeddings on the loopback interface, with meanings that a test gives it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class EmbeddingsEndpoint:
    """A text's vector has a 1 for every meaning one of whose words stands in it; it listens in a thread of its own."""

    def __init__(self, meanings: Mapping[str, tuple[str, ...]]) -> None:
        self.meanings = meanings
        self.requests: list[dict[str, Any]] = []
        self.faults: list[web.Response] = []
        """Given in place of the next replies, in this order."""
        self.usage = True
        """Whether tokens are counted, each word for one."""
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

    def vector(self, text: str) -> list[float]:
        """Of a text; the last component is the same for all, so that none is without a direction."""
        return [float(any(word in text for word in words)) for words in self.meanings.values()] + [0.5]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/v1/embeddings", self._embed)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._listening.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append({"headers": headers, "body": body})
        if self.faults:
            return self.faults.pop(0)
        data = [{"index": place, "embedding": self.vector(text)} for place, text in enumerate(body["input"])]
        tokens = sum(len(text.split()) for text in body["input"])
        used = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if self.usage else {}
        return web.json_response({"object": "list", "model": body["model"], "data": data[::-1], **used})
