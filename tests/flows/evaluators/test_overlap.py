"""Overlap scores, their indifference to spaces, and whether numbers and negation agree beside them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf.overlap_table import MEASURES, PLANTED, cases, evaluated, ranked, respaced, spearman
from driftgate.flows.definition import load_flow
from driftgate.flows.evaluators import EVALUATORS, load_evaluators
from driftgate.flows.quantities.prose import stated_in

BESIDE = ["numbers_agree", "numbers_missing", "numbers_wrong", "numbers_added", "negation"]
NAMES = sorted(MEASURES)


def run(name: str, said: str | None, wanted: Any, **settings: Any) -> dict[str, float]:
    return dict(EVALUATORS.get(name)(**settings)(response=said, ground_truth=wanted))


def score(name: str, said: str, wanted: Any, **settings: Any) -> float:
    return run(name, said, wanted, **settings)[MEASURES[name]]


def beside(said: str | None, wanted: Any) -> dict[str, float]:
    found = run("f1", said, wanted)
    return {metric: found[metric] for metric in BESIDE}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return cases()


@pytest.fixture(scope="module")
def found(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: evaluated(rows, name) for name in NAMES}


def test_the_candidates_are_enough_and_no_two_are_alike(rows: pd.DataFrame) -> None:
    assert len(rows) >= 300
    assert rows.reference.nunique() >= 50
    assert not rows.duplicated(["reference", "candidate"]).any()
    assert (rows.groupby("reference").size() >= 6).all()
    assert set(rows.grade) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["open", "held"])
def test_with_numbers_and_negation_the_order_is_that_of_the_grades(
    rows: pd.DataFrame, found: dict[str, pd.DataFrame], name: str, part: str
) -> None:
    own = rows[rows.part == part]
    mine = found[name].loc[own.index]
    fit = (mine.numbers_wrong == 0) & (mine.negation == 1)
    assert spearman(mine.score, own.grade) < 0.4  # what the score alone is worth
    assert spearman(mine.score.where(fit, 0.0), own.grade) > 0.65
    assert ranked(own, mine.score)[0] <= 2
    right, of = ranked(own, mine.score, fit)
    assert right >= 0.8 * of


@pytest.mark.parametrize("name", NAMES)
def test_replies_of_several_sentences_are_told_apart_too(
    rows: pd.DataFrame, found: dict[str, pd.DataFrame], name: str
) -> None:
    own = rows[rows.part == "long"]
    mine = found[name].loc[own.index]
    fit = (mine.numbers_wrong == 0) & (mine.negation == 1)
    right, of = ranked(own, mine.score, fit)
    assert right >= 0.9 * of
    assert fit[own.kind == "paraphrase"].mean() >= 0.9


@pytest.mark.parametrize("part", ["open", "held"])
def test_no_wrong_number_or_unit_is_let_through(rows: pd.DataFrame, found: dict[str, pd.DataFrame], part: str) -> None:
    mine = found["f1"][rows.part == part]
    kinds = rows.kind[rows.part == part]
    assert (mine.numbers_agree[kinds.isin(["wrong_number", "wrong_unit"])] == 0).mean() >= 0.97
    assert (mine.numbers_wrong[~kinds.isin(PLANTED)] == 1).mean() <= 0.05
    assert (mine.negation[kinds == "wrong_negation"] == 0).mean() >= 0.9
    assert (mine.negation[~kinds.isin([*PLANTED, "off_topic"])] == 1).mean() >= 0.9


@pytest.mark.parametrize("name", NAMES)
def test_every_overlap_evaluator_says_how_it_reads_and_the_same_of_numbers(name: str) -> None:
    evaluate = EVALUATORS.get(name)()
    assert len(evaluate.list_id) == 12
    found = run(name, "연차는 25일이고 이월할 수 있다.", "연차는 15일이고 이월할 수 없다.")
    assert next(iter(found)) == MEASURES[name]
    assert {metric: found[metric] for metric in BESIDE} == {
        "numbers_agree": 0.0,
        "numbers_missing": 1.0,
        "numbers_wrong": 1.0,
        "numbers_added": 0.0,
        "negation": 0.0,
    }


def test_their_hashes_are_part_of_what_a_flow_is_evaluated_by(tmp_path: Path) -> None:
    (tmp_path / "flow.dag.yaml").write_text(
        "inputs: {q: {type: string}}\noutputs: {a: {type: string, reference: '${say.output}'}}\n"
        "nodes:\n- {name: say, type: python, source: {type: code, path: say.py}, inputs: {q: '${inputs.q}'}}\n"
    )
    (tmp_path / "say.py").write_text(
        "from promptflow.core import tool\n\n\n@tool\ndef say(q: str) -> str:\n    return q\n"
    )
    bound = "\n".join(
        f"    {name}:\n      evaluator: {name}\n      inputs: {{response: '${{nodes.say.output}}', ground_truth: x}}"
        for name in NAMES
    )
    (tmp_path / "evaluators.yaml").write_text(f"primary: say.f1.f1\nnodes:\n  say:\n{bound}\n")
    lists = load_evaluators(load_flow(tmp_path, tmp_path)).lists
    assert sorted(lists) == [f"say.{name}" for name in NAMES]
    assert len(set(lists.values())) == len(NAMES)


WORDS = st.lists(
    st.sampled_from(
        [
            "할",
            "수",
            "있습니다",
            "없습니다",
            "서울에서",
            "연차는",
            "지하철",
            "기본",
            "요금을",
            "팀장의",
            "승인",
            "API를",
            "3일",
            "2만",
            "원",
        ]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)


@pytest.mark.parametrize("name", NAMES)
def test_spaces_alone_change_no_score(rows: pd.DataFrame, found: dict[str, pd.DataFrame], name: str) -> None:
    assert score(name, "할수있습니다", "할 수 있습니다") == score(name, "할 수 있습니다", "할 수 있습니다") > 0.9
    assert found[name].score[rows.kind == "spacing"].min() > 0.98
    apart = rows[(rows.part == "open") & rows.kind.isin(["paraphrase", "partial"])]
    without = evaluated(respaced(apart, 0.3), name).score
    assert (found[name].score[apart.index] - without).abs().mean() < 0.03


@pytest.mark.parametrize("name", ["f1", "rouge", "chrf"])
@given(text=WORDS)
def test_a_text_without_spaces_is_the_text(name: str, text: str) -> None:
    squeezed = re.sub(r"(?<=[가-힣]) (?=[가-힣])", "", text)
    if [s.key for s in stated_in(squeezed)] == [s.key for s in stated_in(text)]:
        assert score(name, squeezed, text) == pytest.approx(1.0)
        assert score(name, text, squeezed) == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_quantity_counts_the_same_in_every_writing(name: str) -> None:
    text = "이번 달 요금은 모두 {}이고 다음 달에 냅니다."
    assert score(name, text.format("25,000원"), text.format("2만 5천 원")) > 0.99
    assert score(name, text.format("2만 6천 원"), text.format("2만 5천 원")) < 0.99


@pytest.mark.parametrize("name", NAMES)
def test_thoughts_marks_and_decomposed_hangul_are_read_as_everywhere(name: str) -> None:
    text = "재택근무는 주 2회까지 할 수 있다"
    said = f"<think>주 5회?</think>**{unicodedata.normalize('NFD', text)}**"
    assert run(name, said, text) == run(name, text, text)
    assert score(name, text, text) > 0.98


SAME_NUMBERS = [
    ("스물다섯 살입니다", "25세입니다"),
    ("2.5만원", "2만 5천 원"),
    ("2024년 3월 1일", "2024-03-01"),
    ("3~5일", "3일에서 5일"),
    ("3월 1일~15일", "3월 1일부터 3월 15일까지"),
    ("3월 1일에 시작해 3월 15일에 끝납니다", "3월 1일부터 15일까지"),
    ("평일 9~18시", "평일 9시부터 18시까지"),
    ("50%", "50퍼센트"),
    ("오후 3시", "15:00"),
    ("주 2회", "일주일에 두 번"),
    ("하루 5만 원", "1일 50,000원"),
    ("월 10만 원", "한 달에 10만 원"),
    ("분당 60회", "1분에 60번"),
    ("연 3.5%", "3.5%"),
    ("30만 원을 넘으면", "30만 원 초과 시"),
    ("영하 5도", "-5도"),
    ("within 10 days", "in 10 days"),
    ("한 번 더 확인하세요", "다시 확인하세요"),
    ("다시 확인하세요", "한 번 더 확인하세요"),
    ("B형은 5만 원, A형은 3만 원", "A형은 3만 원, B형은 5만 원"),
    ("12만 곳", "12만 개"),
    ("이 약은 하루세번 먹습니다", "이 약은 하루 세 번 먹습니다"),
    ("수출은 13개월연속 늘었다", "수출은 13개월 연속 늘었다"),
    ("3월 1일 50명이 왔다", "3월 1일에 50명이 왔다"),
    ("", ""),
    ("연차를 씁니다", "연차를 씁니다"),
]
OTHER_NUMBERS = [
    ("25세", "26세"),
    ("2만 5천 원", "1만 5천 원"),
    ("3억", "3만"),
    ("3월 1일", "3월 2일"),
    ("3~5일", "3~6일"),
    ("50%", "5%"),
    ("50%", "50명"),
    ("오후 3시", "오전 3시"),
    ("주 2회", "월 2회"),
    ("하루 5만 원", "월 5만 원"),
    ("분당 60회", "시간당 60회"),
    ("within 10 days", "within 30 days"),
    ("$25", "₩25"),
    ("영하 5도", "5도"),
    ("사흘", "나흘"),
    ("5회 이상", "5회 이하"),
    ("3배", "30배"),
    ("14일", "14개월"),
    ("세 번", "한 번"),
    ("2:1", "3:1"),
    ("v1.2.3", "v1.2.4"),
    ("A형은 5만 원, B형은 3만 원", "A형은 3만 원, B형은 5만 원"),
    ("서울은 30도, 부산은 25도입니다", "서울은 25도, 부산은 30도입니다"),
    ("찬성 97표, 반대 182표", "찬성 182표, 반대 97표"),
    ("1,550원에서 1,400원으로 바꾼다", "1,400원에서 1,550원으로 바꾼다"),
]


@pytest.mark.parametrize(("one", "other"), SAME_NUMBERS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_numbers_that_agree(one: str, other: str, form: Any) -> None:
    said = unicodedata.normalize(form, one)
    assert (found := beside(said, other))["numbers_agree"] == 1.0
    assert (found["numbers_missing"], found["numbers_wrong"], found["numbers_added"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("one", "other"), OTHER_NUMBERS)
def test_numbers_that_do_not(one: str, other: str) -> None:
    for said, wanted in ((one, other), (other, one)):
        found = beside(said, wanted)
        assert (found["numbers_agree"], found["numbers_wrong"]) == (0.0, 1.0)


def test_what_is_left_out_is_missing_and_what_is_of_another_kind_is_added() -> None:
    half = beside("연차는 15일입니다", "연차는 15일이고 수당은 3만 원입니다")
    assert (half["numbers_missing"], half["numbers_wrong"], half["numbers_agree"]) == (0.5, 0.0, 0.0)
    vague = beside("15", "15일")
    assert (vague["numbers_missing"], vague["numbers_wrong"]) == (1.0, 0.0)
    more = beside("2024년 기준으로 연차는 15일입니다", "연차는 15일")
    assert (more["numbers_agree"], more["numbers_wrong"], more["numbers_added"]) == (1.0, 0.0, 1.0)
    both = beside("연차는 15일 또는 20일입니다", "연차는 15일")
    assert (both["numbers_agree"], both["numbers_wrong"]) == (0.0, 1.0)
    nothing = beside("", "연차는 15일이고 이월할 수 없다")
    assert (nothing["numbers_agree"], nothing["numbers_missing"], nothing["numbers_wrong"]) == (0.0, 1.0, 1.0)
    assert beside(None, [])["numbers_agree"] == 0.0  # nothing was said that could agree


AMOUNTS = st.lists(st.integers(min_value=1, max_value=30), max_size=4).map(
    lambda amounts: ", ".join(f"{amount}{'일' if amount % 3 else '만 원'}" for amount in amounts)
)


@given(said=AMOUNTS, wanted=AMOUNTS, amount=st.integers(min_value=40, max_value=90))
def test_one_more_foreign_number_never_helps(said: str, wanted: str, amount: int) -> None:
    before, after = beside(said, wanted), beside(f"{said}, {amount}일", wanted)
    assert after["numbers_agree"] <= before["numbers_agree"]
    assert after["numbers_wrong"] >= before["numbers_wrong"]
    assert after["numbers_missing"] == before["numbers_missing"]


@given(said=AMOUNTS, one=AMOUNTS, other=AMOUNTS)
def test_one_more_accepted_text_never_hurts(said: str, one: str, other: str) -> None:
    assert beside(said, [one, other])["numbers_wrong"] == min(
        beside(said, one)["numbers_wrong"], beside(said, other)["numbers_wrong"]
    )


AGREE = [
    ("이월할 수 없습니다", "이월은 불가합니다"),
    ("사용하지 못합니다", "사용할 수 없다"),
    ("안 됩니다", "되지 않습니다"),
    ("반품이안됩니다", "반품이 안 됩니다"),
    ("미포함입니다", "포함하지 않습니다"),
    ("비공개 문서입니다", "공개되지 않은 문서입니다"),
    ("비회원", "회원이 아닌 사람"),
    ("꼭 신청해야 합니다", "신청하지 않으면 안 됩니다"),
    ("가능합니다", "불가능하지 않습니다"),
    ("반드시 제출하세요", "제출하지 않을 수 없습니다"),
    ("3일뿐입니다", "3일밖에 없습니다"),
    ("배송비는 무료입니다", "배송비가 들지 않습니다"),
    ("문제없이 됩니다", "됩니다"),
    ("안내해 드립니다", "알려 드립니다"),
    ("비밀번호를 바꾸세요", "암호를 변경하세요"),
    ("미국에서 삽니다", "미국에 거주합니다"),
    ("무역 회사입니다", "무역을 하는 회사입니다"),
    ("서울입니다", "부산이 아니라 서울입니다"),
    ("승인 없이 사용할 수 없습니다", "승인이 있어야 사용할 수 있습니다"),
    ("연락이 어렵습니다", "연락할 수 없습니다"),
    ("The service isn't available.", "The service is not available."),
    ("The service is unavailable.", "The service is not available."),
    ("건물 안 주차장에 세우세요", "건물 내부 주차장에 세우세요"),
    ("항소하겠다고 밝혔다", "항소하겠다고 말했다"),
    ("not only cheap but also fast", "cheap and fast"),
    ("", ""),
]
DISAGREE = [
    ("이월할 수 있습니다", "이월할 수 없습니다"),
    ("할수있습니다", "할수없습니다"),
    ("가능", "불가능"),
    ("포함", "미포함"),
    ("공개", "비공개"),
    ("됩니다", "안 됩니다"),
    ("안됩니다", "됩니다"),
    ("갑니다", "못 갑니다"),
    ("유료입니다", "무료입니다"),
    ("신청해야 합니다", "신청하지 않아도 됩니다"),
    ("제출하세요", "제출하지 마세요"),
    ("한국인이다", "한국인이 아니다"),
    ("A는 가능하고 B는 불가합니다", "A는 불가하고 B는 가능합니다"),
    ("결제 완료 주문", "미결제 주문"),
    ("승인이 필요합니다", "승인이 필요 없습니다"),
    ("적합", "부적합"),
    ("You can cancel", "You can't cancel"),
    ("It is possible", "It is impossible"),
    ("네", "아니요"),
]


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_negations_that_agree(one: str, other: str) -> None:
    for said in (one, unicodedata.normalize("NFD", one)):
        assert beside(said, other)["negation"] == beside(other, said)["negation"] == 1.0


@pytest.mark.parametrize(("one", "other"), DISAGREE)
def test_negations_that_do_not(one: str, other: str) -> None:
    for said in (one, unicodedata.normalize("NFD", one)):
        assert beside(said, other)["negation"] == beside(other, said)["negation"] == 0.0
