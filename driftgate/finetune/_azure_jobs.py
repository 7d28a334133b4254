"""What every job of Azure Machine Learning has in common, whatever it does: found or not, ended, and why it failed."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driftgate.finetune._azure import without_secrets
from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import read_json

_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,._-]+\])?==[^\s;]+(\s*;.*)?")
ENDED = ("completed", "failed", "canceled")
"""States that a job does not leave."""


def pinned_image(image: str) -> str:
    """An image that names a tag other than ``latest``, or a digest.

    Raises
    ------
    ValueError
        It names neither: another day it would be another one.

    Examples
    --------
    >>> pinned_image("mcr.microsoft.com/azureml/base:20260901.v1")
    'mcr.microsoft.com/azureml/base:20260901.v1'
    """
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        raise ValueError(f"the image '{image}' is not pinned: name a tag other than latest, or a digest")
    return image


def pinned_lines(path: Path) -> list[str]:
    """The requirements of a file, each with its version.

    Raises
    ------
    DriftgateError
        One has none.
    """
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")  # hashes stand on continued lines
    lines = [re.split(r"\s+(?:#|--hash)", line.strip())[0] for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if loose := [line for line in lines if not _PINNED.fullmatch(line)]:
        raise DriftgateError(f"{path} holds '{loose[0]}', which is not pinned", "write NAME==VERSION on each line")
    return lines


def get_or_none(operations: Any, *name: str) -> Any:
    """What the service has under a name; None where it has nothing."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return operations.get(*name)
    except ResourceNotFoundError:
        return None


def why_failed(client: Any, name: str) -> str:
    """Ask run history why a job failed; the job itself does not say."""
    from azure.ai.ml.exceptions import JobException

    try:
        # The public call that tells it prints a summary first; the job is over, so it returns at once.
        with _no_output():
            client.jobs.stream(name)
    except JobException as problem:
        return without_secrets(_run_error(str(problem.message)))
    return "no reason given"


def _run_error(message: str) -> str:
    """Take the innermost words out of run history's error.

    Examples
    --------
    >>> _run_error('Exception : \\n {"error": {"code": "UserError", "message": "out of memory"}} ')
    'UserError: out of memory'
    """
    try:
        error = read_json(message[message.index("{") : message.rindex("}") + 1])["error"]
        return f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return " ".join(message.split())


@contextlib.contextmanager
def _no_output() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
