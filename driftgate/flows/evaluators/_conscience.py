"""What stands beside every overlap score: whether the numbers and the denials of two texts agree.

A sentence with another number shares more words with its reference than a good paraphrase does; no overlap sees that.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from driftgate.flows.evaluators._periods import period_of, periods_in
from driftgate.flows.evaluators._text import pairs
from driftgate.flows.quantities.prose import Stated, stated_in
from driftgate.flows.wording import agree_in_negation, alike, prose, tokens


def conscience(said: str, accepted: Sequence[str]) -> dict[str, float]:
    """Whether a text states what a reference states, and denies what it denies; of several references the best.

    Returns
    -------
    dict
        ``numbers_agree``: 1 where all quantities of the reference are stated and none stands against them.
        ``numbers_missing``: share of the reference's quantities that the text does not state, 0 where it has none.
        ``numbers_wrong``: 1 where the text states a quantity that stands against the reference: one of a kind that
        the reference states with another value, any other one where a quantity of the reference is missing, or two
        that have changed places.
        ``numbers_added``: 1 where it states one that the reference has nothing to say of.
        ``negation``: 1 where neither denies what the other grants.

    Notes
    -----
    A quantity is read in every writing, with its unit, its limit and the period that it is for (주 2회, 하루 5만 원). A
    range is its two ends. Of several references it is the one that the text stands against least: each is a right
    answer of its own, so one more never makes a text worse.

    Examples
    --------
    >>> conscience("요금은 25,000원입니다.", ["요금은 2만 5천 원이다."])["numbers_agree"]
    1.0
    >>> found = conscience("연차는 25일이고 이월할 수 있다.", ["연차는 15일이고 이월할 수 없다."])
    >>> found["numbers_agree"], found["numbers_missing"], found["numbers_wrong"], found["negation"]
    (0.0, 1.0, 1.0, 0.0)
    >>> conscience("2024년 기준으로 연차는 15일입니다.", ["연차는 15일"])["numbers_added"]
    1.0
    """
    found = [_compared(said, text) for text in accepted]
    best = min(found, key=_against, default=_compared(said, ""))
    return {
        "numbers_agree": float(not best.missing and not best.wrong),
        "numbers_missing": best.missing,
        "numbers_wrong": float(best.wrong),
        "numbers_added": float(best.added),
        "negation": float(best.negation),
    }


SILENT = {"numbers_agree": 0.0, "numbers_missing": 1.0, "numbers_wrong": 1.0, "numbers_added": 1.0, "negation": 0.0}
"""Of a text that is not there: the worst, for that it states and denies nothing is no merit."""


@dataclass(frozen=True, slots=True)
class _Compared:
    missing: float
    wrong: bool
    added: bool
    negation: bool


def _against(found: _Compared) -> tuple[bool, bool, float, bool]:
    return found.wrong, not found.negation, found.missing, found.added


@dataclass(frozen=True, slots=True)
class _Said:
    """A quantity and the period that it is for, empty where none is named."""

    stated: Stated
    period: str
    once: bool
    """It is a Korean ``one``, which is as often no number: 한 번 더, 하나의."""
    over: bool
    """A verb behind it says that something is more: 5회를 넘다."""
    about: frozenset[str] = field(compare=False)
    """Syllable pairs of the words before it, back to another quantity or the sentence's beginning, and which end of
    a range it is."""

    @property
    def kind(self) -> str:
        """What it is of, to tell a contradiction from an addition."""
        return f"{self.stated.kind} {self.stated.measure}"

    def answers(self, wanted: _Said) -> bool:
        """Whether it says what is wanted, perhaps more exactly."""
        if wanted.period and self.period != wanted.period:
            return False
        if self.stated.answers(wanted.stated):
            return True
        limited, verbal = (self, wanted) if wanted.over else (wanted, self)
        return verbal.over and _limit(limited) in (">", ">=") and _unlimited(limited) == verbal.stated

    def within(self, wanted: _Said) -> bool:
        """Whether it says no more than what is wanted: less exactly, without the limit or the period."""
        if self.period not in ("", wanted.period):
            return False
        return wanted.stated.answers(self.stated) or _unlimited(wanted) == self.stated


def _limit(said: _Said) -> object:
    return said.stated.key[2] if said.stated.kind == "number" else ""


def _unlimited(said: _Said) -> Stated:
    if not _limit(said):
        return said.stated
    return replace(said.stated, key=(*said.stated.key[:2], ""))


def _compared(said: str, text: str) -> _Compared:
    ours, theirs = map(_stated, alike(prose(said), prose(text)))
    missing = [wanted for wanted in theirs if not (wanted.once or any(one.answers(wanted) for one in ours))]
    kinds, lost = {wanted.kind for wanted in theirs}, {wanted.kind for wanted in missing}
    wrong, added = _exchanged(ours, theirs), False
    for one in ours:
        if any(one.answers(wanted) or one.within(wanted) for wanted in theirs):
            continue
        against = one.kind in lost if one.once else bool(missing) or one.kind in kinds
        wrong, added = wrong or against, added or not (against or one.once)
    return _Compared(len(missing) / len(theirs) if theirs else 0.0, wrong, added, agree_in_negation(said, text))


_COMPARED = 100
"""Quantities of a text that are looked at in pairs; no answer has more that matter."""
_ALIKE = 0.5


def _exchanged(ours: Sequence[_Said], theirs: Sequence[_Said]) -> bool:
    """Whether two quantities of the reference have changed places: each stands where the other belongs."""
    places = {wanted: (wanted, one) for one in ours[:_COMPARED] for wanted in theirs[:_COMPARED] if one == wanted}
    for (wanted, one), (other_wanted, other) in combinations(places.values(), 2):
        if wanted.kind != other_wanted.kind:
            continue
        across = _likeness(one.about, other_wanted.about), _likeness(other.about, wanted.about)
        own = _likeness(one.about, wanted.about), _likeness(other.about, other_wanted.about)
        if min(across) >= _ALIKE and all(there > here for there, here in zip(across, own, strict=True)):
            return True
    return False


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


_OVER = re.compile(r"(?:을|를|이|가)?\s?(?:넘|지나|초과)")
_ONCE = re.compile(r"한\s?(?:번|가지)|하나|첫")


@lru_cache(maxsize=4096)
def _stated(plain: str) -> tuple[_Said, ...]:
    """The quantities of a text; one that only says what period another is for is a part of it."""
    periods = periods_in(plain)
    begins = [match.start() for match in periods]
    said: list[_Said] = []
    used: set[re.Match[str]] = set()
    before = 0
    for one, side in (end for whole in stated_in(plain) for end in _ends(_of_things(whole))):
        about = _about(plain[max(before, one.begin - _NEAR) : one.begin]) | side
        before = max(before, one.end)
        over = _OVER.match(plain, one.end) is not None
        period = period_of(one, plain, periods)
        if period is not None:
            said.append(_Said(one, str(period.lastgroup), False, over, about))
            used.add(period)
        else:
            said.append(_Said(one, "", _ONCE.match(plain, one.begin) is not None, over, about))

    def of_period(one: Stated) -> bool:
        """Whether it is the number in 1일 5만 원 that only says what the other one is for."""
        place = bisect_right(begins, one.begin) - 1
        return place >= 0 and periods[place] in used and one.end <= periods[place].end()

    return tuple(dict.fromkeys(one for one in said if not of_period(one.stated)))


_NEAR = 60
"""Characters before a quantity that say what it is of."""
_SENTENCE_END = re.compile(r"[.!?。\n]\s")


def _about(before: str) -> frozenset[str]:
    said = _SENTENCE_END.split(before)[-1]
    return frozenset(part for token in tokens(said) if token.stated is None for part in pairs(token.stem))


_THINGS = frozenset(f"count of {unit}" for unit in ("개", "곳", "군데", "가지", "종", "건"))
"""What any thing may be counted in."""


def _of_things(one: Stated) -> Stated:
    return replace(one, key=("count of 개", *one.key[1:]), measure="count of 개") if one.key[0] in _THINGS else one


def _ends(one: Stated) -> Iterator[tuple[Stated, frozenset[str]]]:
    """A range as its two ends, each as if it stood alone, and which of them; anything else as it is."""
    if one.kind != "range":
        yield one, frozenset()
        return
    measure, *ends = one.key
    for end, side in zip(ends, ("from", "to"), strict=True):
        if measure in ("date", "time") and isinstance(end, tuple):
            yield replace(one, kind=measure, key=end), frozenset({side})
        else:
            number = end if isinstance(end, Fraction) else None
            plain = replace(one, kind="number", key=(measure, end, ""), number=number, measure=str(measure))
            yield plain, frozenset({side})
