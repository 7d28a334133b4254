"""Code that is not ours and runs in this process: what it raises, and what it is handed."""

from __future__ import annotations

import asyncio
from typing import Any

_LONGEST = 300
"""Characters of a reason that are kept."""


def is_its_own(problem: BaseException) -> bool:
    """Whether what came out of a call of someone else's code is that code's own doing, and ends nothing but the call.

    ``sys.exit()``, a ``KeyboardInterrupt`` and a ``CancelledError`` that it raises itself are as much its own as a
    ``ValueError``. Ctrl-C is none of these: asyncio makes of it the cancellation of the task, which is pending then.
    """
    if isinstance(problem, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or not task.cancelling()
    return not isinstance(problem, GeneratorExit)


def described(problem: BaseException) -> str:
    """Class and words of what someone else's code raised; its class alone where it has no words or cannot say them.

    Examples
    --------
    >>> described(ValueError("no number")), described(SystemExit(0)), described(asyncio.CancelledError())
    ('ValueError: no number', 'SystemExit: 0', 'CancelledError')
    """
    kind = type(problem).__name__
    try:
        words = str(problem)
    except Exception:  # its own __str__
        words = ""
    return f"{kind}: {words}"[:_LONGEST] if words else kind


def own_copy(value: Any) -> Any:
    """A value for someone else's code to keep or change: lists, mappings and the like anew, what they hold likewise.

    Texts and numbers cannot be changed and are handed on as they are, and so are objects of other classes.

    Examples
    --------
    >>> choices = ["나", "가"]
    >>> own_copy({"choices": choices})["choices"].sort()
    >>> choices
    ['나', '가']
    """
    kind = type(value)
    if kind is list:
        return [item if type(item) is str else own_copy(item) for item in value]
    if kind is dict:
        return {key: item if type(item) is str else own_copy(item) for key, item in value.items()}
    if kind is tuple:
        return tuple(own_copy(item) for item in value)
    return set(value) if kind is set else value
