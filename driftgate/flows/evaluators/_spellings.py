"""The spellings in which an abusive word hides: taken apart, drawn out, broken by signs, with look-alikes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_LETTER = "가-힣ㄱ-ㅎㅏ-ㅣ"
_JAMO = re.compile("[ㄱ-ㆎ]+")
_MARKS = re.compile(rf"(?<=[{_LETTER}])(?:[^\w\s]|_){{1,3}}(?=[{_LETTER}])")
_BETWEEN = re.compile(
    rf"(?<=[{_LETTER}])(?:\d{{1,3}}|[x×])(?=[{_LETTER}])|(?<=[가-힣])[ㅡㅣㅋㅎㅠㅜ]{{1,3}}(?=[가-힣])"
)
_APART = re.compile(rf"(?<![{_LETTER}])[ㄱ-ㅎㅏ-ㅣ](?:[ .·]{{1,2}}[ㄱ-ㅎㅏ-ㅣ])+(?![{_LETTER}])")
_RUN = re.compile(rf"[{_LETTER}]+")
_SPELT = re.compile(r"(?<![a-z])[a-z](?:[ .\-_*]{1,2}[a-z]){2,}(?![a-z])")
_LEET = re.compile(r"[a-z0-9$@!]*[a-z][a-z0-9$@!]*")
_LOOKS = str.maketrans("$@!1035", "saiioes")
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_DRAWN = {
    "ㅑ": "ㅑㅏ",
    "ㅕ": "ㅕㅓ",
    "ㅛ": "ㅛㅗ",
    "ㅠ": "ㅠㅜ",
    "ㅒ": "ㅒㅐ",
    "ㅖ": "ㅖㅔ",
    "ㅘ": "ㅘㅏ",
    "ㅝ": "ㅝㅓ",
}
"""A vowel with a glide is drawn out with or without it (벼엉, 벼영)."""
_FIRST = 0xAC00
_LONGEST = 20_000
"""Characters of a text that are read."""


def spellings(text: str) -> list[str]:
    """A text in lower case, and its other readings: jamo put together, signs between syllables and lengthening undone.

    Form NFKC, but for jamo that stand alone, which it would take for the beginnings of syllables.

    Examples
    --------
    >>> [form for form in spellings("ㅅㅣ발, 씨.발, 시이바알")][-1]
    '시발, 씨발, 시발'
    >>> "fuck" in spellings("F u c k")
    True
    """
    plain = _plain(text[:_LONGEST])
    closed = _BETWEEN.sub("", _MARKS.sub("", _APART.sub(lambda m: re.sub(r"[ .·]", "", m[0]), plain)))
    latin = _SPELT.sub(lambda m: re.sub("[^a-z]", "", m[0]), plain)
    latin = _LEET.sub(lambda m: m[0].translate(_LOOKS), latin)
    found = [plain, latin, closed]
    for form in (plain, closed):
        joined = _RUN.sub(lambda m: _joined(m[0]), form)
        found += [joined, _shortened(joined)]
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(c for c in composed if unicodedata.category(c) != "Cf" and c != "\u115f" and c != "\u3164")
    parts, place = [], 0
    for jamo in _JAMO.finditer(shown):
        parts += [unicodedata.normalize("NFKC", shown[place : jamo.start()]), jamo[0]]
        place = jamo.end()
    return "".join([*parts, unicodedata.normalize("NFKC", shown[place:])]).casefold()


def _joined(word: str) -> str:
    return "".join(_syllables(_letters(word))) if _JAMO.search(word) else word


def _letters(word: str) -> Iterator[str]:
    """The jamo of a word."""
    for letter in word:
        place = ord(letter) - _FIRST
        if not 0 <= place < 11172:
            yield letter
            continue
        yield _INITIALS[place // 588]
        yield _VOWELS[place % 588 // 28]
        if place % 28:
            yield _FINALS[place % 28]


def _syllables(letters: Iterator[str]) -> Iterator[str]:
    """Syllables of jamo as a keyboard puts them together: a consonant goes with the vowel behind it."""
    jamo = list(letters)
    place = 0
    while place < len(jamo):
        if not (jamo[place] in _INITIALS and place + 1 < len(jamo) and jamo[place + 1] in _VOWELS):
            yield jamo[place]
            place += 1
            continue
        code = _FIRST + _INITIALS.index(jamo[place]) * 588 + _VOWELS.index(jamo[place + 1]) * 28
        place += 2
        if place < len(jamo) and jamo[place] in _FINALS and not (place + 1 < len(jamo) and jamo[place + 1] in _VOWELS):
            code += _FINALS.index(jamo[place])
            place += 1
        yield chr(code)


def _shortened(text: str) -> str:
    """A text without syllables that only draw out the vowel before them (시이발, 바알)."""
    found: list[str] = []
    for letter in text:
        place = ord(letter) - _FIRST
        before = ord(found[-1]) - _FIRST if found else -1
        drawn = (
            0 <= place < 11172
            and 0 <= before < 11172
            and before % 28 == 0
            and place // 588 == _INITIALS.index("ㅇ")
            and _VOWELS[place % 588 // 28] in _DRAWN.get(vowel := _VOWELS[before % 588 // 28], vowel)
        )
        if drawn:
            found[-1] = chr(_FIRST + before + place % 28)
        else:
            found.append(letter)
    return "".join(found)
