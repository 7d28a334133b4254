"""Prompties: which model or service is asked, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status

from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, LineResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line
from driftgate.flows.models import Model
from driftgate.flows.prompts import prompt_of

PROMPTY = """---
model:
  api: {api}
  configuration: {configuration}
  parameters: {{temperature: 0.5, response_format: {{type: json_object}}}}
inputs: {{question: {{type: string}}}}
---
system:
짧게.
user:
{{{{question}}}}
"""
INLINE = "{type: openai, model: gpt-of-the-file}"
OPENAI = "{type: openai, model: gpt-of-the-file, connection: service}"


@pytest.fixture
def ran(
    tmp_path: Path,
    endpoint: ChatEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> Callable[..., Any]:
    """``await ran(configuration)``: one line's result, and the line."""
    monkeypatch.setenv("SERVICE_KEY", "k-service")
    endpoint.script("수도", Answer('{"city": "서울"}'))

    async def run(configuration: str, connections: Mapping[str, Any], also: str = "") -> tuple[LineResult, Line]:
        text = PROMPTY.format(api="chat", configuration=configuration)
        (tmp_path / "asks.prompty").write_text(text, encoding="utf-8")
        given = {name: ConnectionConfig.model_validate(one) for name, one in connections.items()}
        engine = ENGINES.get("native")(load_flow("asks.prompty", tmp_path, given))
        model = open_model(model_config("openai"))
        line = Line({"": model} | ({also: open_model(model_config("openai", model="another"))} if also else {}))
        try:
            return await engine.run_line({"question": "수도는?"}, line), line
        finally:
            for one in line.models.values():
                await one.aclose()

    return run


async def test_the_model_that_is_benchmarked_is_asked_in_the_workspace_s_way(
    ran: Callable[..., Any], endpoint: ChatEndpoint
) -> None:
    result, line = await ran(INLINE, {})
    assert (result.error, result.output) == ("", {"city": "서울"})
    (request,) = endpoint.requests
    assert (request.body["model"], request.body["temperature"]) == ("gpt-test", 0)
    assert "response_format" not in request.body
    assert len(line.calls) == 1


async def test_a_model_of_the_workspace_that_the_file_names_is_asked(
    ran: Callable[..., Any], endpoint: ChatEndpoint
) -> None:
    result, _ = await ran(INLINE, {}, also="gpt-of-the-file")
    assert result.output == {"city": "서울"}
    assert [request.body["model"] for request in endpoint.requests] == ["another"]


@pytest.mark.parametrize("named", ["service", "${env:NAMED}"])
async def test_a_connection_that_the_workspace_does_not_define_is_refused(
    ran: Callable[..., Any], endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("NAMED", "service")
    known = {"type": "open_ai", "configs": {"base_url": f"{endpoint.url}/v1"}}
    with pytest.raises(DriftgateError, match=r"names the connection 'service'.*did you mean 'servce'"):
        await ran(OPENAI.replace("service", f'"{named}"'), {"servce": known})
    assert not endpoint.requests


@pytest.mark.parametrize("kind", ["open_ai", "azure_open_ai"])
async def test_a_connection_of_the_workspace_that_the_file_names_is_used(
    ran: Callable[..., Any], endpoint: ChatEndpoint, kind: str
) -> None:
    configs = {"base_url": f"{endpoint.url}/v1"}
    configuration = OPENAI
    if kind == "azure_open_ai":
        configs = {"api_base": endpoint.url, "api_version": "2024-10-21"}
        configuration = "{type: azure_openai, azure_deployment: gpt-of-the-file, connection: service}"
    service = {"type": kind, "configs": configs, "secrets": {"api_key": "${env:SERVICE_KEY}"}}
    result, line = await ran(configuration, {"service": service})
    assert (result.error, result.output) == ("", {"city": "서울"})
    (request,) = endpoint.requests
    assert (request.body["model"], request.body["temperature"]) == ("gpt-of-the-file", 0.5)
    assert request.body["response_format"] == {"type": "json_object"}
    assert "k-service" in (request.headers.get("api-key"), request.headers.get("authorization", "")[7:])
    assert not line.calls


async def test_a_connection_s_service_that_redirects_is_not_followed(
    ran: Callable[..., Any], endpoint: ChatEndpoint
) -> None:
    elsewhere = ChatEndpoint()
    elsewhere.start()
    endpoint.script("수도", Status(307, b"", {"Location": f"{elsewhere.url}/v1/chat/completions"}))
    configs = {"base_url": f"{endpoint.url}/v1"}
    service = {"type": "open_ai", "configs": configs, "secrets": {"api_key": "${env:SERVICE_KEY}"}}
    result, _ = await ran(OPENAI, {"service": service})
    elsewhere.stop()
    assert result.output is None and "307" in result.error
    assert endpoint.requests and not elsewhere.requests


async def test_its_prompt_can_be_read_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "asks.prompty").write_text(PROMPTY.format(api="chat", configuration="{}"), encoding="utf-8")
    engine = ENGINES.get("native")(load_flow("asks.prompty", tmp_path))
    assert await prompt_of(engine, {"question": "수도는?"}) == "# system:\n짧게.\n# user:\n수도는?"


async def test_the_completion_api_asks_with_one_turn(tmp_path: Path) -> None:
    text = PROMPTY.format(api="completion", configuration="{}")
    (tmp_path / "asks.prompty").write_text(text, encoding="utf-8")
    engine = ENGINES.get("native")(load_flow("asks.prompty", tmp_path))
    said = await prompt_of(engine, {"question": "수도는?"})
    assert said.startswith("# user:\nsystem:\n짧게.")
