"""Mark the function of a flow's file that a node runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__tool"
"""Prompt flow looks for a function with this attribute, and sets it."""


def tool(function: Function) -> Function:
    """Make a function the tool of the nodes whose source is its file; a file has one.

    It does what prompt flow's ``@tool`` does, and prompt flow need not be imported, nor installed, for it: a flow of
    such tools and of templates is run without it. Prompt flow's own executor accepts them too.

    Examples
    --------
    >>> @tool
    ... def shout(text: str) -> str:
    ...     return text.upper()
    >>> shout("ab")
    'AB'
    """
    setattr(function, MARK, None)
    return function
