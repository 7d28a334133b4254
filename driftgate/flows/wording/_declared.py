"""The answer in a reply without what stands around it: "정답: 첨성대", "The answer is Paris", "수도는 서울입니다"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from driftgate.flows.quantities import after_correction

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
_LATER_HEAD = re.compile(
    r"(?:(?<=[.!?…。]\s)|(?<=\n)|(?<=[,\s]))(?:(?:따라서|그러므로|그래서|결국|즉)[, ]+)?(?:최종 ?|올바른 |맞는 )?"
    r"(?:정답|해답|답)(?:은|는| ?[:=→])\s*"
    r"|(?:(?<=[.!?]\s)|(?<=\n))(?:so,? |therefore,? |thus,? )?(?:the |my )?(?:final |correct )?answer(?: is| ?:)\s*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[^\d\s])[.!?。](?=\s|$)|(?<=\d)[.!?。](?=\s+\D|$)|\n")
_LEFT_OPEN = re.compile(
    r"아니|아닌|아닙|않|못|없|틀[리렸린립]|오답|제외|수도 있|또는|혹은|정정|수정|하지만|그러나|다만|모르|후보|처음|원래"
    r"|반면|라면|다면|(?<![가-힣])안\s|오히려|(?<![가-힣])대답|(?<![a-z])(?:not|no|or|but|however|isn't|wasn't|unless|except|wrong|maybe|perhaps)(?![a-z])",
    re.IGNORECASE,
)
"""Words by which a sentence denies, supposes, leaves open or opposes what is beside it."""
_SUBJECT = re.compile(
    r"[^.!?。\n]*[가-힣](?:은|는)\s+(?=\S)|(?:the|this|that|its|his|her)\s[^.!?\n]*?\s(?:is|was|are|were)\s+",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:(?:음|어|아|글쎄요|네|예|응)[,.!~… ]+|(?:제|내) 생각(?:엔|에는|에|으로는)[, ]+"
    r"|(?:당연히|물론|분명히|확실히|바로)[, ]+"
    r"|(?:그거|그건|그것은|이건|이것은|그게|이게)[, ]+)+"
)
_AT_THE_END = re.compile(
    r"(?:이|가)\s(?:정답|답)(?:입니다|이다|이에요|예요|이죠|이지요|임)[.!~\s]*$|(?:이|가)\s맞(?:습니다|아요|다)[.!~\s]*$"
)
_NAMED = re.compile(
    r"(?:이?라고|으?로)\s?(?:합니다|한다|해요|부릅니다|부른다|불러요|알려져 있습니다"
    r"|(?:할|부를|볼) 수 있(?:습니다|다|어요))[.!~\s]*$"
    r"|\s?같(?:습니다|아요|다)[.!~\s]*$"
)
_TITLE = re.compile(
    r"(?<=[가-힣]{2})\s(?:선생|열사|의사|장군|박사|교수|여사|대통령|시인|작가|화백|감독|대왕|스님)(?:님)?"
    r"(?P<end>(?:이?십니다|입니다|이다|이에요|예요|이세요|이시다|이죠|이지요)?[.!~\s]*)$"
)
_GLOSS = re.compile(r"(?<=[가-힣])\s?\((?!not\b|no\b)[^()가-힣\d]{1,60}\)")
"""What a word of Hangul is in another script."""
_QUOTED = re.compile(
    r"[<《〈『「\"'“‘]\s*(?P<inside>[^<>《》〈〉『』「」\"“”\n]{1,100}?)\s*[>》〉』」\"'”’](?P<end>[가-힣]{0,6}[.!~\s]*)$"
)
_KEYS = frozenset(["answer", "정답", "답", "답변", "result", "output", "response"])


def readings(said: str) -> Iterator[str]:
    """The answers that a text, already plain, may be with less around them; none that it denies or leaves open.

    Each is what the text declares ("정답은 A가 아니라 B" is "A가 아니라 B"), or what is said of a subject in its only
    sentence, or the text without a filler, a title, marks of quotation and what a word is in another script.

    Examples
    --------
    >>> [next(readings(t), None) for t in ("정답: 첨성대", "네, 답은 -4예요.", "답변 - 헬륨", "The answer is Paris.")]
    ['첨성대', '-4예요.', '헬륨', 'Paris.']
    >>> [list(readings(t)) for t in ("예, 맞습니다.", "답답한 일", "It isn't DNA.", "수도는 서울이 아니다.")]
    [['예'], [], [], []]
    >>> list(readings("수도는 서울입니다.")), list(readings("경복궁(景福宮)")), list(readings("유관순 열사입니다."))
    (['서울입니다.'], ['경복궁'], ['유관순입니다.'])
    >>> list(readings("물은 H2O다. 최종 답: 물. 흔한 물질이다."))
    ['물']
    """
    if confirmed := _CONFIRMED.fullmatch(said.rstrip(" .!~")):
        yield confirmed[1] or confirmed[2]
        return
    for found in (_headed(said), _of_one_key(said), _declared_later(said), _said_of_a_subject(said)):
        if found and any(c.isalnum() for c in found):
            yield found
            yield from _bare(found)
    yield from _bare(said)


def last_said(said: str) -> str:
    """What a text, already plain, says at last: behind what it takes back, and from its last declaration on.

    Examples
    --------
    >>> last_said("금성입니다. 아, 아니네요. 수성이 맞습니다."), last_said("장보고라고 썼으나, 정답은 최치원입니다.")
    ('. 수성이 맞습니다.', '정답은 최치원입니다.')
    >>> last_said("서울입니다."), last_said("서울입니다. 답은 위와 같습니다.")
    ('서울입니다.', '서울입니다. 답은 위와 같습니다.')
    """
    after = after_correction(said)
    kept = after if any(c.isalnum() for c in after) else said
    *_, last = [None, *_LATER_HEAD.finditer(kept)]
    if last is None or _ELSEWHERE.match(kept, last.end()):
        return kept
    return kept[last.start() :]


_ELSEWHERE = re.compile(r"\s*(?:$|위|앞|이와|그와|다음과 같|아래와 같)")


def _headed(said: str) -> str:
    head = _HEAD.match(said)
    return said[head.end() :] if head else ""


def _of_one_key(said: str) -> str:
    """The value of ``{"answer": "측우기"}``."""
    if not said.startswith("{") or len(said) > 1000:
        return ""
    try:
        found = json.loads(said)
    except ValueError:
        return ""
    (key, value), *others = found.items() if isinstance(found, dict) and found else [("", "")]
    return str(value) if not others and key.casefold() in _KEYS and isinstance(value, str | int | float) else ""


_NEGATOR = re.compile(
    r"(?:^|\s)(?:안|못|not|no|non|never)(?:\s|$)|(?:처음|원래|틀린|잘못된|다른|이전|예전|첫)\s*$", re.IGNORECASE
)


def _declared_later(said: str) -> str:
    """What the last declaration in a text of several sentences or clauses declares, where nothing after it opposes."""
    *_, last = [None, *_LATER_HEAD.finditer(said)]
    if last is None:
        last = _HEAD.match(said)
    if last is None:
        return ""
    if _NEGATOR.search(said[: last.start()]):  # what it denies is not for these rules to see
        return ""
    rest = said[last.end() :]
    end = _SENTENCE_END.search(rest)
    if end is None:
        return rest if last.start() else ""
    return "" if _LEFT_OPEN.search(rest[end.end() :]) else rest[: end.start()]


def _said_of_a_subject(said: str) -> str:
    """What the only sentence of a text says that its subject is."""
    subject = _SUBJECT.match(said)
    if subject is None or _SENTENCE_END.search(said.rstrip(" .!?。~")) or _LEFT_OPEN.search(said):
        return ""
    return said[subject.end() :]


def _bare(said: str) -> Iterator[str]:
    """A text without what says nothing of the answer, where there is any."""
    found = _FILLER.sub("", said) if _FILLER.match(said) else said
    found = _GLOSS.sub("", found)
    if quoted := _QUOTED.fullmatch(found):
        found = quoted["inside"] + quoted["end"]
    if not _LEFT_OPEN.search(found):
        found = _NAMED.sub("", _AT_THE_END.sub("", found))
        found = _TITLE.sub(lambda match: match["end"], found)
    if found != said and any(c.isalnum() for c in found):
        yield found
