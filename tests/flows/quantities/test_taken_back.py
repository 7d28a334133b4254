"""What a reply takes back is not its answer, of several it names none is, and of an unknown unit nothing is known."""

from __future__ import annotations

import time

import pytest

from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.quantities import found_quantity

TAKEN_BACK = [
    ("정답: 24. 아니, 26입니다.", "26"),
    ("정답은 24입니다. 아, 다시 계산해 보니 26입니다.", "26"),
    ("답은 450… 아니, 480이 맞습니다.", "480"),
    ("정답: 24\n\n(정정) 26", "26"),
    ("답은 24입니다 (정정: 26)", "26"),
    ("The answer is 12. Wait, no, it is 13.", "13"),
    ("정답: 24. 아니, 24에서 2를 빼야 하므로 22입니다.", "22"),
    ("답은 24. 아니다, 3을 빼먹었다. 27이다.", "27"),
]


@pytest.mark.parametrize(("reply", "meant"), TAKEN_BACK)
def test_the_number_is_the_one_that_is_left(reply: str, meant: str) -> None:
    numeric = EVALUATORS.get("numeric")()
    assert numeric(response=reply, ground_truth=meant)["correct"] == 1.0
    assert found_quantity(reply).answer == meant
    first = next(word for word in ("24", "450", "12") if word in reply)
    assert numeric(response=reply, ground_truth=first)["correct"] == 0.0


@pytest.mark.parametrize(
    ("reply", "meant"),
    [
        ("답은 24입니다. 26이 아니라 24입니다.", "24"),
        ("Answer: 24. No rounding: 3 digits", "24"),
        ("아니요, 26입니다.", "26"),
        ("24가 아니면 안 됩니다. 정답은 24입니다.", "24"),
    ],
)
def test_what_takes_nothing_back_stands(reply: str, meant: str) -> None:
    assert EVALUATORS.get("numeric")()(response=reply, ground_truth=meant)["correct"] == 1.0
    assert found_quantity(reply).answer in (meant, None)


@pytest.mark.parametrize(
    "reply", ["12명 아니면 13명일 거예요.", "12일 수도 있고 13일 수도 있습니다.", "답은 12 아니면 13"]
)
def test_of_two_that_are_left_open_neither_is_meant(reply: str) -> None:
    numeric = EVALUATORS.get("numeric")()
    assert [numeric(response=reply, ground_truth=one)["correct"] for one in ("12", "13")] == [0.0, 0.0]
    assert found_quantity(reply).answer is None


@pytest.mark.parametrize(
    ("reply", "wanted", "correct"),
    [
        ("15마일입니다.", "15km", 0.0),
        ("15km", "15마일", 0.0),
        ("2인치", "5.08cm", 1.0),
        ("60 mph", "60km/h", 0.0),
        ("500ft/min", "500m", 0.0),
        ("500m/kg", "500m", 0.0),
        ("10파운드", "10kg", 0.0),  # money or weight
        ("5뺨", "5cm", 0.0),
        ("답은 15이겠네요", "15km", 1.0),
        ("답은 15라고 봅니다", "15km", 1.0),
        ("15쯤", "15km", 1.0),
        ("3대륙", "3개", 1.0),
    ],
)
def test_a_unit_that_is_not_known_is_not_the_one_that_is_wanted(reply: str, wanted: str, correct: float) -> None:
    assert EVALUATORS.get("numeric")()(response=reply, ground_truth=wanted)["correct"] == correct


@pytest.mark.parametrize("piece", [".", "* (", ", .! ", "아 ", "12 아니, ", "답은 ", "wait, "])
def test_a_reply_that_never_ends_is_read_in_good_time(piece: str) -> None:
    """The fault: of signs alone each was tried as the beginning of a correction, which took a minute."""
    reply = piece * (49_000 // len(piece))
    begun = time.process_time()
    EVALUATORS.get("numeric")()(response=reply, ground_truth="12")
    EVALUATORS.get("normalised_match")()(response=reply, ground_truth="서울")
    found_quantity(reply)
    assert time.process_time() - begun < 8
