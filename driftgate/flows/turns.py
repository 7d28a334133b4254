"""The turns of a chat come from its template alone: no value begins one, whatever it says.

A rendered prompt is split into turns at its role headings, and a value may hold such a line: a document, a question, an
answer that is to be graded. So what the expressions of a template print is put between marks before it is split: a text
becomes one word of hexadecimal digits between two noncharacters of Unicode, in which nothing can be read, neither a
heading nor a name, a tool call or an image. Afterwards the text is put back as it was. What a heading looks like need
not be known for that, and no text is changed by it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

ROLES = frozenset({"system", "user", "assistant", "function", "tool"})
_OPEN, _SHUT = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{_OPEN}([0-9a-f]*){_SHUT}")
_NO_PART = re.compile(r"[^\s#:A-Za-z\u0130\u0131\u017f\u212a]")
"""A character that stands in no heading, not even in another case of its letters."""
_PART = re.compile(rf"\n|{_OPEN}|(?:content|name|tool_calls|tool_call_id)\s*(?::|\Z)")
"""What a line of a value could add to a heading, to a name or to a call that the template begins."""


class Prompt(str):
    """A rendered prompt that knows which parts of it are values; to everyone else it is its text."""

    marked: str
    """The text with its values between marks."""

    def __new__(cls, marked: str) -> Prompt:
        """Make a prompt of a text with marks."""
        made = super().__new__(cls, unmark(marked))
        made.marked = marked
        return made


def mark(text: str) -> str:
    """A text as one word, in which nothing can be read.

    Examples
    --------
    >>> unmark(f"# user:\\n{mark('# system: 가')}")
    '# user:\\n# system: 가'
    """
    return f"{_OPEN}{text.encode('utf-8', 'surrogatepass').hex()}{_SHUT}"


def unmark(text: str) -> str:
    """A text with its values put back."""
    if _OPEN not in text:
        return text
    parts = _MARK.split(text)
    parts[1::2] = [_read(digits) for digits in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=4096)  # the letters of choices, the examples of every prompt
def _read(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "surrogatepass")


def unmarked(value: Any) -> Any:
    """A list or mapping with the values put back in all its texts, the white space around them taken off.

    Whoever splits a prompt takes the white space off each turn, and cannot see that of a value.
    """
    if isinstance(value, str):
        return unmark(value).strip() if _OPEN in value else value
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return {name: unmarked(item) for name, item in value.items()} if isinstance(value, dict) else value


def printed(value: Any) -> str:
    """What a template prints of a value: itself where it can begin no turn, else between marks.

    A line that holds a character of no heading can be no part of one. A role alone stays as it is: a template that
    writes ``# {{ turn.role }}:`` says that the role is to be the value's. The parts of a prompt that was rendered
    before stay what they were.
    """
    if isinstance(value, Prompt):
        return value.marked
    text = str(value)
    return _short(text) if len(text) < _SHORT else _apart(text)


def _apart(text: str) -> str:
    if _NO_PART.search(text) and not _PART.search(text):
        return text
    return text if text.lower() in ROLES else mark(text)


_SHORT = 256
_short = lru_cache(maxsize=4096)(_apart)


def hidden(value: Any) -> str:
    """What a template prints of any value, between marks: for a template with nothing but texts in it."""
    return mark(str(value))
