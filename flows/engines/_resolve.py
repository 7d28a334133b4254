"""Load, validate and resolve a flow with prompt flow, for whichever engine then runs it.

What prompt flow refuses is refused, with its reason.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from flows.definition import FlowDefinition
from flows.errors import DriftgateError


def resolve_flow(flow: FlowDefinition) -> Any:
    """Prompt flow's ``FlowExecutor`` for ``flow`` with its chosen variants.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow; its reason is given.
    """
    quiet_promptflow()
    from promptflow.contracts.flow import Flow
    from promptflow.executor.flow_executor import FlowExecutor

    _compile_templates_once()
    try:
        loaded = Flow.from_yaml(flow.file, working_dir=flow.folder)
        for node, variant in flow.chosen.items():
            loaded.node_variants[node].default_variant_id = variant
        return FlowExecutor._create_from_flow(
            flow=loaded, flow_file=flow.file, connections={}, working_dir=flow.folder, raise_ex=False
        )
    except Exception as problem:  # prompt flow raises its own classes, and whatever a tool's module raises on import
        raise DriftgateError(
            f"prompt flow refuses the flow '{flow.name}': {one_line(str(problem))}", f"correct {flow.file}"
        ) from problem


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


def _compile_templates_once() -> None:
    """Give prompt flow's renderer an environment that remembers: it parses a node's template anew for every line.

    It also fails a template that prints a variable the node does not give it. Prompt flow prints nothing in its
    place, and a prompt with a hole in it measures something else. Tests such as ``{% if x %}``, loops and
    ``default`` work on such a variable as they do in prompt flow.
    """
    from jinja2 import Template, Undefined
    from jinja2.sandbox import SandboxedEnvironment
    from jinja2.utils import missing
    from promptflow.tools import common

    class NotGiven(Undefined):
        __slots__ = ()

        def __str__(self) -> str:
            if self._undefined_obj is missing:
                self._fail_with_undefined_error()
            return ""

    class Remembering(SandboxedEnvironment):
        def __init__(self, **options: Any) -> None:
            super().__init__(undefined=NotGiven, **options)

        @cache  # noqa: B019 - one environment for each set of options lives as long as the process
        def from_string(self, source: str) -> Template:  # type: ignore[override]
            return super().from_string(source)

    if common.SandboxedEnvironment is SandboxedEnvironment:
        common.SandboxedEnvironment = cache(Remembering)


def one_line(text: str) -> str:
    """Text without line breaks, at most 500 characters of it."""
    return " ".join(text.split())[:500]
