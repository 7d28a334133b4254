"""Search a reply for the places where an answer may stand, in the order of the rule set."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from driftgate.flows.extraction._first_line import goes_through
from driftgate.flows.extraction._in_words import in_words
from driftgate.flows.extraction._later import only_supposed, taken_back
from driftgate.flows.extraction._normalise import choice_keys, key, normalise
from driftgate.flows.extraction._own_question import behind_own_question
from driftgate.flows.extraction._read import LETTERS, Asked, Reading, is_unit, letters_in, read
from driftgate.flows.extraction._sentences import says_something_else
from driftgate.flows.extraction._supposed import without_suppositions
from driftgate.flows.extraction._turns import own_turn
from driftgate.flows.extraction.rules import DEFAULT, RULE_SETS, CompiledRules, Place, RuleSet, compiled
from driftgate.flows.thinking import without_thinking

MAX_OCCURRENCES = 16
"""Occurrences of one place that are read, from the end: a bound on the time that a degenerate reply can take."""


@dataclass(frozen=True)
class Extraction:
    """What a reply answers.

    Examples
    --------
    >>> extract_choice("정답: ③")
    Extraction(answer='C', rule='declared/circled')
    """

    answer: str | None
    """The choice's letter, ``A`` to ``J``; None when the reply gives none or more than one."""
    rule: str
    """``place/form`` of the rule that found it, or why there is no answer: ``none``, ``several``, ``negated``,
    ``mismatch``, ``contradicted``, ``left_open``, ``numbered``, ``ambiguous_digit``, ``out_of_range``,
    ``unfinished``."""
    place: str = field(default="", repr=False, compare=False)
    """The place that decided, also where it decided to abstain; empty where the reply has no place for an answer."""


_AMONG_THEM = re.compile(r"(?:중에?서|가운데)(?:는)?\s")
"""Behind all of the choices: "A) 서울 B) 부산 중에서 ..."."""

_BARE = {letter: Extraction(letter, "first_line/letter", "first_line") for letter in LETTERS}


def extract_choice(
    text: str, choices: Sequence[str] = (), *, letters: Sequence[str] | None = None, rule_set: str = DEFAULT
) -> Extraction:
    """Read the choice a model's reply settles on.

    It abstains rather than guesses: a wrong letter moves a score silently, a missing one is counted.

    Parameters
    ----------
    text
        The reply, any text.
    choices
        Texts of the choices in order, at most ten. With them, a text in place of a letter is understood, and a letter
        with another choice's text beside it is refused. Without them only letters and numbers are read.
    letters
        The letters in use when `choices` is empty: ``"A"`` and the ones that follow it; by default ``"A"`` to ``"E"``.
    rule_set
        Name of the rule set; see :data:`driftgate.flows.extraction.rules.RULE_SETS`.

    Raises
    ------
    ValueError
        More than ten choices, letters that are not the first of A to J, or an unknown rule set.

    Examples
    --------
    >>> extract_choice("I'd pick C").answer, extract_choice("Unable to determine").answer
    ('C', None)
    >>> extract_choice("(A)는 오답이고 답은 D")
    Extraction(answer='D', rule='declared/letter')
    >>> extract_choice("세종대왕입니다.", ["태조", "세종 대왕", "정조", "고종"])
    Extraction(answer='B', rule='first_line/text')
    >>> extract_choice("B: 서울", ["서울", "부산"])
    Extraction(answer=None, rule='mismatch')
    """
    _known(rule_set)
    count = _count(choices, letters)
    bare = text.strip()  # most replies are one letter: answer them without looking further
    if len(bare) == 1 and bare in LETTERS[:count]:
        return _BARE[bare]
    rules = compiled(rule_set)
    said = own_turn(normalise(text), rules)
    reply = without_thinking(said) if said is not None else None
    if reply is None:
        return Extraction(None, "unfinished")
    among = rules.words["AMONG"].match(reply)  # "A, B, C, D 중에서": the question's words, not an answer
    reply = reply[among.end() :] if among else reply
    if rules.reader >= 3:
        reply = without_suppositions(reply, rules)
    return _search_first_answer(reply, Asked(count, tuple(choices), rules.reader), rules)


