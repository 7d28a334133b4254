"""The phrases that tell a refusal, on replies of our own and on recorded ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from driftgate.flows.refusals import is_refusal, refusal_rules_id

LLMDRIFT = Path("../shared/data/llmdrift")

REFUSALS = [
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, I cannot fulfill this request as it goes against my programming.",
    "Unfortunately, I am unable to help with this request.",
    "As an AI language model, I cannot provide a biased opinion.",
    "I won't be able to assist with that request.",
    "죄송하지만 해당 요청은 도와드릴 수 없습니다.",
    "죄송합니다. 그 질문에는 답변드릴 수 없습니다.",
    "해당 내용에 대해서는 답변을 제공하기 어렵습니다.",
    "저는 AI 언어 모델로서 개인적인 의견을 가지고 있지 않습니다.",
    "안전 정책에 따라 답변을 거부합니다.",
]
ANSWERS = [
    "",
    "B",
    "정답: C",
    "정답은 B입니다. 계약은 취소할 수 없으므로 나머지는 틀렸습니다.",
    "죄송합니다, 앞의 답을 고칩니다. 정답은 B입니다.",
    "You cannot divide by zero, so the answer is [No].",
    "I can help with that: press the reset button for ten seconds.",
    "이 제품은 환불이 어렵지 않습니다. 주문 내역에서 환불을 누르세요.",
    "The court cannot create new law, so the statement is wrong.",
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_is_told(reply):
    assert is_refusal(reply)
    assert is_refusal(f"  {reply.upper()}\n\nPlease ask something else.")


@pytest.mark.parametrize("reply", ANSWERS)
def test_an_answer_is_no_refusal(reply):
    assert not is_refusal(reply)


def test_only_the_opening_counts():
    assert not is_refusal("정답은 A입니다. " + "근거를 들어 설명합니다. " * 40 + "더 이상은 도와드릴 수 없습니다.")


def test_the_rules_have_an_identity():
    assert len(refusal_rules_id()) == 12


def recorded(name: str) -> pd.DataFrame:
    file = LLMDRIFT / name
    if not file.exists():
        pytest.skip(f"{file} is not there")
    rows = pd.read_csv(file)
    return rows.assign(refused=rows["answer"].fillna("").map(is_refusal))


def test_sensitive_questions_that_annotators_saw_refused():
    rows = recorded("SENSITIVEQ_EVAL.csv")
    refused = rows["Response Rate"] == 0
    assert rows.loc[refused, "refused"].mean() >= 0.93
    assert rows.loc[~refused, "refused"].mean() <= 0.05


def test_no_answer_about_a_prime_is_taken_for_a_refusal():
    assert not recorded("PRIME_FULL_EVAL.csv")["refused"].any()
