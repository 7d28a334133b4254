"""What the pages say, in the languages that they speak: one catalogue, ``words.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from driftgate.flows.yaml_text import parse

LANGUAGES: Mapping[str, str] = {"en": "English", "ko": "한국어"}
"""The languages, each by its own name; the first is spoken where nobody asks for another."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every word by key and language."""
    text = (Path(__file__).parent / "words.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for key, said in parse(text, "words.yaml")[1].items():
        found[str(key)] = dict(zip(LANGUAGES, map(str, said), strict=True))
    return found


def say(key: str, language: str, **values: object) -> str:
    """A word of the catalogue; a key that it does not have is said as it is, so that nothing is shown empty.

    Examples
    --------
    >>> say("status.unmeasurable", "ko"), say("page.runs", "en"), say("status.no such word", "en")
    ('측정 불가', 'Runs', 'no such word')
    """
    words = catalogue().get(key)
    if words is None:
        return key.partition(".")[2].replace("_", " ") or key
    return words[language].format(**values) if values else words[language]


def language_of(wanted: str, kept: str, accepted: str) -> str:
    """The language of a reader: what the address says, else what it said before, else what the browser accepts.

    Examples
    --------
    >>> language_of("", "", "fr;q=0.9, ko-KR;q=0.8, en;q=0.7"), language_of("en", "ko", "ko"), language_of("x", "", "")
    ('ko', 'en', 'en')
    """
    for one in (wanted, kept):
        if one in LANGUAGES:
            return one
    ranked = []
    for place, part in enumerate(accepted[:500].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            rank = float(weight) if weight else 1.0
        except ValueError:
            continue
        ranked.append((-rank, place, name.partition("-")[0].lower()))
    return next((name for rank, _, name in sorted(ranked) if rank < 0 and name in LANGUAGES), next(iter(LANGUAGES)))
