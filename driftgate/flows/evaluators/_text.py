"""Text as evaluators compare it: Unicode form, words, Korean particles, sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[가-힣]+|[^\W\d_가-힣]+")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_HANGUL = re.compile(r"[가-힣]+")
# Particles and forms of the copula by what the syllable before them must end in (National Institute of Korean
# Language, Standard Korean Dictionary): allomorphs such as 은/는 tell a particle from a word's own last syllable.
_AFTER_CONSONANT = "은 이 을 과 으로 으로는 으로도 으로서 으로써 이나 이며 이다 이에요"
_AFTER_VOWEL = "는 가 를 와 로 로는 로도 로서 로써 예요"
_AFTER_ANY = (
    "의 에 에서 에게 께 께서 에는 에도 에서는 에서도 에게는 에게서 한테 도 만 까지 까지는 부터 부터는 보다 처럼 마다 "
    "으로부터 로부터 입니다 입니까 이라고 라고 이란 이라는 라는"
)
_PARTICLES = sorted(
    [(p, True) for p in _AFTER_CONSONANT.split()]
    + [(p, False) for p in _AFTER_VOWEL.split()]
    + [(p, None) for p in _AFTER_ANY.split()],
    key=lambda entry: -len(entry[0]),
)
_ALONE = frozenset(particle for particle, _ in _PARTICLES)
_RIEUL = 8
"""Index of the final consonant ㄹ in a Hangul syllable; 로 follows it as if it were a vowel."""


def normal(text: str) -> str:
    """Compatibility form (NFKC), no case, single spaces.

    Source: Unicode Standard Annex 15, normalisation form KC; Unicode Standard section 3.13, default case folding.

    Examples
    --------
    >>> normal("  ＡＰＩ를\\u3000① 번  ")
    'api를 1 번'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The words of a text without punctuation, split where the script changes; thousands lose their commas.

    Examples
    --------
    >>> words("GPT-4는 1,000원입니다.")
    ['gpt', '4', '는', '1000', '원입니다']
    """
    return [w.replace(",", "") if w[0].isdigit() else w for w in _WORD.findall(normal(text))]


def texts(accepted: str | Sequence[str]) -> list[str]:
    """What is accepted as right: one text, or any of several."""
    return [accepted] if isinstance(accepted, str) else list(accepted)


def is_hangul(word: str) -> bool:
    """Whether a word is written in Hangul syllables alone."""
    return _HANGUL.fullmatch(word) is not None


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A Korean word without its particles and copula; any other word as it stands.

    It is a rule, not a morphological analysis: it also takes the last syllable of a noun such as 고양이, but always,
    so that 고양이, 고양이는 and 고양이에게 remain equal. At least one syllable stays.

    Examples
    --------
    >>> [stem(w) for w in ("서울은", "서울에서는", "서울입니다", "서울", "나이가", "나이", "seoul")]
    ['서울', '서울', '서울', '서울', '나이', '나이', 'seoul']
    """
    if not is_hangul(word):
        return word
    end = len(word)
    while (shorter := _without_particle(word, end)) != end:
        end = shorter
    return word[:end]


def _without_particle(word: str, end: int) -> int:
    """Where the first ``end`` syllables of a word end without their last particle."""
    for particle, after_consonant in _PARTICLES:
        rest = end - len(particle)
        if (
            rest > 0
            and end >= 3
            and word.endswith(particle, 0, end)
            and _fits(word[rest - 1], particle, after_consonant)
        ):
            return rest
    return end


def _fits(before: str, particle: str, after_consonant: bool | None) -> bool:
    final = (ord(before) - 0xAC00) % 28
    if particle.startswith("로"):
        return final in (0, _RIEUL)
    return after_consonant is None or after_consonant == bool(final)


def tokens(text: str) -> list[str]:
    """The words of a text without their particles; a particle on its own is left out.

    Examples
    --------
    >>> tokens("API를 서울에서 쓴다.")
    ['api', '서울', '쓴다']
    """
    return [stem(w) for w in words(text) if w not in _ALONE]


def shingles(text: str) -> list[str]:
    """Syllable pairs of Hangul words, other words whole: what stays equal when a Korean word is inflected.

    Source: J. H. Lee and J. S. Ahn, "Using n-grams for Korean text retrieval", SIGIR 1996: pairs find Korean words
    about as well as a morphological analyser.

    Examples
    --------
    >>> shingles("재택근무는 주 2회")
    ['재택', '택근', '근무', '주', '2', '회']
    """
    return [pair for token in tokens(text) for pair in pairs(token)]


def pairs(word: str) -> list[str]:
    """The syllable pairs of a word of Hangul; another or a shorter word whole; nothing of an empty one.

    Examples
    --------
    >>> pairs("재택근무"), pairs("주"), pairs("api"), pairs("")
    (['재택', '택근', '근무'], ['주'], ['api'], [])
    """
    if len(word) < 3 or not is_hangul(word):
        return [word] if word else []
    return [word[i : i + 2] for i in range(len(word) - 1)]


def sentences(text: str) -> list[str]:
    """The sentences of a text: cut after a full stop, question or exclamation mark, and at line ends.

    Examples
    --------
    >>> sentences("연차는 15일입니다. 최대 3.5일을 이월합니다!\\n끝")
    ['연차는 15일입니다.', '최대 3.5일을 이월합니다!', '끝']
    """
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]
