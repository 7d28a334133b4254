"""Where the answer stands in a reply, and when a reply has none."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.quantities import found_quantity, read_quantity

REPLIES: list[tuple[str, str | None]] = [
    ("12", "12"),
    ("12.", "12"),
    ("정답: 12", "12"),
    ("정답은 12개입니다.", "12 개"),
    ("**정답: 12**", "12"),
    ("답: 2만 5천 원", "25000 원"),
    ("풀이: 3 × 4 = 12\n따라서 정답은 $\\boxed{12}$입니다.", "12"),
    ("\\boxed{12}개", "12 개"),
    ("\\[\\boxed{\\dfrac{3}{4}}\\]", "3/4"),
    ("먼저 3을 더하고 4를 곱하면 됩니다.\n\n#### 28", "28"),
    ("The answer is 12 dollars.", "12 dollars"),
    ("Final answer: 3/4", "3/4"),
    ("철수는 사과를 3개 더 샀으므로 모두 15개를 가지고 있습니다.", None),
    ("따라서 철수가 가진 사과는 15개입니다.", "15 개"),
    ("사과는 3상자에 5개씩이므로 3 × 5 = 15(개)입니다.", "15 개"),
    ("정답은 이만 오천 원입니다.", "25000 원"),
    ("정답은 스물다섯 개입니다", "25 개"),
    ("삼분의 이입니다.", "2/3"),
    ("정답은 3분의 2입니다.", "2/3"),
    ("x = 3 또는 x = 5입니다.", None),
    ("정답은 3 또는 5입니다.", None),
    ("정답: 3, 5", None),
    ("정답은 70,000원이며, 이는 3개월치입니다.", "70000 원"),
    ("정답은 12가 아닙니다.", None),
    ("정답:\n12개", "12 개"),
    ("잘 모르겠습니다", None),
    ("", None),
    ("문제를 3번 읽었지만 모르겠습니다", None),
    ("정답은 무엇일까요? 계산하면 12입니다.", "12"),
    ("<think>3인가? 정답은 3</think>\n정답은 5", "5"),
    ("<think>정답은 3", None),
    ("계산하면 3 + 4 = 7이고 5를 더하면 12입니다.", "12"),
    ("정답은 $2\\sqrt{3}$ 입니다.", "2*√3"),
    ("답은 √12 cm이다", "2*√3 cm"),
    ("정답은 1시간 30분입니다.", "3/2 시간"),
    ("정답은 12개(3×4)입니다.", "12 개"),
    ("정답: 12 (3 × 4)", "12"),
    ("정답은 x = 5 입니다", "5"),
    ("따라서 $x=\\frac{1}{2}$이다.", "1/2"),
    ("정답: \\frac{1}{2}", "1/2"),
    ("정답은 2x+1입니다.", None),
    ("정답: \\boxed{2n+1}", None),
    ("\\boxed{3} 또는 \\boxed{5}", None),
    ("\\boxed{3}\n다시 계산하면\n\\boxed{5}", "5"),
    ("한 봉지에 3개씩 4봉지이므로\n3 × 4 = 12\n12개", "12 개"),
    ("답은 50%입니다.", "50 %"),
    ("약 3.14입니다.", "157/50"),
    ("총 금액은 2만 5천원입니다. 감사합니다.", None),
    ("모두 합하면 3만 2,500원이 됩니다.", "32500 원"),
    ("정답은 3:2입니다", None),
    ("정답은 (2, 3)입니다", None),
    ("정답은 -3입니다", "-3"),
    ("정답: −3", "-3"),
    ("정답 12", "12"),
    ("따라서 필요한 페인트는 3½ L입니다.", "7/2 L"),
    ("정답은 ③입니다", "3"),
    ("답은 0.75", "3/4"),
    ("정답은 12, 즉 한 다스입니다.", "12"),
    ("The total is 3 + 4 = 7 apples. So the answer is 7.", "7"),
    ("답: 12개 이상", None),
    ("정답은 12~15입니다", None),
    ("답은 1,234,567입니다", "1234567"),
    ("1,234", "1234"),
    ("정답 : 3천 5백원", "3500 원"),
    ("두 수의 합은 12입니다.", "12"),
    ("그러므로 답은\n\n$$\\boxed{\\frac{5\\pi}{6}}$$", "5/6*π"),
    ("최종 답: **42**", "42"),
    ("최종 답변: 42", "42"),
    ("결과: 42", "42"),
    ("Answer: \\(42\\)", "42"),
    ("따라서 3학년 2반 학생은 25명이다.", "25 명"),
    ("합계는 다음과 같다: 12", "12"),
    ("따라서, 12", "12"),
    ("12개를 샀습니다.", "12 개"),
    ("따라서 걸린 시간은 모두 1시간 30분입니다.", "3/2 시간"),
    ("걸린 시간은 두 시간 삼십 분입니다.", "5/2 시간"),
    ("끈의 길이는 2 m 50 cm이다.", "5/2 m"),
    ("도착한 때는 오전 7시 30분입니다.", None),
    ("따라서 넓이는 $12\\sqrt{3}\\text{ cm}^2$입니다.", "12*√3 cm^2"),
    ("$x=7$, $y=3$", None),
    ("따라서 a=3, b=5이다.", None),
    ("최댓값은 7이고 최솟값은 -1이다.", None),
    ("원가는 만 이천 원입니다", "12000 원"),
    ("10월 3일입니다.", None),
    ("개교한 것은 2016년 3월입니다.", None),
    ("시속 60 km로 2시간 가면 120 km이다.", "120 km"),
    ("\\boxed{(A) 17}", None),
    ("정답은 0.5(또는 1/2)입니다.", "1/2"),
]


@pytest.mark.parametrize(("reply", "answer"), REPLIES)
def test_the_quantity_that_a_reply_settles_on(reply: str, answer: str | None) -> None:
    assert found_quantity(reply).answer == answer


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        ("\\boxed{3} 또는 \\boxed{5}", "several"),
        ("정답은 3 또는 5입니다.", "several"),
        ("\\boxed{2n+1}", "unread"),
        ("정답은 12 이상입니다", "unread"),
        ("<think>3일까", "unfinished"),
        ("모르겠습니다", "none"),
        ("질문 1에 대한 정답은 C, 질문 2에 대한 정답은 D입니다.", "unread"),
        ("질문 6에 대한 정답은 D입니다.", "none"),
        ("질문 4의 정답입니다.", "none"),
        ("물로 염분을 세척하는 방법으로", "none"),
        ("하나씩 풀어 보겠습니다.\n\n1.", "none"),
        ("질문 1: 수정 전 잔액시산표의 차변 합계액은 얼마인가?", "none"),
        ("철수는 3개를, 영희는 5개를 가졌다.\n둘은 친구다.", "none"),
    ],
)
def test_an_abstention_says_why(reply: str, rule: str) -> None:
    found = found_quantity(reply)
    assert (found.answer, found.rule) == (None, rule)


def test_a_reply_that_was_cut_answers_only_what_it_announced() -> None:
    cut = "먼저 3 × 4 = 12이고 여기에 5"
    assert found_quantity(cut, finished=False).rule == "unfinished"
    assert found_quantity("정답: 17\n설명을 덧붙이자면 3에", finished=False).answer == "17"


def test_a_long_reply_is_read_in_good_time() -> None:
    degenerate = "3 × 4 = 12, 그리고 " * 8000
    assert found_quantity(degenerate + "정답은 12입니다.").answer == "12"
    begun = time.process_time()
    assert found_quantity(degenerate).answer == "12"
    assert found_quantity("답: " + degenerate.replace("4", "5")).answer in (None, "12")
    assert time.process_time() - begun < 5
    assert found_quantity("(" * 50_000 + "1" * 50_000).answer is None
    assert found_quantity("이십" * 40_000).answer is None


TEMPLATES = (
    "{}",
    "정답은 {}입니다.",
    "답: {}",
    "최종 답은 **{}** 입니다. 감사합니다.",
    "3 × 4 = 12이므로 여기에 5를 더합니다.\n따라서 {}입니다.",
    "상자 3개에 7개씩 담으면\n\n#### {}",
    "The answer is {}.",
    "2를 곱하면\n{}",
    "\\[\\boxed{{{}}}\\]",
    "먼저 1을 빼고 2를 더한다. 그러므로 구하는 값은 {}이다.",
)
UNITS = ("", "개", "명", "원", " cm", " kg", "시간", "%", "분", "도", "살", "번", "㎡", " km/h", "배")


@given(
    number=st.integers(0, 10**8),
    below=st.sampled_from([1, 1, 3, 7, 12]),
    unit=st.sampled_from(UNITS),
    form=st.sampled_from(["plain", "commas", "tex", "만", "decimal"]),
    template=st.sampled_from(TEMPLATES),
    negative=st.booleans(),
)
def test_a_reply_is_never_read_as_another_number_than_it_states(
    number: int, below: int, unit: str, form: str, template: str, negative: bool
) -> None:
    value = Fraction(number, below)
    if form == "만" and (below > 1 or number < 10_000 or negative):
        form = "plain"
    sign = "-" if negative and value else ""
    written = {
        "plain": f"{sign}{value}",
        "commas": f"{sign}{value.numerator:,}" + (f"/{value.denominator}" if value.denominator > 1 else ""),
        "tex": rf"{sign}\frac{{{value.numerator}}}{{{value.denominator}}}",
        "만": f"{number // 10_000:,}만" + (f" {number % 10_000}" if number % 10_000 else ""),
        "decimal": f"{sign}{number}.50",
    }[form]
    stated = Fraction(f"{number}.50") if form == "decimal" else value
    found = found_quantity(template.format(written + unit))
    assert found.answer is not None, found
    quantity = read_quantity(found.answer)
    assert quantity is not None and quantity.value.rational == (-stated if sign else stated)
