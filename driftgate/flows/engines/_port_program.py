"""Call a port. Standard library only: this file also runs by itself, in another environment, and loads the port there.

As a program, ``python _port_program.py TARGET FOLDER`` reads one JSON line ``{"n": 1, "inputs": {...}}`` for each
sample and writes one, ``{"n": 1, "output": ..., "nodes": {...}}`` or ``{"n": 1, "error": "..."}``, in any order.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = Path(__file__).absolute().parent
_FLOWS = "driftgate_port"
"""What :mod:`driftgate.flows` is called in the process of a port."""
Call = Callable[[Mapping[str, Any]], Awaitable[tuple[Any, dict[str, Any]]]]
"""Takes a line's inputs; returns what the port gave and the outputs of the steps it tells of, by name."""


def prepare(port: Any) -> Call:
    """Make any of the three forms of a port callable with a line's inputs.

    A callable is given the inputs that it has parameters for. A workflow object (Agent Framework's ``Workflow``, or
    anything else with an async ``run`` whose result has ``get_outputs``) is given all inputs as one dict; it does not
    bear two runs at once, so its runs wait for one another. A callable without parameters is a factory of either.
    """
    if is_workflow(port):
        lock = asyncio.Lock()

        async def one_by_one(inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
            async with lock:
                return await run_workflow(port, inputs)

        return one_by_one
    parameters = inspect.signature(port).parameters.values()
    if not parameters:

        async def made_anew(inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
            made = port()
            made = await made if inspect.isawaitable(made) else made
            return await prepare(made)(inputs)

        return made_anew
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters}

    async def by_name(inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        arguments = {name: value for name, value in inputs.items() if takes_all or name in names}
        if inspect.iscoroutinefunction(port) or inspect.iscoroutinefunction(getattr(port, "__call__", None)):  # noqa: B004
            return await port(**arguments), {}
        given = await asyncio.to_thread(port, **arguments)
        return (await given if inspect.isawaitable(given) else given), {}

    return by_name


def needs(port: Any) -> set[str]:
    """Inputs without which a callable cannot be called; none of a workflow."""
    if is_workflow(port):
        return set()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(port).parameters.values()
    return {p.name for p in parameters if p.default is p.empty and p.kind in kinds}


def is_workflow(port: Any) -> bool:
    """Whether something is run and not called."""
    return not inspect.isclass(port) and not callable(port) and callable(getattr(port, "run", None))


async def run_workflow(workflow: Any, inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run a workflow on a dict of the inputs; its last output, and what each executor sent on.

    Raises
    ------
    RuntimeError
        It ended without an output.
    """
    result = await workflow.run(dict(inputs))
    outputs = result.get_outputs()
    if not outputs:
        raise RuntimeError("the workflow ended without an output")
    sent: dict[str, Any] = {}
    for event in result if isinstance(result, list) else ():
        data = getattr(event, "data", None)
        if getattr(event, "type", "") == "executor_completed" and data:
            sent[str(event.executor_id)] = data[-1] if isinstance(data, list) else data
    return outputs[-1], sent


async def _serve(target: str, folder: str, replies: Any) -> None:
    def say(reply: Mapping[str, Any]) -> None:
        replies.write(json.dumps(reply, ensure_ascii=False, default=str) + "\n")
        replies.flush()

    loader = importlib.import_module(f"{_FLOWS}.own_code")
    try:
        port = loader.own_code(Path(folder)).load(target)
        call, needed = prepare(port), sorted(needs(port))
    except Exception as problem:
        said = getattr(problem, "message", f"{type(problem).__name__}: {problem}")
        say({"refused": said, "remedy": getattr(problem, "remedy", "")})
        return
    say({"needs": needed})

    async def answer(request: Mapping[str, Any]) -> None:
        try:
            output, nodes = await call(request["inputs"])
        except Exception as problem:
            say({"n": request["n"], "error": f"{type(problem).__name__}: {problem}"})
        else:
            say({"n": request["n"], "output": output, "nodes": nodes})

    under_way: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.create_task(answer(json.loads(line)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


def main() -> None:
    """Serve until the input ends."""
    # What the port itself prints must not come between the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    asyncio.run(_serve(sys.argv[1], sys.argv[2], replies))
    os._exit(0)  # a thread that still reads would keep the process


if __name__ in ("__main__", "__mp_main__"):  # the latter in a process that multiprocessing starts for the port
    # Python puts a program's folder on the path, and this one's has a module called as a package is: promptflow.
    sys.path[:] = [entry for entry in sys.path if Path(entry).absolute() != _HERE]
    # The two modules it needs are loaded by their place: another environment has no driftgate, or another one.
    sys.modules[_FLOWS] = ModuleType(_FLOWS)
    sys.modules[_FLOWS].__path__ = [str(_HERE.parent)]
    importlib.import_module(f"{_FLOWS}.own_code")
if __name__ == "__main__":
    main()