def rule_set_id(rule_set: str = DEFAULT) -> str:
    """Name and content hash of a rule set, the part of a score's signature that says how replies were read.

    >>> rule_set_id("ko-v1")
    'ko-v1:f0ab7f'

    Raises
    ------
    ValueError
        No rule set has that name.
    """
    return _known(rule_set).id


def _known(rule_set: str) -> RuleSet:
    if rule_set not in RULE_SETS:
        raise ValueError(f"there is no rule set '{rule_set}'; known: {', '.join(sorted(RULE_SETS))}")
    return RULE_SETS[rule_set]


def _count(choices: Sequence[str], letters: Sequence[str] | None) -> int:
    if choices:
        if len(choices) > len(LETTERS):
            raise ValueError(f"found {len(choices)} choices; at most {len(LETTERS)} (A to J) can be told apart")
        return len(choices)
    if letters is None:
        return 5
    if "".join(letters) != LETTERS[: len(letters)] or not letters:
        raise ValueError(f"found letters {list(letters)}; expected A and those that follow it, at most to J")
    return len(letters)


def _search_first_answer(reply: str, asked: Asked, rules: CompiledRules) -> Extraction:
    """Search up to where the model goes on to a next question, then, if nothing is there, everywhere."""
    echo = rules.words["ECHO"].match(reply) is not None
    nexts = [m.start() for m in rules.words["NEXT_QUESTION"].finditer(reply)]
    if rules.reader >= 2 and asked.choices and (echo or nexts):
        own = behind_own_question(reply, nexts, asked.choices, LETTERS)
        if own:
            return _search(own, asked, rules, echo=False, numbered=False)
    if rules.reader >= 3 and asked.choices and _AMONG_THEM.search(reply[:800]):
        own = behind_own_question(reply, nexts, asked.choices, LETTERS)
        if own and _AMONG_THEM.match(own):
            return _search(own, asked, rules, echo=False, numbered=False)
    if nexts and not echo:
        first = _search(reply[: nexts[0]], asked, rules, echo=False, numbered=False)
        if first.answer:
            return first
    return _search(reply, asked, rules, echo=echo, numbered=len(nexts) + echo > 1)


def _search(reply: str, asked: Asked, rules: CompiledRules, *, echo: bool, numbered: bool) -> Extraction:
    lowered = reply.lower()
    numbered = numbered or rules.words["NUMBERED"].search(reply) is not None
    reason, decided = "numbered" if numbered else "none", ""
    spoken_of: set[str] = set()
    for place, pattern in rules.places:
        # Behind a question's number an answer is the asked one's only with its choice's own text beside it.
        own_text = numbered and not echo and rules.reader >= 2 and place.name == "declared" and bool(asked.choices)
        if (echo and not place.after_echo) or (numbered and not place.after_numbered and not own_text):
            continue
        if place.needs and not any(word in lowered for word in place.needs):
            continue
        readings = list(_readings(place, pattern, reply, asked, rules))
        result = _settle(readings, place)
        if rules.reader >= 3 and place.name == "declared" and _said_twice(readings, reply, rules):
            return Extraction(None, "several", place.name)
        if result is None or (own_text and not result.form.endswith("_text")):
            continue
        if result.position is not None:
            named = LETTERS[result.position] in spoken_of
            if named and not rules.words["TOLD_APART"].search(reply[max(0, result.at - 40) : result.at]):
                # "A와 B는 ...", and in the end one of them
                return Extraction(None, "several", place.name)
            later = taken_back(reply, _end_of_answer(result, asked), result.position, asked, rules)
            if isinstance(later, str):
                return Extraction(None, later, place.name)
            if later is not None:
                return Extraction(LETTERS[later.position], f"{later.place.name}/{later.form}", later.place.name)
            return Extraction(LETTERS[result.position], f"{place.name}/{result.form}", place.name)
        if result.form == "listed":
            listed = rules.words["LISTED"].match(reply)
            spoken_of |= letters_in(listed[0] if listed else "", rules)
            reason, decided = "several", place.name
            continue
        if result.form != "negated":  # a negated choice says nothing about the others: read on
            return Extraction(None, result.form, place.name)
        reason, decided = "negated", place.name
    return Extraction(None, reason, decided)


