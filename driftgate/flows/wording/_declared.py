"""An answer without the words that declare it: "정답: 첨성대", "The answer is Paris", "예, 맞습니다"."""

from __future__ import annotations

import re

_HEAD = re.compile(
    r"(?:(?:네|예|넵|음|아)[,.!~… ]+)?(?:(?:따라서|그러므로|그래서|결국|즉)[, ]+)?"
    r"(?:"
    r"[\[(<【「]?(?:(?:(?:이|그) )?(?:문제|질문)의 )?(?:최종 ?|제 |저의 |올바른 |맞는 )?(?:정답|해답"
    r"|답변|답안|답)(?: ?\(answer\))?"
    r"(?:[\])>】」] ?[:=→]?|은|는| ?[:=→]| [-–—](?= [^\d\s])| ?\n)"
    r"|(?:so,? |therefore,? |thus,? )?(?:the |my )?(?:final |correct |right )?answer(?: ?[:=→]| is(?! n['’]t)\b ?:?"
    r"| ?\n)"
    r"|(?:it|that|this)(?: is|['’]s)\b"
    r")\s*",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    r"(네|예|넵|응|yes)[,.! ]+(?:맞습니다|맞아요|맞다|그렇습니다|그래요|그렇다|(?:that|it)(?: is|['’]s) (?:right"
    r"|correct|true))"
    r"|(아니요|아니오|아뇨|no)[,.! ]+(?:아닙니다|아니에요|아니다|그렇지 않습니다|그렇지 않아요|그렇지 않다|(?:it"
    r"|that)(?: is not|['’]s not| isn['’]t))",
    re.IGNORECASE,
)


def declared(said: str) -> str:
    """What a text, already plain, declares to be the answer; the text itself where it declares none.

    Only the words in front are taken off, so "정답은 A가 아니라 B" is "A가 아니라 B". A sentence about the subject of a
    question ("수도는 서울이다") declares nothing, and neither does a head alone ("정답은").

    Examples
    --------
    >>> [declared(t) for t in ("정답: 첨성대", "네, 답은 -4예요.", "답변 - 헬륨", "The answer is Paris.")]
    ['첨성대', '-4예요.', '헬륨', 'Paris.']
    >>> declared("예, 맞습니다.")
    '예'
    >>> [declared(t) for t in ("수도는 서울이다", "정답은", "답답한 일", "It isn't DNA.")]
    ['수도는 서울이다', '정답은', '답답한 일', "It isn't DNA."]
    """
    if confirmed := _CONFIRMED.fullmatch(said.rstrip(" .!~")):
        return confirmed[1] or confirmed[2]
    head = _HEAD.match(said)
    rest = said[head.end() :] if head else ""
    return rest if any(c.isalnum() for c in rest) else said
