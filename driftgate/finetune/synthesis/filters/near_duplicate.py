"""Does it repeat an earlier candidate?

MinHash with locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
chapter 3) over jamo 3-grams finds the pairs, their exact Jaccard similarity decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.finetune._jamo import jamo
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting

_PERMUTATIONS = 128
_SLACK = 0.1  # the estimate's standard error at 128 permutations is below 0.045


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Name the earlier candidate each one repeats, if any; only the texts that set items apart are compared."""
    from datasketch import MinHash, MinHashLSH

    least = setting.config.near_duplicate
    index = MinHashLSH(threshold=max(least - _SLACK, 0.05), num_perm=_PERMUTATIONS)
    kept: dict[int, frozenset[str]] = {}
    reasons = []
    for place, candidate in enumerate(candidates):
        grams = _ngrams(candidate.text)
        signature = MinHash(num_perm=_PERMUTATIONS, seed=1)
        signature.update_batch([gram.encode() for gram in sorted(grams)])
        similar = ((_jaccard(grams, kept[int(other)]), -int(other)) for other in index.query(signature))
        share, earlier = max(similar, default=(0.0, 0))
        if share >= least:
            reasons.append(f"{share:.2f} of it is in '{candidates[-earlier].text[:60]}'")
            continue
        reasons.append("")
        kept[place] = grams
        index.insert(str(place), signature)
    return reasons


def _ngrams(text: str) -> frozenset[str]:
    letters = jamo(text)
    return frozenset(letters[start : start + 3] for start in range(max(len(letters) - 2, 1)))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


FILTER = Filter("1", check)
