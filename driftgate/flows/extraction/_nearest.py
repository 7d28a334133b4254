"""Read a choice from an answer in words, for models that write the answer and no letter."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from driftgate.flows.extraction._extract import Extraction
from driftgate.flows.extraction._read import LETTERS


def nearest_choice(text: str, choices: Sequence[str], least: float = 0.5) -> Extraction:
    """The choice whose wording the answer holds, else the one it shares most of its wording with.

    Parameters
    ----------
    text : str
        The answer, without the question.
    choices : sequence of str
        At most ten.
    least : float
        Likeness from which a choice counts as meant: twice the pairs of neighbouring characters both have over the
        pairs of both (Dice 1945), white space aside.

    Returns
    -------
    Extraction
        Rule ``wording/held`` or ``wording/nearest``; no answer (``none`` or ``several``) where no choice, or more than
        one, fits best.

    Examples
    --------
    >>> nearest_choice("배우자가 출산하면 22일을 받는다.", ["2일", "15일", "22일", "10일"])
    Extraction(answer='C', rule='wording/held')
    >>> nearest_choice("오후 4시 전", ["오전 10시", "오후 4시까지", "오후 3시까지", "낮"])
    Extraction(answer='B', rule='wording/nearest')
    >>> nearest_choice("15년", ["5년", "3년"]).answer is None
    True
    >>> nearest_choice("22일 또는 15일", ["2일", "15일", "22일", "10일"]).rule
    'several'
    """
    answer, plain = _bare(text), [_bare(choice) for choice in choices]
    held = [i for i, choice in enumerate(plain) if choice and _holds(answer, choice)]
    # "한 시간 반" also holds "한 시간"; the longer one says what was meant.
    held = [i for i in held if not any(plain[i] != plain[j] and plain[i] in plain[j] for j in held)]
    if len(held) == 1:
        return Extraction(LETTERS[held[0]], "wording/held")
    if held:
        return Extraction(None, "several")
    # Another number is another answer, however alike the rest is.
    likeness = [_dice(answer, choice) if _numbers(choice) == _numbers(answer) else 0.0 for choice in plain]
    best = max(likeness, default=0.0)
    if best < least or not best:
        return Extraction(None, "none")
    if likeness.count(best) > 1:
        return Extraction(None, "several")
    return Extraction(LETTERS[likeness.index(best)], "wording/nearest")


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).casefold()).rstrip(".")


def _holds(answer: str, choice: str) -> bool:
    """Whether the choice stands in the answer; ``2일`` does not stand in ``22일``."""
    start = r"(?<![\d.,])" if choice[0].isdigit() else ""
    end = r"(?![\d])" if choice[-1].isdigit() else ""
    return re.search(start + re.escape(choice) + end, answer) is not None


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:[.,]\d+)*", text)


def _dice(one: str, other: str) -> float:
    pairs = [Counter(text[i : i + 2] for i in range(max(1, len(text) - 1))) for text in (one, other)]
    return 2 * (pairs[0] & pairs[1]).total() / (pairs[0].total() + pairs[1].total())
