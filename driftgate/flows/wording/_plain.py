"""One spelling of a text for all that compare texts: what it says, not how it was sent."""

from __future__ import annotations

import re
import unicodedata

from driftgate.flows.thinking import without_thinking

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\ufe0f"))
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SQUARED = re.compile("[㎟-㎦]")
_POWER = re.compile(r"(?<=\d)( ?)(mm|cm|km|m)([23])(?![\w])")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
_FENCED = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n.*?^[ \t]*(?:```|~~~)[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]가-힣]+")
_FRAC = re.compile(r"\\[dtc]?frac\s*\{\s*(-?[\w.]+)\s*\}\s*\{\s*([\w.]+)\s*\}")
_COMMAND = re.compile(r"\\f?boxed\s*\{([^{}]*)\}|\\(?:text|mathrm|mathbf)\s*\{([^{}]*)\}")
_MARKUP = ((re.compile(r"\*\*|__|~~"), ""), (re.compile(r"^[ \t]*(?:#{1,6}|>|[-*•])[ \t]+", re.MULTILINE), ""))
_MARKS = str.maketrans({"−": "-", "‐": "-", "‑": "-", "⁄": "/", "∕": "/", "÷": "/", "〜": "~", "∼": "~", "’": "'"})


def plain(text: str) -> str:
    r"""A text in compatibility form (NFKC), without thoughts, fences, Markdown and invisible characters.

    A text that consists of thoughts alone is empty. Case and lines stay.

    Examples
    --------
    >>> plain("\ufeff<think>부산?</think>**서울**"), plain("```\n서울\n```"), plain("１½ m²")
    ('서울', '서울', '1 1/2 m^2')
    >>> plain(r"$\boxed{\frac{1}{2}}$"), plain("$10")
    ('1/2', '$10')
    """
    said = without_thinking(text)
    if said is None:
        return ""
    said = _VULGAR.sub(lambda m: " " + unicodedata.normalize("NFKC", m[0]).replace("⁄", "/"), said)
    said = _RAISED.sub(lambda m: "^" + m[0].translate(_SUPERSCRIPTS), said)
    said = _SQUARED.sub(lambda m: re.sub(r"(\d)", r"^\1", unicodedata.normalize("NFKC", m[0])), said)
    said = unicodedata.normalize("NFKC", said).translate(_INVISIBLE).translate(_MARKS)
    said = _POWER.sub(r"\1\2^\3", _FENCE.sub("", said))
    for pattern, new in _MARKUP:
        said = pattern.sub(new, said)
    if "\\" in said:
        said = _COMMAND.sub(lambda m: m[1] or m[2] or "", _FRAC.sub(r"\1/\2", said)).replace("$", "")
    lines = (" ".join(line.split()) for line in said.splitlines())
    return "\n".join(line for line in lines if line)


def prose(text: str) -> str:
    """As :func:`plain`, without code and addresses, whose letters and digits are no wording.

    Examples
    --------
    >>> prose("신청은 https://a.example/3 에서 `pip install 5` 뒤에")
    '신청은 에서 뒤에'
    """
    return plain(_URL.sub(" ", _CODE.sub(" ", _FENCED.sub(" ", without_thinking(text) or ""))))
