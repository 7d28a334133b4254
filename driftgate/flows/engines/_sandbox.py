"""Prompt flow's Jinja sandbox, with a memory and without holes."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Template, Undefined
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

_COUNTERS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})


class _NotGiven(Undefined):
    """A variable the node does not give its template: it can be tested, looped over and defaulted, not printed."""

    __slots__ = ()

    def __str__(self) -> str:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return ""


class Sandbox(SandboxedEnvironment):
    """Parses a template once, and does not ask of ``loop.index`` each time whether it is safe.

    It fails a template that prints a variable the node does not give it. Prompt flow prints nothing in its place, and
    a prompt with a hole in it measures something else.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=_NotGiven, **options)

    @cache  # noqa: B019 - one environment for each set of options lives as long as the process
    def from_string(self, source: str) -> Template:  # type: ignore[override]
        """Parse a template, or find it."""
        return super().from_string(source)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute, where it is safe."""
        if type(obj) is LoopContext and attribute in _COUNTERS:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


sandbox = cache(Sandbox)
"""The sandbox for a set of options, made once."""
