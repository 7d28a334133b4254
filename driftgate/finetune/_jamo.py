"""Texts as sets of hashed jamo n-grams, many texts at once.

A Hangul syllable is split into its two or three letters first, so that a changed particle or ending counts as the small
edit it is, and spaces and punctuation are left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BITS = 24
"""Bits of a hash: 16.8 million values, for the few million different n-grams of the known benchmarks."""

Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.int32]

_MULTIPLIER = np.uint32(0x9E3779B1)  # the golden ratio's prime of Knuth's multiplicative hashing
_FIRST, _LAST = 0xAC00, 0xD7A3
_VOWELS, _FINALS = 21, 28
_FILLERS = "\u115f\u1160"
"""Stand for a letter that is not there, and are not seen; U+3164 and U+FFA0 become one."""


class _Kept(dict[int, str]):
    """For str.translate: letters, digits and symbols in form NFKC and lower case, nothing for the rest."""

    def __missing__(self, code: int) -> str:
        letters = unicodedata.normalize("NFKC", chr(code)).casefold()
        self[code] = "".join(c for c in letters if unicodedata.category(c)[0] in "LNS" and c not in _FILLERS)
        return self[code]


_KEPT = _Kept()


def plain(text: str) -> str:
    """The letters, digits and symbols of a text, in Unicode form NFKC and lower case.

    Examples
    --------
    >>> plain(" ① 조선의  Ｔ-50 은? ")
    '1조선의t50은'
    """
    return unicodedata.normalize("NFC", text).translate(_KEPT)


def jamo(text: str) -> str:
    """The letters of a text's syllables, spaces and punctuation left out.

    Examples
    --------
    >>> [unicodedata.name(letter)[7:] for letter in jamo("값!")]
    ['CHOSEONG KIYEOK', 'JUNGSEONG A', 'JONGSEONG PIEUP-SIOS']
    """
    return "".join(unicodedata.normalize("NFD", c) if _FIRST <= ord(c) <= _LAST else c for c in plain(text))


def hashed_ngrams(texts: Sequence[str], length: int) -> tuple[Rows, Hashes]:
    """The hashed jamo n-grams of every text, in the order they stand in it.

    Parameters
    ----------
    texts : sequence of str
        Texts as they are; a text shorter than ``length`` letters is one n-gram, an empty one has none.
    length : int
        Letters of an n-gram.

    Returns
    -------
    rows, hashes : arrays of the same length
        A text's place in ``texts`` and a hash from 0 to ``2**BITS - 1``.

    Examples
    --------
    >>> rows, hashes = hashed_ngrams(["조선의 왕은?", "조선의 왕은", "세종"], 3)
    >>> np.bincount(rows).tolist(), bool((hashes[rows == 0] == hashes[rows == 1]).all())
    ([11, 11, 3], True)
    """
    codes, sizes = _jamo_codes([plain(text) for text in texts])
    missing = np.where((sizes > 0) & (sizes < length), length - sizes, 0)
    if missing.any():  # a text shorter than an n-gram is filled up, so that it can equal another
        codes = np.insert(codes, np.repeat(np.cumsum(sizes), missing), 0)
        sizes = sizes + missing
    count = len(codes) - length + 1
    if count < 1:
        return np.empty(0, np.int64), np.empty(0, np.int32)
    hashes = np.zeros(count, np.uint32)
    for offset in range(length):
        np.multiply(hashes, _MULTIPLIER, out=hashes)
        hashes += codes[offset : offset + count]
    hashes ^= hashes >> np.uint32(15)  # the low bits of a polynomial depend on the letters' low bits only
    hashes *= _MULTIPLIER
    hashes >>= np.uint32(32 - BITS)
    rows = np.repeat(np.arange(len(texts)), sizes)
    inside = rows[:count] == rows[length - 1 :]
    return rows[:count][inside], hashes[inside].astype(np.int32)


def _jamo_codes(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Rows]:
    """Code points of the texts one after the other, syllables split, and how many belong to each text."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), np.uint32)
    index = codes.astype(np.int32) - _FIRST
    syllable = (codes >= _FIRST) & (codes <= _LAST)
    final = index % _FINALS
    closed = syllable & (final > 0)
    parts = 1 + syllable.astype(np.int64) + closed
    ends = np.cumsum(parts)
    place = ends - parts
    split = np.empty(int(ends[-1]) if len(ends) else 0, np.uint32)
    split[place] = np.where(syllable, 0x1100 + index // (_VOWELS * _FINALS), codes)
    split[place[syllable] + 1] = 0x1161 + (index[syllable] // _FINALS) % _VOWELS
    split[place[closed] + 2] = 0x11A7 + final[closed]
    borders = np.cumsum([0, *map(len, texts)])
    return split, np.diff(np.concatenate([[0], ends])[borders])
