"""The nouns of a clause with the part that each plays in it, and whether they play another in another clause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from driftgate.flows.wording import Token, tokens

_PARTS = {
    "is": "입니다|이다|이며|이고|이에요|예요|였다|이었다|였습니다|이었습니다|이었고|였고|이었으며|였으며|임",
    "than": "보다|보다는|보다도",
    "to": "에게|에게서|에게는|에게도|에게만|께|한테|한테서|에|에는|에도|에만|"
    "으로|로|으로는|로는|으로만|로만|으로도|로도",
    "at": "에서|에서는|에서도|에서만",
    "from": "부터|으로부터|로부터",
    "until": "까지|까지는|까지만",
    "with": "와|과|랑|이랑|하고|나|이나",
    "of": "의",
    "object": "을|를",
    "subject": "은|는|이|가|께서|께서는|도|만|만이|만은",
}
_PART = {particle: part for part, listed in _PARTS.items() for particle in listed.split("|")}
"""Which part a particle gives a noun. Topic and subject are one: 은 and 는 stand for either."""
PARTICLES = frozenset(_PART)
_LONGEST_FIRST = sorted(_PART, key=lambda particle: -len(particle))
_UNORDERED = frozenset(["with", "is", "", "until"])
"""Parts of which two nouns may change places and nothing is said otherwise."""
_ADNOMINAL = re.compile(
    r"[하되있없르드치키우오보쓰내두]$|(?:[걸열팔달내올풀밀돌알울살빌들]리|다니|[빠떨커작높넓깊많어아해져라]지|타나|태어나|일어나|끝나"
    r"|떠나|지나|움직이|보이|쓰이|모이|즐기|남기|옮기|맡기|느끼|숨기|생기|이기|가지|만지|던지|마시|계시|[가-힣]시키)$"
)
"""Of a word before 는: the stem of a verb that describes the noun behind it (다니는)."""
_CLOSED_STEM = re.compile("[받입잡찾읽먹앉듣얻믿맞놓쌓닫찍갚묶싣]$")
"""Of a word before 은 or 을: the stem of a verb that does (받을)."""
_VERBAL_END = re.compile(
    r"[아어여해게지고면서며려록니자든쳐져러히껏씩다적]$|(?:(?<!지)하|[되으주보오드])[실신]$"
    r"|(?:때|채|듯|만큼|따라|위해|통해|대해|관해|의해)$"
)
"""How verbs go on, and adverbs end: a word without a particle that may be no noun."""
_SHORT_VERBS = frozenset(
    "높많작같좋짧깊넓먹읽있없않낮굵늦붉밝맑젊늙싫옳얇좁받입잡찾앉듣얻믿맞놓쌓닫찍갚묶싣적가오하되쓰사자보주타나크켜끄내대두지추꾸"
)
"""Words of one syllable before a particle that are verbs (높은, 가는)."""
_LATIN_NAME = re.compile(r"(?<![A-Za-z])(?:[A-Z][A-Za-z0-9&+#'-]*|[a-z]+[A-Z0-9][A-Za-z0-9-]*)")
_HANGUL = re.compile("[가-힣]")
_NOUN_END = re.compile("[일물실관원전산천문분면단년편권판건론민군신돈술글날달질월철별율]$")
"""Last syllables of nouns that end as a verb does which describes another word."""
_SS, _NIEUN, _RIEUL = 20, 4, 8
"""Indices of final consonants in a Hangul syllable."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in its clause."""

    word: str
    part: str
    """What it does there: subject, object, to, at, from, than, of, with, until, is; empty without a particle."""
    head: str
    """The noun behind one without a particle or with 의, which it describes; else empty."""
    place: int
    """Which of the clause's tokens it is."""


@lru_cache(maxsize=4096)
def nouns(clause: str) -> tuple[Noun, ...]:
    """The nouns of a clause as :func:`~driftgate.flows.wording.prose` gives it, by a rule and no parse.

    Examples
    --------
    >>> [(one.word, one.part) for one in nouns("작가는 부산에서 자란 뒤 서울로 떠났다.")]
    [('작가', 'subject'), ('부산', 'at'), ('서울', 'to')]
    >>> [(one.word, one.head) for one in nouns("준비물은 신분증, 인감 증명서입니다.")]
    [('준비물', ''), ('신분증', ''), ('인감', '증명서'), ('증명서', '')]
    """
    read = tokens(clause)
    found: list[Noun] = []
    korean = _HANGUL.search(clause) is not None
    names = {one.casefold() for one in _LATIN_NAME.findall(clause)}
    for place, token in enumerate(read):
        after = read[place + 1] if place + 1 < len(read) else None
        if token.kind == "latin":
            if korean or (token.text in names and place):  # an English sentence begins with a capital
                found.append(Noun(token.text, _PART.get(_glued(after), ""), "", place))
            continue
        if token.kind != "hangul" or not token.stem or not token.text.startswith(token.stem):
            continue
        if _short(token.text):
            found.append(Noun(token.text[0], _PART[token.text[1]], "", place))
            continue
        particle = token.text[len(token.stem) :]
        part = _part(particle)
        if part is None or _verbal(token.stem, particle) or (len(token.stem) < 2 and part != "than"):
            continue
        ended = after is None or after.ends  # an item of a list, or the last word
        item = ended and (after is not None or token.ends or (bool(found) and found[-1].part == "with"))
        if not particle and not _bare_noun(token.stem, item):
            continue
        describes = not ended and part in ("", "of") and after is not None and after.kind == "hangul"
        found.append(Noun(token.stem, part, after.stem if describes and after else "", place))
    return tuple(found)


