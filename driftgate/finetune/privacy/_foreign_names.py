"""Foreign names written in Hangul: a first name and a last one, or a first name before 씨 or 님."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from driftgate.finetune.privacy._name_words import FOREIGN_FIRST, FOREIGN_LAST
from driftgate.finetune.privacy._names import Name

_SURE = 0.9
_PARTICLE = "(?:이|가|은|는|의|께서?|에게서?|한테|도|을|를|과|와|로|으로|랑|만|입니다|이라고|라고)?(?![가-힣])"
_FORMS = regex.compile(
    rf"(?<![가-힣])(?:{FOREIGN_FIRST})"
    rf"(?:[ ·](?:{FOREIGN_LAST})(?={_PARTICLE})|(?:[ ·]?[가-힣]{{1,5}}){{0,2}}(?=\s?(?:씨|님){_PARTICLE}))"
)


def find_foreign_names(text: str) -> Iterator[Name]:
    """The foreign names of a text that stand in the lists.

    Examples
    --------
    >>> [(name.start, name.end) for name in find_foreign_names("강사 마이클 존슨이 쉰다")]
    [(3, 9)]
    """
    return (Name(match.start(), match.end(), _SURE) for match in _FORMS.finditer(text))
