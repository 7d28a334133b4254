"""Is what a text says one of several that it leaves open, or what it only thought before it said otherwise?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from driftgate.flows.wording._tokens import Token

_OR = frozenset(["또는", "혹은", "아니면", "내지", "or", "/"])
_EITHER = frozenset(["이나", "나", "이거나", "거나", "인지", "일지", "든지", "이든지"])
_THOUGHT = re.compile(r"생각|착각|오해|혼동|답|썼|적었|알았|말했|여겼|잘못")
_TURNS = re.compile(r"(?:지만|으나|는데|인데|나|다가|뻔)$|^뻔")


def left_open(text: Sequence[Token], begin: int, end: int, rest: str) -> bool:
    """Whether what stands from ``begin`` to ``end`` is one of several, or was thought first.

    Parameters
    ----------
    rest : str
        What its last word goes on with.

    Examples
    --------
    >>> from driftgate.flows.wording._tokens import tokens
    >>> left_open(tokens("서울 또는 부산"), 0, 1, ""), left_open(tokens("서울 또는 부산"), 2, 3, "")
    (True, True)
    >>> left_open(tokens("서울이라고 생각하기 쉽지만 부산"), 0, 1, "이라고")
    True
    >>> left_open(tokens("서울과 부산"), 0, 1, "과"), left_open(tokens("서울이나 부산"), 0, 1, "이나")
    (False, True)
    """
    if begin and text[begin - 1].text in _OR:
        return True
    behind = list(takewhile(lambda token: not token.ends, text[end : end + 4]))
    if not behind:
        return False
    after = behind[0].text
    if rest in _EITHER or after in _OR:
        return True
    if after.startswith("수도") and any(token.text.startswith(("있", "있고")) for token in behind[1:2]):
        return True
    if after == "중" and behind[1:] and behind[1].text.startswith(("하나", "한")):
        return True
    thought = rest.endswith(("라고", "로")) and _THOUGHT.match(after)
    return bool(thought) and any(_TURNS.search(token.text) for token in behind)
