"""Did the retriever find the relevant passages, and near the top?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import log2
from typing import Any

from driftgate.flows.evaluators._passages import ids


def ranking(
    *,
    retrieved: Sequence[Any],
    relevant: Sequence[Any] | Mapping[str, float] | str,
    k: Sequence[int],
    id_field: str = "id",
) -> dict[str, float]:
    """Recall, nDCG and hits among the first ``k``, and the reciprocal rank.

    Parameters
    ----------
    retrieved : sequence
        Ids, or mappings that hold one, best first. An id that comes twice counts at its first place.
    relevant : sequence, mapping or str
        The relevant ids as the data name them, or grades by id (0 is irrelevant).
    k : sequence of int
        Depths.
    id_field : str
        Where the mappings keep their id.

    Returns
    -------
    dict
        For each depth ``recall@k``, ``ndcg@k``, ``hit@k``; ``mrr`` (its mean over samples is the MRR).

    Raises
    ------
    ValueError
        No id is relevant: recall is not defined.

    Notes
    -----
    Recall@k is the share of the relevant ids among the first k. DCG@k is the sum of grade / log2(rank + 1), nDCG@k
    its ratio to the best order's: K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    ACM TOIS 20(4), 2002, with the discount of C. Burges et al., ICML 2005, and linear gain, as trec_eval's
    ``ndcg_cut``. Reciprocal rank: E. Voorhees, "The TREC-8 question answering track report", 1999.

    Examples
    --------
    >>> found = ranking(retrieved=["a", "b", "c"], relevant=["b", "d"], k=[3])
    >>> {name: round(value, 4) for name, value in found.items()}
    {'recall@3': 0.5, 'ndcg@3': 0.3869, 'hit@3': 1.0, 'mrr': 0.5}
    """
    grades = _grades(relevant, id_field)
    if not grades:
        raise ValueError("the sample names no relevant passage, so that recall is not defined")
    order = ids(retrieved, id_field)
    gains = [grades.get(name, 0.0) for name in order]
    best = sorted(grades.values(), reverse=True)
    found: dict[str, float] = {}
    for depth in k:
        hits = sum(gain > 0 for gain in gains[:depth])
        found[f"recall@{depth}"] = hits / len(grades)
        found[f"ndcg@{depth}"] = _dcg(gains[:depth]) / _dcg(best[:depth])
        found[f"hit@{depth}"] = float(hits > 0)
    found["mrr"] = next((1.0 / rank for rank, gain in enumerate(gains, start=1) if gain > 0), 0.0)
    return found


def _grades(relevant: Sequence[Any] | Mapping[str, float] | str, id_field: str) -> dict[str, float]:
    if isinstance(relevant, Mapping):
        return {str(name): float(grade) for name, grade in relevant.items() if float(grade) > 0}
    return dict.fromkeys(ids([relevant] if isinstance(relevant, str) else relevant, id_field), 1.0)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def make(k: int | Sequence[int] = (1, 3, 5), id_field: str = "id") -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    k : int or sequence of int
        Depths at which recall, nDCG and hits are taken.
    id_field : str
        Where retrieved mappings keep their id.
    """
    depths = [k] if isinstance(k, int) else list(k)
    if not depths or any(depth < 1 for depth in depths):
        raise ValueError(f"k is {k}, expected depths of at least 1")
    return partial(ranking, k=depths, id_field=id_field)
