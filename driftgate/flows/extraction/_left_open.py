"""Whether a reply's end leaves open what it answered: "어느 것이 맞는지 판단하기 어렵습니다"."""

from __future__ import annotations

import re

from driftgate.flows.extraction._read import letters_in
from driftgate.flows.extraction._rule_set import CompiledRules
from driftgate.flows.extraction._sentences import sentences

MOST_SENTENCES = 400
"""Sentences that are read behind an answer: a bound on the time that a degenerate reply can take."""

_OPEN = ("UNDECIDED", "PLURAL", "SEEKS_ON", "WITHDRAWN", "UNDECIDED_EN")
_HINTS = (
    "모르", "없", "어렵", "어려", "힘들", "힘드", "못", "곤란", "애매", "않", "헷갈", "불분명", "불명확", "다시",
    "필요", "부족", "틀", "잘못", "오답",
    "취소", "철회", "옳지", "맞지", "아니", "아닙", "무효", "모두", "다 ", "둘", "두 ",
    "여럿", "복수",
)  # fmt: skip
"""A sentence without one of these leaves nothing open: a cheap test before dear ones."""
_LATIN = re.compile("[a-z]{4}")


def left_open(reply: str, since: int, letter: str, own: str, rules: CompiledRules) -> bool:
    """Whether a sentence behind `since` says that the answer is not known, not there, not one or not right.

    Parameters
    ----------
    reply
        Normalised.
    since
        Where the last statement of the answer ends.
    letter
        The answer's. A sentence about other letters ("A와 C는 둘 다 맞습니다") explains.
    own
        The answer's text; empty where it is not known.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> def open_after(said):
    ...     return left_open("정답은 A" + said, 5, "A", "", compiled("ko-v3"))
    >>> open_after("입니다. 그런데 어느 것이 맞는지 모르겠습니다."), open_after("라고 단정하기 어렵습니다.")
    (True, True)
    >>> open_after("입니다. 상대의 뜻을 알 수 없기 때문입니다."), open_after("입니다. B와 C는 둘 다 맞습니다.")
    (False, False)
    """
    words = rules.words
    for count, sentence in enumerate(sentences(reply, rules, since)):
        if count == MOST_SENTENCES:
            return False
        said = sentence.text
        if not any(hint in said for hint in _HINTS) and not _LATIN.search(said):
            continue
        if any(words[name].search(said) for name in _OPEN):
            return True
        if words["NO_ANSWER"].search(said) and not words["BUT_FOR"].search(said):
            return True
        if own and own in said and words["DENIES_IT"].match(said, said.rindex(own) + len(own)):
            return True
        if words["BOTH"].search(said):
            spoken_of = letters_in(said, rules)
            if not spoken_of or letter in spoken_of:
                return True
    return False
