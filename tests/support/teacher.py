"""A teacher on the loopback interface: competent, or with one of the faults that teachers have."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

from chat_endpoint import Answer, Step

SUBJECTS = (
    "연차",
    "병가",
    "출장비",
    "숙박비",
    "주차",
    "식대",
    "교육",
    "재택",
    "보안",
    "장비",
    "회의실",
    "복지",
    "퇴직",
    "승진",
    "야근",
    "당직",
)
KOREAN = ("가족", "행사", "계약", "서버", "열람", "신청", "정산", "지급", "점검", "반납", "배정", "심사")


def documents(count: int, seed: int = 0) -> list[str]:
    """So many short rules, each with a number of its own."""
    chance = random.Random(seed)
    return [
        f"{SUBJECTS[n % 16]} {KOREAN[n // 16 % 12]} 규정 제{n + 1}조: {SUBJECTS[n % 16]} {KOREAN[n * 7 % 12]}은 "
        f"{chance.randrange(10, 99)}일 안에 {KOREAN[n * 5 % 12]} 담당에게 {SUBJECTS[n * 3 % 16]} 양식으로 낸다. "
        f"한도는 {chance.randrange(100, 999)}원이다."
        for n in range(count)
    ]


def item(question: str, answer: str, *wrong: str) -> Answer:
    """A well-formed item."""
    value = {"question": question, "answer": answer, "wrong": list(wrong)}
    return Answer(json.dumps(value, ensure_ascii=False), tokens=(100, 50))


def competent(prompt: str) -> Answer:
    """A question about the rule's limit or its days, whose answer stands there."""
    rule = prompt.split("지문: ")[-1].splitlines()[0]
    days, limit = re.findall(r"(\d+일) 안에", rule), re.findall(r"(\d+원)이다", rule)
    subject = rule.partition(":")[0]
    style = prompt.rpartition("글쓴이: ")[2].strip()
    if not limit or hash_of(style) % 2:
        return item(f"{subject}에 따르면 며칠 안에 내야 하나요? ({style})", days[0], "1일", "2일", "3일")
    return item(f"{subject}의 한도는 얼마인가요? ({style})", limit[0], "1원", "2원", "3원")


def hash_of(text: str) -> int:
    """The same in every process."""
    return sum(map(ord, text))


def repeating(facts: int = 16) -> Callable[[str], Answer]:
    """Says only so many things, each time with other words around them."""

    def reply(prompt: str) -> Answer:
        reply.count += 1  # type: ignore[attr-defined]
        n = reply.count % facts  # type: ignore[attr-defined]
        words = random.Random(reply.count).sample(KOREAN, 3)  # type: ignore[attr-defined]
        rule = prompt.split("지문: ")[-1].splitlines()[0]
        answer = rule.split()[n % 4]
        return item(f"{' '.join(words)} {SUBJECTS[n]} 관련하여 규정에 적힌 말은 무엇인가요?", answer, "가", "나", "다")

    reply.count = 0  # type: ignore[attr-defined]
    return reply


REFUSAL = Answer("죄송하지만 그 요청은 도와드릴 수 없습니다.")
LOOP = Answer('{"question": "' + "한도는 얼마인가요? " * 60)
BROKEN = Answer('{"question": "한도는 얼마인가요?", "answer": ')
THOUGHT = Answer("<think>지문을 보면 한도가 나온다. 그런데", finish_reason="length")
TRUNCATED = Answer('{"question": "한도는 얼', finish_reason="length")


def thinking(then: Callable[[str], Answer]) -> Callable[[str], Step]:
    """Thinks aloud first, with braces in its thoughts, as reasoning models do."""

    def reply(prompt: str) -> Answer:
        said = then(prompt)
        return Answer(f"<think>{{형식}}은 이렇다: {{...}}</think>\n{said.text}", tokens=said.tokens)

    return reply
