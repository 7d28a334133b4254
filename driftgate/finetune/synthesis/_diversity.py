"""How much a set says: different facts, different wording, likeness of items to each other.

Counting what was generated says nothing of a generator that says the same again. A fact is what an item teaches: two
items teach the same where they answer the same about the same source, or alike with the same answer, or are alike
altogether. Facts are counted by leader clustering (Hartigan 1975), which does not chain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from driftgate.finetune._jamo import plain
from driftgate.finetune.synthesis._clusters import vectors
from driftgate.finetune.synthesis._values import Candidate

ALIKE, ANSWERED_ALIKE = 0.8, 0.45
"""Cosine of tf-idf vectors of jamo 5-grams from which items teach the same: altogether, and with the same answer."""
MOST = 5_000
"""Items that are compared; of more, an even sample."""
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Diversity:
    """Figures of some items."""

    items: int
    facts: int
    """Different things that are taught."""
    likeness: float
    """Mean cosine of an item and the one nearest to it, from 0 to 1."""
    distinct_1: float
    distinct_2: float
    distinct_3: float
    """Different words, pairs and triples of words over all of them (Li et al. 2016, arXiv:1510.03055)."""
    answers: int
    """Different answers in words."""
    compared: int
    """Items that facts and likeness are of: all, or an even sample."""

    @property
    def distinct(self) -> float:
        """Facts for each item compared; 0 without any."""
        return self.facts / self.compared if self.compared else 0.0


def diversity(items: Sequence[Candidate]) -> Diversity:
    """Figures of items.

    Examples
    --------
    >>> def item(text, answer):
    ...     return Candidate(text, (), answer, "", "written", "", text, "1/a.md", "0", "model", "1", 0)
    >>> asked = ["연차는 며칠인가요?", "연차 일수를 알려 주세요", "병가는 며칠인가요?", "반차는 언제 쓰나요?"]
    >>> diversity([item(text, answer) for text, answer in zip(asked, ["17일", "17일", "12일", "오전이나 오후"])]).facts
    3
    """
    step = max(1, -(-len(items) // MOST))
    some = items[::step]
    facts, likeness = _facts(some)
    words = [item.text.split() for item in items]
    return Diversity(
        len(items),
        facts,
        round(likeness, 4),
        _distinct([(word,) for own in words for word in own]),
        _distinct([pair for own in words for pair in pairwise(own)]),
        _distinct([triple for own in words for triple in zip(own, own[1:], own[2:], strict=False)]),
        len({plain(item.right_choice) for item in items}),
        len(some),
    )


def _facts(items: Sequence[Candidate]) -> tuple[int, float]:
    if len(items) < 2:
        return len(items), 0.0
    rows = vectors([item.text for item in items])
    answers = np.unique([plain(item.right_choice) for item in items], return_inverse=True)[1]
    sourced: dict[tuple[str, int], int] = {}
    leaders: list[int] = []
    nearest = np.zeros(len(items))
    for start in range(0, len(items), _BATCH):
        batch = rows[start : start + _BATCH]
        shares = np.asarray((batch @ rows.T).todense())
        for offset in range(batch.shape[0]):
            place, share = start + offset, shares[offset]
            others = np.delete(share, place)
            nearest[place] = min(1.0, float(others.max()))
            key = (items[place].source, int(answers[place]))
            own = _of_documents(items[place])
            if own and key in sourced:
                continue
            led = share[leaders]
            same = answers[leaders] == answers[place]
            if not ((led >= ALIKE) | (same & (led >= ANSWERED_ALIKE))).any():
                leaders.append(place)
                if own:
                    sourced[key] = place
    return len(leaders), float(nearest.mean())


def _of_documents(item: Candidate) -> bool:
    """Whether its answer is about what its source says, so that the same answer to the same source is the same fact."""
    return item.label == "written"


def _distinct(grams: Sequence[tuple[str, ...]]) -> float:
    return round(len(Counter(grams)) / len(grams), 4) if grams else 0.0