def _short(word: str) -> bool:
    """Whether a word is a noun of one syllable with its particle (물을, 곰은)."""
    if len(word) != 2 or word[0] in _SHORT_VERBS:
        return False
    return word[1] in ("은이을" if _final(word[0]) > 0 else "는가를")


def _part(particle: str) -> str | None:
    """What a particle gives a noun; of several, or where a noun ends as a particle does (우렁이를), the last."""
    if not particle or particle in _PART:
        return _PART.get(particle, "")
    return next((_PART[end] for end in _LONGEST_FIRST if particle.endswith(end)), None)


def _glued(token: Token | None) -> str:
    return token.text if token and token.glued else ""


def _verbal(stem: str, particle: str) -> bool:
    """Whether what stands before a particle is a verb's stem (다니는, 떨어졌을)."""
    if stem.endswith("적"):
        return particle in ("으로", "이")
    if _final(stem) == _SS or stem.endswith(("다", "라")):
        return particle in ("으로", "로", "은", "을", "이", "가", "는", "도")
    if particle in ("은", "을") and _CLOSED_STEM.search(stem):
        return True
    return particle in ("는", "은") and _ADNOMINAL.search(stem) is not None


def adnominal(word: str) -> bool:
    """Whether a word in 은 or 는 is a verb that describes the noun behind it.

    Examples
    --------
    >>> [adnominal(word) for word in ("다니는", "도서관은", "높은", "은서는")]
    [True, False, True, False]
    """
    return word[-1:] in ("은", "는") and (not _short(word) if len(word) < 3 else _verbal(word[:-1], word[-1]))


def _bare_noun(word: str, listed: bool) -> bool:
    if listed:
        return not word.endswith("다")
    if _VERBAL_END.search(word) or _ADNOMINAL.search(word):
        return False
    return _final(word) not in (_NIEUN, _RIEUL, _SS) or _NOUN_END.search(word) is not None


def _final(word: str) -> int:
    return (ord(word[-1]) - 0xAC00) % 28 if "가" <= word[-1:] <= "힣" else -1


def exchanged(claim: str, other: str) -> bool:
    """Whether two nouns that both clauses name have exchanged the parts that they play.

    Examples
    --------
    >>> [exchanged("철수가 영희를 도왔다.", one) for one in ("영희가 철수를 도왔다.", "영희를 철수가 도왔다.")]
    [True, False]
    """
    ours, theirs = _by_word(claim), _by_word(other)
    parts = {(part, theirs[word]) for word, part in ours.items() if word in theirs}
    return any(mine != its and (its, mine) in parts for mine, its in parts)


def misplaced(claim: str, other: str) -> bool:
    """Whether a noun of a claim goes with another verb in a clause that names it, and with its verb another noun.

    Examples
    --------
    >>> other = "작가는 목포에서 태어나 부산에서 자랐다."
    >>> [misplaced(f"작가는 {said}.", other) for said in ("부산에서 태어났다", "목포에서 태어났다", "부산에서 자랐다")]
    [True, False, False]
    """
    words = [token.stem for token in tokens(claim) if token.kind == "hangul" and token.stem]
    there = [token.text for token in tokens(other)]
    verb = words[-1][:2] if words and len(words[-1]) > 2 else ""
    at = [place for place, word in enumerate(there) if verb and word.startswith(verb)]
    if len(at) != 1:
        return False
    ours = {noun.word: noun.part for noun in nouns(claim) if noun.part in ("at", "to", "object", "from", "than")}
    before: dict[str, str] = {}
    behind: dict[str, set[str]] = {}
    for noun in nouns(other):
        if noun.place < at[0]:
            before[noun.part] = noun.word
        else:
            behind.setdefault(noun.part, set()).add(noun.word)
    return any(
        part in before and before[part] not in ours and word in behind.get(part, ()) for word, part in ours.items()
    )


def _by_word(clause: str) -> dict[str, str]:
    """The part of each noun that is named once, where its place in the clause matters."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for noun in nouns(clause):
        if noun.word in found:
            twice.add(noun.word)
        found[noun.word] = noun.part
    return {word: part for word, part in found.items() if word not in twice and part not in _UNORDERED}
