"""Does an answer cite what it was given, and do the cited passages hold what it says?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from driftgate.flows.evaluators._passages import passages_by_id
from driftgate.flows.evaluators._text import sentences, shingles

PATTERN = r"\[([^\[\]]{1,80})\]"
"""A citation mark: ids in square brackets, several by commas."""


def citations(
    *,
    answer: str,
    passages: Sequence[Any] | Mapping[str, Any],
    threshold: float = 0.5,
    pattern: str = PATTERN,
    id_field: str = "id",
) -> dict[str, float]:
    """Check the citation marks of an answer against the passages that were retrieved.

    Parameters
    ----------
    answer : str
        The answer with its marks, such as ``연차는 15일이다 [leave.md].``.
    passages : sequence or mapping
        Passages with their ids; texts without one are numbered from 1.
    threshold : float
        Share of a sentence's shingles the passages it cites must hold.
    pattern : str
        Regular expression whose first group holds the cited ids.
    id_field : str
        Where the passages keep their id.

    Returns
    -------
    dict
        ``cited``: share of sentences with a mark; ``valid``: share of the cited ids that were retrieved, 0 where
        nothing is cited; ``supported``: share of all sentences that cite and whose cited passages hold their wording.

    Notes
    -----
    After citation recall and precision of T. Gao et al., "Enabling large language models to generate text with
    citations" (ALCE), EMNLP 2023, with shared wording in place of their entailment model. A mark that follows the
    full stop belongs to the sentence before it.

    Examples
    --------
    >>> passages = ["연차는 15일이다.", "재택근무는 주 2회다."]
    >>> citations(answer="연차는 15일이다 [1]. 재택은 주 2회다 [7].", passages=passages)
    {'cited': 1.0, 'valid': 0.5, 'supported': 0.5}
    """
    known = {name: frozenset(shingles(text)) for name, text in passages_by_id(passages, id_field).items()}
    mark = re.compile(pattern)
    claims = _claims(answer, mark)
    cited = [_ids(claim, mark) for claim in claims]
    every = [name for names in cited for name in names]
    held = [
        _covered(shingles(mark.sub(" ", claim)), [known[name] for name in names if name in known]) >= threshold
        for claim, names in zip(claims, cited, strict=True)
    ]
    return {
        "cited": _share([bool(names) for names in cited]),
        "valid": _share([name in known for name in every]),
        "supported": _share(held),
    }


def _claims(answer: str, mark: re.Pattern[str]) -> list[str]:
    claims: list[str] = []
    for sentence in sentences(answer):
        leading = ""
        # "... 15일이다. [1] 다음 문장": the mark closes the sentence before it.
        while claims and (match := mark.match(sentence)):
            leading, sentence = leading + match.group(), sentence[match.end() :].lstrip(" .")
        if leading:
            claims[-1] += f" {leading}"
        if shingles(mark.sub(" ", sentence)):
            claims.append(sentence)
    return claims


def _ids(claim: str, mark: re.Pattern[str]) -> list[str]:
    return [name.strip() for found in mark.findall(claim) for name in found.split(",") if name.strip()]


def _covered(parts: Sequence[str], passages: Sequence[frozenset[str]]) -> float:
    together = frozenset().union(*passages)
    return _share([part in together for part in parts])


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def make(threshold: float = 0.5, pattern: str = PATTERN, id_field: str = "id") -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    threshold : float
        Share of a sentence's shingles the passages it cites must hold.
    pattern : str
        Regular expression of a citation mark; its first group holds the ids, several by commas.
    id_field : str
        Where the passages keep their id.
    """
    if re.compile(pattern).groups != 1:
        raise ValueError("the pattern of a citation needs exactly one group, which holds the ids")
    return partial(citations, threshold=threshold, pattern=pattern, id_field=id_field)
