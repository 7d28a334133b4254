"""Does a text hold abusive words, by a list of Korean and English ones?"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "toxic_words.yaml"
_HIDING = re.compile(r"(?<=[가-힣ㄱ-ㅎ])[\s.,*_\-~!@#0-9^]{1,2}(?=[가-힣ㄱ-ㅎ])")
"""What is put between the syllables of a word to hide it."""


def toxicity(*, text: str | None) -> dict[str, float | str]:
    """Count words of the list.

    Returns
    -------
    dict
        ``toxic`` (1 where there is any), ``hits`` (how many), ``words`` (which, for a person who looks).

    Notes
    -----
    A list finds what it names: no insinuation, no hate in polite words, and it also finds a word that is quoted. It is
    a cheap alarm for a model that began to swear, not a measure of harm; for that there are the safety evaluators.

    Examples
    --------
    >>> toxicity(text="좋은 하루 되세요.")
    {'toxic': 0.0, 'hits': 0.0, 'words': ''}
    >>> toxicity(text="You idiot, shut up.")["hits"]
    2.0
    """
    plain = unicodedata.normalize("NFKC", text or "").casefold()
    found = [match.group() for match in _list().finditer(plain)]
    closed = _HIDING.sub("", plain)
    if closed != plain and len(hidden := [match.group() for match in _hidden().finditer(closed)]) > len(found):
        found = hidden
    return {"toxic": float(bool(found)), "hits": float(len(found)), "words": ", ".join(dict.fromkeys(found))}


def words_id() -> str:
    """Hash of the list, to be kept beside what it decided: 12 hexadecimal digits."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]


@cache
def _list() -> re.Pattern[str]:
    words = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return re.compile("|".join([*(rf"(?<!\w)(?:{word})(?!\w)" for word in words["en"]), *words["ko"]]))


@cache
def _hidden() -> re.Pattern[str]:
    return re.compile("|".join(yaml.safe_load(FILE.read_text(encoding="utf-8"))["hidden"]))


def make() -> Callable[..., dict[str, float | str]]:
    """Make the evaluator; it has no settings, its words stand in ``toxic_words.yaml``."""
    return toxicity
