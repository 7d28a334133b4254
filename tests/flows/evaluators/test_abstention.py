"""Saying that the documents do not hold the answer: told from answers, and right where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftgate.flows.abstentions import is_abstention
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS, load_evaluators

ABSTAINS = [
    "제공된 문서에서 해당 내용을 찾을 수 없습니다.",
    "문서에 나와 있지 않습니다.",
    "주어진 자료에는 기숙사 월세에 대한 정보가 없습니다.",
    "질문하신 내용은 규정집에 명시되어 있지 않아 확인할 수 없습니다. 총무팀에 문의해 주세요.",
    "죄송합니다. 문서만으로는 알 수 없습니다.",
    "모르겠습니다.",
    "잘 모르겠어요.",
    "관련 정보가 부족합니다.",
    "해당 내용은 확인되지 않습니다.",
    "2026년 기숙사 월세는 문서에 언급되지 않았습니다.",
    "답변드릴 수 없습니다. 문서에 없는 내용입니다.",
    "문서에 없음",
    "The document does not mention this.",
    "I don't know.",
    "There is no information about the dress code in the handbook.",
    "The context doesn't provide that information. Please contact HR.",
    "I couldn't find it in the provided documents.",
    "This is not specified in the policy.",
]
ANSWERS = [
    "",
    "17일",
    "병가는 없습니다.",
    "아니요, 수습 기간에는 쓸 수 없습니다.",
    "해외 접속은 막혀 있어 들어올 수 없습니다.",
    "문서에는 없지만 보통 월 30만 원입니다.",
    "문서에 나와 있지 않습니다. 다만 관례상 5일을 줍니다.",
    "주 2회입니다. 그 밖의 조건은 문서에 나와 있지 않습니다.",
    "촬영은 금지한다.",
    "분실한 사원증은 찾을 수 없으니 5천 원을 내고 다시 만듭니다.",
    "개인정보는 5년 보관합니다.",
    "The document says 17 days.",
    "The handbook does not mention it, but it is usually 30 dollars.",
    "No, it is not allowed.",
    "C",
]


@pytest.mark.parametrize("reply", ABSTAINS)
def test_what_says_that_there_is_no_answer(reply: str) -> None:
    assert is_abstention(reply)


@pytest.mark.parametrize("reply", ANSWERS)
def test_what_answers_does_not_abstain(reply: str) -> None:
    assert not is_abstention(reply)


def evaluate(**inputs: Any) -> dict[str, float]:
    return dict(EVALUATORS.get("abstention")()(**inputs))


def test_of_a_question_without_an_answer_saying_so_is_right() -> None:
    assert evaluate(response=ABSTAINS[0], ground_truth="", relevant=[]) == {
        "match": 1.0,
        "contained": 1.0,
        "abstained": 1.0,
    }
    assert evaluate(response="월 30만 원", relevant=[])["match"] == 0.0
    assert evaluate(response=None, relevant=[])["match"] == 0.0  # silence is no answer
    assert evaluate(response=ABSTAINS[0], relevant={"hr": 0})["abstained"] == 1.0


def test_of_a_question_with_an_answer_the_answer_is_right() -> None:
    assert evaluate(response="17일입니다", ground_truth="17일", relevant=["hr"]) == {
        "match": 1.0,
        "contained": 1.0,
        "withheld": 0.0,
    }
    assert evaluate(response=ABSTAINS[0], ground_truth="17일", relevant="hr") == {
        "match": 0.0,
        "contained": 0.0,
        "withheld": 1.0,
    }
    assert evaluate(response="17일", ground_truth="17일")["match"] == 1.0  # data that say nothing of documents
    with pytest.raises(ValueError, match="does not say which"):
        evaluate(response="17일", ground_truth="", relevant=["hr"])


@pytest.mark.parametrize(
    ("node", "evaluator", "given", "said"),
    [
        ("retrieve", "holds_answer", "${nodes.answer.output.text}", "which is no column of the data"),
        ("retrieve", "holds_answer", "spans", "which is no column of the data"),
        ("answer", "correct", "${data.relevant}", "which decides what is correct"),
    ],
)
def test_no_reply_takes_its_sample_out_of_a_mean(
    tmp_path: Path, node: str, evaluator: str, given: str, said: str
) -> None:
    from shutil import copytree

    from driftgate.shipped import shipped

    copytree(shipped("flows") / "rag_qa", tmp_path / "own")
    file = tmp_path / "own/evaluators.yaml"
    bound = yaml.safe_load(file.read_text("utf-8"))
    bound["nodes"][node][evaluator]["unless_empty"] = given
    file.write_text(yaml.safe_dump(bound, allow_unicode=True), "utf-8")
    with pytest.raises(DriftgateError, match=said):
        load_evaluators(load_flow("own", tmp_path))
