"""Capitals and small letters; IFEval-Ko has none of these, IFEval has."""

from __future__ import annotations

import re

from driftgate.flows.instructions._parameters import Count, Relation, holds
from driftgate.flows.instructions.language import detected

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")


def capital_word_frequency(reply: str, *, capital_frequency: Count, capital_relation: Relation) -> bool:
    """So many words in capitals; a word with hyphens is one."""
    return holds(sum(word.isupper() for word in _WORD.findall(reply)), capital_relation, capital_frequency)


def english_capital(reply: str) -> bool:
    """English in capitals only."""
    return reply.isupper() and detected(reply.lower()) == "en"


def english_lowercase(reply: str) -> bool:
    """English in small letters only."""
    return reply.islower() and detected(reply) == "en"


CHECKS = {
    "capital_word_frequency": capital_word_frequency,
    "english_capital": english_capital,
    "english_lowercase": english_lowercase,
}
