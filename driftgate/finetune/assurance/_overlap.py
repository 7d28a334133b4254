"""The longest run of characters that an item has in common with a source.

Verbatim runs are how memorised training data shows in a model's output (Carlini et al., Quantifying Memorization Across
Neural Language Models, 2023, https://arxiv.org/abs/2202.07646, which counts runs of 50 tokens).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence

_SEED = 12
"""Characters of the shortest run that is looked for."""
_PLACES = 64
"""Places of a seed that are followed; a phrase that stands more often is a form, and any of its places shows it."""


def longest_runs(texts: Sequence[str], sources: Sequence[str]) -> list[int]:
    """Characters, white space left out, of the longest run that each text shares with a source; 0 below twelve.

    Examples
    --------
    >>> longest_runs(["수령일부터 삼십일 안에 신청해야", "왜?"], ["반품은 수령일부터 삼십일 안에 신청한다."])
    [12, 0]
    """
    whole = "\0".join(_bare(source) for source in sources)
    wanted = {text[at : at + _SEED] for text in map(_bare, texts) for at in range(len(text) - _SEED + 1)}
    places: dict[str, list[int]] = defaultdict(list)
    for at in range(len(whole) - _SEED + 1):
        seed = whole[at : at + _SEED]
        if seed in wanted and len(places[seed]) < _PLACES:
            places[seed].append(at)
    return [_longest(_bare(text), whole, places) for text in texts]


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).replace("\0", " ").split()).lower()


def _longest(text: str, whole: str, places: dict[str, list[int]]) -> int:
    best = 0
    for at in range(len(text) - _SEED + 1):
        for place in places.get(text[at : at + _SEED], ()):
            # A run that is longer than the best has the same character at its end as well.
            if best < _SEED or text[at : at + best + 1] == whole[place : place + best + 1]:
                end = max(best, _SEED)
                while at + end < len(text) and place + end < len(whole) and text[at + end] == whole[place + end]:
                    end += 1
                best = max(best, end)
    return best
