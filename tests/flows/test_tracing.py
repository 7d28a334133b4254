"""Spans of a line, from either engine, in a process of its own: a tracer provider is set once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from chat_endpoint import Answer, ChatEndpoint

LINE = """
import asyncio, json, sys
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.line import Line
from driftgate.flows.models import PROVIDERS, parse_config

spans = InMemorySpanExporter()
if sys.argv[4] == "traced":
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)

async def main(folder, url, name):
    config = parse_config({"provider": "openai", "endpoint": url, "model": "gpt-test"})
    model = PROVIDERS.get("openai").open("m", config, folder)
    engine = ENGINES.get(name)(load_flow("multiple_choice", folder))
    inputs = {"question": "수도는?", "choices": ["부산", "서울"]}
    await engine.run_line(inputs, Line({"": model}, "q1"))
    await model.aclose()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
found = spans.get_finished_spans()
ids = {span.context.span_id: span.name for span in found}
print(json.dumps([
    {"name": s.name, "parent": ids.get(s.parent.span_id) if s.parent else None, "attributes": dict(s.attributes)}
    for s in found
]))
"""


def spans(endpoint: ChatEndpoint, folder: Path, engine: str, *, traced: str = "traced", content: str = "") -> list:
    done = subprocess.run(
        [sys.executable, "-c", LINE, str(folder), f"{endpoint.url}/v1", engine, traced],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_flow_nodes_and_model_calls_have_spans(endpoint: ChatEndpoint, tmp_path: Path, engine: str) -> None:
    endpoint.default = Answer("B", tokens=(20, 1))
    found = spans(endpoint, tmp_path, engine)
    parents = {span["name"]: span["parent"] for span in found}
    flow = "invoke_workflow multiple_choice"
    assert parents == {
        flow: None,
        "execute_tool render": flow,
        "execute_tool ask": flow,
        "chat gpt-test": "execute_tool ask",
        "execute_tool extract": flow,
    }
    (call,) = [span["attributes"] for span in found if span["name"].startswith("chat")]
    assert call["gen_ai.operation.name"] == "chat"
    assert (call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]) == (20, 1)
    assert "수도는" not in json.dumps(found, ensure_ascii=False)


def test_a_call_whose_tokens_nobody_counted_has_no_count(endpoint: ChatEndpoint, tmp_path: Path) -> None:
    endpoint.default = Answer("B", tokens=None)
    (call,) = [s["attributes"] for s in spans(endpoint, tmp_path, "native") if s["name"].startswith("chat")]
    assert not [name for name in call if name.startswith("gen_ai.usage")]


def test_content_is_opt_in(endpoint: ChatEndpoint, tmp_path: Path) -> None:
    endpoint.default = Answer("B")
    (call,) = [s["attributes"] for s in spans(endpoint, tmp_path, "native", content="true") if "chat" in s["name"]]
    assert "수도는?" in call["gen_ai.input.messages"]
    assert json.loads(call["gen_ai.output.messages"])[0]["parts"][0]["content"] == "B"


def test_without_a_provider_there_are_no_spans(endpoint: ChatEndpoint, tmp_path: Path) -> None:
    assert spans(endpoint, tmp_path, "native", traced="no") == []
