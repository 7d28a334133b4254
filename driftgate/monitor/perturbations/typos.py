"""Slips of the hand: neighbouring letters of a word change places, in Hangul a vowel falls on the key beside it.

Words that carry the sense of a question are left alone: numbers, negations, what is quoted, short words.

References
----------
Belinkov, Bisk (2018). Synthetic and natural noise both break neural machine translation. ICLR.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from driftgate.flows.wording import denies
from driftgate.monitor.perturbations._perturbation import Example, Perturbation, Prompt

_SHARE = 0.15
"""Of the words that may have a slip, how many get one; at least one does."""
_LATIN = re.compile(r"^[a-z]{5,}[,.?!]?$")
_HANGUL = re.compile(r"^[가-힣]{3,}[,.?!]?$")
_QUOTED = re.compile(r"[\"'`“”‘’「」『』()\[\]<>]")
_BESIDE = {"ㅏ": "ㅣ", "ㅣ": "ㅏ", "ㅓ": "ㅏ", "ㅗ": "ㅓ", "ㅜ": "ㅡ", "ㅡ": "ㅜ", "ㅐ": "ㅔ", "ㅔ": "ㅐ"}
"""The vowel on the key beside, on the usual Korean keyboard (KS X 5002)."""
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FIRST, _FINALS = ord("가"), 28


def _slipped(word: str, rng: random.Random) -> str | None:
    """The word with a slip; None where none is possible."""
    if _LATIN.match(word):
        places = [n for n in range(1, len(word) - 2) if word[n] != word[n + 1] and word[n + 1].isalpha()]
        if not places:
            return None
        place = rng.choice(places)
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if not _HANGUL.match(word):
        return None
    # The last two syllables hold particles and endings, which say who does what to whom.
    places = [n for n in range(len(word.rstrip(",.?!")) - 2) if _vowel(word[n]) in _BESIDE]
    if not places:
        return None
    place = rng.choice(places)
    return word[:place] + _with_vowel(word[place], _BESIDE[_vowel(word[place])]) + word[place + 1 :]


def _vowel(syllable: str) -> str:
    return _VOWELS[(ord(syllable) - _FIRST) // _FINALS % len(_VOWELS)]


def _with_vowel(syllable: str, vowel: str) -> str:
    code = ord(syllable) - _FIRST
    initial, final = code // (_FINALS * len(_VOWELS)), code % _FINALS
    return chr(_FIRST + (initial * len(_VOWELS) + _VOWELS.index(vowel)) * _FINALS + final)


def _change(prompt: Prompt, pool: Sequence[Example], rng: random.Random) -> Prompt | None:
    parts = re.split(r"(\s+)", str(prompt.data["question"]))
    quoted = False
    slips: dict[int, str] = {}
    for place, word in enumerate(parts):
        marks = len(_QUOTED.findall(word))
        if not marks and not quoted and not denies(word) and (slipped := _slipped(word, rng)) is not None:
            slips[place] = slipped
        quoted ^= bool(marks % 2)
    if not slips:
        return None
    chosen = rng.sample(sorted(slips), max(1, round(_SHARE * len(slips))))
    for place in chosen:
        parts[place] = slips[place]
    return replace(prompt, data={**prompt.data, "question": "".join(parts)})


PERTURBATION = Perturbation("typos", "slips of the hand", _change)
