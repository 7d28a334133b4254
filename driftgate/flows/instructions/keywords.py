"""Words that are to stand in a reply, or not.

A word is found within another: Korean words carry particles, so ``사과를`` holds ``사과``. A forbidden word of Latin
letters is not found within another of such letters. Upstream looks for forbidden words between word boundaries, which
lets ``사과를`` pass where ``사과`` is forbidden, and reads a word as a pattern.
"""

from __future__ import annotations

import re

from driftgate.flows.instructions._parameters import Count, Relation, Text, Texts, holds
from driftgate.flows.text import composed


def existence(reply: str, *, keywords: Texts) -> bool:
    """Every word stands in it."""
    return all(_count(reply, word) for word in keywords)


def frequency(reply: str, *, keyword: Text, frequency: Count, relation: Relation) -> bool:
    """A word stands in it so many times."""
    return holds(_count(reply, keyword), relation, frequency)


def forbidden_words(reply: str, *, forbidden_words: Texts) -> bool:
    """None of the words stands in it."""
    return not any(_stands(reply, word) for word in forbidden_words)


def letter_frequency(reply: str, *, letter: Text, let_frequency: Count, let_relation: Relation) -> bool:
    """A letter stands in it so many times, whatever its case."""
    return holds(_count(reply, letter), let_relation, let_frequency)


def _count(reply: str, word: str) -> int:
    return composed(reply).casefold().count(composed(word).casefold().strip())


def _stands(reply: str, word: str) -> bool:
    latin = "[a-z0-9]"
    wanted = composed(word).casefold().strip()
    begin = f"(?<!{latin})" if re.match(latin, wanted) else ""
    end = f"(?!{latin})" if re.match(latin, wanted[-1]) else ""
    return re.search(begin + re.escape(wanted) + end, composed(reply).casefold()) is not None


CHECKS = {
    "existence": existence,
    "frequency": frequency,
    "forbidden_words": forbidden_words,
    "letter_frequency": letter_frequency,
}
