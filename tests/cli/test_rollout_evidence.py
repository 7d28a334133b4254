"""What a share of the traffic is judged by: worse evidence never helps, and no evidence is no pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.api.rollout_evidence import calls_no_worse, same_answers
from driftgate.benchmarks.gate import GRAVITY

_NAN = float("nan")


def answers(same: int, other: int, unparsed: int, unasked: int) -> pd.DataFrame:
    """So many answers of each kind, the right one being A."""
    kinds = [("answered", "A")] * same + [("answered", "B")] * other
    kinds += [("unparsed", None)] * unparsed + [("failed", None)] * unasked
    return pd.DataFrame({"key": range(len(kinds)), "outcome": [k for k, _ in kinds], "answer": [a for _, a in kinds]})


def calls(fine: int, failed: int) -> pd.DataFrame:
    """So many production calls, as telemetry has them."""
    rows = [("served", "", 0.0, 0.0)] * fine + [("", "503", _NAN, _NAN)] * failed
    return pd.DataFrame(rows, columns=["response_model", "error", "refused", "unparsed"])


def grave_answers(*counts: int, needed: float) -> int:
    before = answers(sum(counts), 0, 0, 0)
    judged = same_answers([answers(*counts)] * 2, before, [before] * 2, needed, "questions", 0.05)
    return GRAVITY.index(judged.verdict)


@st.composite
def asked(draw: st.DrawFn) -> tuple[tuple[int, int, int, int], float]:
    counts = draw(st.tuples(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)))
    return counts, draw(st.sampled_from([0.5, 0.9, 1.0]))


@given(asked())
def test_a_worse_answer_never_helps(asked: tuple[tuple[int, int, int, int], float]) -> None:
    worse_answers_never_help(*asked)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(asked())
def test_nor_does_one_of_ten_thousand(asked: tuple[tuple[int, int, int, int], float]) -> None:
    worse_answers_never_help(*asked)


def worse_answers_never_help(counts: tuple[int, int, int, int], needed: float) -> None:
    same, other, unparsed, unasked = counts
    now = grave_answers(*counts, needed=needed)
    assert grave_answers(same - 1, other + 1, unparsed, unasked, needed=needed) >= now
    assert grave_answers(same - 1, other, unparsed + 1, unasked, needed=needed) >= now
    assert grave_answers(same - 1, other, unparsed, unasked + 1, needed=needed) >= now
    assert grave_answers(same, other, unparsed, unasked + 1, needed=needed) >= min(now, 2)


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        (answers(9, 1, 0, 0), answers(10, 0, 0, 0), "pass"),
        (answers(8, 2, 0, 0), answers(10, 0, 0, 0), "inconclusive"),  # one less than needed, as chance may have it
        (answers(8, 0, 2, 0), answers(10, 0, 0, 0), "inconclusive"),
        (answers(7, 3, 0, 0), answers(10, 0, 0, 0), "inconclusive"),  # 1/27, of which a first round has 0.05 / 2
        (answers(3, 7, 0, 0), answers(10, 0, 0, 0), "fail"),
        (answers(3, 0, 7, 0), answers(10, 0, 0, 0), "fail"),
        (answers(8, 0, 0, 2), answers(10, 0, 0, 0), "unmeasurable"),
        (answers(0, 0, 0, 10), answers(10, 0, 0, 0), "unmeasurable"),
        (answers(10, 0, 0, 0), answers(3, 0, 7, 0), "fail"),  # what it did not answer before it cannot repeat
        (answers(10, 0, 0, 0), answers(8, 0, 0, 2), "unmeasurable"),
        (answers(10, 0, 0, 0), answers(8, 0, 0, 0), "unmeasurable"),  # two questions that were not asked before
        (answers(0, 0, 10, 0), answers(0, 0, 10, 0), "fail"),  # silence both times is no agreement
        (answers(0, 0, 0, 0), answers(10, 0, 0, 0), "unmeasurable"),
    ],
)
def test_what_is_not_there_is_no_agreement(now: pd.DataFrame, before: pd.DataFrame, verdict: str) -> None:
    assert same_answers([now], before, [before] * 2, 0.9, "questions", 0.05).verdict == verdict


def test_a_share_just_below_is_shown_in_more_rounds() -> None:
    before, now = answers(10, 0, 0, 0), answers(8, 2, 0, 0)
    found = [same_answers([now] * n, before, [before] * 2, 0.9, "questions", 0.05).verdict for n in range(1, 10)]
    assert found[0] == "inconclusive" and found[-1] == "fail"
    assert found == sorted(found, key=GRAVITY.index)


def unsteady(chance: np.random.Generator, right: float, changed: int = 0) -> pd.DataFrame:
    """Answers of a model that gives every third question's right answer as often as is said; some answers changed."""
    one = answers(60, 0, 0, 0)
    one.loc[:59:3, "answer"] = np.where(chance.random(20) < right, "A", chance.choice(["B", "C", "D"], 20))
    one.loc[: changed - 1, "answer"] = "Z"
    return one


