"""What a flow changes outside of itself while an engine holds it, and how it is put back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.environment import ALLOWED
from driftgate.flows.errors import DriftgateError


def enter_environment(scope: ExitStack, variables: Mapping[str, Any]) -> None:
    """Set environment variables; when ``scope`` ends each is put back, unless somebody else has set it meanwhile."""
    if ALLOWED in variables:
        raise DriftgateError(f"the flow sets {ALLOWED}, which is set outside of the workspace only", "take it out")
    for name, value in variables.items():
        before = os.environ.get(name)
        os.environ[name] = str(value)
        scope.callback(_put_back, name, str(value), before)


def _put_back(name: str, ours: str, before: str | None) -> None:
    if os.environ.get(name) != ours:
        return
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


def working_folder(scope: ExitStack, flow: FlowDefinition) -> Path:
    """The flow's folder, or a copy of it with its additional includes that lives as long as ``scope``.

    Raises
    ------
    DriftgateError
        An additional include is not there.
    """
    if not flow.includes:
        return flow.folder
    merged = Path(scope.enter_context(TemporaryDirectory(prefix="driftgate-flow-")))
    shutil.copytree(flow.folder, merged, dirs_exist_ok=True)
    for include in flow.includes:
        source = (flow.folder / include).resolve()
        if source.is_dir():
            shutil.copytree(source, merged / source.name, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy2(source, merged / source.name)
        else:
            raise DriftgateError(f"the flow '{flow.name}' includes '{include}', which is not there", "correct the path")
    return merged
