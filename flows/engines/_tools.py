"""A node's tool as something to await, whatever kind of function the flow gives."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial, wraps
from typing import Any

from flows.engines._threads import ToolThreads
from flows.errors import DriftgateError


class NodeTimedOut(DriftgateError):
    """A node did not end within its time."""


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
    node: str, tool: Callable[..., Any], threads: ToolThreads, timeout: float
) -> Callable[..., Awaitable[Any]]:
    """Make a coroutine function of a tool: an async one stays on the loop, a sync one goes to a thread.

    What a generator yields is collected. The function raises :class:`NodeTimedOut` after ``timeout`` seconds.
    """
    plain = _undecorated(tool)
    late = f"node '{node}' did not end within {timeout:g} s", "raise node_timeout in the suite, or mend the tool"

    async def run(**inputs: Any) -> Any:
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await call(**inputs)
        except TimeoutError:
            if limit.expired():
                raise NodeTimedOut(*late) from None
            raise

    call: Callable[..., Awaitable[Any]]
    if inspect.iscoroutinefunction(plain):

        async def call(**inputs: Any) -> Any:
            value = await plain(**inputs)
            return value if type(value) in _NEVER_STREAMS else await _collected(value, threads)

    elif inspect.isasyncgenfunction(plain):

        async def call(**inputs: Any) -> Any:
            return await _collected(plain(**inputs), threads)

    else:

        async def call(**inputs: Any) -> Any:
            value = await threads.run(lambda: _drained(plain(**inputs)))
            return await _collected(value, threads)

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
