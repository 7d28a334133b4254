"""What a reply says behind the answer it gave first: it may take it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from driftgate.flows.extraction._left_open import left_open
from driftgate.flows.extraction._normalise import unique_match
from driftgate.flows.extraction._read import LETTERS, Asked, Reading, is_unit, read
from driftgate.flows.extraction._rule_set import CompiledRules, Place
from driftgate.flows.extraction._supposed import under_condition

MOST = 64
"""Statements of one kind that are read behind an answer: a bound on the time that a degenerate reply can take."""


LOOK_BACK = 80
"""Characters in front of "이 정답" that may be a choice's text."""


@dataclass(frozen=True)
class Statement:
    """A choice that the reply names in so many words behind its first answer."""

    at: int
    position: int
    form: str
    place: Place


def taken_back(reply: str, at: int, position: int, asked: Asked, rules: CompiledRules) -> Statement | str | None:
    """What became of an answer that stands at `at`.

    Returns
    -------
    Statement
        The reply settles on another choice in the end.
    str
        ``contradicted``: it names another choice in a way that may settle the question or explain; ``left_open``: its
        end says that it does not know, that none is right or that several are.
    None
        The answer stands.
    """
    rest = reply[at + 1 :]
    if not rules.later or len(rest) < 4:
        return None
    corrects = rules.words["CORRECTS"].search(reply, at + 1)
    behind = corrects.start() if corrects else len(reply)
    said = sorted(_statements(reply, at, behind, asked, rules), key=lambda s: (s.at, s.place.take == "last"))
    verdict = _verdict(said, rest, behind, len(reply), position, rules)
    if isinstance(verdict, str) or rules.reader < 3:
        return verdict
    final = verdict.position if verdict else position
    again = [s for s in said if s.position == final and s.place.name not in _NO_ANSWERS and s.place.take != "sole"]
    since = max([at + 1, *(s.at + 1 for s in again)])
    own = asked.choices[final] if asked.choices else ""
    beside = reply.find(own, max(0, since - len(own) - 1), since + len(own) + 4) if own else -1
    since = max(since, beside + len(own)) if beside >= 0 else since  # "D. 알 수 없음" leaves nothing open
    return "left_open" if left_open(reply, since, LETTERS[final], own, rules) else verdict


_NO_ANSWERS = ("denied", "rival")


def _verdict(
    said: list[Statement], rest: str, behind: int, end: int, position: int, rules: CompiledRules
) -> Statement | str | None:
    """What the statements behind an answer make of it; see :func:`taken_back`."""
    denied = max((s.at for s in said if s.place.name == "denied" and s.position == position), default=-1)
    said = [s for s in said if s.place.name != "denied"]
    settling = [
        s
        for s in said
        if s.place.take == "last" or (s.at >= behind and s.place.take == "agree" and s.place.name != "rival")
    ]
    if settling:
        last = settling[-1]
        if last.position == position:
            return "contradicted" if denied > last.at else None
        # Two letters named after one another as right: which of them is meant cannot be told.
        rivals = {s.position for s in settling if s.at >= behind or behind == end}
        return last if rivals <= {last.position, position} else "contradicted"
    doubtful = {s.position for s in said if s.place.take == "agree"}
    # Three others and more are no rivals: they are gone through one by one.
    if denied >= 0 or (doubtful and position not in doubtful and len(doubtful) < 3):
        return "contradicted"
    if doubtful:
        return None
    right = {s.position for s in said if s.place.take == "sole"}
    if len(right) == 1 and position not in right:
        named = set(rules.words["LONE_LETTER"].findall(rest)) - {LETTERS[position]}
        if len(named) == 1:
            last = next(s for s in reversed(said) if s.place.take == "sole")
            return last if last.at >= behind else "contradicted"
    return None


def _statements(reply: str, at: int, behind: int, asked: Asked, rules: CompiledRules) -> Iterator[Statement]:
    lowered = reply.lower()
    for place, pattern in rules.later:
        if place.needs and not any(word in lowered for word in place.needs):
            continue
        for count, match in enumerate(pattern.finditer(reply, behind if place.name == "corrected" else at + 1)):
            if count == MOST:
                break
            group = next(name for name, said in match.groupdict().items() if said is not None)
            before = reply[max(0, match.start(group) - 40) : match.start(group)]
            if rules.words["OTHERS"].search(before) or rules.words["ANOTHER_BEFORE"].search(before[-20:]):
                continue
            if only_supposed(reply, match, rules) or is_unit(reply, match.start(group), asked):
                continue
            if place.name == "by_text":
                found = _named_last(reply[max(0, match.start() - LOOK_BACK) : match.start()], asked)
            else:
                found = read(match[group], asked, rules, headed=True, text=False)
            if found is not None and found.position is not None:
                yield Statement(match.start(group), found.position, found.form, place)


def _named_last(said: str, asked: Asked) -> Reading | None:
    """The choice whose text stands at the end of the last line of `said`: "그러므로 부산" names 부산."""
    words = said.rpartition("\n")[2].split()
    for start in range(len(words)):
        position = unique_match(" ".join(words[start:]), asked.choices)
        if position is not None:
            return Reading(position, "text")
    return None


def only_supposed(reply: str, match: re.Match[str], rules: CompiledRules) -> bool:
    """Whether a statement stands behind an "if" of its sentence: "If it asked for a port, the answer would be B".

    An "if" without "would" may be a step of the reasoning: "If x is 3, the answer is B".
    """
    if rules.reader < 2:
        return False
    before = reply[max(0, match.start() - 120) : match.start()]
    if rules.reader >= 3 and under_condition(before, rules):
        return True
    if "would" in match[0] and rules.words["SUPPOSED_IF"].search(before):
        return True
    return rules.words["SUPPOSED"].search(before) is not None
