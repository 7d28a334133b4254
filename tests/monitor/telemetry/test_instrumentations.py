"""Real instrumentations against a loopback endpoint and the receiver: every call once, with what it tells.

Each sender under ``instrumentations/`` is run by an interpreter that has its library: this one, or one of those that
``DRIFTGATE_INSTRUMENTATIONS`` names, separated as ``PATH`` is. With ``-s`` the rows of the table in docs/telemetry.md
are printed.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from chat_endpoint import ChatEndpoint, Status
from fastapi import FastAPI

from driftgate.api.telemetry import intake
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Store, frame, router

SENDERS = Path(__file__).parent / "instrumentations"
SYSTEM = "당신은 시험을 푸는 학생입니다. 글자 하나로 답하세요."
QUESTIONS = [f"다음 중 {n}보다 큰 수는?\nA. {n - 1}\nB. {n + 1}" for n in (3, 17, 29, 41, 53)]
REFUSED = "이 문제는 아무도 모른다."
MODEL, SERVED = "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"
GENAI, KERNEL = "OTEL_INSTRUMENTATION_GENAI", "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"
CALL = ("request_model", "response_model", "finish_reason", "input_tokens", "output_tokens", "output_chars")


@dataclass(frozen=True)
class Library:
    """What is expected of a sender."""

    needs: str
    """What its interpreter can import."""
    dialects: frozenset[str]
    unsent: int = 0
    """Calls of which its library sends no span."""
    twice: int = 0
    """Calls that failed and of which two libraries tell, in spans that nothing joins."""
    untold: tuple[str, ...] = ()
    """What its library does not tell of a call."""
    calls: int = 6
    environment: Mapping[str, str] = field(default_factory=lambda: {f"{GENAI}_CAPTURE_MESSAGE_CONTENT": "true"})
    """What turns its content capture on."""


TRACER = "langchain_azure_ai.callbacks.tracers.inference_tracing"
LIBRARIES: Mapping[str, Library] = {
    "openinference_openai": Library("openinference.instrumentation.openai", frozenset({"openinference"})),
    "openai_v2": Library("opentelemetry.instrumentation.openai_v2", frozenset({"openai_v2"}), unsent=1),
    "openllmetry": Library("opentelemetry.instrumentation.openai", frozenset({"openllmetry"})),
    "azure_ai_inference": Library(
        "azure.ai.inference",
        frozenset({"azure_ai_inference"}),
        calls=4,
        environment={"AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED": "true"},
    ),
    "langchain_azure": Library(
        "langchain_azure_ai.callbacks.tracers.inference_tracing", frozenset({"langchain_azure"})
    ),
    "langchain_and_openllmetry": Library(
        f"{TRACER}, opentelemetry.instrumentation.openai",
        frozenset({"langchain_azure", "openllmetry"}),
        twice=1,
    ),
    "litellm_sdk": Library(
        "litellm, opentelemetry.exporter.otlp.proto.http",
        frozenset({"litellm"}),
        calls=5,
        environment={"OTEL_EXPORTER": "otlp_http", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    ),
    "prompt_flow": Library(
        "promptflow.tracing, openai", frozenset({"prompt_flow"}), calls=4, environment={"PF_DISABLE_TRACING": "false"}
    ),
    "semantic_kernel_chat": Library(
        "semantic_kernel",
        frozenset({"semantic_kernel"}),
        untold=("response_model",),
        calls=4,
        environment={KERNEL: "true", f"{KERNEL}_SENSITIVE": "true"},
    ),
}


def reply(body: Mapping[str, Any]) -> Status:
    """A whole reply of the service, each under an id of its own."""
    if REFUSED in json.dumps(body, ensure_ascii=False):
        return Status(422, {"error": {"message": "nobody knows", "type": "invalid_request_error", "code": "422"}})
    number = abs(hash(json.dumps(body)))
    shared = {"created": 1_772_366_400, "created_at": 1_772_366_400, "model": SERVED}
    text = {"type": "output_text", "text": "B", "annotations": []}
    said = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    if "messages" in body:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "B"}}
        usage = {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21}
        told = {"id": f"chatcmpl-{number}", "object": "chat.completion", "choices": [choice], "usage": usage}
    else:
        usage = {"input_tokens": 20, "output_tokens": 1, "total_tokens": 21}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        told = {"id": f"resp_{number}", "object": "response", "output": [said], "usage": usage, "status": "completed"}
        told |= {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
    return Status(200, {**shared, **told}, {"content-type": "application/json"})


@cache
def interpreter(needs: str) -> str | None:
    """The first interpreter that can import what a sender needs."""
    named = os.environ.get("DRIFTGATE_INSTRUMENTATIONS", "").split(os.pathsep)
    for python in filter(None, [sys.executable, *named]):
        done = subprocess.run([python, "-c", f"import {needs}"], capture_output=True, env=plain(), check=False)
        if done.returncode == 0:
            return python
    return None


def plain() -> dict[str, str]:
    """An environment in which nothing of this one's Python or telemetry settings is left."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OTEL_", "AZURE_", "LITELLM_"))}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "telemetry"
    with Store(folder) as store:
        app = FastAPI()
        app.include_router(router(store, lambda: None, intake(folder)))
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", folder
        server.should_exit = True
        thread.join()


@pytest.mark.acceptance
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LIBRARIES)
def test_every_call_of_a_real_library_is_kept_once(
    name: str, endpoint: ChatEndpoint, receiver: tuple[str, Path]
) -> None:
    library = LIBRARIES[name]
    if (python := interpreter(library.needs)) is None:
        pytest.skip(f"no interpreter can import {library.needs}: name one in DRIFTGATE_INSTRUMENTATIONS")
    address, folder = receiver
    endpoint.refuses = reply
    asked = {"system": SYSTEM, "model": MODEL, "questions": QUESTIONS, "refused": REFUSED}
    command = [python, SENDERS / f"{name}.py", address, endpoint.url, json.dumps(asked)]
    environment = plain() | {"OTEL_ENDPOINT": address} | library.environment
    sent = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500, check=False)
    assert sent.returncode == 0, sent.stderr
    said = json.loads(sent.stdout.splitlines()[-1])
    now = datetime.now(UTC)
    table = frame(folder, now - timedelta(hours=1), now + timedelta(hours=1))
    fine, failed = table[table["error"] == ""], table[table["error"] != ""]
    row = f"| {' and '.join(f'{d} {v}' for d, v in said['versions'].items())} | {said['calls']} | {len(table)} |"
    print(f"\n{row} { ({c: int((fine[c].notna() & (fine[c] != '')).sum()) for c in CALL}) } |")
    assert said["calls"] == library.calls == len(endpoint.requests)
    assert len(table) == library.calls - library.unsent + library.twice
    assert set(table["dialect"]) == library.dialects
    assert len(fine) == library.calls - library.unsent - 1  # each once: every question is asked once
    texts = [tuple(kept) for kept in fine["input_ngrams"]]
    questions = [ngrams(question) for question in QUESTIONS]
    assert len(set(texts)) == len(texts) and set(texts) <= set(questions)
    expected = dict(zip(CALL, (MODEL, SERVED, "stop", 20, 1, 1), strict=True)) | dict.fromkeys(library.untold, "")
    for column, value in expected.items():
        assert set(fine[column]) == {value}, column
    (prompt,) = set(fine["prompt_hash"])
    assert len(prompt) == 16
    assert len(failed) == 1 + library.twice
    assert set(failed["request_model"]) == {MODEL}
    assert any(kept is not None and tuple(kept) == ngrams(REFUSED) for kept in failed["input_ngrams"])
