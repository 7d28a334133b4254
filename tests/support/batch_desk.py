"""Files and batches of the chat endpoint, as OpenAI's API has them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from chat_endpoint import ChatEndpoint


@dataclass
class BatchDesk:
    """What is handed in as a file is answered, request by request, as the endpoint's scripts say."""

    endpoint: ChatEndpoint
    seconds: float = 0.2
    """How long a batch takes once it is looked at; its requests are answered at its end."""
    lists: bool = True
    """Whether batches can be listed; a service that cannot says 404."""
    open: bool = True
    """Whether it takes any; a service without batches says 404."""
    ends: str = "completed"
    """How the next batches end: ``completed``, ``failed``, ``expired`` or ``cancelled``."""
    lost: int = 0
    """So many requests of the next batch get no reply, the first ones."""
    dies_after_submission: bool = False
    """The next submission is taken, and the connection lost before the reply."""
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    tells: Callable[[dict[str, Any]], Any] = lambda state: state
    """What is made of a batch's state before it is told."""
    paths: set[str] = field(default_factory=set)
    """Where something was handed in."""
    failing: int = 0
    """So many of the next calls are answered with 503."""

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        for root in ("/v1", "/openai/v1"):
            app.router.add_post(f"{root}/files", self._upload)
            app.router.add_get(f"{root}/files/{{file}}/content", self._content)
            app.router.add_post(f"{root}/batches", self._submit)
            app.router.add_get(f"{root}/batches", self._list)
            app.router.add_get(f"{root}/batches/{{batch}}", self._state)

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self.open:
            return web.json_response({"error": {"message": f"no {request.path} here", "code": "not_found"}}, status=404)
        if request.method == "POST":
            self.paths.add(request.path)
        key = self.endpoint.key
        if key and key not in (request.headers.get("api-key"), request.headers.get("authorization", "")[7:]):
            return web.json_response({"error": {"message": "Access denied.", "code": "401"}}, status=401)
        if self.failing:
            self.failing -= 1
            return web.json_response({"error": {"message": "busy", "code": "503"}}, status=503)
        return None

    async def _upload(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        form = await request.post()
        assert form["purpose"] == "batch"
        given = form["file"]
        assert isinstance(given, web.FileField)
        name = f"file-{len(self.files) + 1}"
        self.files[name] = given.file.read()
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def _content(self, request: web.Request) -> web.Response:
        if request.match_info["file"] not in self.files:
            return web.json_response({"error": {"message": "no such file", "code": "not_found"}}, status=404)
        return self._refused(request) or web.Response(body=self.files[request.match_info["file"]])

    async def _submit(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        wanted = await request.json()
        name = f"batch_{len(self.batches) + 1}"
        self.batches[name] = {
            **wanted,
            "id": name,
            "object": "batch",
            "status": "validating",
            "began": time.monotonic(),
        }
        if self.dies_after_submission:
            self.dies_after_submission = False
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return web.json_response({"id": name, "object": "batch", "status": "validating"})

    async def _list(self, request: web.Request) -> web.Response:
        if not self.lists:
            return web.json_response({"error": {"message": "no list here"}}, status=404)
        return self._refused(request) or web.json_response({"object": "list", "data": list(self.batches.values())})

    async def _state(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        found = self.batches[request.match_info["batch"]]
        if found["status"] == "validating" and time.monotonic() - found["began"] >= self.seconds:
            self._end(found)
        return web.json_response(self.tells({**found, "request_counts": {"total": 1, "completed": 0, "failed": 0}}))

    def _end(self, batch: dict[str, Any]) -> None:
        batch["status"] = self.ends
        if self.ends == "failed":
            batch["errors"] = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}]}
            return
        asked = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        unasked = len(asked) if self.ends in ("expired", "cancelled") else self.lost
        self.lost = 0
        out, errors = [], []
        for number, one in enumerate(asked):
            assert (one["method"], one["url"]) == ("POST", batch["endpoint"])
            if number < unasked:
                error = {"code": "batch_expired", "message": "This request could not be executed in time."}
                if self.ends == "expired":
                    errors.append({"custom_id": one["custom_id"], "response": None, "error": error})
                continue
            status, body = self.endpoint.answer(one["body"])
            response = {"status_code": status, "request_id": f"r{number}", "body": body}
            (out if status == 200 else errors).append(
                {"custom_id": one["custom_id"], "response": response, "error": None}
            )
        for name, lines in (("output_file_id", out), ("error_file_id", errors)):
            if lines:
                batch[name] = f"{batch['id']}-{name}"
                written = [json.dumps(line, ensure_ascii=False) for line in lines[::-1]]  # in an order of its own
                self.files[batch[name]] = "\n".join(written).encode()
