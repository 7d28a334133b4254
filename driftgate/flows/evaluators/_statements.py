"""What sentences state of what: each quantity with the words it is said of, and whether the sentence denies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from driftgate.flows.evaluators._kinds import kinds, said_in
from driftgate.flows.evaluators._nouns import PARTICLES
from driftgate.flows.evaluators._periods import period_of, periods_in, periods_named
from driftgate.flows.evaluators._subjects import about
from driftgate.flows.evaluators._text import pairs, sentences
from driftgate.flows.quantities.prose import Stated
from driftgate.flows.wording import Denials, clauses, denials, tokens

_POLARITY = re.compile(
    r"(?:있|없|않|아니|못하|못|안|말|수|지|아닌|불가|가능|불가능|하|되|무료|유료|무상|유상|포함|제외|허용|금지)(?:다|음|는|은|을)?"
)
"""Words that say whether something is so, not of what."""
_VERBAL = re.compile(r"(?<=[가-힣]{2})(?:하|되|시키|된|한)(?:지|다|고|며|는|면|어|여|었다|였다)?$")
"""What makes a verb of a noun, and how it goes on (이월되지, 이월된다)."""
_PERIOD = frozenset(["주", "월", "연", "년", "일", "매주", "매월", "매년", "매일", "최대", "최소", "총", "약"])
"""Words that go with any quantity, and say little of what it is said of."""
_NO_STATEMENT = re.compile(
    r"(?:네|예|안녕하세요|안녕하십니까|감사합니다|고맙습니다|고객님|문의\s?주셔서|알겠습니다|물론입니다|[\s,.!~])+"
    r"|[^\d.!?]{0,40}(?:다음|아래)(?:과|와)\s?같(?:습니다|다|아요)[\s.:]*"
    r"|(?:더\s?|다른\s?|추가로\s?)?궁금한\s?점이?\s?있으(?:시면|면)[^.!?]{0,30}[\s.!]*"
)
"""A greeting, an address, what only announces a list."""
_NOT_BUT = re.compile(r"(?<![^\s,])[^\s,]{1,20}[이가] 아니라,? ")
"""What something is not, before what it is: 정문이 아니라 후문."""
_OF = re.compile(r"\s?(?:의|짜리|간의|치의|치)\s")
_EARLIER, _FURTHER, _BEHIND, _APART = 0.7, 0.05, 0.8, 0.5
"""What a word counts that stands before the quantity before, less with every one further; right behind it; anywhere."""
_OTHER = 0.3
"""What a word of the claim counts that does not stand near its quantity."""
_AFTER = 0.8
"""What a word counts that stands behind it, where it does so in both."""


@dataclass(frozen=True, slots=True)
class Said:
    """A quantity in its sentence."""

    stated: Stated
    near: frozenset[str]
    """Parts of the words that it is said of, as far as its place shows: since the quantity before it, and that."""
    before: Mapping[str, float]
    """Parts that stand further before it in its sentence, by how much they count."""
    behind: frozenset[str]
    """Parts of the words behind it, up to the next."""
    period: str | None = None
    """What time it is for, where that is said."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, read."""

    text: str
    parts: Sequence[str]
    """Syllable pairs of its words, politeness aside; each quantity as one."""
    about: frozenset[str]
    """Its parts without those that only say whether it is so."""
    said: Sequence[Said]
    periods: frozenset[str]
    """The times that it names and a quantity may be for."""
    denials: Denials
    words: Sequence[str]
    """Its words without those that only say whether it is so, and without what any text may have."""


def read(text: str) -> list[Sentence]:
    """The sentences of a text as :func:`~driftgate.flows.wording.prose` gives it; those without words left out.

    Examples
    --------
    >>> [(one.stated.number.numerator, sorted(one.near)) for one in read("연차는 15일이고 병가는 3일이다.")[0].said]
    [(15, ['연차']), (3, ["('time', Fraction(1296000, 1), '')", '병가'])]
    """
    return [sentence for one in sentences(text) if (sentence := _sentence(_NOT_BUT.sub("", one))).parts]


