"""What stands in Azure for a workspace, as templates, and how they are deployed."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Literal

from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.scores import score_run
from driftgate.flows.environment import resolve
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, find_run

if TYPE_CHECKING:
    from driftgate.monitor.azure import Expected, Published, Template

Part = Literal["monitoring", "service"]
"""The workbook with its alert rules, or ``driftgate serve`` on Container Apps."""


def template(workspace: OpenWorkspace, part: Part = "monitoring") -> Template:
    """The template of a part, with what the workspace is to send as defaults."""
    from driftgate.monitor.azure import container_app, monitoring

    if part == "service":
        return container_app()
    return monitoring(_expected(workspace), workspace.folder)


def _expected(workspace: OpenWorkspace) -> Expected:
    """Whose silence is to be told: what every monitor looks at, but for prompts, which are looked at by the week."""
    from driftgate.monitor.azure import Expected

    config = workspace.config
    watched = [
        f"{name}/{of}"
        for name, monitor in config.monitors.items()
        for of, looks in (
            ("canaries", True),
            ("traffic", monitor.traffic is not None),
            ("answers", monitor.evaluate is not None),
        )
        if looks
    ]
    return Expected(config.name, tuple(watched), bool(config.nightly.suites or config.nightly.monitors))


def deployment(template: Template, file: Path, group: str, given: Mapping[str, str]) -> list[str]:
    """The command of the Azure CLI that deploys a template which lies in ``file``.

    Parameters
    ----------
    group : str
        The resource group.
    given : Mapping
        Parameters by name; a value such as ``@FILE`` is read by the Azure CLI.

    Raises
    ------
    DriftgateError
        A parameter is not one of the template's, one that has to be given is not, or a secret is given as it is.
    """
    known = {one.name: one for one in template.parameters}
    for name, value in given.items():
        if name not in known:
            raise DriftgateError(f"the template has no parameter '{name}'", nearest(name, known))
        if known[name].type == "securestring" and not value.startswith("@"):
            raise DriftgateError(
                f"parameter '{name}' is a secret, and would be seen in the list of processes",
                f"write it to a file that only you can read, and give {name}=@FILE",
            )
    missing = [name for name, one in known.items() if one.default is None and name not in given]
    if missing:
        described = "; ".join(f"{name}: {known[name].description}" for name in missing)
        raise DriftgateError(f"not given: {', '.join(missing)}", f"add --set NAME=VALUE ({described})")
    command = ["az", "deployment", "group", "create", "--resource-group", group, "--template-file", str(file)]
    return [*command, *(["--parameters", *(f"{name}={value}" for name, value in given.items())] if given else [])]


def deploy(command: list[str]) -> int:
    """Run what :func:`deployment` gave; the exit code is the Azure CLI's own.

    Raises
    ------
    DriftgateError
        The Azure CLI is not installed.
    """
    if which(command[0]) is None:
        raise DriftgateError("the Azure CLI, az, is not installed here", f"run where it is: {shlex.join(command)}")
    return subprocess.run(command, check=False).returncode  # noqa: S603 - a list, no shell


def publish_to_foundry(workspace: OpenWorkspace, ledger: Ledger, run: str) -> list[Published]:
    """Put a run into the workspace's Foundry project; see :func:`driftgate.monitor.azure.publish`.

    Raises
    ------
    DriftgateError
        There is no such run, it has not ended, the workspace names no project, or the project refuses.
    """
    config = workspace.config.foundry
    if config is None:
        raise DriftgateError("the workspace names no Foundry project", "set foundry.endpoint in driftgate.yaml")
    row = find_run(ledger, run)
    if row.finished_at is None:
        raise DriftgateError(f"run {row.id} has not ended", "publish it once it has")
    from driftgate.monitor.azure import publish

    return publish(resolve(config.endpoint, "foundry.endpoint"), row, score_run(ledger, row.id))
