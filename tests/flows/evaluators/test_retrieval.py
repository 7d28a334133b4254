"""Rankings, citations and support: what a retrieval flow is measured by, without a model."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.evaluators import EVALUATORS

PASSAGES = [
    {"id": "leave.md", "text": "연차는 입사 1년 뒤 15일이며 다음 해로 3일까지 이월할 수 있다.", "score": 4.2},
    {"id": "remote.md", "text": "재택근무는 팀장의 승인을 받아 주 2회까지 할 수 있다.", "score": 2.0},
]


def run(name: str, settings: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return dict(EVALUATORS.get(name)(**(settings or {}))(**inputs))


def test_ranking_by_hand() -> None:
    found = run("ranking", {"k": [1, 2, 10]}, retrieved=["x", "b", "a"], relevant=["a", "b"])
    assert found["recall@1"] == 0.0
    assert found["recall@2"] == 0.5
    assert found["recall@10"] == found["hit@10"] == 1.0
    assert found["ndcg@2"] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert found["mrr"] == 0.5


def test_grades_weigh_the_gain() -> None:
    best = run("ranking", {"k": 2}, retrieved=["a", "b"], relevant={"a": 3, "b": 1, "c": 0})
    worse = run("ranking", {"k": 2}, retrieved=["b", "a"], relevant={"a": 3, "b": 1, "c": 0})
    assert best["ndcg@2"] == 1.0 > worse["ndcg@2"] > 0.5
    assert best["recall@2"] == worse["recall@2"] == 1.0


def test_pieces_of_one_document_count_once() -> None:
    found = run("ranking", {"k": 2}, retrieved=[{"id": "a"}, {"id": "a"}, {"id": "b"}], relevant=["a", "b"])
    assert found["recall@2"] == found["ndcg@2"] == 1.0


def test_nothing_retrieved_is_zero_and_a_question_without_an_answer_has_no_recall() -> None:
    assert set(run("ranking", retrieved=[], relevant="a").values()) == {0.0}
    assert run("ranking", retrieved=["a"], relevant=[]) == {"none_found": 0.0}
    assert run("ranking", retrieved=[], relevant={"a": 0}) == {"none_found": 1.0}
    with pytest.raises(TypeError, match="does not say what is relevant"):
        run("ranking", retrieved=["a"], relevant=None)
    with pytest.raises(ValueError, match="expected depths of at least 1"):
        EVALUATORS.get("ranking")(k=[0])


@given(order=st.permutations(list("abcdefgh")), relevant=st.sets(st.sampled_from(list("abcdefgh")), min_size=1))
def test_ranking_keeps_its_bounds(order: list[str], relevant: set[str]) -> None:
    found = run("ranking", {"k": [1, 3, 8]}, retrieved=order, relevant=sorted(relevant))
    assert all(0.0 <= value <= 1.0 + 1e-12 for value in found.values())
    assert found["recall@1"] <= found["recall@3"] <= found["recall@8"] == 1.0
    best = sorted(order, key=lambda name: name not in relevant)
    first = run("ranking", {"k": [8]}, retrieved=best, relevant=relevant)
    assert first["ndcg@8"] == pytest.approx(1.0)


@pytest.mark.parametrize("order", ["bdac", "abcd", "dbca"])
def test_ndcg_of_plain_relevance_is_azure_ai_evaluation_s(order: str) -> None:
    from azure.ai.evaluation import DocumentRetrievalEvaluator

    grades = {"a": 1, "b": 0, "c": 1, "d": 0}  # with more grades theirs gains 2^grade - 1 and ours grade
    theirs = DocumentRetrievalEvaluator(ground_truth_label_min=0, ground_truth_label_max=1)(
        retrieval_ground_truth=[{"document_id": n, "query_relevance_label": g} for n, g in grades.items()],
        retrieved_documents=[{"document_id": n, "relevance_score": 9 - place} for place, n in enumerate(order)],
    )
    ours = run("ranking", {"k": 3}, retrieved=list(order), relevant=grades)
    assert theirs["document_retrieval"] == pytest.approx(ours["ndcg@3"], abs=1e-9)


def test_citations_that_hold_and_that_do_not() -> None:
    answer = "연차는 15일입니다 [leave.md]. 재택근무는 주 2회까지 할 수 있습니다. [remote.md]"
    assert run("citations", answer=answer, passages=PASSAGES) == {"cited": 1.0, "valid": 1.0, "supported": 1.0}
    swapped = answer.replace("leave", "x").replace("remote", "leave").replace("x.md", "remote.md")
    assert run("citations", answer=swapped, passages=PASSAGES) == {"cited": 1.0, "valid": 1.0, "supported": 0.0}
    invented = answer.replace("leave.md", "policy.md")
    assert run("citations", answer=invented, passages=PASSAGES) == {"cited": 1.0, "valid": 0.5, "supported": 0.5}
    bare = answer.replace("[leave.md]", "").replace("[remote.md]", "")
    assert run("citations", answer=bare, passages=PASSAGES) == {"cited": 0.0, "valid": 0.0, "supported": 0.0}


def test_a_mark_may_name_several_and_have_another_form() -> None:
    found = run("citations", answer="연차 15일, 재택근무 주 2회 [leave.md, remote.md].", passages=PASSAGES)
    assert found == {"cited": 1.0, "valid": 1.0, "supported": 1.0}
    found = run("citations", {"pattern": r"\((\d+)\)"}, answer="연차는 15일이다 (1).", passages=["연차는 15일이다."])
    assert found == {"cited": 1.0, "valid": 1.0, "supported": 1.0}
    with pytest.raises(ValueError, match="exactly one group"):
        EVALUATORS.get("citations")(pattern="x")


def test_support_sees_through_inflection_and_not_through_invention() -> None:
    same = run("support", answer="재택근무를 주 2회까지 할 수 있습니다.", passages=PASSAGES)
    assert same["supported"] == 1.0 and same["precision"] > 0.7 and same["numbers"] == 1.0
    other = run("support", answer="구내식당은 오전 11시에 문을 엽니다.", passages=PASSAGES)
    assert other["supported"] == 0.0 and other["precision"] < 0.3 and other["numbers"] == 0.0
    half = run("support", answer="연차는 15일이다. 구내식당은 무료로 운영된다.", passages=PASSAGES)
    assert half["supported"] == 0.5


def test_a_passage_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="a passage is int"):
        run("support", answer="x", passages=[3])
