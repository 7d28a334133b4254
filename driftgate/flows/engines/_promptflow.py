"""Prompt flow kept quiet and quick, and what it raises and configures in our words."""

from __future__ import annotations

import atexit
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.private_files import write_bytes


def quiet_promptflow() -> None:
    """Keep prompt flow from logging every line, from sending telemetry and from starting its service."""
    home = Path(os.environ.setdefault("PF_HOME_DIRECTORY", _home()))
    settings = home / "pf.yaml"
    if not settings.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_bytes(settings, b"telemetry:\n  enabled: false\ntrace:\n  destination: none\n")
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


@cache
def _home() -> str:
    """A folder of this process alone: one of a known name may be laid out by whoever shares the temporary folder."""
    folder = TemporaryDirectory(prefix="driftgate-pf-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return folder.name


def compile_templates_once() -> None:
    """Give prompt flow's renderer an environment that remembers: it parses a node's template anew for every line.

    Its llm tools and its ``Prompty`` take the turns of their prompts from ours, so that no value begins one.
    """
    from promptflow.core import _prompty_utils, _utils
    from promptflow.tools import aoai, aoai_gpt4v, common, open_model_llm, openai, openai_gpt4v

    from driftgate.flows.engines._chat import build_messages, build_prompty_messages, render_open_model, split
    from driftgate.flows.engines._sandbox import sandbox

    common.SandboxedEnvironment = _utils.SandboxedEnvironment = sandbox
    for tools in (common, aoai, aoai_gpt4v, openai, openai_gpt4v):
        tools.build_messages = build_messages
    _prompty_utils.build_messages = build_prompty_messages
    if open_model_llm.render_jinja_template is not render_open_model:
        formatter = open_model_llm.ContentFormatterBase
        formatter.parse_chat = staticmethod(partial(split, parse=formatter.parse_chat))
        open_model_llm.render_jinja_template = render_open_model


def one_line(text: str) -> str:
    """Text without line breaks, at most 500 characters of it."""
    return " ".join(text.split())[:500]


def described(problem: BaseException) -> tuple[str, str]:
    """Reason and class of what ended a node or a line."""
    kind = type(problem).__name__
    return one_line(str(problem)) or kind, kind


@contextmanager
def refusals(flow: FlowDefinition) -> Iterator[None]:
    """Make what prompt flow raises in the body of a ``with`` its reason for refusing the flow."""
    try:
        yield
    except DriftgateError:
        raise
    except (Exception, SystemExit) as problem:  # its own classes, and whatever a tool's module raises on import
        if (own := _own_fault(problem)) is not None:
            raise DriftgateError(f"the flow '{flow.name}': {own.message}", own.remedy) from problem
        raise DriftgateError(
            f"prompt flow refuses the flow '{flow.name}': {one_line(str(problem))}", f"correct {flow.file}"
        ) from problem


def _own_fault(problem: BaseException) -> DriftgateError | None:
    """What is wrong with the flow's own code, around which prompt flow has put an exception of its own."""
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, DriftgateError):
        cause = cause.__cause__
    return cause


_OF_A_CONNECTION = re.compile(r"\$\{([^.{}]+)\.([^.{}]+)\}")


def environment_of(loaded: Any, connections: Mapping[str, Any]) -> dict[str, str]:
    """The flow's environment variables; ``${connection.key}`` is replaced, as prompt flow does."""
    variables: dict[str, str] = loaded.get_environment_variables_with_overrides()
    for name, value in variables.items():
        found = _OF_A_CONNECTION.fullmatch(value.strip())
        if found and found[1] in connections:
            values = connections[found[1]]["value"]
            if found[2] not in values:
                raise DriftgateError(f"the connection '{found[1]}' has no '{found[2]}'", nearest(found[2], values))
            variables[name] = values[found[2]]
    return variables