def clauses_of(sentence: Sentence) -> list[Sentence]:
    """The clauses of a sentence, each with what it goes on about; the sentence itself where it has one.

    Examples
    --------
    >>> [one.text for one in clauses_of(read("우체국은 6시에 마치며 토요일에는 쉽니다.")[0])]
    ['우체국은 6시에 마치다', '우체국은 토요일에는 쉽니다.']
    """
    found: list[Sentence] = []
    before, earlier = "", dict[str, float]()
    for clause in clauses(sentence.text):
        whole, own = about(clause, before), _sentence(clause)
        topic = _sentence(whole.removesuffix(clause)).about
        context = earlier | dict.fromkeys(topic, _EARLIER - _FURTHER)
        said = [replace(one, before={**context, **one.before}) for one in own.said]
        found.append(replace(own if whole == clause else _sentence(whole), said=said))
        earlier = dict.fromkeys({*earlier, *own.about}, _APART)
        before = whole
    return found if len(found) > 1 else [sentence]


def verbatim(claim: Sentence, text: Sequence[Sentence]) -> bool:
    """Whether a text has a sentence word for word, politeness at its end aside.

    Examples
    --------
    >>> [verbatim(read(one)[0], read("연차는 15일이다.")) for one in ("연차는 15일입니다.", "연차가 15일입니다.")]
    [True, False]
    """
    said = _said(claim.text)
    return any(one.parts == claim.parts and _said(one.text) == said for one in text)


def _said(text: str) -> tuple[str, ...]:
    """The words of a sentence, the last one without its ending."""
    read_ = tokens(text)
    end = max(0, len(read_) - 1)
    return (*(token.text for token in read_[:end]), *(token.stem for token in read_[end:]))


@lru_cache(maxsize=8192)
def _sentence(text: str) -> Sentence:
    parts: list[str] = []
    about: set[str] = set()
    near: set[str] = set()
    periods = periods_in(text)
    before: dict[str, float] = {}
    said: list[Said] = []
    words: list[str] = []
    for token in tokens(text):
        if token.stated is not None:
            if any(one.start() <= token.stated.begin and token.stated.end <= one.end() for one in periods):
                continue  # "한 주에 두 번": what it is for, and no quantity of its own
            key = repr(token.stated.key)
            period = period_of(token.stated, text, periods)
            time = period.lastgroup if period else None
            said.append(Said(token.stated, frozenset(near), dict(before), frozenset(), time))
            before = {part: max(_APART, value - _FURTHER) for part, value in before.items()}
            before |= dict.fromkeys(near, _EARLIER)
            parts.append(key)
            near = {key}
            continue
        parts += pairs(token.stem)
        own = _about(token.stem)
        about.update(own)
        if own and token.stem not in kinds().general:
            words.append(token.stem)
        near.update(own)
    named = periods_named(text)
    return Sentence(text, parts, frozenset(about), _with_what_follows(text, said), named, denials(text), words)


def _about(stem: str) -> list[str]:
    """Syllable pairs of a word without what only says whether it is so."""
    bare = _VERBAL.sub("", stem)
    return [] if _POLARITY.fullmatch(stem) or _POLARITY.fullmatch(bare) else pairs(bare)


def covered(claim: Sentence, parts: frozenset[str], text: str) -> float:
    """How much of a claim a text says: the mean over its words and quantities of how much of each stands there.

    Parameters
    ----------
    claim : Sentence
        A clause of an answer.
    parts : frozenset of str
        The parts of the text.
    text : str
        The text, as :func:`~driftgate.flows.evaluators._kinds.close` gives it.
    """
    found = [float(repr(one.stated.key) in parts) for one in claim.said]
    for word in claim.words:
        own = pairs(word)
        found.append(1.0 if said_in(word, text) else sum(part in parts for part in own) / len(own))
    if not found:
        found = [float(part in parts) for part in claim.parts]
    return sum(found) / len(found) if found else 1.0


