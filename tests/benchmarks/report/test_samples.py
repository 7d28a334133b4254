"""Which samples are shown: a seeded draw that every outcome and category has its turn in."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.report._plots_compare import pareto
from driftgate.benchmarks.report._samples import choose_samples

rows = st.lists(
    st.tuples(
        st.sampled_from(["answered", "unparsed", "filtered", "failed", "missing"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([0.0, 1.0]),
    ),
    max_size=80,
)


def _frame(drawn: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(drawn, columns=["outcome", "category", "correct"])
    frame["correct"] = frame["correct"].where(frame["outcome"] == "answered")
    return frame.assign(sample_id=range(100, 100 + len(frame)))


@given(rows, st.integers(0, 30), st.integers(0, 2**31))
def test_draw_is_seeded_wrong_and_spread(drawn: list[tuple[str, str, float]], most: int, seed: int) -> None:
    frame = _frame(drawn)
    chosen = choose_samples(frame, most, seed)
    wrong = frame[(frame["outcome"] != "answered") | (frame["correct"] < 1)]
    assert chosen == choose_samples(frame, most, seed)
    assert len(chosen) == len(set(chosen)) == min(most, len(wrong))
    assert set(chosen) <= set(wrong["sample_id"])
    taken = wrong[wrong["sample_id"].isin(chosen)]["outcome"].value_counts()
    for outcome, there in wrong["outcome"].value_counts().items():
        # An outcome falls behind another by more than one turn only when it has no more samples.
        assert taken.get(outcome, 0) >= min(there, max(taken, default=0) - 1)


def test_another_seed_draws_other_samples() -> None:
    frame = _frame([("answered", "abc"[i % 3], 0.0) for i in range(200)])
    assert choose_samples(frame, 20, 1) != choose_samples(frame, 20, 2)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_the_frontier_beats_everything_else(points: list[tuple[int, int]]) -> None:
    best = pareto(points)
    assert best
    for price, quality in points:
        assert any(points[i][0] <= price and points[i][1] >= quality for i in best)
