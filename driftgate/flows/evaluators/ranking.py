"""Did the retriever find the relevant passages, and near the top?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from driftgate.flows.evaluators._passages import grades, ids


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
        The relevant ids as the data name them, or grades by id (0 is irrelevant). Empty: no document holds the answer.
    k : sequence of int
        Depths.
    id_field : str
        Where the mappings keep their id.

    Returns
    -------
    dict
        For each depth ``recall@k``, ``ndcg@k``, ``hit@k``; ``mrr`` (its mean over samples is the MRR). Where no
        document is relevant none of these is defined; ``none_found`` alone says whether nothing was retrieved.

    Raises
    ------
    TypeError
        The sample does not say what is relevant.

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
    >>> ranking(retrieved=["a"], relevant=[], k=[3]), ranking(retrieved=[], relevant=[], k=[3])
    ({'none_found': 0.0}, {'none_found': 1.0})
    """
    if relevant is None:
        raise TypeError("the sample does not say what is relevant; an empty list says that nothing is")
    wanted = grades(relevant, id_field)
    order = ids(retrieved, id_field)
    if not wanted:
        return {"none_found": float(not order)}
    gains = [wanted.get(name, 0.0) for name in order]
    best = sorted(wanted.values(), reverse=True)
    found: dict[str, float] = {}
    for depth in k:
        hits = sum(gain > 0 for gain in gains[:depth])
        found[f"recall@{depth}"] = hits / len(wanted)
        found[f"ndcg@{depth}"] = _dcg(gains[:depth]) / _dcg(best[:depth])
        found[f"hit@{depth}"] = float(hits > 0)
    found["mrr"] = next((1.0 / rank for rank, gain in enumerate(gains, start=1) if gain > 0), 0.0)
    return found


def relevant_ids(relevant: Sequence[Any] | Mapping[str, float] | str) -> list[str]:
    """Every id that the data name, those of grade 0 as well.

    Examples
    --------
    >>> relevant_ids({"a": 2, "b": 0}), relevant_ids("a")
    (['a', 'b'], ['a'])
    """
    return ids([relevant] if isinstance(relevant, str) else list(relevant))


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


@dataclass(frozen=True)
class Ranking:
    """:func:`ranking` with its settings."""

    k: tuple[int, ...]
    id_field: str = "id"

    def __call__(
        self, *, retrieved: Sequence[Any], relevant: Sequence[Any] | Mapping[str, float] | str
    ) -> dict[str, float]:
        """Recall, nDCG and hits among the first ``k``, and the reciprocal rank; see :func:`ranking`."""
        return ranking(retrieved=retrieved, relevant=relevant, k=self.k, id_field=self.id_field)


def make(k: int | Sequence[int] = (1, 3, 5), id_field: str = "id") -> Ranking:
    """Make the evaluator.

    Parameters
    ----------
    k : int or sequence of int
        Depths at which recall, nDCG and hits are taken.
    id_field : str
        Where retrieved mappings keep their id.
    """
    depths = (k,) if isinstance(k, int) else tuple(k)
    if not depths or any(depth < 1 for depth in depths):
        raise ValueError(f"k is {k}, expected depths of at least 1")
    return Ranking(depths, id_field)
