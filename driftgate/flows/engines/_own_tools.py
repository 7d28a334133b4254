"""Let prompt flow take a flow's tools and entry from :mod:`driftgate.flows.own_code`.

Prompt flow puts a flow's folder in front of ``sys.path`` and leaves it there: from then on every import of the process
may find the flow's ``json.py`` or ``select.py`` first, and of two flows' modules of one name only one is ever found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.own_code import OwnCode, own_code

_OWN: ContextVar[tuple[OwnCode, ExitStack] | None] = ContextVar("driftgate_own_tools", default=None)


@contextmanager
def own_tools(flow: FlowDefinition, folder: Path, scope: ExitStack) -> Iterator[OwnCode]:
    """Make prompt flow load what it loads in the body of a ``with`` from the flow's own modules.

    Parameters
    ----------
    folder : Path
        The flow's folder, or the copy of it that is about to run.
    scope : ExitStack
        When it ends the files that ran as tools are forgotten, and all of a copy's modules.
    """
    _teach_promptflow()
    code = own_code(folder, *flow.code_folders[1:])
    if folder != flow.folder:
        scope.callback(code.close)
    before = _OWN.set((code, scope))
    try:
        yield code
    finally:
        _OWN.reset(before)


@cache
def _teach_promptflow() -> None:
    """Replace two functions of prompt flow's by ones that ask who loads; for anybody else they do what they did."""
    from promptflow._core import tools_manager
    from promptflow.contracts.flow import Flow

    load, put_in_front = tools_manager.load_python_module_from_file, Flow._update_working_dir

    def load_tool(src_file: Path) -> Any:
        own = _OWN.get()
        return load(src_file) if own is None else _tool(*own, Path(src_file))

    def leave_the_path_alone(working_dir: Path) -> None:
        if _OWN.get() is None:
            put_in_front(working_dir)

    tools_manager.load_python_module_from_file = load_tool
    Flow._update_working_dir = staticmethod(leave_the_path_alone)


def _tool(code: OwnCode, scope: ExitStack, file: Path) -> ModuleType:
    module = code.run(file.resolve())
    scope.callback(sys.modules.pop, module.__name__, None)
    return module
