"""Where a reply repeats the question it was asked, known by all of its choices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from driftgate.flows.extraction._normalise import CIRCLED_FIRST


def behind_own_question(reply: str, starts: Sequence[int], choices: Sequence[str], letters: str) -> str | None:
    """What stands behind the repetition of the question, up to the next question; None where it is not repeated.

    Parameters
    ----------
    reply
        Normalised.
    starts
        Where the questions after the first begin.
    choices, letters
        Of the question that was asked. A part of the reply is that question where every choice stands in it behind its
        letter or number, once and in order.

    Examples
    --------
    >>> behind_own_question("질문: 수도는? A: 서울, B: 부산 정답: A", [], ["서울", "부산"], "AB")
    '정답: A'
    >>> behind_own_question("질문: 수도는? A: 파리, B: 런던 정답: A", [], ["서울", "부산"], "AB")
    """
    edges = [0, *starts, len(reply)]
    found = []
    for start, end in pairwise(edges):
        listed = _listed(reply[start:end], choices, letters)
        if listed is not None:
            found.append(reply[start + listed : end])
    return found[0].strip(" \t\n,.;") if len(found) == 1 else None


def _listed(part: str, choices: Sequence[str], letters: str) -> int | None:
    """Where the list of choices ends; None where a choice is missing."""
    squashed, places = _squash(part)
    at = 0
    for place, choice in enumerate(choices):
        text = _squash(choice)[0]
        marks = (letters[place].casefold(), str(place + 1), chr(CIRCLED_FIRST + place))
        ends = [at_ + len(mark + text) for mark in marks if (at_ := squashed.find(mark + text, at)) >= 0]
        if not text or not ends:
            return None
        at = min(ends)
    return places[at - 1] + 1


def _squash(text: str) -> tuple[str, list[int]]:
    """Letters and digits alone, in one case, and where each stood."""
    kept: list[str] = []
    places: list[int] = []
    for word in re.finditer(r"[^\W_]+|[\ue001-\ue00a]", text):
        folded = word[0].lower()
        kept.append(folded)
        places.extend(range(word.start(), word.start() + len(folded)))
    return "".join(kept), places
