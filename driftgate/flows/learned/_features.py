"""What a learned reader sees of a text: hashes of its runs of characters and of letters (jamo)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32]

_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")
_END = "\x03"
_FIRST, _SYLLABLES = 0xAC00, 11172
_PRIME = np.uint32(0x01000193)
_MIX = np.uint32(0x85EBCA6B)


def features(text: str) -> Keys:
    """The sorted, distinct keys of a text.

    Runs of one to five characters, where a word's edge is a space and a text's end a sign of its own; and of three to
    seven letters, in which an ending is seen under another stem (합니다, 갑니다: ㅂ니다).

    Width, case, numbers and white space are taken alike: form NFKC, lower case, each number a 0, each gap one space.
    Keys are hashes of 32 bits; a reader looks them up among those that it was trained on, so that what it never met
    counts nothing.

    Examples
    --------
    >>> len(features("네")), bool((features("12시") == features("３시")).all())
    (9, True)
    """
    plain = _SPACE.sub(" ", _DIGITS.sub("0", unicodedata.normalize("NFKC", text).lower())).strip()
    codes = _codes(f" {plain}{_END}")
    letters = _letters(codes)
    return np.unique(np.concatenate([*_runs(codes, 1, 5), *_runs(letters, 3, 7)]))


def _codes(text: str) -> Keys:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _letters(codes: Keys) -> Keys:
    """Initial, vowel and final of each syllable, as numbers below those of any other character that is read."""
    places = codes - np.uint32(_FIRST)  # wraps around below the first syllable
    hangul = places < _SYLLABLES
    apart = np.stack([places // 588 + 1, places % 588 // 28 + 101, places % 28 + 200], axis=1)
    apart[~hangul] = 0
    apart[~hangul, 0] = codes[~hangul] + np.uint32(1000)
    flat = apart.ravel()
    kept: Keys = flat[(flat != 0) & (flat != 200)]
    return kept


def _runs(codes: Keys, shortest: int, longest: int) -> Iterator[Keys]:
    """Hashes of the runs of each length."""
    found = np.full(len(codes), shortest, dtype=np.uint32)
    for length in range(1, min(longest, len(codes)) + 1):
        found = (found[: len(codes) - length + 1] ^ codes[length - 1 :]) * _PRIME
        found ^= found >> 15
        if length >= shortest:
            yield found * _MIX ^ np.uint32(length)
