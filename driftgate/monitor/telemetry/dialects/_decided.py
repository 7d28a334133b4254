"""What was decided about a span holds for the next one that looks the same.

An application's spans have the same scope, the same few names and the same attributes again and again, and whoever
decides looks at the values of two or three of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from driftgate.monitor.telemetry._span import EPOCH, Span

Decision = TypeVar("Decision")

_MOST = 4096
"""Decisions that are remembered."""
_LONGEST = 4096
"""Characters of what one of them goes by."""


class _Watched(Mapping[str, Any]):
    """Attributes that remember of which of them the value was looked at."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.seen: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        self.seen[name] = value = self._attributes[name]
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)


class Decisions(Generic[Decision]):
    """Decide about spans by their scope, their name and their attributes, once about those that look the same.

    Two spans look the same where they have scope, name and the names of their attributes in common, and the values
    that were looked at, all of which are texts.

    Parameters
    ----------
    decide : callable
        Always decides the same about the same; it is shown nothing of a span but what is named above.

    Examples
    --------
    >>> asked = []
    >>> decisions = Decisions(lambda span: asked.append(span.name) or span.attributes["kind"])
    >>> def of(kind): return Span("5b" * 16, "ee" * 8, EPOCH, None, {"kind": kind, "n": len(asked)}, name="s")
    >>> [decisions.on(of(kind)) for kind in ("llm", "llm", "tool", "llm")], len(asked)
    (['llm', 'llm', 'tool', 'llm'], 2)
    """

    def __init__(self, decide: Callable[[Span], Decision]) -> None:
        self._decide = decide
        self._known: dict[tuple[str, ...], tuple[tuple[str, ...], dict[tuple[Any, ...], Decision]]] = {}
        """By scope, name and attributes: those whose values count, and what was decided by these."""
        self._held = 0

    def on(self, span: Span) -> Decision:
        """What is decided about a span."""
        attributes = span.attributes
        shape = (span.scope, span.name, *attributes)
        if (known := self._known.get(shape)) is not None:
            names, decided = known
            try:
                return decided[tuple([attributes[name] for name in names])]
            except (KeyError, TypeError):  # another value; one that is a list
                pass
        watched = _Watched(attributes)
        found = self._decide(Span("", "", EPOCH, None, watched, name=span.name, scope=span.scope))
        self._keep(span, shape, watched.seen, found)
        return found

    def _keep(self, span: Span, shape: tuple[str, ...], seen: Mapping[str, Any], found: Decision) -> None:
        names, decided = self._known.get(shape, ((), {}))
        if not names or not seen.keys() <= set(names):
            names, decided = tuple({**dict.fromkeys(names), **seen}), {}
        told = tuple([span.attributes[name] for name in names])
        if not all(isinstance(value, str) for value in told) or sum(map(len, shape + told)) > _LONGEST:
            return
        if self._held >= _MOST:
            self._known, self._held = {}, 0
        decided[told] = found
        self._known[shape] = names, decided
        self._held += 1
