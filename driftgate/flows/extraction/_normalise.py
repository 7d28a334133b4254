"""One spelling for one character: what the rules see, and how choice texts are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

CIRCLED_FIRST = 0xE001
"""Code point that stands for a circled one; the next nine stand for two to ten. NFKC would make a circled digit a
plain digit, but "③" is a choice's number and "3" may be a value, so the circle has to survive."""

_CIRCLED_RUNS = (0x2460, 0x2776, 0x2780, 0x278A, 0x24F5)  # ① ❶ ➀ ➊ ⓵, ten of each
_SPECIAL = {start + k: chr(CIRCLED_FIRST + k) for start in _CIRCLED_RUNS for k in range(10)}
_SPECIAL |= dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0x00AD, 0xFE0E, 0xFE0F, 0x20E3], "")
# NFKC turns these into a lone letter that no model meant as a choice: Ⅰ Ⅽ Ⅾ (numerals), ℂ (the complex numbers).
_SPECIAL |= {0x2160: "ⅰ", 0x216D: "ⅽ", 0x216E: "ⅾ", 0x2102: "ℓ"}
_SPECIAL_RE = re.compile("[" + "".join(map(chr, _SPECIAL)) + "]")

_COPULA = re.compile(r"\s*(?:입니다|이다|이에요|예요|이야|이며|이고|임)?[\s.。!]*\Z")
_OPENERS = " \t*_`\"'“”‘’「『《〈([{$"
_CLOSERS = " \t*_`\"'“”‘’」』》〉)]}$.。,;!"
_LOOSE = re.compile(r"[^\w\ue001-\ue00a%°+\-−<>=≤≥±×÷/√∞→]|_")
_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalise(text: str) -> str:
    """NFKC without invisible characters, with circled digits kept apart from plain ones, and stripped.

    >>> normalise("　（Ｂ）\\u200b")
    '(B)'
    >>> normalise("③") == chr(CIRCLED_FIRST + 2)
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _SPECIAL_RE.sub(lambda m: _SPECIAL[ord(m[0])], text))
    return text.replace("\r\n", "\n").strip()


def key(text: str) -> str:
    """What two spellings of one choice text share; the empty string when nothing is left.

    Case, white space, quotes, brackets around it and a final copula do not count. Inside a text without digits
    punctuation does not count either; beside digits it does, because 1.5, 1/5 and -15 are three answers.

    >>> key("「세종 대왕」입니다.") == key("세종대왕")
    True
    >>> key("1,107 W"), key("-1.5"), key("1.5")
    ('1107w', '-1.5', '1.5')
    """
    text = _COPULA.sub("", " ".join(normalise(text).casefold().split()))
    text = "".join(text.lstrip(_OPENERS).rstrip(_CLOSERS).split())
    if _DIGIT.search(text):
        return _THOUSANDS.sub("", text).replace("−", "-").replace("ᆞ", "·").replace("ㆍ", "·")
    return _LOOSE.sub("", text)


@lru_cache(maxsize=4096)
def choice_keys(choices: tuple[str, ...]) -> tuple[str, ...]:
    """The key of each choice text."""
    return tuple(map(key, choices))


def unique_match(text: str, choices: Sequence[str]) -> int | None:
    """Position of the one choice whose key is `text`'s; None when no choice or several have it.

    >>> unique_match("1,000 입니다.", ["10", "100", "1000"])
    2
    """
    wanted = key(text)
    keys = choice_keys(tuple(choices))
    return keys.index(wanted) if wanted and keys.count(wanted) == 1 else None
