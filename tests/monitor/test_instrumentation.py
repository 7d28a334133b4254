"""An application of two lines: its calls arrive in driftgate's own receiver and in Azure Monitor, with what it tags."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from chat_endpoint import ChatEndpoint
from fastapi import FastAPI, HTTPException, Request
from ingestion_endpoint import IngestionEndpoint, properties
from pages import blocks

from driftgate.api.telemetry import intake
from driftgate.monitor.telemetry import Store, frame, router

APPLICATION = """
import sys
import driftgate
stop = driftgate.instrument("support", content=True, attributes={"deployment.environment.name": "test"})

from openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key="k", max_retries=0)

def ask(text):
    client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": text}])

with driftgate.tagged(slice="환불", prompt_version="7"):
    with driftgate.tagged(user="kim@example.kr"):
        ask("환불해 주세요")
    ask("취소해 주세요")
ask("안녕하세요")
stop()
"""
ALREADY = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
theirs = TracerProvider()
trace.set_tracer_provider(theirs)
"""
TOKEN = "a-token-of-the-test-0123"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "telemetry"
    with Store(folder) as store:

        def signed_in(request: Request) -> None:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise HTTPException(401)

        app = FastAPI()
        app.include_router(router(store, signed_in, intake(folder)))
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", folder
        server.should_exit = True
        thread.join()


@pytest.fixture
def ingestion() -> Iterator[IngestionEndpoint]:
    endpoint = IngestionEndpoint()
    endpoint.start()
    yield endpoint
    endpoint.stop()


def _run(program: str, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    prefixes = ("OTEL_", "APPLICATIONINSIGHTS_", "DRIFTGATE_", "AZURE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return subprocess.run(
        [sys.executable, "-c", program, f"{url}/v1"],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("before", ["", ALREADY], ids=["alone", "beside the application's own"])
def test_two_lines_send_the_calls_with_their_tags(
    endpoint: ChatEndpoint, receiver: tuple[str, Path], ingestion: IngestionEndpoint, before: str
) -> None:
    address, folder = receiver
    ran = _run(
        before + APPLICATION,
        endpoint.url,
        DRIFTGATE_ENDPOINT=address,
        DRIFTGATE_TOKEN=TOKEN,
        APPLICATIONINSIGHTS_CONNECTION_STRING=ingestion.connection_string,
        APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL="true",
        APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED="true",
    )
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    now = datetime.now(UTC)
    calls = frame(folder, now - timedelta(hours=1), now + timedelta(hours=1)).sort_values("time")
    assert list(calls["slice"]) == ["환불", "환불", ""]
    assert list(calls["prompt_version"]) == ["7", "7", ""]
    users = list(calls["user"])
    assert users[0] and "kim" not in users[0] and not users[1] and not users[2]
    assert set(calls["request_model"]) == {"gpt-5-mini"} and all(calls["input_ngrams"].map(len) > 0)
    spans = ingestion.of("RemoteDependencyData")
    assert [properties(span).get("driftgate.slice") for span in spans] == ["환불", "환불", None]
    role = None if before else "support"
    assert before or {span["tags"]["ai.cloud.role"] for span in spans} == {role}


def test_what_the_page_shows_runs(receiver: tuple[str, Path], endpoint: ChatEndpoint) -> None:
    shown = [block.text for block in blocks("docs/azure.md") if block.language == "python"]
    assert len(shown) == 2
    ran = _run("".join(shown), endpoint.url, DRIFTGATE_ENDPOINT=receiver[0], DRIFTGATE_TOKEN=TOKEN)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "it is not said where telemetry is sent"),
        ({"DRIFTGATE_ENDPOINT": "http://127.0.0.1:9"}, "DRIFTGATE_TOKEN is not set"),
    ],
)
def test_an_application_is_told_what_is_missing(environment: dict[str, str], said: str) -> None:
    ran = _run(APPLICATION, "http://127.0.0.1:9", **environment)
    assert ran.returncode == 1 and said in ran.stderr
