"""A node's tool as something to await, whatever kind of function the flow gives."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial, wraps
from typing import Any

from driftgate.flows.engines._threads import ToolThreads
from driftgate.flows.engines._watch import NodeWatch
from driftgate.flows.tracing import node_span


class Stream:
    """What a generator tool yielded: it can be read again and again, and reads as one text.

    Prompt flow hands on the generator itself, which can be read once.

    Examples
    --------
    >>> stream = Stream(["서", "울"])
    >>> "".join(stream), "".join(stream), str(stream)
    ('서울', '서울', '서울')
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self._place = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __next__(self) -> Any:
        if self._place >= len(self.items):
            raise StopIteration
        self._place += 1
        return self.items[self._place - 1]

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self.items:
            yield item

    def __str__(self) -> str:
        return "".join(str(item) for item in self.items)


def awaitable(
    node: str, tool: Callable[..., Any], threads: ToolThreads, watch: NodeWatch
) -> Callable[..., Awaitable[Any]]:
    """Make a coroutine function of a tool: an async one stays on the loop, a sync one goes to a thread.

    What a generator yields is collected. The function raises :class:`NodeTimedOut` where it takes too long.
    """
    plain = _undecorated(tool)

    async def on_the_loop(**inputs: Any) -> Any:
        with node_span(node), watch.node(node):
            value = await plain(**inputs)
            return value if type(value) in _NEVER_STREAMS else await _collected(value, threads)

    async def generated(**inputs: Any) -> Any:
        with node_span(node), watch.node(node):
            return await _collected(plain(**inputs), threads)

    async def in_a_thread(**inputs: Any) -> Any:
        with node_span(node), watch.node(node):
            return await _collected(await threads.run(lambda: _drained(plain(**inputs))), threads)

    run = in_a_thread
    if inspect.iscoroutinefunction(plain):
        run = on_the_loop
    elif inspect.isasyncgenfunction(plain):
        run = generated
    return wraps(tool.func if isinstance(tool, partial) else tool)(run)


_NEVER_STREAMS = frozenset({str, dict, list, int, float, bool, type(None)})


def _undecorated(tool: Callable[..., Any]) -> Callable[..., Any]:
    """The function beneath prompt flow's ``@tool``, which asks on every call whether it is to trace."""
    if isinstance(tool, partial):
        return partial(_undecorated(tool.func), *tool.args, **tool.keywords)
    function = getattr(tool, "__original_function", None)
    if function is None:
        return tool
    owner = getattr(tool, "__self__", None)
    return function if owner is None else partial(function, owner)


def _drained(value: Any) -> Any:
    return Stream(list(value)) if isinstance(value, Iterator) and not isinstance(value, Stream) else value


async def _collected(value: Any, threads: ToolThreads) -> Any:
    if isinstance(value, AsyncIterator):
        return Stream([item async for item in value])
    if isinstance(value, Iterator) and not isinstance(value, Stream):
        return await threads.run(lambda: _drained(value))
    return value
