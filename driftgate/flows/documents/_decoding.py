"""Bytes of a text file as text: UTF-8, UTF-16 or CP949, told by what can be right and never by a guess at random."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # begins as UTF-16 does: asked first
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,20})""", re.IGNORECASE)
_KOREAN = frozenset({"euc-kr", "ks_c_5601-1987", "ksc5601", "cp949", "uhc", "x-windows-949", "ks_c_5601"})
_LIKELY = re.compile(r"[가-힣ㄱ-ㆎ\u3000-\u303f\uff01-\uff5e‘-”…·]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")
_MOST_CONTROLS = 0.01
_LEAST_KOREAN = 0.5


class Decoded(NamedTuple):
    """A text, and the encoding that it was in."""

    text: str
    encoding: str


class Undecodable(ValueError):
    """The bytes are no text in an encoding that is read."""


def decode(content: bytes) -> Decoded:
    """Read the bytes of a file as text.

    UTF-16 without a mark is known by its zero bytes; CP949, which holds EUC-KR, by what comes out of it: bytes of
    another encoding come out as rare syllables, Chinese characters and signs.

    Raises
    ------
    Undecodable
        Why they are no text, in words.

    Examples
    --------
    >>> decode("연차".encode("cp949")), decode("연차 17일".encode("utf-16-le"))
    (Decoded(text='연차', encoding='CP949'), Decoded(text='연차 17일', encoding='UTF-16'))
    >>> decode(bytes(range(256)))
    Traceback (most recent call last):
    driftgate.flows.documents._decoding.Undecodable: it is no text in UTF-8, UTF-16 or CP949
    """
    for mark, codec, name in _MARKS:
        if content.startswith(mark):
            return _plain(content, codec, name) or _none()
    found = None
    if b"\0" not in content:
        found = _plain(content, "utf-8", "UTF-8") or _korean(content)
    elif len(content) % 2 == 0:
        found = _wide(content)
    return found or _none()


def decode_html(content: bytes) -> Decoded:
    """As :func:`decode`; a page's own word for its encoding counts where it can be right.

    Raises
    ------
    Undecodable
        The bytes are no text.
    """
    said = _DECLARED.search(content[:4096])
    declared = said[1].decode().lower() if said else ""
    if declared and not content.startswith(tuple(mark for mark, _, _ in _MARKS)):
        try:
            codec = "cp949" if declared in _KOREAN else codecs.lookup(declared).name
            found = _plain(content, codec, "CP949" if codec == "cp949" else codec.upper())
        except LookupError:  # it names none
            found = None
        if found is not None:
            return found
    return decode(content)


def _none() -> Decoded:
    raise Undecodable("it is no text in UTF-8, UTF-16 or CP949")


def _plain(content: bytes, codec: str, name: str) -> Decoded | None:
    try:
        text = content.decode(codec)
    except (UnicodeError, LookupError):
        return None
    return Decoded(text, name) if len(_CONTROL.findall(text)) <= _MOST_CONTROLS * len(text) else None


def _korean(content: bytes) -> Decoded | None:
    found = _plain(content, "cp949", "CP949")
    if found is None:
        return None
    foreign = [character for character in found.text if not character.isascii()]
    likely = sum(_LIKELY.match(character) is not None for character in foreign)
    return found if likely >= _LEAST_KOREAN * len(foreign) else None


def _wide(content: bytes) -> Decoded | None:
    """UTF-16 without a mark: of the two orders the one whose text looks like one."""
    found = [one for codec in ("utf-16-le", "utf-16-be") if (one := _plain(content, codec, "UTF-16")) is not None]
    rated = [(_ordinary(one.text), one) for one in found]
    share, best = max(rated, key=lambda pair: pair[0], default=(0.0, None))
    return best if share >= _LEAST_KOREAN else None


def _ordinary(text: str) -> float:
    ordinary = sum(c.isascii() or _LIKELY.match(c) is not None for c in text)
    return ordinary / len(text) if text else 0.0