def _readings(
    place: Place, pattern: re.Pattern[str], reply: str, asked: Asked, rules: CompiledRules
) -> Iterator[Reading]:
    """Read every occurrence of a place, the last ones where there are very many."""
    if not place.pattern:
        found = in_words(reply, asked, rules) if asked.choices else None
        if found is not None:
            yield found
        return
    if place.name == "first_line" and rules.reader >= 3 and rules.words["LISTED"].match(reply):
        yield Reading(None, "listed")
        return
    for match in deque(pattern.finditer(reply), maxlen=MAX_OCCURRENCES):
        group = next(name for name, said in match.groupdict().items() if said is not None)
        said = match[group]
        if only_supposed(reply, match, rules) or is_unit(reply, match.start(group), asked):
            continue
        if rules.words["ANOTHER_BEFORE"].search(reply[max(0, match.start(group) - 20) : match.start(group)]):
            yield Reading(None, "several")
            continue
        if place.name == "closes":
            sentence = re.split(r"[.!?\n]", reply[max(0, match.start(group) - 60) : match.start(group)])[-1]
            if says_something_else(sentence, rules):
                continue
            if place.take == "sole" and any(map(rules.words["LONE_LETTER"].search, asked.choices)):
                continue  # "B형의 항원은 B입니다": the choices' own letters
        if place.bare and not rules.words["BARE"].match(said):
            continue
        if place.take == "sole" and len(set(rules.words["LONE_LETTER"].findall(reply))) > 1:
            continue
        # Without words that announce it, only a whole reply can be a choice's text.
        cut = rules.reader >= 2 and reply.endswith(said) and said[-1] not in ".!다"
        found = read(said, asked, rules, headed=place.headed, text=place.headed or "\n" not in reply, cut=cut)
        if found is None:
            continue
        found = replace(found, at=match.start(group))
        if (
            place.name == "in_brackets"
            and rules.reader >= 2
            and _beside_another(reply[: match.start(group)], found, asked)
        ):
            found = Reading(None, "mismatch")
        if "\n" in match[0] and rules.reader >= 2 and _begins_a_list(reply[match.start(group) :], found, rules):
            found = Reading(None, "several")
        if place.name == "first_line" and rules.reader >= 3 and goes_through(said, reply, found, asked, rules):
            found = Reading(None, "negated")
        if place.name == "first_line" and found.position is not None and _in_a_column(reply, found, rules):
            found = Reading(None, "several")
        yield found


def _end_of_answer(result: Reading, asked: Asked) -> int:
    """Where what was read ends: a choice's own text may look like a letter that is named ("DFA-D입니다")."""
    own = result.form.endswith("text") and asked.choices and result.position is not None
    return result.at + (len(asked.choices[result.position or 0]) if own else 0)


def _beside_another(before: str, found: Reading, asked: Asked) -> bool:
    """Whether the text in front of a letter in brackets ends in another choice's: "서울 (B)"."""
    said = key(before.rstrip("([ "))
    ends = [i for i, text in enumerate(choice_keys(asked.choices)) if text and said.endswith(text)]
    return bool(ends) and found.position is not None and found.position not in ends


def _begins_a_list(said: str, found: Reading, rules: CompiledRules) -> bool:
    """Whether what was said some lines below its heading is the first of the choices, one after the other."""
    below = rules.words["LISTING"].match(said)
    return below is not None and found.position is not None and LETTERS.index(below[1]) == found.position + 1


def _in_a_column(reply: str, found: Reading, rules: CompiledRules) -> bool:
    """Whether the first line's letter heads a column: answers to several questions, or the choices themselves."""
    own = {LETTERS[found.position or 0]}
    if found.form == "letter":
        return bool(set(rules.words["BARE_LINE"].findall(reply)) - own)
    return bool(set(rules.words["LISTING"].findall(reply)) - own)


def _said_twice(readings: list[Reading], reply: str, rules: CompiledRules) -> bool:
    """Whether the last two answers are two, one directly behind the other in the same words: "정답: A", "정답: D"."""
    pair = [r for r in readings if r.position is not None][-2:]
    if len(pair) < 2 or pair[0].position == pair[1].position:
        return False
    return rules.words["TWICE"].match(reply[pair[0].at : pair[1].at]) is not None


def _settle(readings: list[Reading], place: Place) -> Reading | None:
    """One reading for all occurrences of a place."""
    telling = [r for r in readings if r.form != "negated"] or readings
    if not telling:
        return None
    named = {r.position for r in telling}
    if len(named) > (2 if place.take == "last" else 1):
        return Reading(None, "several")
    return telling[-1]
