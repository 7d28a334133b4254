"""An Azure AI Search service on the loopback interface, over documents that a test gives it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class SearchEndpoint:
    """Ranks by how many of the query's words a document holds; listens in a thread of its own."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self.documents = documents
        self.requests: list[dict[str, Any]] = []
        self.faults: list[web.Response] = []
        """Given in place of the next results, in this order."""
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

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/indexes/{index}/docs/search", self._search)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._listening.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append({"path": request.path, "query": dict(request.query), "headers": headers, "body": body})
        if self.faults:
            return self.faults.pop(0)
        words = set(body["search"].split())
        scored = sorted(
            ((len(words & set(text.split())), name, text) for name, text in self.documents.items()), reverse=True
        )
        hits = [
            {"@search.score": float(score), "id": name.replace("#", "-"), "doc": name.split("#")[0], "content": text}
            for score, name, text in scored[: body["top"]]
        ]
        wanted = {*body["select"].split(","), "@search.score"}
        return web.json_response({"value": [{k: v for k, v in hit.items() if k in wanted} for hit in hits]})
