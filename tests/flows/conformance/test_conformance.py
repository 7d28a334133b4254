"""Both engines do what prompt flow's documentation says of each feature, and the same where it says nothing."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from _flows import ConformanceFlow, load
from chat_endpoint import Answer, ChatEndpoint

from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.engines import ENGINES, Aggregation, FinishedLine, LineResult, NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line
from driftgate.flows.models import Model

FLOWS = load()
ENGINE_NAMES = ["native", "promptflow"]
Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]


@pytest.fixture(params=FLOWS, ids=lambda flow: flow.name)
def flow(
    request: pytest.FixtureRequest, endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ConformanceFlow:
    """Each flow in turn, its files written and its endpoint told what to say."""
    one: ConformanceFlow = request.param
    for path, text in one.files.items():
        file = tmp_path / "flows" / one.name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for part, text in one.replies.items():
        endpoint.script(part, Answer(text))
    monkeypatch.setenv("CHAT_URL", endpoint.url)
    monkeypatch.setenv("CHAT_BASE", f"{endpoint.url}/v1")
    monkeypatch.setenv("CHAT_KEY", "k-123")
    return one


@pytest.fixture
def defined(flow: ConformanceFlow, tmp_path: Path) -> Callable[[], FlowDefinition]:
    """Load the flow of the test."""
    connections = {name: ConnectionConfig.model_validate(value) for name, value in flow.connections.items()}
    return lambda: load_flow(str(Path(flow.name) / flow.file), tmp_path, connections)


@pytest.fixture
def model(model_config: Build, open_model: Open) -> Model:
    """The line's own model."""
    return open_model(model_config("openai"))


@pytest.mark.parametrize("engine_name", ENGINE_NAMES)
async def test_a_flow_does_what_is_documented(
    flow: ConformanceFlow,
    defined: Callable[[], FlowDefinition],
    engine_name: str,
    model: Model,
    endpoint: ChatEndpoint,
) -> None:
    before = _environment()
    native_only = flow.file and engine_name == "promptflow"
    if flow.refused:
        with pytest.raises(DriftgateError, match=None if native_only else flow.refused) as refusal:
            ENGINES.get(engine_name)(defined())
        assert "\n" not in str(refusal.value)
        assert _environment() == before
        return
    if native_only:
        with pytest.raises(DriftgateError, match="set engine: native"):
            ENGINES.get(engine_name)(defined())
        return
    for case in flow.cases:
        endpoint.requests.clear()
        result = await _run(defined(), engine_name, case, model)
        _assert_case(case, result)
        if "asked" in case:
            assert [request.body["messages"] for request in endpoint.requests] == case["asked"]
    if flow.metrics is not None:
        result = await _aggregate(flow, defined(), engine_name, model)
        assert result.metrics == flow.metrics
        assert result.error_type == flow.aggregate.get("error", "")
        outputs = {name: node.output for name, node in result.nodes.items()}
        assert {name: outputs.get(name) for name in flow.aggregate.get("nodes", {})} == flow.aggregate.get("nodes", {})
        assert _bypassed(result.nodes) == flow.aggregate.get("bypassed", [])
    await model.aclose()
    assert _environment() == before


async def test_both_engines_are_equal(
    flow: ConformanceFlow, defined: Callable[[], FlowDefinition], model: Model, endpoint: ChatEndpoint
) -> None:
    if flow.refused:
        said = []
        for name in ENGINE_NAMES:
            with pytest.raises(DriftgateError) as refusal:
                ENGINES.get(name)(defined())
            said.append(str(refusal.value))
        assert said[0] == said[1] or flow.file
        return
    if flow.file and flow.supported:
        await _assert_as_prompty_executor(flow, defined(), model, endpoint)
        return
    for case in () if flow.file else flow.cases:
        native, promptflow = [await _run(defined(), name, case, model) for name in ENGINE_NAMES]
        assert _comparable(native) == _comparable(promptflow)
    if flow.metrics is not None:
        one, other = [await _aggregate(flow, defined(), name, model) for name in ENGINE_NAMES]
        assert (one.metrics, one.error_type) == (other.metrics, other.error_type)
        assert _nodes(one.nodes) == _nodes(other.nodes)
    await model.aclose()


async def _assert_as_prompty_executor(
    flow: ConformanceFlow, definition: FlowDefinition, model: Model, endpoint: ChatEndpoint
) -> None:
    """Prompt flow's own executor of a prompty asks the endpoint the same, and makes the same of the reply."""
    from promptflow.executor._prompty_executor import PromptyExecutor

    for case in flow.cases:
        endpoint.requests.clear()
        native = await _run(definition, "native", case, model)
        asked = [request.body["messages"] for request in endpoint.requests]
        endpoint.requests.clear()
        executor = PromptyExecutor(definition.file, working_dir=definition.folder)
        try:
            line = await asyncio.to_thread(executor.exec_line, case["inputs"])
        except Exception as problem:
            assert (native.error_type, native.error) == (type(problem).__name__, str(problem))
            continue
        if native.output is None:
            assert native.error_type in str(line.run_info.error)
        else:
            assert line.run_info.output == native.output
        assert [request.body["messages"] for request in endpoint.requests] == asked
    await model.aclose()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("CONFORMANCE_")}


async def _run(flow: FlowDefinition, engine_name: str, case: Mapping[str, Any], model: Model) -> LineResult:
    engine = ENGINES.get(engine_name)(flow.with_variant(case.get("variant", "")))
    try:
        return await engine.run_line(case["inputs"], Line({"": model}, "q1"))
    finally:
        await engine.aclose()


async def _aggregate(flow: ConformanceFlow, definition: FlowDefinition, engine_name: str, model: Model) -> Aggregation:
    engine: Any = ENGINES.get(engine_name)(definition)
    lines = []
    for case in flow.cases:
        result = await engine.run_line(case["inputs"], Line({"": model}))
        if result.output is not None:
            lines.append(FinishedLine(case["inputs"], {name: node.output for name, node in result.nodes.items()}))
    try:
        done: Aggregation = await engine.aggregate(lines)
        return done
    finally:
        await engine.aclose()


def _assert_case(case: Mapping[str, Any], result: LineResult) -> None:
    if "error" in case:
        assert (result.output, result.error_type) == (None, case["error"])
        assert re.search(case.get("says", ""), result.error), result.error
        assert "\n" not in result.error
    else:
        assert (result.error, result.output) == ("", case["output"])
    for name, output in case.get("nodes", {}).items():
        assert result.nodes[name].output == output, name
    assert _bypassed(result.nodes) == sorted(case.get("bypassed", []))


def _bypassed(nodes: Mapping[str, NodeResult]) -> list[str]:
    return sorted(name for name, node in nodes.items() if node.status == "bypassed")


def _nodes(nodes: Mapping[str, NodeResult]) -> dict[str, Any]:
    return {name: (node.status, node.output, node.error, node.error_type) for name, node in nodes.items()}


def _comparable(result: LineResult) -> Any:
    return result.output, _nodes(result.nodes), result.error_type, result.error
