"""A chat endpoint on the loopback interface that does, question by question, what a test tells it to.

It speaks OpenAI's path and Azure OpenAI's, and hands out Entra ID tokens the way an App Service does, so that the
project's own HTTP client, retries and credentials are what is tested.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from batch_desk import BatchDesk


@dataclass(frozen=True)
class Answer:
    """A well-formed chat completion."""

    text: str | None = "A"
    finish_reason: str = "stop"
    tokens: tuple[int, int] | None = (20, 1)
    """Prompt and completion tokens; None leaves ``usage`` out."""
    fingerprint: str | None = "fp_1"
    top_logprobs: Mapping[str, float] | None = None
    seconds: float = 0.0
    """Time the reply takes."""


@dataclass(frozen=True)
class Status:
    """Any other HTTP reply."""

    code: int
    body: Any = None
    """JSON value, or bytes sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hang:
    """No reply until the client gives up."""


@dataclass(frozen=True)
class Cut:
    """The connection is lost in the middle of the body."""


Step = Answer | Status | Hang | Cut

AZURE_FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
        },
    }
}
"""Azure OpenAI's refusal of a prompt."""
AZURE_FILTERED_INNER = {
    "error": {
        "code": None,
        "message": "The prompt was refused.",
        "innererror": {"code": "ResponsibleAIPolicyViolation"},
    }
}
"""The form in which only the inner error says why."""


def reasoning(body: Mapping[str, Any]) -> Status | None:
    """How the service of a reasoning model refuses what that does not take, in OpenAI's words."""
    for name, only in {"temperature": 1, "top_p": 1}.items():
        if body.get(name, only) != only:
            said = f"Unsupported value: '{name}' does not support {body[name]} with this model."
            return unsupported(said, name, "unsupported_value")
    for name in ("max_tokens", "logprobs"):
        if body.get(name):
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            return unsupported(said, name, "unsupported_parameter")
    return None


def unsupported(message: str, param: str | None, code: str | None) -> Status:
    """HTTP 400 for a parameter."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Status(400, {"error": error})


def limited(seconds: float, header: str = "retry-after-ms") -> Status:
    """HTTP 429 that asks the client to wait."""
    value = f"{seconds * 1000:g}" if header == "retry-after-ms" else f"{seconds:g}"
    return Status(429, {"error": {"code": "429", "message": "Rate limit is exceeded."}}, {header: value})


@dataclass(frozen=True)
class Request:
    """What was received."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float
    """Monotonic time of arrival, seconds."""

    @property
    def prompt(self) -> str:
        """All turns as one text."""
        turns = self.body["messages"] if "messages" in self.body else self.body["input"]
        return "\n".join(str(turn.get("content") or "") for turn in turns)


