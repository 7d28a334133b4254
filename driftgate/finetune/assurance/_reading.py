"""Every text of an item, under whatever keys and however nested."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from driftgate.finetune.firewall import Item

_FIELD = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")
_LONGEST_FIELD = 40
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function", "human", "gpt", "model"})
_SAYS_ROLE = frozenset({"role", "from"})
_IDENTIFIES = re.compile(r"id|hash|sha\d*|.*_(?:id|hash|sha\d*)")
_DIGEST = re.compile(
    r"(?=.*[a-f])(?:[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_COUNTS = re.compile(r"seed|.*_seed|created|updated|time|timestamp|.*_(?:at|time|timestamp|ms|ns)")
_FEWEST_DIGITS = 9  # of a number that a telephone or a registration may be
_DEEPEST = 4  # JSON inside of a text of JSON


def texts_in(item: Item, but: Collection[str] = ()) -> list[str]:
    """Every text of an item, each once, and what may be a text though it is written as another value.

    A key is a text where it is more than the name of a field; it is put before its value. JSON in a text, such as the
    arguments of a call, is read too, and so is a number that is long enough for a telephone's. Digests under a key that
    says so, roles, seeds and times are no texts.

    Parameters
    ----------
    but : collection of str
        Keys of the item itself that are not read.

    Examples
    --------
    >>> texts_in({"input": [{"role": "user", "content": "왜?"}], "meta": {"담당": "김민수"}, "id": "4af09b12cd34"})
    ['왜?', '담당: 김민수']
    >>> texts_in({"call": '{"to": "\\\\uae40\\\\ubbfc\\\\uc218"}', "phone": 1012345678, "seed": 1012345678})
    ['{"to": "\\\\uae40\\\\ubbfc\\\\uc218"}', '김민수', '1012345678']
    """
    if isinstance(item, str):
        return list(dict.fromkeys(_texts(item, "", 0)))
    return list(dict.fromkeys(_texts({key: value for key, value in item.items() if key not in but}, "", 0)))


def keys_in(value: Any) -> Iterator[str]:
    """Every key of an item."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from keys_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys_in(inner)


def has_text(item: Item) -> bool:
    """Whether there is anything to read: an item of numbers, ids and roles holds nothing that could be measured.

    Examples
    --------
    >>> has_text({"foo": "가"}), has_text({"id": "가", "foo": [1, None, " "]})
    (True, False)
    """
    return any(any(map(str.isalnum, text)) for text in texts_in(item, ("id",)) if not text.isdecimal())


def _texts(value: Any, key: str, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if (key in _SAYS_ROLE and value in _ROLES) or (_IDENTIFIES.fullmatch(key) and _DIGEST.fullmatch(value)):
            return
        yield value if _is_field(key) else f"{key}: {value}"
        if depth < _DEEPEST and value.lstrip()[:1] in ("{", "["):
            try:
                inner = list(_texts(json.loads(value), "", depth + 1))
            except (ValueError, RecursionError):
                return
            yield from inner
    elif isinstance(value, Mapping):
        if not _is_field(key):
            yield key
        for name, inner in value.items():
            yield from _texts(inner, str(name), depth)
    elif isinstance(value, list | tuple) and value:
        for inner in value:
            yield from _texts(inner, key, depth)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        digits = str(int(value)) if isinstance(value, int) or value.is_integer() else ""
        if len(digits) >= _FEWEST_DIGITS and not _COUNTS.fullmatch(key):
            yield digits if _is_field(key) else f"{key}: {digits}"
        elif not _is_field(key):
            yield key
    elif not _is_field(key):
        yield key


def _is_field(key: str) -> bool:
    return not key or (len(key) <= _LONGEST_FIELD and _FIELD.fullmatch(key) is not None)
