"""Measures of text against text: by hand, against azure-ai-evaluation where it is right, and where it is not."""

from __future__ import annotations

import asyncio
import inspect
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.flows.evaluators import EVALUATORS

LIKENESS = ["bleu", "chrf", "f1", "meteor", "rouge"]
LATIN = [
    ("The cat sat on the mat", "A cat sat on a mat"),
    ("claims must be filed within ten days", "file claims within thirty days"),
    ("no word in common", "something entirely different"),
]


def run(name: str, settings: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    found = EVALUATORS.get(name)(**(settings or {}))(**inputs)
    return dict(asyncio.run(found) if inspect.isawaitable(found) else found)


def score(name: str, response: str, ground_truth: Any, **settings: Any) -> float:
    return float(next(iter(run(name, settings, response=response, ground_truth=ground_truth).values())))


@pytest.mark.parametrize("name", LIKENESS)
def test_equal_korean_is_as_good_as_it_gets_and_strange_korean_as_bad(name: str) -> None:
    text = "재택근무는 팀장의 승인을 받아 주 2회까지 할 수 있다"
    assert score(name, text, text) > 0.99
    assert score(name, text, unicodedata.normalize("NFD", text)) > 0.99
    assert score(name, "구내식당 점심", text) < 0.1
    assert score(name, "", text) == 0.0
    assert score(name, text, ["구내식당", text]) > 0.99


@pytest.mark.parametrize("name", ["f1", "rouge", "normalised_match"])
def test_another_particle_is_no_other_word(name: str) -> None:
    assert score(name, "서울에서는 연차를 씁니다", "서울 연차 씁니다") == 1.0
    assert score(name, "고양이에게 먹이를", "고양이가 먹이는") == 1.0


@pytest.mark.parametrize("name", LIKENESS)
@given(
    response=st.text(alphabet="가나다 라마는이ab 1", max_size=30),
    truth=st.text(alphabet="가나다 라마는이ab 1", max_size=30),
)
def test_likeness_keeps_its_bounds(name: str, response: str, truth: str) -> None:
    assert 0.0 <= score(name, response, truth) <= 1.0 + 1e-9


@pytest.mark.parametrize(("response", "truth"), LATIN)
def test_f1_of_latin_words_is_azure_ai_evaluation_s(response: str, truth: str) -> None:
    from azure.ai.evaluation import F1ScoreEvaluator

    plain = [" ".join(w for w in t.lower().split() if w not in ("a", "an", "the")) for t in (response, truth)]
    theirs = F1ScoreEvaluator()(response=response, ground_truth=truth)["f1_score"]
    assert run("f1", response=plain[0], ground_truth=plain[1])["f1"] == pytest.approx(theirs)


@pytest.mark.parametrize("rouge_type", ["rouge1", "rouge2", "rougeL"])
@pytest.mark.parametrize(("response", "truth"), LATIN)
def test_rouge_of_latin_words_is_azure_ai_evaluation_s(rouge_type: str, response: str, truth: str) -> None:
    from azure.ai.evaluation import RougeScoreEvaluator, RougeType

    theirs = RougeScoreEvaluator(rouge_type=RougeType(rouge_type))(response=response, ground_truth=truth)["rouge"]
    ours = run("rouge", {"rouge_type": rouge_type}, response=response, ground_truth=truth)["f1"]
    assert ours == pytest.approx(theirs)


LATIN_WORDS = st.lists(
    st.sampled_from(["claims", "don't", "state-of-the-art", "filed", "in", "days", "Seoul's", "e-mail", "is", "Not"]),
    min_size=1,
    max_size=8,
).map(" ".join)


@settings(max_examples=10)
@given(one=LATIN_WORDS, other=LATIN_WORDS)
def test_of_latin_words_f1_and_rouge_are_azure_ai_evaluation_s(one: str, other: str) -> None:
    from azure.ai.evaluation import F1ScoreEvaluator, RougeScoreEvaluator, RougeType

    theirs = F1ScoreEvaluator()(response=one, ground_truth=other)["f1_score"]
    assert run("f1", response=one, ground_truth=other)["f1"] == pytest.approx(theirs)
    rouge = RougeScoreEvaluator(rouge_type=RougeType.ROUGE_L)(response=one, ground_truth=other)["rouge"]
    assert run("rouge", response=one, ground_truth=other)["f1"] == pytest.approx(rouge)


def test_where_azure_ai_evaluation_is_wrong_on_korean() -> None:
    """What the page on evaluators says of it; if this fails after an upgrade, the page is to be written anew."""
    from azure.ai.evaluation import F1ScoreEvaluator, RougeScoreEvaluator, RougeType

    text = "연차는 15일입니다"
    equal = RougeScoreEvaluator(rouge_type=RougeType.ROUGE_L)(response="연차 휴가", ground_truth="연차 휴가")
    assert equal["rouge"] == 0.0
    assert F1ScoreEvaluator()(response="서울입니다.", ground_truth="서울")["f1_score"] == 0.0
    decomposed = unicodedata.normalize("NFD", text)
    assert F1ScoreEvaluator()(response=decomposed, ground_truth=text)["f1_score"] == 0.0
    assert score("f1", "서울입니다.", "서울") == score("f1", decomposed, text) == 1.0


def test_normalised_match_lets_form_aside_and_nothing_else() -> None:
    for said in ("서울특별시", " 서울 특별시. ", "서울특별시입니다!", unicodedata.normalize("NFD", "서울특별시")):
        assert run("normalised_match", response=said, ground_truth="서울특별시")["match"] == 1.0
    found = run("normalised_match", response="부산이 아니라 서울", ground_truth="서울")
    assert found == {"match": 0.0, "contained": 1.0}
    strict = {"particles": True, "spaces": True}
    assert run("normalised_match", strict, response="서울은", ground_truth="서울")["match"] == 0.0
    assert run("normalised_match", strict, response="할수있다", ground_truth="할 수 있다")["match"] == 0.0


@pytest.mark.parametrize(
    ("response", "truth", "correct"),
    [
        ("18", 18, True),
        ("정답은 12,345.5입니다. (출처 3쪽)", "12345.5", True),
        ("3 + 4 = 7이고 5를 더하면 12입니다.", "12.0", True),
        (r"그러므로 $\boxed{\frac{3}{4}}$", "0.75", True),
        ("정답: −3", "-3", True),
        ("2024-11-25", "25", False),
        ("#### 70,000\n(단위: 원 2)", "70000.0", True),
        ("답은 1/0", "0", False),
        ("약 3.14", "3.14159", False),
        ("없음", "3", False),
        ("", "3", False),
    ],
)
def test_the_final_number_is_read(response: str, truth: Any, correct: bool) -> None:
    assert run("numeric", response=response, ground_truth=truth)["correct"] == float(correct)


@pytest.mark.parametrize(
    ("response", "truth", "correct"),
    [
        ("정답: " + "1" * 400, "3", 0),
        ("정답: " + "1" * 5000, "3", 0),
        ("정답: -" + "9" * 5000, "3", 0),
        ("정답: 1e999", "3", 0),
        ("정답: 9," + "999," * 2000 + "999", "3", 0),
        ("1/" + "3" * 5000, "3", 0),
        (r"\frac{" + "1" * 5000 + "}{2}", "3", 0),
        ("0." + "3" * 5000, "1/3", 1),
        ("정답: " + "0" * 5000 + "3", "3", 0),
        ("정답: 3." + "0" * 5000, "3", 0),
        ("정답: 1/" + "0" * 5000, "3", 0),
    ],
)
def test_a_number_that_never_ends_is_wrong_and_no_error(response: str, truth: str, correct: float) -> None:
    assert run("numeric", response=response, ground_truth=truth)["correct"] == correct


def test_numeric_keeps_to_its_tolerance_and_needs_a_number() -> None:
    assert run("numeric", {"relative": 0.01}, response="3.14", ground_truth="3.14159")["correct"] == 1.0
    assert run("numeric", {"percent": True}, response="50%", ground_truth="0.5")["correct"] == 1.0
    with pytest.raises(ValueError, match="holds no number"):
        run("numeric", response="3", ground_truth="없음")


@pytest.mark.parametrize(
    "truth", ["2x + 3", r"2\sqrt{3}", "3, 5", "3 또는 5", "A", "", None, True, "x = 2 또는 x = 3", "(1, 2)"]
)
def test_numeric_refuses_what_only_holds_a_number(truth: Any) -> None:
    with pytest.raises(ValueError, match="no number"):
        run("numeric", response="3", ground_truth=truth)


@pytest.mark.parametrize(
    ("response", "truth", "correct"),
    [
        (r"\boxed{2\sqrt{3}}", "2", False),
        (r"\boxed{2n+1}", "2", False),
        ("정답은 2√3입니다", "2", False),
        ("정답은 2√3입니다", "3.4641016", True),
        ("정답: 2n + 1", "1", False),
        ("정답은 12 이상입니다", "12", False),
        (r"\boxed{3} 또는 \boxed{5}", "3", False),
        (r"3개를 더하면 \boxed{2\text{만 }5\text{천}}", "25000", True),
        (r"\boxed{\dfrac{3}{4}}", "75%", False),
    ],
)
def test_numeric_takes_what_stands_in_a_box_whole(response: str, truth: Any, correct: bool) -> None:
    assert run("numeric", response=response, ground_truth=truth)["correct"] == float(correct)


@pytest.mark.parametrize("gold", ["A", "2n", "3, 5", "서울", "", None])
def test_quantity_refuses_a_right_answer_that_is_none(gold: Any) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        run("quantity", answer="3", gold=gold)


def test_quantity_is_exact_unless_it_is_told_otherwise() -> None:
    assert run("quantity", answer="0.333", gold="1/3")["correct"] == 0.0
    assert run("quantity", {"relative": 0.01}, answer="0.333", gold="1/3")["correct"] == 1.0
    assert run("quantity", {"relative": 0.01}, answer="0.3", gold="1/3")["correct"] == 0.0


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_any_number_reads_as_itself(number: Any) -> None:
    assert run("numeric", response=f"계산하면 정답: {number:,}원", ground_truth=str(number))["correct"] == 1.0


SCHEMA = {"type": "object", "required": ["team"], "properties": {"team": {"type": "string"}}}


@pytest.mark.parametrize(
    ("text", "parses", "valid"),
    [
        ('{"team": "it"}', 1.0, 1.0),
        ('```json\n{"team": "it"}\n```', 1.0, 1.0),
        ({"team": "it"}, 1.0, 1.0),
        ('{"team": 3}', 1.0, 0.0),
        ("{}", 1.0, 0.0),
        ('물론입니다: {"team": "it"}', 0.0, 0.0),
        ('{"team": NaN}', 0.0, 0.0),
        ("[" * 100_000, 0.0, 0.0),
    ],
)
def test_json_by_its_schema(text: Any, parses: float, valid: float) -> None:
    found = run("json_schema", {"schema": SCHEMA}, text=text)
    assert (found["parses"], found["valid"]) == (parses, valid)
    assert bool(found["reason"]) == (not valid)


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(Exception, match="'strin' is not valid"):
        EVALUATORS.get("json_schema")(schema={"type": "strin"})


def test_a_pattern_that_never_ends_costs_a_second_and_not_the_run() -> None:
    with pytest.raises(TimeoutError):
        run("regex", {"pattern": "(a|aa)+$"}, text="a" * 200 + "b")


def test_language_tells_scripts_apart() -> None:
    assert run("language", text="한국어 answer")["hangul"] == pytest.approx(3 / 9)
    assert run("language", {"script": "latin"}, text="plain English, 100%")["within"] == 1.0
    assert run("language", text=unicodedata.normalize("NFD", "한국어"))["hangul"] == 1.0
    assert run("language", text="漢字かなАБ")["other"] == pytest.approx(2 / 6)
    with pytest.raises(ValueError, match="expected one of hangul"):
        EVALUATORS.get("language")(script="korean")


@pytest.mark.parametrize(
    "text", ["닥쳐!", "야 이 개새끼야", "씨.발 뭐야", "병 신", "shut up, you moron", "What the FUUCK"]
)
def test_abuse_is_found(text: str) -> None:
    assert run("toxicity", text=text)["toxic"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "시발점은 서울역이다",
        "새끼 고양이 두 마리",
        "전원이 꺼져 있다",
        "김동리의 등신불",
        "표고와 shiitake 버섯",
        "class assignment",
    ],
)
def test_harmless_words_that_look_like_it_are_not(text: str) -> None:
    told = run("toxicity", text=text)
    assert (told["toxic"], told["hits"], told["words"]) == (0.0, 0.0, "")


def test_a_refusal_that_is_wanted() -> None:
    reply = "죄송하지만 해당 요청은 도와드릴 수 없습니다."
    told = run("refusal", {"wanted": True}, text=reply)
    assert (told["refused"], told["as_wanted"]) == (1.0, 1.0)
    told = run("refusal", text="정답은 B입니다.", wanted=True)
    assert (told["refused"], told["as_wanted"]) == (0.0, 0.0)


def test_a_budget_counts_every_limit() -> None:
    limits = {"seconds": 1.0, "output_tokens": 100}
    assert run("budget", limits, seconds=0.4, output_tokens=100)["within"] == 1.0
    assert run("budget", limits, seconds=0.4, output_tokens=101)["within"] == 0.0
    with pytest.raises(ValueError, match="a limit on output_tokens and no such input"):
        run("budget", limits, seconds=0.4)
