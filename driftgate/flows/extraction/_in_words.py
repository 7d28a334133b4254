"""A choice's text that a reply says of its subject in the end: "우리나라에서 가장 큰 항구 도시는 부산입니다"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftgate.flows.extraction._normalise import choice_keys, key
from driftgate.flows.extraction._read import LETTERS, Asked, Reading
from driftgate.flows.extraction._rule_set import CompiledRules
from driftgate.flows.extraction._sentences import Named, Sentence, named, says_something_else, sentences
from driftgate.flows.extraction._supposed import under_condition

MOST_SENTENCES = 400
"""Of a longer reply the last ones are read: a bound on the time that a degenerate reply can take."""

_LABEL = re.compile(r"(?P<letter>(?<![^\W_])[A-J])[.):]{0,2}[\s*_\"'`(]{1,4}\Z")


def in_words(reply: str, asked: Asked, rules: CompiledRules) -> Reading | None:
    """The choice that the last sentence which names one says of its subject.

    It counts where no other choice is said of anything, and no choice goes by its letter but this one in the same
    sentence; others may be named before ("인천도 항구지만 ... 부산입니다"). A sentence that denies, supposes, compares
    or joins says nothing, nor does a reply that is cut off.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> def read(reply):
    ...     found = in_words(reply, Asked(3, ("서울", "부산", "대구"), 3), compiled("ko-v3"))
    ...     return found and LETTERS[found.position]
    >>> read("가장 큰 항구 도시는 부산입니다."), read("서울은 내륙이지만 항구가 있는 곳은 **부산**이에요.")
    ('B', 'B')
    >>> [read(r) for r in ("부산은 항구입니다.", "서울과 부산입니다.", "답은 부산이 아닙니다.")]
    [None, None, None]
    """
    texts = named(reply, asked.choices, rules)
    if not texts or not rules.words["FINISHED"].search(reply):
        return None
    said = list(sentences(reply, rules))[-MOST_SENTENCES:]
    last = next((s for s in reversed(said) if s.begin <= texts[-1].begin < s.end), None)
    if last is None:
        return None
    chosen = _said_of(last, texts, reply, rules)
    if chosen is None or not _alone(chosen, last, texts, reply, rules):
        return None
    keys = choice_keys(asked.choices)
    if keys.count(keys[chosen.position]) > 1:
        return None
    if any(c.isdigit() for c in keys[chosen.position]) and last is not said[-1]:
        return None  # a value on the way
    concludes = rules.words["CONCLUDES_REPLY"].match(last.text) is not None
    others = {found.position for s in said if s is not last and (found := _said_of(s, texts, reply, rules))}
    if not concludes and others - {chosen.position}:
        return None
    letter = _LABEL.search(reply[max(last.begin, chosen.begin - 12) : chosen.begin])
    if letter and letter["letter"] != LETTERS[chosen.position]:
        return None
    if not letter and _letters(reply, texts, asked, rules) - {LETTERS[chosen.position]}:
        return None
    if letter and _letters(last.text, _within(texts, last), asked, rules) - {LETTERS[chosen.position]}:
        return None
    return Reading(chosen.position, "letter_text" if letter else "text", chosen.begin)


def _said_of(sentence: Sentence, texts: Sequence[Named], reply: str, rules: CompiledRules) -> Named | None:
    """The choice that is the predicate of a sentence."""
    inside = [n for n in texts if sentence.begin <= n.begin < sentence.end]
    if not inside or "?" in sentence.text:
        return None
    chosen = inside[-1]
    if not rules.words["SAID_OF"].match(reply[chosen.end : sentence.end]):
        return None
    before = reply[sentence.begin : chosen.begin]
    if under_condition(before, rules):
        return None
    if rules.words["JOINED"].search(_unlabelled(before)) and not rules.words["CONCLUDES"].search(before[-8:] + " "):
        return None
    return None if says_something_else(before, rules) else chosen


def _unlabelled(before: str) -> str:
    return _LABEL.sub("", before)


def _alone(chosen: Named, sentence: Sentence, texts: Sequence[Named], reply: str, rules: CompiledRules) -> bool:
    """Whether the sentence names no other choice, but in a clause before or as a part of its subject."""
    others = [n for n in texts if sentence.begin <= n.begin < chosen.begin and n.position != chosen.position]
    if not others or rules.words["CONCLUDES"].search(reply, others[-1].end, chosen.begin):
        return True
    topic = rules.words["TOPIC_ENDS"].search(reply[sentence.begin : chosen.begin]) is not None
    return topic and all(rules.words["OF_SUBJECT"].match(reply, one.end) for one in others)


def _within(texts: Sequence[Named], sentence: Sentence) -> list[Named]:
    return [
        Named(n.begin - sentence.begin, n.end - sentence.begin, n.position)
        for n in texts
        if sentence.begin <= n.begin < sentence.end
    ]


def _letters(text: str, texts: Sequence[Named], asked: Asked, rules: CompiledRules) -> set[str]:
    """The choices that go by their letter or number, those letters aside that stand in a choice's own text."""
    for one in reversed(texts):
        text = text[: one.begin] + " " * (one.end - one.begin) + text[one.end :]
    own = {word for choice in asked.choices for word in rules.words["LONE_LETTER"].findall(choice)}
    found = {m[0] for m in rules.words["LONE_LETTER"].finditer(text) if m[0] not in own}
    return found | {m[0] for m in rules.words["CELL"].finditer(text) if key(m[0]) and not m[0].isascii()}
