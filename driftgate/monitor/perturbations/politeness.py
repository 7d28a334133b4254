"""The question at another level of politeness: plain endings (해라체, 하오체) to formal ones (합쇼체), or back."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from driftgate.monitor.perturbations._perturbation import Example, Perturbation, Prompt

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_FINALS = 28
_FIRST, _LAST, _BIEUP = ord("가"), ord("힣"), 17
"""The block of Hangul syllables: each has one of 28 finals, none being 0 and ㅂ 17 (The Unicode Standard, 3.12)."""


def formal_question(stem: str) -> str:
    """A verb's stem with the formal question's ending.

    Examples
    --------
    >>> [formal_question(stem) for stem in ("하", "되", "있", "하였")]
    ['합니까', '됩니까', '있습니까', '하였습니까']
    """
    last = ord(stem[-1])
    if (last - _FIRST) % _FINALS:
        return f"{stem}습니까"
    return f"{stem[:-1]}{chr(last + _BIEUP)}니까"


def _asked(word: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{match[0].rstrip('? ')} {word}입니까?"


_TO_FORMAL: tuple[_Rule, ...] = (
    (re.compile(r"(?:사람|인물|왕|학자|작가|저자|장군|화가)[은는]\s?\?"), _asked("누구")),
    (re.compile(r"(?:곳|장소|지역|도시|나라|국가)[은는]\s?\?"), _asked("어디")),
    (re.compile(r"(?:때|시기|연도|날짜|해)[은는]\s?\?"), _asked("언제")),
    (re.compile(r"[가-힣][은는]\s?\?"), _asked("무엇")),
    (re.compile(r"인가(?=\s?[?.])"), "입니까"),
    (re.compile(r"한가(?=\s?[?.])"), "합니까"),
    (re.compile(r"([가-힣])는가(?=\s?[?.])"), lambda match: formal_question(match[1])),
    (re.compile(r"(?<!십)시오(?=\s?[.!])"), "십시오"),
)
_TO_PLAIN: tuple[_Rule, ...] = (
    (re.compile(r"입니까(?=\s?[?.])"), "인가"),
    (re.compile(r"([있없했었았였했됐])습니까(?=\s?[?.])"), r"\1는가"),
    (re.compile(r"됩니까(?=\s?[?.])"), "되는가"),
    (re.compile(r"십시오(?=\s?[.!])"), "시오"),
)


def exchange_politeness(question: str) -> str | None:
    """The question at the other level; None where no rule knows its ending.

    Examples
    --------
    >>> exchange_politeness("다음 중 옳지 않은 것은?")
    '다음 중 옳지 않은 것은 무엇입니까?'
    >>> exchange_politeness("시효는 언제 완성되는가? (단, 판례에 의함)")
    '시효는 언제 완성됩니까? (단, 판례에 의함)'
    >>> exchange_politeness("밑줄 친 것과 뜻이 같은 것을 고르십시오.")
    '밑줄 친 것과 뜻이 같은 것을 고르시오.'
    >>> exchange_politeness("15 + 27 = ?") is None
    True
    """
    for rules in (_TO_FORMAL, _TO_PLAIN):
        for pattern, ending in rules:
            changed = pattern.sub(ending, question)
            if changed != question:
                return changed
    return None


def _change(prompt: Prompt, pool: Sequence[Example], rng: random.Random) -> Prompt | None:
    question = exchange_politeness(str(prompt.data["question"]))
    return None if question is None else replace(prompt, data={**prompt.data, "question": question})


PERTURBATION = Perturbation("politeness", "politeness of the question", _change)
