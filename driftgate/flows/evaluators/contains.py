"""Does a text hold every part it must hold, such as a prompt its question and all its options?"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence


def contains(*, text: str, parts: Sequence[str]) -> dict[str, float]:
    """Share of ``parts`` that stand in ``text``, white space and Unicode form aside.

    Examples
    --------
    >>> contains(text="수도는?\\nA. 부산\\nB. 서울", parts=["부산", "서울", "대구", "인천"])
    {'share': 0.5, 'complete': 0.0}
    """
    if unicodedata.is_normalized("NFC", text) and all(part in text for part in parts):
        found = len(parts)  # as they stand: nearly always
    else:
        whole = _normal(text)
        found = sum(_normal(part) in whole for part in parts)
    share = found / len(parts) if parts else 1.0
    return {"share": share, "complete": float(found == len(parts))}


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def make() -> Callable[..., dict[str, float]]:
    """Make the evaluator; it has no settings."""
    return contains
