"""Text as it enters: composed, and without what no file and no database can hold.

macOS writes Hangul in pieces: ``서`` as a consonant and a vowel. Two texts then look the same and are not equal, and a
column, a category or an answer is "unknown" with a sentence that seems to contradict itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def composed(text: str) -> str:
    r"""The text in Unicode form NFC, without lone surrogates; what was one character stays that character.

    NFC also replaces characters that nobody decomposed, such as 樂 (U+F914) by 樂 (U+6A02): the same to the eye, other
    tokens to a model. A published question is asked as it was published, so these are left; names, which are compared,
    are read by :func:`as_name`. Apple's file system makes the same exception.

    Examples
    --------
    >>> composed("\u1109\u1165\u110b\u116e\u11af"), composed("\uf914") == "\uf914", composed("cut \ud83d")
    ('서울', True, 'cut \ufffd')
    """
    return text if text.isascii() else composed_whole(well_formed(text))


def composed_whole(text: str) -> str:
    """As :func:`composed`, of a text without lone surrogates, which may be a whole file's."""
    if unicodedata.is_normalized("NFC", text):
        return text
    kept = "".join(character for character in set(text) if not unicodedata.is_normalized("NFC", character))
    if not kept:
        return unicodedata.normalize("NFC", text)
    parts = re.split(f"([{re.escape(kept)}]+)", text)
    parts[::2] = [unicodedata.normalize("NFC", part) for part in parts[::2]]
    return "".join(parts)


def as_name(text: str) -> str:
    r"""A name that is compared with other names: in form NFC, without lone surrogates.

    Examples
    --------
    >>> as_name("\u1109\u1165\u110b\u116e\u11af") == "서울", as_name("\uf914") == "\u6a02"
    (True, True)
    """
    return text if text.isascii() else unicodedata.normalize("NFC", well_formed(text))


def well_formed(text: str) -> str:
    r"""The text with two halves of a character joined, and a half that stands alone replaced by U+FFFD.

    Examples
    --------
    >>> well_formed("\ud83d\ude0a \ud83d") == "😊 \ufffd"
    True
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def composed_value(value: Any) -> Any:
    r"""A JSON value with every text in it composed, and every key a :func:`as_name`.

    Examples
    --------
    >>> composed_value({"\u1100\u1161": ["\u1102\u1161", 1, None]})
    {'가': ['나', 1, None]}
    """
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, Mapping):
        return {as_name(str(key)): composed_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [composed_value(inner) for inner in value]
    return value


def named_value(value: Any) -> Any:
    """A setting with every text in it a :func:`as_name`; keys that are no text stay as they are."""
    if isinstance(value, str):
        return as_name(value)
    if isinstance(value, Mapping):
        return {named_value(key): named_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [named_value(inner) for inner in value]
    return value


def on_disk(path: Path) -> Path:
    r"""The path as its parts are spelt on disk, where a setting spells them in another Unicode form.

    A path that is there, and one that is not there in any form, is returned as it is.
    """
    if path.name == "" or path.exists():
        return path
    folder = on_disk(path.parent)
    wanted = as_name(path.name)
    try:
        alike = [entry for entry in folder.iterdir() if as_name(entry.name) == wanted]
    except OSError:  # there is no such folder, or it may not be read
        return path
    return alike[0] if len(alike) == 1 else folder / path.name
