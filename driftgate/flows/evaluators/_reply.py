"""A judge's reply, read: its grade, or why there is none in it. A reply that may mean two grades means none.

A judge is asked for a JSON object and writes what it likes: thoughts before it, a fence around it, a draft before the
final one, ``4/5``, ``4점``, a Korean key. What it wrote is read wherever one grade can be meant, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from driftgate.flows.evaluators._reply_json import Several, last_graded, plain_key, spoken_value
from driftgate.flows.evaluators._reply_value import Scale, Value, denominators, read_value
from driftgate.flows.plain import one_line
from driftgate.flows.scrubbing import told
from driftgate.flows.thinking import without_thinking
from driftgate.flows.wording import plain

LONGEST = 40_000
"""Characters of a reply that are read, from its end."""
_WORDS = 200
_REASON = 2000
_OBJECT = re.compile(r"\{[^{}]*\}")
_THOUGHTS = re.compile(
    r"<(thoughts?|reasoning|reflection|scratchpad|analysis)>.*?</\1>|\[THINK\].*?\[/THINK\]|"
    r"\A.*<\|channel\|>final<\|message\|>|<\|(?:end|return|im_end|eot_id)\|>",
    re.DOTALL | re.IGNORECASE,
)
_REASONS = (
    "reason", "explanation", "rationale", "justification", "comment", "feedback", "thoughtchain",
    "이유", "근거", "설명", "사유", "평가이유", "평가근거", "판단근거", "의견", "코멘트",
)  # fmt: skip
_FINAL = r"(?:최종|종합|총|final|overall|total)\s*"
_NAME = r"(?:점수|평점|별점|등급|총점|score|grade|rating)"
_JOINT = r"[\"'*_`)\]]*\s*(?P<joint>[:=→]|은|는|is\b)?\s*[\"'*_`(\[]*\s*"
_SAID = (
    r"(?P<value>★+☆*|\d[\d.]*점?\s*만점에\s*\d[\d.]*\s*점?|\d[\d.]*\s*(?:/|out of|중)\s*\d[\d.]*점?|"
    r"[-+]?\d[\d.]*(?:\s*[~-]\s*\d[\d.]*)?\s*(?:점|%|stars?|points?)?|[가-힣]{1,2}\s*점(?![가-힣]*수)|"
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten)\b)"
)
_FIRST = re.compile(r"(\d(?:\.\d+)?\s*점?(?:\s*/\s*\d+점?)?)\s*(?::|- |— |– |, (?=[^\d]))\s*\S")
_GIVEN = re.compile(
    r"(?<![\d.~-])(\d[\d.]*\s*점)(?=입니다|이다|이에요|이며|을 (?:주|드|부여|줍)|으로 (?:평가|채점)|드|줍|[.!,)]|$)|"
    r"(?<![\d.])(\d[\d.]*점?\s*만점에\s*\d[\d.]*\s*점|\d[\d.]*\s*(?:/|out of)\s*\d[\d.]*)(?![\d/])|(★+☆*)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Read:
    """A grade, and what the judge said of it."""

    grade: float
    reason: str


@dataclass(frozen=True)
class Unread:
    """No grade."""

    why: str
    """What the judge did instead, behind the words *the judge*: ``gave 9, expected 1 to 5``."""
    final: bool = False
    """It says so itself, and would again."""


def read_reply(text: str, scale: Scale, key: str = "score", *, cut: bool = False) -> Read | Unread:
    """Read the grade in a judge's reply.

    Parameters
    ----------
    key : str
        A name that the grade may have beside the usual ones.
    cut : bool
        The reply was cut off at the limit on its length.

    Examples
    --------
    >>> five = Scale(1, 5)
    >>> read_reply('<think>5?</think>```json\\n{"점수": "4점", "이유": "한 곳이 틀림"}\\n```', five)
    Read(grade=4.0, reason='한 곳이 틀림')
    >>> read_reply("**점수: 네 점**", five).grade, read_reply("4/5", five).grade
    (4.0, 4.0)
    >>> read_reply('{"score": 8}', five).why, read_reply('{"score": [4, 5]}', five).why
    ('gave 8, expected 1 to 5', 'gave a list, expected one grade from 1 to 5')
    >>> read_reply("정확성 점수: 3, 말투 점수: 5", five).why
    'gave several grades (3, 5), expected one from 1 to 5'
    """
    said = last_said(text)
    if isinstance(said, Unread):
        return said
    found = last_graded(said, key)
    if found is Several:
        return Unread(f"gave a list, expected one grade from {scale}")
    if isinstance(found, Mapping):
        read = _of_object(found, said, scale, key)
        return _beside(read, said, scale, key) if isinstance(read, Read) else read
    if cut:
        return Unread("was cut off before it gave a grade")
    return _of_text(plain(said), scale, key)


def last_said(text: str) -> str | Unread:
    """What a judge says in the end, without its thoughts."""
    said = without_thinking(_THOUGHTS.sub(" ", text[-LONGEST:]))
    if said:
        return said
    return Unread("wrote nothing" if not text.strip() else "wrote its thoughts alone")


def words_of(text: str) -> str:
    """What the judge wrote, for a message: its beginning in one line, harmless, without secrets and personal data.

    Examples
    --------
    >>> words_of("<think>흠</think>\\x1b[31m평가할 수  없습니다\\n kim@example.kr")
    '평가할 수 없습니다 <EMAIL_ADDRESS>'
    """
    said = without_thinking(_THOUGHTS.sub(" ", text[-LONGEST:])) or text
    line = " ".join(one_line(told(said[: 4 * _WORDS])).split())
    return line if len(line) <= _WORDS else line[: _WORDS - 1] + "…"


def _of_object(found: Mapping[str, object], said: str, scale: Scale, key: str) -> Read | Unread:
    reasons = {plain_key(name): value for name, value in found.items()}
    reason = next((str(reasons[name]) for name in _REASONS if reasons.get(name)), "")
    if str(found.get("status") or "").lower() in ("skipped", "not_applicable", "n/a"):
        return Unread(f"gave no grade: Not applicable: {words_of(reason)}", final=True)
    value = spoken_value(found, key)
    if value is Several:
        return Unread(f"gave a list, expected one grade from {scale}")
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return _checked(read_value(value, scale), words_of(str(value)), scale, f"{said}\n{reason}", reason)
    return Unread(f"gave no number as its grade, expected one from {scale}")


def _beside(read: Read, said: str, scale: Scale, key: str) -> Read | Unread:
    """The grade of an object, unless the text around it names another: the object may be one that the judge quotes."""
    around = said
    for _ in range(4):
        around = _OBJECT.sub(" ", around)
    begins = rf"(?:^|[.!?]\s+)(?:{_FINAL})?(?:{_NAME}|{re.escape(key)}){_JOINT}{_SAID}"
    named = (one["value"] for one in re.finditer(begins, plain(around), re.IGNORECASE | re.MULTILINE) if one["joint"])
    others = [value.grade for value in _values(named, scale) if value.grade is not None and value.grade != read.grade]
    if others:
        return Unread(f"gave several grades ({others[0]:g}, {read.grade:g}), expected one from {scale}")
    return read


def _of_text(text: str, scale: Scale, key: str) -> Read | Unread:
    reason = text[:_REASON]
    for values in _readings(text, scale, key):
        told_apart = list(dict.fromkeys((one.grade, one.why) for one in values))
        if len(told_apart) == 1:
            return _checked(values[0], words_of(text), scale, text, reason)
        if told_apart:
            each = ", ".join("?" if grade is None else f"{grade:g}" for grade, _ in told_apart[:6])
            return Unread(f"gave several grades ({each}), expected one from {scale}")
    return Unread(f"wrote no grade, expected one from {scale}")


def _readings(text: str, scale: Scale, key: str) -> Iterator[list[Value]]:
    """What may be the grade in a text, the surest way of saying it first."""
    whole = read_value(text, scale) if len(text) <= 80 else None
    yield [whole] if whole is not None else []
    first = _FIRST.match(text)  # "4점: ...", "4 - ..."
    names = f"(?:{_NAME}|{re.escape(key)})"
    final, named = (
        list(re.finditer(rf"(?<![a-z가-힣]){before}{names}{_JOINT}{_SAID}", text, re.IGNORECASE))
        for before in (_FINAL, "(?:평가 ?|채점 ?)?")
    )
    named = named or list(re.finditer(rf"{names}{_JOINT}{_SAID}", text, re.IGNORECASE))
    for found in (final, [one for one in named if one["joint"]], named):
        yield _values((one["value"] for one in found), scale)
    yield _values((line for line in text.splitlines() if len(line) <= 40), scale)
    yield _values([first[1]] if first else [], scale)
    yield _values((one[0] for one in _GIVEN.finditer(text)), scale)


def _values(texts: Iterable[str], scale: Scale) -> list[Value]:
    return [value for one in texts if (value := read_value(one, scale)) is not None]


def _checked(value: Value | None, words: str, scale: Scale, said: str, reason: str) -> Read | Unread:
    if value is None:
        return Unread(f"gave '{words}' as its grade, expected a number from {scale}")
    if value.grade is None:
        return Unread(f"{value.why}, expected {scale}")
    if not scale.lowest <= value.grade <= scale.highest:
        return Unread(f"gave {value.grade:g}, expected {scale}")
    if beyond := [one for one in denominators(said, value.grade) if one > scale.highest]:
        return Unread(f"gave {value.grade:g} of {beyond[0]:g}, expected {scale}")
    return Read(value.grade, reason)
