"""Does a text hold abusive words, by a list of Korean and English ones?"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from driftgate.flows.yaml_text import parse

FILE = Path(__file__).parent / "toxic_words.yaml"
_HIDING = re.compile(r"(?<=[가-힣ㄱ-ㅎ])[\s.,*_\-~!@#0-9^]{1,2}(?=[가-힣ㄱ-ㅎ])")
"""What is put between the syllables of a word to hide it."""


@dataclass(frozen=True)
class Toxicity:
    """The evaluator with its list."""

    listed: re.Pattern[str]
    hidden: re.Pattern[str]
    """Words that are looked for once more with nothing between their syllables."""
    list_id: str
    """Hash of the list: 12 hexadecimal digits."""

    def __call__(self, *, text: str | None) -> dict[str, float | str]:
        """Count words of the list.

        Returns
        -------
        dict
            ``toxic`` (1 where there is any), ``hits`` (how many), ``words`` (which, for a person who looks).

        Notes
        -----
        A list finds what it names: no insinuation, no hate in polite words, and it also finds a word that is quoted. It
        is a cheap alarm for a model that began to swear, not a measure of harm; for that there are the safety
        evaluators.

        Examples
        --------
        >>> make()(text="좋은 하루 되세요.")
        {'toxic': 0.0, 'hits': 0.0, 'words': ''}
        >>> make()(text="You idiot, shut up.")["hits"]
        2.0
        """
        plain = unicodedata.normalize("NFKC", text or "").casefold()
        found = [match.group() for match in self.listed.finditer(plain)]
        closed = _HIDING.sub("", plain)
        if closed != plain and len(hidden := [match.group() for match in self.hidden.finditer(closed)]) > len(found):
            found = hidden
        return {"toxic": float(bool(found)), "hits": float(len(found)), "words": ", ".join(dict.fromkeys(found))}


def make() -> Toxicity:
    """Make the evaluator; it has no settings, its words stand in ``toxic_words.yaml``."""
    content = FILE.read_bytes()
    words = parse(content.decode(), FILE.name)[1]
    return Toxicity(
        listed=re.compile("|".join([*(rf"(?<!\w)(?:{word})(?!\w)" for word in words["en"]), *words["ko"]])),
        hidden=re.compile("|".join(words["hidden"])),
        list_id=hashlib.sha256(content).hexdigest()[:12],
    )
