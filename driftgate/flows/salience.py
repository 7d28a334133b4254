"""The sentences of a text that say most of what it says, without a model."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")


def sentences(text: str) -> list[str]:
    """Split at full stops and line breaks.

    Examples
    --------
    >>> sentences("비가 온다. 우산을 쓴다.")
    ['비가 온다.', '우산을 쓴다.']
    """
    return [piece.strip() for piece in _SENTENCE.split(text) if piece.strip()]


def salient(text: str, count: int) -> list[str]:
    """Choose sentences by LexRank, in the order of the text.

    A sentence counts for as much as the sentences that resemble it: the stationary distribution of a walk from
    sentence to sentence by the cosine of their pairs of neighbouring characters, weighted by idf. Of equals the
    earlier one is taken.

    Parameters
    ----------
    text : str
        The article.
    count : int
        Sentences wanted; all of them where the text has no more.

    Returns
    -------
    list of str
        At most ``count`` sentences.

    Notes
    -----
    G. Erkan and D. R. Radev, "LexRank: graph-based lexical centrality as salience in text summarization", JAIR 22,
    2004, with damping 0.85.

    Examples
    --------
    >>> salient("도서관이 새로 문을 연다. 새 도서관은 5월에 문을 연다. 오늘은 맑다.", 1)
    ['도서관이 새로 문을 연다.']
    """
    import numpy as np

    found = sentences(text)
    if len(found) <= count:
        return found
    pairs = [[word[i : i + 2] for word in re.findall(r"\w+", s) for i in range(max(1, len(word) - 1))] for s in found]
    vocabulary = {pair: place for place, pair in enumerate(sorted({pair for some in pairs for pair in some}))}
    counts = np.zeros((len(found), len(vocabulary)))
    for row, some in enumerate(pairs):
        for pair in some:
            counts[row, vocabulary[pair]] += 1
    weighted = counts * np.log(1 + len(found) / (counts > 0).sum(axis=0))
    weighted /= np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12)
    likeness = weighted @ weighted.T + 1e-9
    walk = likeness / likeness.sum(axis=1, keepdims=True)
    rank = np.full(len(found), 1 / len(found))
    for _ in range(100):
        rank = 0.15 / len(found) + 0.85 * rank @ walk
    best = np.argsort(-np.round(rank, 9), kind="stable")[:count]
    return [found[place] for place in sorted(int(place) for place in best)]
