"""Find the quantity that a model's reply settles on, or say why there is none.

It abstains rather than guesses: a wrong number moves a score silently, a missing one is counted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from driftgate.flows.quantities._clean import cleaned
from driftgate.flows.quantities._corrected import after_correction
from driftgate.flows.quantities._quantity import COPULA, Quantity, read_quantity, same_quantity
from driftgate.flows.quantities._scan import Standing, quantities_in, unread_in
from driftgate.flows.quantities._units import UNIT
from driftgate.flows.thinking import without_thinking

READER = "quantity-v1"
"""Name of the rules by which quantities are read; a change that reads replies otherwise is given another."""
_LONGEST = 200_000
_SENTENCE = 2_000
"""Characters of a sentence that are looked at: bounds on the time that a degenerate reply can take."""
_ANNOUNCEMENTS = 64
"""The last so many announcements are looked at: a reply that announces for ever announces nothing."""
_ANNOUNCED = re.compile(
    r"(?<![가-힣])(?:최종\s?)?(?:정답|해답|답|결론)\s?(?:은|는|이|:|=|→|->)\s?:?(?=\s|[^가-힣]|[가-힣])"
    r"|(?:정답|최종\s?답)\s+(?=[-\d\\√(])"
    r"|(?i:(?<![a-z])answer\s?(?:is|:|=)\s?:?)"
    r"|####"
)
_NOT = re.compile(r"아니|아닙|않|(?<![a-zA-Z])not(?![a-zA-Z])")
_UNSURE = re.compile(
    r"모르|알\s?수\s?없|구할\s?수\s?없|풀\s?수\s?없|불가능|cannot|can't|unable|don't know", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[^\d\s])[.!?。](?=\s|$)|(?<=\d)[.!?。](?=\s+\D|$)")
_CLAUSE = re.compile(r"(?:이며|이고|이므로|인데)(?=[\s,])")
_BRACKETS = re.compile(r"\([^()]*\)")
_CONCLUDES = re.compile(
    r"따라서|그러므로|그래서|즉|결국|결론적으로|(?i:(?<![a-z])(?:so|therefore|thus|hence)(?![a-z]))"
)
_LEAD = re.compile(r"\s?(?:약|총|모두|전부|대략|바로|각각|[a-zA-Z가-힣]{0,4}\s?=)?\s?")
_CLOSE = re.compile(rf"\s?(?:정도|쯤)?\s?(?:{COPULA}|[.!。]*\s*$)")
"""What stands before an announced quantity, or after it, if it is the one that is announced."""
_MARKER = re.compile(r"\d{1,2}[.)]")
"""The number of a list's item, of which nothing came any more."""
_PREDICATE = 15
"""Characters of a predicate, such as ``를 샀습니다.``"""
_ENDS = re.compile(rf"\s?(?:정도|쯤)?\s?{COPULA}\s?[.!。]*$")
_BESIDE = re.compile(
    r"거나|또는|혹은|^(?:이고|이며)|^\s?,?\s?[a-zA-Z가-힣]{1,3}\s?=\s?$|^\s?(?:이나|나|or|,|/|와|과|및|and|에서)\s?$"
)
"""Between two quantities of which neither is the answer alone."""
_UNIT_AFTER = re.compile(rf"\s?(?:{UNIT})")
_WHICH = re.compile(r"(?:이|가|은|는)?\s*(?:다음과 같다|다음과 같습니다)?[\s:*]*$")


@dataclass(frozen=True, slots=True)
class Found:
    """What a reply answers.

    Examples
    --------
    >>> found_quantity("3 × 4 = 12이므로 정답은 12개입니다.")
    Found(answer='12 개', rule='announced')
    """

    answer: str | None
    """The quantity as :attr:`Quantity.text` writes it; None where the reply gives none, or more than one."""
    rule: str
    """Where it stands: ``boxed``, ``announced``, ``bare``, ``last_line``, ``copula``, ``conclusion``; or why there is
    no answer: ``none``, ``several``, ``unread`` (what stands in its place is no quantity), ``unfinished``."""


