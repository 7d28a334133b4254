"""How long a reply is to be: in words, sentences and paragraphs."""

from __future__ import annotations

import re

from driftgate.flows.instructions._parameters import Count, Relation, Text, holds
from driftgate.flows.text import composed

_WORD = re.compile(r"\S*\w\S*")
_NUMBERING = re.compile(r"^[ \t]*(?:#+|[-*•]|\(?\d{1,3}[.)])[ \t]+", re.MULTILINE)
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Inc|Ltd|Co|Corp|vs|etc|No|e\.g|i\.e|Ph\.D|U\.S)\.(?=\s)"
)
_END = re.compile(r"[.!?。！？…]+[\"'”’)\]」』*_]*(?=\s|$)")  # a point within a number has no space after it
_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def number_words(reply: str, *, num_words: Count, relation: Relation) -> bool:
    """So many words, parted by spaces; a mark that stands alone is none."""
    return holds(len(_WORD.findall(reply)), relation, num_words)


def number_sentences(reply: str, *, num_sentences: Count, relation: Relation) -> bool:
    """So many sentences."""
    return holds(sentences(reply), relation, num_sentences)


def number_paragraphs(reply: str, *, num_paragraphs: Count) -> bool:
    """Exactly so many paragraphs, parted by the divider ``***``; one between two dividers is not empty."""
    parts = _DIVIDER.split(reply)
    inner = parts[not parts[0].strip() : len(parts) - (not parts[-1].strip())]
    return all(part.strip() for part in inner) and len(inner) == num_paragraphs


def nth_paragraph_first_word(reply: str, *, num_paragraphs: Count, nth_paragraph: Count, first_word: Text) -> bool:
    """Exactly so many paragraphs, parted by blank lines, of which one begins with a word.

    A Korean word may carry a particle (``회사는`` begins with ``회사``); upstream wants the whole word.
    """
    parts = [part.strip() for part in _BLANK_LINE.split(reply) if part.strip()]
    if len(parts) != num_paragraphs or not 1 <= nth_paragraph <= len(parts):
        return False
    begin = composed(parts[nth_paragraph - 1]).lstrip("\"'“‘").casefold()
    word = composed(first_word).strip().casefold()
    rest = begin[len(word) :]
    return begin.startswith(word) and ("가" <= word[-1] <= "힣" or not rest[:1].isalnum())


def sentences(text: str) -> int:
    r"""How many sentences a text has: up to a mark that ends one, and what is left at the end.

    Line breaks end none, as with upstream. A point in a number, after an abbreviation or a numbering ends none.

    Examples
    --------
    >>> sentences("3.5점입니다. 정말요? 네!"), sentences("1. 사과\n2. 배"), sentences("Dr. Kim은 의사다.")
    (3, 1, 1)
    """
    plain = _ABBREVIATION.sub("x", _NUMBERING.sub("", text))
    return sum(1 for part in _END.split(plain) if any(letter.isalnum() for letter in part))


CHECKS = {
    "number_words": number_words,
    "number_sentences": number_sentences,
    "number_paragraphs": number_paragraphs,
    "nth_paragraph_first_word": nth_paragraph_first_word,
}
