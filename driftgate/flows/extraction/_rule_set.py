"""What a rule set of the choice extractor is made of; see :mod:`driftgate.flows.extraction.rules`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Take = Literal["last", "agree", "sole"]
"""What to do when a place occurs more than once: the last occurrence counts; all must agree; or the letter must be
the only one that the whole reply mentions."""


@dataclass(frozen=True)
class Place:
    """Where an answer may stand."""

    name: str
    pattern: str
    """Regular expression with a group ``said``; ``re.MULTILINE`` and ``re.IGNORECASE`` are off unless it says so."""
    take: Take = "last"
    headed: bool = True
    """Words in front announce an answer, so particles and loose text may follow the letter (``정답은 B로 보인다``)."""
    needs: tuple[str, ...] = ()
    """The pattern is tried only on a reply that has one of these, lower-cased: a cheap test before a dear one."""
    after_echo: bool = True
    """May be used on a reply that begins by repeating a question."""
    after_numbered: bool = False
    """May be used on a reply that numbers questions, as when a model answers the prompt's examples one by one."""
    bare: bool = False
    """Nothing but the letter, circled digit or number may stand here."""


@dataclass(frozen=True)
class Form:
    """How a choice may be spelled."""

    name: str
    pattern: str
    """Matched at the start of what was said; groups ``letter``, ``circled``, ``number`` (with 번) or ``digit``."""


@dataclass(frozen=True)
class RuleSet:
    """Everything that decides what is read out of a reply."""

    name: str
    places: tuple[Place, ...]
    forms: tuple[Form, ...]
    words: tuple[tuple[str, str], ...]
    """Named patterns: the macros ``{NAME}`` of the tables, and the guards that the reader asks for by name."""
    reader: int
    """Version of the reading code the set was measured with; part of the hash."""
    later: tuple[Place, ...] = field(default=(), repr=False)
    """What a reply may say behind the answer it gave first, and so take it back; what `take` means there is said where
    they are defined."""

    @property
    def id(self) -> str:
        """Name and content hash, as a score's signature prints them."""
        # A set without a part that came later hashes as it did before there was such a part.
        content = repr(self) + (repr(self.later) if self.later else "")
        return f"{self.name}:{hashlib.sha256(content.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class CompiledRules:
    """A rule set with its macros filled in and its patterns compiled."""

    places: tuple[tuple[Place, re.Pattern[str]], ...]
    forms: tuple[tuple[str, re.Pattern[str]], ...]
    words: Mapping[str, re.Pattern[str]]
    reader: int
    later: tuple[tuple[Place, re.Pattern[str]], ...]


def fill_in(rule_set: RuleSet) -> CompiledRules:
    """Fill in the macros of a rule set and compile its patterns."""

    def fill(pattern: str) -> re.Pattern[str]:
        for macro, words in rule_set.words:
            pattern = pattern.replace("{" + macro + "}", words)
        return re.compile(pattern)

    return CompiledRules(
        places=tuple((place, fill(place.pattern)) for place in rule_set.places),
        forms=tuple((form.name, fill(form.pattern)) for form in rule_set.forms),
        words={macro: fill("{" + macro + "}") for macro, _ in rule_set.words},
        reader=rule_set.reader,
        later=tuple((place, fill(place.pattern)) for place in rule_set.later),
    )
