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

from driftgate.flows.errors import DriftgateError

ROLES = frozenset({"system", "user", "assistant", "function", "tool"})
GIVEN_ROLES = frozenset({"user", "assistant"})
"""Roles that data may give to a turn; who instructs, and what a tool has found, only a template says."""
_OPEN, _SHUT, _ROLE, _WORD = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_OPENS = f"[{_OPEN}{_ROLE}{_WORD}]"
_MARK = re.compile(f"{_OPENS}([0-9a-f]*){_SHUT}")
_ROLE_MARK = rf"([{_ROLE}{_WORD}])([0-9a-f]*){_SHUT}"
_HEADED = re.compile(rf"^([ \t]*#[ \t]*){_ROLE_MARK}(?=[ \t]*:[ \t\r]*$)", re.MULTILINE)
_HEADED_OR_BARE = re.compile(rf"^(\s*#?\s*){_ROLE_MARK}(?=\s*:[^\S\n]*(?:\n|\Z))", re.MULTILINE)
_NO_PART = re.compile(r"[^\s#:A-Za-z\u0130\u0131\u017f\u212a]")
"""A character that stands in no heading, not even in another case of its letters."""
_PART = re.compile(rf"\n|{_OPENS}|(?:content|name|tool_calls|tool_call_id|(?i:system|user|assistant))\s*(?::|\Z)")
"""What a line of a value could add to a heading, to a name or to a call that the template begins."""


class Prompt(str):
    """A prompt that knows which parts of it are values; to everyone else it is its text."""

    marked: str
    """The text with its values between marks."""

    def __new__(cls, marked: str, text: str | None = None) -> Prompt:
        """Make a prompt of a text with marks; ``text`` is what it is to everyone else, where that is not the same."""
        made = super().__new__(cls, unmark(marked) if text is None else text)
        made.marked = marked
        return made

    @property
    def values(self) -> list[str]:
        """The texts in it that stand between marks."""
        return [_read(digits) for digits in _MARK.findall(self.marked)]

    @property
    def tells(self) -> bool:
        """Whether a value in it could be taken for a part of a heading by somebody who knows nothing of values."""
        return self.count("#") != self.marked.count("#") or _ROLE in self.marked or _WORD in self.marked


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
    if _SHUT not in text:
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
        return unmark(value).strip() if _SHUT in value else value
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return {name: unmarked(item) for name, item in value.items()} if isinstance(value, dict) else value


class OwnWord(str):
    """A role that stands in a template as a constant: it is the template's, wherever it is printed."""

    __slots__ = ()


def printed(value: Any) -> str:
    """What a template prints of a value: itself where it can begin no turn, else between marks.

    A line that holds a character of no heading can be no part of one. The parts of a prompt that was rendered before
    stay what they were.
    """
    if isinstance(value, Prompt):
        return value.marked
    if type(value) is OwnWord:
        return str(value)
    text = str(value)
    return _short(text) if len(text) < _SHORT else _apart(text)


def printed_as_role(value: Any) -> str:
    """The same of an expression that stands where a heading has its role: what is printed there must be one."""
    if isinstance(value, (Prompt, OwnWord)):
        return printed(value)
    return _ROLE + mark(str(value))[1:]


def _apart(text: str) -> str:
    if _NO_PART.search(text) and not _PART.search(text):
        return text
    return (_WORD if text.strip().lower() in ROLES else _OPEN) + mark(text)[1:]


_SHORT = 256
_short = lru_cache(maxsize=4096)(_apart)


def with_roles(text: str, *, bare: bool) -> str:
    """A marked text in which the roles that headings take from values stand as words, where data may give them.

    Parameters
    ----------
    bare : bool
        Whoever splits the text takes a role without ``#`` for a heading.

    Raises
    ------
    DriftgateError
        A heading would take another role from a value, or it would depend on a value whether there is a heading.
    """
    if _ROLE in text or _WORD in text:
        return (_HEADED_OR_BARE if bare else _HEADED).sub(_given, text)
    return text


def _given(found: re.Match[str]) -> str:
    role = _read(found[3]).strip()
    if found[2] == _WORD:
        raise DriftgateError(
            f"a line of the template is a value and a colon, and this value is the role '{role}'",
            "begin the line with '# ' or call what it prints 'role' where turns are meant, else write more beside it",
        )
    if role.lower() not in GIVEN_ROLES:
        raise DriftgateError(
            f"a heading of the template takes its role from a value, which is {role[:40]!r}",
            "data may give user and assistant: write another role into the template, or '##' where no turn is meant",
        )
    return found[1] + role


def hidden(value: Any) -> str:
    """What a template prints of any value, between marks: for a template with nothing but texts in it."""
    return mark(str(value))
