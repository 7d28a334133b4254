"""Does a sentence deny something, and does the denial say it or only describe what the sentence says?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftgate.flows.wording._tokens import tokens

_DESCRIBES = re.compile(
    r"(?<!끊임|틀림|빠짐|어김|아낌|남김|거침|관계|상관|변함|다름|예외)없(?:이(?:도|는)?|는|을|으면|더라도|어도)$|않(?:은|는|을|으면|더라도|아도|고도|고서)$"
    r"|(?:아닌|아니면|못한|못하는|못하면)$"
)
"""A denial that describes the word behind it; 빠짐없이 and its like deny nothing."""
_FORBIDDEN = re.compile(r"[가-힣]지(?:는|도|를)?$")
_FORBIDS = re.compile(r"마(?:세|십|시|라|요|$)|말(?:아|고|라|것|도록|며|자|기)")
_DENIAL = re.compile(
    r"^(?:안|못)(?:되|된|됩|돼|하|한|합|해)|않|아니[다에며고라]|아닌|아닙|아닐|^없|[가-힣]없[다는습음]|못하|못한|못합|불가|^(?:금지|cannot)|n't$"
)
NEGATORS = frozenset(["안", "못", "not", "no", "non", "never"])


@dataclass(frozen=True, slots=True)
class Denials:
    """What a sentence denies."""

    flat: bool
    """It denies what it says itself: 가입할 수 없다."""
    bound: frozenset[tuple[str, str]]
    """Denials that only describe what follows, each with the word before it: 동의 없이, 쓰지 않은."""

    def __bool__(self) -> bool:
        return self.flat or bool(self.bound)

    def agree(self, other: Denials) -> bool:
        """Whether two sentences about the same both deny or both grant it.

        What describes alike in both, as 동의 없이, says nothing of what either says; where they are described
        otherwise, one denial may stand for another (취소할 수 없는 상품이다, 취소할 수 없다).
        """
        return self.flat == other.flat if self.bound == other.bound else bool(self) == bool(other)


def denials(text: str) -> Denials:
    """What a sentence denies, and by what.

    Examples
    --------
    >>> [bool(denials(t)) for t in ("가능하지 않습니다.", "안 됩니다.", "만지지 마십시오.", "안내합니다.")]
    [True, True, True, False]
    >>> denials("동의 없이도 가입할 수 있다.").agree(denials("동의 없이 가입할 수 없다."))
    False
    """
    flat, bound = False, set[tuple[str, str]]()
    before, described = "", ""
    for token in tokens(text):
        if token.kind == "stated":
            continue
        if _DESCRIBES.search(token.text):
            bound.add((described, token.stem))
        elif token.text in NEGATORS or _DENIAL.search(token.text):
            flat = True
        else:
            flat = flat or bool(_FORBIDDEN.search(before) and _FORBIDS.match(token.text))
        before, described = token.text, token.stem
    return Denials(flat, frozenset(bound))


def denies(text: str) -> bool:
    """Whether a sentence denies something.

    Examples
    --------
    >>> [denies(t) for t in ("가능하지 않습니다.", "안 됩니다.", "할 수 없다.", "안내합니다.", "빠짐없이 가능합니다.")]
    [True, True, True, False, False]
    """
    return bool(denials(text))
