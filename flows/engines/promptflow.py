"""Prompt flow's own executor, created once per flow and reused for every line."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial, wraps
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

from flows.definition import FlowDefinition
from flows.engines._engine import LineResult, NodeResult
from flows.errors import DriftgateError
from flows.line import Line, enter_line

_LONGEST_ABORT = 10.0
"""Seconds a cancelled line may take to end; a tool that blocks its thread is left behind."""
_STATUS = {"Completed": "completed", "Failed": "failed", "Bypassed": "bypassed"}


@dataclass
class PromptflowEngine:
    """Runs lines with ``FlowExecutor.exec_line_async``."""

    executor: Any
    run_id: str
    lines: int = 0

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        """Take one line through the flow; see :class:`flows.engines.Engine`."""
        enter_line(line)
        self.lines += 1
        task = asyncio.ensure_future(self.executor.exec_line_async(dict(inputs), index=self.lines, run_id=self.run_id))
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            # Prompt flow's task is not cancelled: the line's model calls are, and the line then fails of itself.
            line.abort()
            await asyncio.wait([task], timeout=_LONGEST_ABORT)
            raise
        except Exception as problem:  # a tool may raise anything, and it concerns this line alone
            return LineResult(None, {}, error=_one_line(str(problem)) or type(problem).__name__)
        nodes = {name: _node_result(name, info) for name, info in result.node_run_infos.items()}
        if result.run_info.status.value == "Completed":
            # Prompt flow adds the number of the line to what the flow declares.
            return LineResult({k: v for k, v in result.output.items() if k != "line_number"}, nodes)
        return LineResult(None, nodes, error=_reason(result.run_info.error))

    async def aclose(self) -> None:
        """Nothing is held open between lines."""


def quiet_promptflow() -> None:
    """Keep prompt flow from logging every line, from sending telemetry and from starting its service."""
    home = Path(os.environ.setdefault("PF_HOME_DIRECTORY", str(Path(gettempdir()) / f"driftgate-pf-{os.getuid()}")))
    settings = home / "pf.yaml"
    if not settings.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.write_text("telemetry:\n  enabled: false\ntrace:\n  destination: none\n", encoding="utf-8")
    os.environ.setdefault("PF_DISABLE_TRACING", "true")
    for switch in ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED"):
        os.environ.setdefault(switch, "true")
    os.environ.setdefault("PF_LOGGING_LEVEL", "CRITICAL")  # read when its loggers are made
    from promptflow._utils import logger_utils

    for logger in (logger_utils.logger, logger_utils.flow_logger, logger_utils.bulk_logger):
        logger.setLevel(logging.CRITICAL)
    # It also makes azure-core print every request it sends.
    azure = logging.getLogger("azure.core.pipeline.policies._universal")
    azure.handlers.clear()
    azure.setLevel(logging.WARNING)


def create(flow: FlowDefinition) -> PromptflowEngine:
    """Load, validate and resolve ``flow`` with its chosen variants.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow; its reason is given.
    """
    quiet_promptflow()
    from promptflow.contracts.flow import Flow
    from promptflow.executor._async_nodes_scheduler import AsyncNodesScheduler
    from promptflow.executor.flow_executor import FlowExecutor

    AsyncNodesScheduler.cancel = _go_on_living
    try:
        loaded = Flow.from_yaml(flow.file, working_dir=flow.folder)
        for node, variant in flow.chosen.items():
            loaded.node_variants[node].default_variant_id = variant
        executor = FlowExecutor._create_from_flow(
            flow=loaded, flow_file=flow.file, connections={}, working_dir=flow.folder, raise_ex=False
        )
    except Exception as problem:  # prompt flow raises its own classes, and whatever a tool's module raises on import
        raise DriftgateError(
            f"prompt flow refuses the flow '{flow.name}': {_one_line(str(problem))}", f"correct {flow.file}"
        ) from problem
    _compile_templates_once()
    for resolved in flow.resolved_nodes():
        if resolved.get("type") == "prompt":
            executor._tools_manager.wrap_tool(resolved["name"], _on_the_loop)
    return PromptflowEngine(executor, f"driftgate-{uuid4().hex[:12]}")


def _compile_templates_once() -> None:
    """Give prompt flow's renderer an environment that remembers: it parses a node's template anew for every line."""
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment
    from promptflow.tools import common

    class Remembering(SandboxedEnvironment):
        @cache  # noqa: B019 - one environment for each set of options lives as long as the process
        def from_string(self, source: str) -> Template:  # type: ignore[override]
            return super().from_string(source)

    if common.SandboxedEnvironment is SandboxedEnvironment:
        common.SandboxedEnvironment = cache(Remembering)


def _on_the_loop(tool: Callable[..., str]) -> Callable[..., Awaitable[str]]:
    """Render on the event loop: prompt flow starts a thread for every line's template, and waits until it runs."""

    @wraps(tool.func if isinstance(tool, partial) else tool)
    async def render(**inputs: Any) -> str:
        return tool(**inputs)

    return render


async def _go_on_living(scheduler: Any) -> None:
    """In place of prompt flow's own answer to a cancelled line: a thread that ends the whole process, with exit 0."""


def _node_result(name: str, info: Any) -> NodeResult:
    seconds = (info.end_time - info.start_time).total_seconds() if info.end_time and info.start_time else 0.0
    error = _reason(info.error) if info.error else ""
    return NodeResult(name, _STATUS.get(info.status.value, "failed"), info.output, seconds, error)  # type: ignore[arg-type]


def _reason(error: Mapping[str, Any] | None) -> str:
    """The innermost message of prompt flow's nested error description."""
    error = error or {}
    message = str(error.get("message", "the line failed"))
    inner = (error.get("additionalInfo") or [{}])[0].get("info") or {}
    return _one_line(str(inner.get("message") or message))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