def _with_what_follows(text: str, said: Sequence[Said]) -> list[Said]:
    """Quantities with the words behind them, which are those they are said of in 15일의 연차."""
    found: list[Said] = []
    for number, one in enumerate(said):
        until = said[number + 1].stated.begin if number + 1 < len(said) else len(text)
        of = _OF.match(text, one.stated.end)
        behind = frozenset(
            part
            for token in tokens(text[of.end() if of else one.stated.end : until])
            if token.stated is None and token.text not in PARTICLES
            for part in _about(token.stem)
        )
        found.append(replace(one, near=behind if of else one.near, behind=behind))
    return found


def weights(texts: Iterable[Sequence[Sentence]]) -> dict[str, float]:
    """What a part tells: one over the number of sentences that have it."""
    found: dict[str, int] = {}
    for sentence in (one for text in texts for one in text):
        for part in sentence.about:
            found[part] = found.get(part, 0) + 1
    return {part: (0.25 if part in _PERIOD else 1.0) / count for part, count in found.items()}


def closest(claim: Sentence, text: Sequence[Sentence], weight: Mapping[str, float]) -> list[Sentence]:
    """The sentences of a text that say most of the same; several where they do equally."""
    keys = {repr(one.stated.key) for one in claim.said}
    scores = [
        sum(weight.get(part, 0.0) for part in claim.about & one.about) + len(keys.intersection(one.parts))
        for one in text
    ]
    best = max(scores, default=0.0)
    return [one for one, score in zip(text, scores, strict=True) if score >= best - 1e-9]


def says_nothing(sentence: Sentence) -> bool:
    """Whether a sentence greets, addresses or announces, and states nothing that could be supported.

    Examples
    --------
    >>> [says_nothing(one) for one in read("네, 고객님. 준비물은 다음과 같습니다. 연차는 15일이다.")]
    [True, True, False]
    """
    return _NO_STATEMENT.fullmatch(sentence.text.strip()) is not None


def states(claim: Sentence, text: Sequence[Sentence], weight: Mapping[str, float]) -> list[bool]:
    """Whether a text states each quantity of a claim of what the claim states it of.

    Of all its quantities those count that are said of the same as far as the words near them show; a quantity that
    stands elsewhere, of something else, states nothing here.
    """
    return [_stated(one, claim, text, weight) for one in claim.said]


def _stated(one: Said, claim: Sentence, text: Sequence[Sentence], weight: Mapping[str, float]) -> bool:
    wanted = one.stated
    found: list[tuple[float, bool]] = []
    for sentence in text:
        for other in sentence.said:
            in_time = (
                one.period is None
                or one.period == other.period
                or (other.period is None and one.period in sentence.periods)
            )
            answers = in_time and other.stated.answers(wanted)
            if answers or (other.stated.kind, other.stated.measure) == (wanted.kind, wanted.measure):
                found.append((_alike(one, claim, other, sentence, weight), answers))
    best = max((score for score, _ in found), default=0.0)
    return any(answers for score, answers in found if score >= best - 1e-9)


def _alike(one: Said, claim: Sentence, other: Said, sentence: Sentence, weight: Mapping[str, float]) -> float:
    """How far two quantities are said of the same."""
    near = one.near or claim.about
    score = 0.0
    for part in near | claim.about:
        somewhere = _APART if part in sentence.about else 0.0
        if part not in near:
            place = _AFTER if part in one.behind and part in other.behind else somewhere * _OTHER
        elif part in other.near:
            place = 1.0
        else:
            place = max(other.before.get(part, somewhere), _BEHIND if part in other.behind else 0.0)
        score += place * weight.get(part, 1.0)
    return score