@cache
def reader_id() -> str:
    """Name and content hash of the rules, the part of a score's signature that says how replies were read.

    >>> reader_id().startswith("quantity-v1:")
    True
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    content = b"\n".join(path.read_bytes() for path in sources)
    return f"{READER}:{hashlib.sha256(content).hexdigest()[:6]}"


def found_quantity(reply: str, *, finished: bool = True) -> Found:
    r"""Read the quantity that a reply settles on.

    Parameters
    ----------
    reply : str
        Any text.
    finished : bool
        False where the reply was cut at the limit of tokens: then only what it announces or boxes is an answer.

    Examples
    --------
    >>> found_quantity(r"따라서 $\boxed{\frac{3}{4}}$").answer, found_quantity("정답: 2만 5천 원").answer
    ('3/4', '25000 원')
    >>> found_quantity("3명이거나 5명입니다."), found_quantity("잘 모르겠습니다.")
    (Found(answer=None, rule='several'), Found(answer=None, rule='none'))
    >>> found_quantity("정답: 24. 아니, 26입니다.").answer
    '26'
    """
    said = without_thinking(reply[-_LONGEST:])
    if said is None:
        return Found(None, "unfinished")
    text = cleaned(said)
    found = _found(text, finished=finished)
    if found.answer is None or not quantities_in(after := after_correction(text)[-_SENTENCE:]):
        return found
    corrected = _found(after.lstrip(" ,.!:)]"), finished=finished)
    if corrected.answer is not None:
        return corrected
    kept = read_quantity(found.answer)
    restated = kept is not None and any(same_quantity(kept, one.quantity) for one in quantities_in(after))
    return found if restated else Found(None, "several")


def _found(text: str, *, finished: bool) -> Found:
    """What a cleaned text that takes nothing back settles on."""
    lines = [line for line in text.split("\n") if line]
    if not lines:
        return Found(None, "none" if finished else "unfinished")
    found = _boxed(text) or _announced(lines)
    if found is None and not finished:
        return Found(None, "unfinished")
    return found or _stated(lines) or Found(None, "none")


def _boxed(text: str) -> Found | None:
    """What the last line with a box has in its boxes."""
    boxes = [(match.start(), _closing(text, match.end())) for match in re.finditer(r"\\f?boxed\s*\{", text)]
    closed = [(begin, end) for begin, end in boxes if end is not None]
    if not closed:
        return None
    line = text.rfind("\n", 0, closed[-1][0]) + 1
    contents = []
    for begin, end in closed:
        if begin >= line:
            unit = _UNIT_AFTER.match(text, end + 1)
            inner = text[text.index("{", begin) + 1 : end]
            contents.append((inner, unit[0] if unit else ""))
    read = [read_quantity(inner + unit) or read_quantity(inner) for inner, unit in contents]
    if any(quantity is None for quantity in read):
        return Found(None, "unread")
    return _one([quantity for quantity in read if quantity is not None], "boxed")


def _closing(text: str, begin: int) -> int | None:
    """Where the brace that was opened before ``begin`` is closed."""
    depth = 1
    for place in range(begin, min(len(text), begin + 1000)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _announced(lines: Sequence[str]) -> Found | None:
    """What follows the last ``정답은``, ``답:``, ``answer is`` or ``####`` that a quantity follows."""
    left = _ANNOUNCEMENTS
    for number in reversed(range(len(lines))):
        for match in reversed(list(_ANNOUNCED.finditer(lines[number]))):
            if not left:
                return None
            left -= 1
            segment = lines[number][match.end() :]
            if _WHICH.fullmatch(segment) and number + 1 < len(lines):
                segment = lines[number + 1]
            if (found := _settled(_first_sentence(segment))) is not None:
                return found
    return None


def _first_sentence(text: str) -> str:
    end = _SENTENCE_END.search(text)
    return (text[: end.start()] if end else text)[:_SENTENCE]


def _settled(segment: str) -> Found | None:
    """One quantity of what follows an announcement; None where nothing there is a quantity."""
    whole = read_quantity(segment)
    if whole is not None:
        return Found(whole.text, "announced")
    if _NOT.search(segment):
        return None
    outside = _BRACKETS.sub(" ", segment)
    segment = outside if quantities_in(outside) else segment
    if "=" in segment and quantities_in(right := segment.rpartition("=")[2]):
        segment = right
    if clause := _CLAUSE.search(segment):
        first = segment[: clause.start()]
        segment = first if quantities_in(first) else segment
    standing = quantities_in(segment)
    if unread_in(segment):
        return Found(None, "unread")
    if not standing:
        return None
    if not any(_LEAD.fullmatch(segment[: s.begin]) or _CLOSE.match(segment, s.end) for s in standing):
        return Found(None, "unread")  # 정답은 C, 질문 2에 대한 ...
    return _one([s.quantity for s in standing], "announced")


def _one(quantities: Sequence[Quantity], rule: str) -> Found:
    """The one quantity that all of them are."""
    first = quantities[0]
    if all(same_quantity(first, other) for other in quantities[1:]):
        stated = next((q for q in quantities if q.unit), first)
        return Found(stated.text, rule)
    return Found(None, "several")


def _stated(lines: Sequence[str]) -> Found | None:
    """What a reply that announces nothing ends in."""
    if len(lines) == 1 and (whole := read_quantity(lines[0])):
        return Found(whole.text, "bare")
    if (last := read_quantity(lines[-1])) and not _MARKER.fullmatch(lines[-1]):
        return Found(last.text, "last_line")
    sentence = _last_sentence(lines)
    if _UNSURE.search(sentence):
        return None
    standing = quantities_in(sentence)
    if not standing:
        return None
    end = standing[-1]
    if _NOT.search(sentence, end.end) or sentence.startswith("의", end.end):
        return None
    if _ENDS.match(sentence, end.end):
        return _alone(sentence, standing, end)
    if _ANNOUNCED.search(sentence):  # and what it announces is no quantity
        return Found(None, "unread")
    if _CONCLUDES.search(sentence) or (len(lines) == 1 and len(sentence) - end.end <= _PREDICATE):
        return _one([s.quantity for s in standing], "conclusion")
    return Found(None, "several" if len(standing) > 1 else "none")


def _last_sentence(lines: Sequence[str]) -> str:
    line = lines[-1]
    ends = [match.end() for match in _SENTENCE_END.finditer(line)]
    begins = [end for end in ends if line[end:].strip()]
    return (line[begins[-1] :].strip() if begins else line)[-_SENTENCE:]


def _alone(sentence: str, standing: Sequence[Standing], end: Standing) -> Found:
    """The quantity that a sentence's predicate belongs to, unless another one stands beside it as an alternative."""
    if len(standing) > 1 and _BESIDE.search(sentence[standing[-2].end : end.begin]):
        return _one([s.quantity for s in standing[-2:]], "copula")
    return Found(end.quantity.text, "copula")
