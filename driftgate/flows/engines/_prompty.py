"""A prompty: prompt flow reads and renders it; the line's model, or a connection of the workspace, answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from driftgate.flows.connections import for_promptflow
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._chat import split
from driftgate.flows.engines._inputs import ExecutorInputs, ImageRefused
from driftgate.flows.engines._promptflow import compile_templates_once, refusals
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._sandbox import rendered
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import current_line
from driftgate.flows.models import Message
from driftgate.flows.prompty import ASK, RENDER

_IMAGE = re.compile(r"data:image/[^;,]+;(?:path|base64|url):")
_ROLES = ("system", "user", "assistant")


def resolve_prompty(flow: FlowDefinition) -> Resolved:
    """Load a prompty.

    Raises
    ------
    DriftgateError
        Prompt flow refuses it; its reason is given.
    """
    from promptflow.contracts.flow import Flow
    from promptflow.core import Prompty
    from promptflow.executor._prompty_executor import PromptyExecutor

    compile_templates_once()
    with refusals(flow):
        # Where the front matter declares no inputs, prompt flow would run every line on the sample.
        prompty = Prompty._load(path=flow.file, inputs=dict(flow.dag["inputs"]))  # load() wants the suffix .prompty
        prompty._sample = None
        executor = PromptyExecutor(prompty, working_dir=flow.folder)
        connection = _connection(prompty, flow)
    names = list(prompty._inputs)
    nodes = [
        {"name": RENDER, "type": "python", "inputs": {name: f"${{inputs.{name}}}" for name in names}},
        {"name": ASK, "type": "python", "inputs": {"prompt": f"${{{RENDER}.output}}"}},
    ]
    inputs = {name: {"type": "object"} for name in names}
    return Resolved(
        executor,
        Flow.deserialize({"inputs": inputs, "outputs": {}, "nodes": nodes}),
        ExitStack(),
        {RENDER: _renderer(prompty), ASK: _asker(prompty, connection, tested=ASK in flow.tested)},
        _inputs_of(prompty, ExecutorInputs(executor)),
        flow.folder,
        result=ASK,
    )


def _inputs_of(prompty: Any, read: ExecutorInputs) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def resolved(inputs: Mapping[str, Any]) -> dict[str, Any]:
        values = read(inputs)
        for name, value in values.items():
            if isinstance(value, str) and _IMAGE.match(value):
                raise ImageRefused(f"the input '{name}' holds an image", "images are not supported: give text")
        return dict(prompty._resolve_inputs(values))

    return resolved


def _renderer(prompty: Any) -> Callable[..., Awaitable[Any]]:
    from promptflow.core._errors import JinjaTemplateError
    from promptflow.core._prompty_utils import parse_chat, preprocess_template_string

    template = preprocess_template_string(prompty._template)

    async def render(**inputs: Any) -> Any:
        try:
            prompt = rendered(template, inputs)
        except DriftgateError:
            raise
        except Exception as problem:
            raise JinjaTemplateError(message=f"Failed to render jinja template: {problem}") from problem
        return str(prompt) if prompty._model.api == "completion" else split(prompt, parse_chat)

    return render


def _connection(prompty: Any, flow: FlowDefinition) -> Any:
    """The connection of the workspace that the front matter names, if it names one."""
    from promptflow.core._connection_provider._dict_connection_provider import DictConnectionProvider

    configuration = prompty._model.configuration if ASK not in flow.tested else None
    name = str(configuration.get("connection") or "") if isinstance(configuration, dict) else ""
    flow.check_connection(ASK, name)
    if not name:
        return None
    connections = for_promptflow({name: flow.connections[name]})
    return DictConnectionProvider({name: {"name": name, **connections[name]}}).get(name)


def _asker(prompty: Any, connection: Any, *, tested: bool) -> Callable[..., Any]:
    from promptflow.core._prompty_utils import (
        format_llm_response,
        get_open_ai_client_by_connection,
        handle_openai_error_async,
        prepare_open_ai_request_params,
    )

    model, outputs = prompty._model, prompty._outputs
    wanted = (model.parameters or {}).get("response_format", {})

    def read(response: Any) -> Any:
        return format_llm_response(response, model.api, True, response_format=wanted, outputs=outputs)

    async def of_the_line(prompt: Any) -> Any:
        line = current_line()
        target = line.models.get("" if tested else str(model._model or "")) or line.models.get("")
        if target is None:
            raise DriftgateError("the prompty has neither a connection nor a model", "run it in a suite")
        text = (await line.complete(target, _messages(prompt))).text
        choice = SimpleNamespace(text=text, message=SimpleNamespace(content=text), finish_reason="stop")
        return read(SimpleNamespace(choices=[choice]))

    async def of_a_connection(prompt: Any) -> Any:
        request = {**prepare_open_ai_request_params(model, prompt, connection), "stream": False}
        async with get_open_ai_client_by_connection(connection, is_async=True) as client:
            api = client.completions if model.api == "completion" else client.chat.completions
            response = await api.create(**request)
        return read(response)

    return of_the_line if connection is None else handle_openai_error_async()(of_a_connection)


def _messages(prompt: Any) -> list[Message]:
    if isinstance(prompt, str):
        return [Message("user", prompt)]
    for turn in prompt:
        if turn["role"] not in _ROLES or not isinstance(turn.get("content"), str):
            raise DriftgateError(f"the prompt has a turn of role '{turn['role']}'", f"write {', '.join(_ROLES)}")
    return [Message(turn["role"], turn["content"]) for turn in prompt]
