"""Which documents hold the same words, or nearly: exact ones by hash, near ones by their shingles."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

_SIZE = 5
_SKETCH = 64
_ALIKE = 0.8
"""Share of shingles that two documents have in common, from which they are nearly the same."""
_MOST = 200_000
"""Characters of a document that are compared, and documents in a bucket."""
_CROWD = 200


def twins(texts: Mapping[str, str]) -> tuple[list[tuple[str, ...]], list[tuple[str, str, float]]]:
    """Groups of documents with the same words, and pairs with nearly the same.

    Pairs are found by the least hashes of their shingles (a bottom-k sketch) and then compared whole.

    References
    ----------
    .. [1] A. Broder, "On the resemblance and containment of documents", 1997: shingles, and sketches of them.

    Examples
    --------
    >>> twins({"a": "연차는 17일이다.", "b": "연차는  17일이다.\\n", "c": "병가는 12일이다."})
    ([('a', 'b')], [])
    """
    plain = {name: _words(text) for name, text in texts.items()}
    by_hash: dict[str, list[str]] = defaultdict(list)
    for name, text in plain.items():
        by_hash[hashlib.sha256(text.encode()).hexdigest()].append(name)
    same = [tuple(group) for group in by_hash.values() if len(group) > 1]
    shingles = {group[0]: _shingles(plain[group[0]]) for group in by_hash.values()}
    return same, _near(shingles)


def _near(shingles: Mapping[str, frozenset[int]]) -> list[tuple[str, str, float]]:
    buckets: dict[int, list[str]] = defaultdict(list)
    for name, own in shingles.items():
        for value in sorted(own)[:_SKETCH]:
            buckets[value].append(name)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for names in buckets.values():
        for place, one in enumerate(names[:_CROWD]):
            for other in names[place + 1 : _CROWD]:
                shared[one, other] += 1
    found = []
    for (one, other), common in shared.items():
        a, b = shingles[one], shingles[other]
        if common * 2 >= min(_SKETCH, len(a), len(b)):
            share = len(a & b) / len(a | b)
            if share >= _ALIKE:
                found.append((one, other, round(share, 3)))
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text[:_MOST]).casefold()))


def _shingles(plain: str) -> frozenset[int]:
    together: Sequence[str] = plain.replace(" ", "")
    return frozenset(
        zlib.crc32("".join(together[i : i + _SIZE]).encode()) for i in range(max(1, len(together) - _SIZE + 1))
    )
