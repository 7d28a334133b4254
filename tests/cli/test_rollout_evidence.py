"""What a share of the traffic is judged by: worse evidence never helps, and no evidence is no pass."""

from __future__ import annotations

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
    return GRAVITY.index(same_answers(answers(*counts), answers(sum(counts), 0, 0, 0), needed, "questions").verdict)


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
        (answers(8, 2, 0, 0), answers(10, 0, 0, 0), "fail"),
        (answers(8, 0, 2, 0), answers(10, 0, 0, 0), "fail"),
        (answers(8, 0, 0, 2), answers(10, 0, 0, 0), "unmeasurable"),
        (answers(0, 0, 0, 10), answers(10, 0, 0, 0), "unmeasurable"),
        (answers(10, 0, 0, 0), answers(8, 0, 2, 0), "fail"),  # what it did not answer before it cannot repeat
        (answers(10, 0, 0, 0), answers(8, 0, 0, 2), "unmeasurable"),
        (answers(10, 0, 0, 0), answers(8, 0, 0, 0), "unmeasurable"),  # two questions that were not asked before
        (answers(0, 0, 10, 0), answers(0, 0, 10, 0), "fail"),  # silence both times is no agreement
        (answers(0, 0, 0, 0), answers(10, 0, 0, 0), "unmeasurable"),
    ],
)
def test_what_is_not_there_is_no_agreement(now: pd.DataFrame, before: pd.DataFrame, verdict: str) -> None:
    assert same_answers(now, before, 0.9, "questions").verdict == verdict


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
        (calls(400, 4), calls(400, 4), {"served", "new"}, "pass"),
        (calls(400, 4), calls(400, 4), set(), "pass"),
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
