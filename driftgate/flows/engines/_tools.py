"""A node's tool as something to await, whatever kind of function the flow gives."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

from driftgate.flows.engines._place import in_a_thread, stepping
from driftgate.flows.engines._threads import ToolThreads
from driftgate.flows.engines._watch import NodeWatch
from driftgate.flows.tracing import node_span


class Stream(str):
    """What a generator yielded: it can be read again and again, and is its whole text to everyone else.

    Prompt flow hands on the generator itself, which can be read once, and drains no generator inside of a value.

    Examples
    --------
    >>> stream = Stream.of(["서", "울"])
    >>> list(stream), list(stream), stream == "서울"
    (['서', '울'], ['서', '울'], True)
    """

    items: list[Any]
    _place: int

    @classmethod
    def of(cls, items: list[Any]) -> Stream:
        """The stream of what was yielded."""
        made = cls("".join(map(str, items)))
        made.items, made._place = items, 0
        return made

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


@dataclass(frozen=True)
class Workshop:
    """What the tools of a flow work with: threads, the time that each may take, and the folder that they are in."""

    threads: ToolThreads
    watch: NodeWatch
    folder: Path | None = None
    """None for a flow that ships, whose tools read no file by a relative path."""

    def awaitable(self, node: str, tool: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Make a coroutine function of a tool: an async one stays on the loop, a sync one goes to a thread.

        What a generator yields is collected, also inside of what a tool returns. The function raises
        :class:`NodeTimedOut` where it takes too long.
        """
        plain = _undecorated(tool)
        threads, watch, folder = self.threads, self.watch, self.folder

        def called(inputs: Mapping[str, Any]) -> Any:
            with in_a_thread(folder):
                return _drained(plain(**inputs))

        async def awaited(inputs: Mapping[str, Any]) -> Any:
            value = await plain(**inputs)
            return value if type(value) in _NEVER_STREAMS else await _collected(value, self)

        async def on_the_loop(**inputs: Any) -> Any:
            with node_span(node), watch.node(node):
                return await stepping(awaited(inputs), folder)

        async def generated(**inputs: Any) -> Any:
            with node_span(node), watch.node(node):
                return await stepping(_collected(plain(**inputs), self), folder)

        async def threaded(**inputs: Any) -> Any:
            with node_span(node), watch.node(node):
                value = await threads.run(lambda: called(inputs))
                return value if type(value) in _NEVER_STREAMS else await stepping(_collected(value, self), folder)

        run = threaded
        if inspect.iscoroutinefunction(plain):
            run = on_the_loop
        elif inspect.isasyncgenfunction(plain):
            run = generated
        return wraps(tool.func if isinstance(tool, partial) else tool)(run)


_SCALARS = frozenset({str, int, float, bool, type(None)})
_NEVER_STREAMS = _SCALARS


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
    """What is streamed read to its end, also inside of what a tool returns."""
    if isinstance(value, Iterator):
        return value if isinstance(value, Stream) else Stream.of(list(value))
    return _each(value, _drained) if any(isinstance(one, Iterator) for one in _unread(value)) else value


async def _collected(value: Any, workshop: Workshop) -> Any:
    """As :func:`_drained`, of what an async tool gives."""
    if isinstance(value, AsyncIterator):
        return Stream.of([item async for item in value])
    if not (unread := _unread(value)):
        return value
    streams = [one for one in unread if isinstance(one, AsyncIterator)]
    if streams:
        read = {id(stream): Stream.of([item async for item in stream]) for stream in streams}
        value = _each(value, partial(_replaced, read))

    def drained() -> Any:
        with in_a_thread(workshop.folder):
            return _drained(value)

    return await workshop.threads.run(drained) if len(streams) < len(unread) else value


def _replaced(read: Mapping[int, Stream], value: Any) -> Any:
    return read[id(value)] if id(value) in read else _each(value, partial(_replaced, read))


def _unread(value: Any) -> list[Any]:
    """What is still to be read in a value; most values hold nothing of the kind."""
    found, waiting, seen = [], [value], set()
    while waiting:
        part = waiting.pop()
        if type(part) in _SCALARS or id(part) in seen or isinstance(part, Stream):
            continue
        seen.add(id(part))
        if isinstance(part, (Iterator, AsyncIterator)):
            found.append(part)
        elif type(part) is dict:
            waiting += part.values()
        elif type(part) in (list, tuple):
            waiting += part
        elif is_dataclass(part) and not isinstance(part, type):
            waiting += [getattr(part, one.name, None) for one in fields(part)]
    return found


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """A mapping, list, tuple or dataclass with its parts changed; itself where none is."""
    kind = type(value)
    if kind is dict:
        parts = {key: item if type(item) in _SCALARS else change(item) for key, item in value.items()}
        return parts if any(parts[key] is not item for key, item in value.items()) else value
    if kind in (list, tuple):
        items = [item if type(item) in _SCALARS else change(item) for item in value]
        return kind(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if is_dataclass(value) and not isinstance(value, type):
        fields_of = [one.name for one in fields(value) if one.init]
        changed = {name: new for name in fields_of if (new := change(getattr(value, name))) is not getattr(value, name)}
        return replace(value, **changed) if changed else value
    return value