@pytest.mark.parametrize(("changed", "ends"), [(0, "pass"), (15, "fail")])
def test_an_unsteady_deployment_is_taken_back_for_what_changed_alone(changed: int, ends: str) -> None:
    chance = np.random.default_rng(7)
    found = []
    for _ in range(100):
        before, *unchanged = (unsteady(chance, 0.6) for _ in range(3))
        rounds, verdict = [], "inconclusive"
        while verdict == "inconclusive" and len(rounds) < 12:
            rounds.append(unsteady(chance, 0.6, changed))
            verdict = same_answers(rounds, before, unchanged, 0.9, "canaries", 0.01).verdict
        found.append(verdict)
    assert found.count(ends) >= 95


def test_who_repeats_hardly_anything_cannot_be_told_by_answers() -> None:
    other = answers(0, 60, 0, 0)
    judged = same_answers([other], answers(60, 0, 0, 0), [other] * 2, 0.9, "canaries", 0.01)
    assert judged.verdict == "unmeasurable" and "0% when nothing changed" in judged.reason


def grave_calls(fine: int, failed: int, before: tuple[int, int], margin: float) -> int:
    return GRAVITY.index(calls_no_worse(calls(fine, failed), calls(*before), {"served"}, margin).verdict)


@st.composite
def called(draw: st.DrawFn) -> tuple[tuple[int, int], int, int, float]:
    before = draw(st.tuples(st.integers(1, 400), st.integers(0, 40)))
    return before, draw(st.integers(1, 300)), draw(st.integers(0, 40)), draw(st.sampled_from([0.0, 0.02, 0.1]))


@given(called())
def test_a_failed_call_more_or_a_good_one_less_never_helps(called: tuple[tuple[int, int], int, int, float]) -> None:
    worse_calls_never_help(*called)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(called())
def test_nor_does_a_call_of_ten_thousand(called: tuple[tuple[int, int], int, int, float]) -> None:
    worse_calls_never_help(*called)


def worse_calls_never_help(before: tuple[int, int], fine: int, failed: int, margin: float) -> None:
    now = grave_calls(fine, failed, before, margin)
    assert grave_calls(fine, failed + 1, before, margin) >= now
    assert grave_calls(fine - 1, failed + 1, before, margin) >= now
    assert grave_calls(fine - 1, failed, before, margin) > 0 or now == 0


@pytest.mark.parametrize(
    ("now", "before", "names", "verdict"),
    [
        (calls(0, 0), calls(400, 4), {"served"}, "unmeasurable"),
        (calls(400, 4), calls(0, 0), {"served"}, "unmeasurable"),
        (calls(400, 4), calls(400, 4), {"new"}, "unmeasurable"),
        (calls(0, 9), calls(400, 4), {"served"}, "fail"),  # nobody answers, which is more than not to be seen
        (calls(9, 0), calls(400, 4), {"served"}, "inconclusive"),
        (calls(200, 2), calls(400, 4), {"served"}, "inconclusive"),  # as many as before, and too few to be sure
        (calls(1600, 16), calls(4000, 40), {"served", "new"}, "pass"),
        (calls(1600, 16), calls(4000, 40), set(), "pass"),
        (calls(400, 40), calls(400, 4), {"served"}, "fail"),
    ],
)
def test_calls_are_judged_by_what_telemetry_saw(
    now: pd.DataFrame, before: pd.DataFrame, names: set[str], verdict: str
) -> None:
    assert calls_no_worse(now, before, names, 0.02).verdict == verdict


@pytest.mark.parametrize("column", ["refused", "unparsed"])
def test_a_call_that_was_refused_or_not_understood_is_not_a_good_one(column: str) -> None:
    now = calls(400, 0)
    now.loc[:39, column] = 1.0
    assert calls_no_worse(now, calls(400, 4), {"served"}, 0.02).verdict == "fail"


def test_a_deployment_that_answers_under_its_own_name_is_judged_by_its_own_calls() -> None:
    """Every hundredth call was refused; of a tenth of the calls every fourth is now: 2.4 points of all."""
    before, now = calls(4000, 0), calls(600, 0)
    before.loc[::100, "refused"] = 1.0
    now.loc[::100, "refused"] = 1.0
    assert calls_no_worse(now, before, set(), 0.02, share=10).verdict == "inconclusive"
    now.loc[::10, "response_model"] = "new"
    assert calls_no_worse(now, before, {"new"}, 0.02, share=10).verdict == "inconclusive"
    now.loc[::40, "refused"] = 1.0
    found = calls_no_worse(now, before, {"new"}, 0.02, share=10)
    assert found.verdict == "fail"
    assert found.reason == "18 of 60 calls answered by new were refused or not understood, 1.0% of 4,000 before"


def test_of_a_tenth_of_the_calls_a_few_tell_what_many_of_all_do() -> None:
    now = calls(1_000, 0)
    now.loc[::20, "response_model"] = "new"
    assert calls_no_worse(now, calls(4_000, 0), {"new"}, 0.02, share=10).verdict == "pass"
    assert calls_no_worse(now, calls(4_000, 0), {"new"}, 0.02, share=100).verdict == "inconclusive"


def test_calls_worse_by_the_margin_seldom_pass_and_are_seldom_taken_back() -> None:
    """What was shown at any look is still shown at the last, so that this one stands for all."""
    chance, before = np.random.default_rng(3), calls(20_000, 200)
    found = []
    for _ in range(100):
        now = calls(2000, 0)
        now.loc[chance.random(2000) < 200 / 20_200 + 0.02, "error"] = "503"
        found.append(calls_no_worse(now, before, set(), 0.02).verdict)
    assert found.count("pass") <= 8 and found.count("fail") <= 8