class ChatEndpoint:
    """The endpoint; it listens from :meth:`start` to :meth:`stop` in a thread of its own."""

    def __init__(self) -> None:
        self.key: str | None = None
        """Refuse requests that do not carry this key, as ``Bearer`` or ``api-key``."""
        self.default: Step | Callable[[str], Step] = Answer()
        """What is done with a prompt that nothing was scripted for."""
        self.refuses: Callable[[Mapping[str, Any]], Step | None] = lambda body: None
        """What is done with a request for what its body holds, before its prompt is looked at."""
        self.listed: Any = None
        """The reply to a request for the list of models; None: there is no list."""
        self.lists_asked = 0
        self.serves = ""
        """The model that replies say they are of; empty: the one that was asked for."""
        self.requests: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.tokens_given = 0
        self._scripts: dict[str, list[Step]] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0
        self.desk = BatchDesk(self)
        """Where requests are handed in by the file."""

    @property
    def url(self) -> str:
        """Root of the endpoint, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> Counter[str]:
        """Requests by prompt."""
        return Counter(request.prompt for request in self.requests)

    def times_asked(self, part: str) -> int:
        """Requests whose prompt holds ``part``."""
        return sum(part in request.prompt for request in self.requests)

    def script(self, part: str, *steps: Step) -> None:
        """Do ``steps`` one after the other with prompts that hold ``part``; the last one goes on for ever."""
        self._scripts[part] = list(steps)

    def forget(self) -> None:
        """Forget scripts and requests."""
        with self._lock:
            self._scripts.clear()
            self.requests.clear()
            self.most_in_flight = self.in_flight

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
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/openai/deployments/{deployment}/chat/completions", self._complete)
        for base in ("/v1", "/openai/v1", "/api/projects/{project}/openai/v1"):
            app.router.add_post(f"{base}/responses", self._complete)
            app.router.add_get(f"{base}/models", self._list)
        for base in ("/openai/v1", "/api/projects/{project}/openai/v1"):
            app.router.add_post(f"{base}/chat/completions", self._complete)
        app.router.add_get("/openai/models", self._list)
        app.router.add_get("/msi/token", self._token)
        self.desk.add_routes(app)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._listening.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def answer(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Status and body of the reply to a request of a batch."""
        received = Request("/v1/batches", {}, {}, body, time.monotonic())
        with self._lock:
            self.requests.append(received)
        step = self.refuses(received.body) or self._next_step(received.prompt)
        if isinstance(step, Status):
            return step.code, step.body
        assert isinstance(step, Answer)
        return 200, _completion(step, self.serves or str(body.get("model")))

    async def _token(self, request: web.Request) -> web.Response:
        self.tokens_given += 1
        expires = str(int(time.time()) + 3600)
        token = {"access_token": f"token-{self.tokens_given}", "expires_on": expires, "token_type": "Bearer"}
        return web.json_response(token | {"resource": request.query["resource"]})

    async def _list(self, request: web.Request) -> web.Response:
        self.lists_asked += 1
        if self.listed is None:
            return web.json_response({"error": {"message": "no such path"}}, status=404)
        return web.json_response(self.listed)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Request(request.path, dict(request.query), headers, await request.json(), time.monotonic())
        with self._lock:
            self.requests.append(received)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.key and self.key not in (headers.get("api-key"), headers.get("authorization", "")[7:]):
                return web.json_response({"error": {"code": "401", "message": "Access denied."}}, status=401)
            step = self.refuses(received.body) or self._next_step(received.prompt)
            return await self._do(step, request, received)
        finally:
            with self._lock:
                self.in_flight -= 1

    def _next_step(self, prompt: str) -> Step:
        for part, steps in self._scripts.items():
            if part in prompt:
                return steps.pop(0) if len(steps) > 1 else steps[0]
        return self.default(prompt) if callable(self.default) else self.default

    async def _do(self, step: Step, request: web.Request, received: Request) -> web.StreamResponse:
        if isinstance(step, Hang):
            await asyncio.Event().wait()
        if isinstance(step, Cut):
            response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "400"})
            await response.prepare(request)
            await response.write(b'{"choices": [{"message": {"content": "A')
            assert request.transport is not None
            request.transport.abort()
            return response
        if isinstance(step, Status):
            raw = step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode()
            return web.Response(status=step.code, body=raw, headers=dict(step.headers))
        assert isinstance(step, Answer)
        await asyncio.sleep(step.seconds)
        reply = _response if request.path.endswith("/responses") else _completion
        return web.json_response(reply(step, self.serves or str(received.body.get("model", "deployed"))))


def responses_only(body: Mapping[str, Any]) -> Status | None:
    """How OpenAI says that a model answers on the Responses API only, and what such a model refuses there."""
    if "messages" in body:
        said = "This model is only supported in v1/responses and not in v1/chat/completions."
        error = {"message": said, "type": "invalid_request_error", "param": "model", "code": None}
        return Status(404, {"error": error})
    return reasoning(body)


def _response(answer: Answer, model: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": answer.text, "annotations": []}
    if answer.top_logprobs is not None:
        top = [{"token": token, "logprob": logprob} for token, logprob in answer.top_logprobs.items()]
        part["logprobs"] = [{**top[0], "top_logprobs": top}]
    cut = answer.finish_reason == "length"
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    body: dict[str, Any] = {"object": "response", "model": model, "output": [message], "error": None}
    body["status"] = "incomplete" if cut else "completed"
    body["incomplete_details"] = {"reason": "max_output_tokens"} if cut else None
    if answer.tokens is not None:
        body["usage"] = dict(zip(("input_tokens", "output_tokens"), answer.tokens, strict=True))
    return body


def _completion(answer: Answer, model: str) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": answer.finish_reason,
        "message": {"role": "assistant", "content": answer.text},
    }
    if answer.top_logprobs is not None:
        top = [{"token": token, "logprob": logprob} for token, logprob in answer.top_logprobs.items()]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    body: dict[str, Any] = {"object": "chat.completion", "model": model, "choices": [choice]}
    if answer.tokens is not None:
        body["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), answer.tokens, strict=True))
    if answer.fingerprint is not None:
        body["system_fingerprint"] = answer.fingerprint
    return body
