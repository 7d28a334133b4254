"""Limits of contributions where few samples moved, the table of coalitions, and nodes that fail only together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.attribution import Player, coalition_table, found_together, mean_within

THREE = [Player((name,), ("source",)) for name in "abc"]
REPEATS = Player(("repeat",), ())


@pytest.mark.parametrize(("n", "rate"), [(25, 0.05), (100, 0.01), (400, 0.0025)])
def test_a_node_that_moves_few_samples_is_covered(n: int, rate: float) -> None:
    """Most samples of such a node show nothing moved: the mean of zeros has limits all the same."""
    rng = np.random.default_rng(7)
    drawn = [np.where(rng.random(n) < rate, -1.0, 0.0) for _ in range(300)]
    intervals = [mean_within(values, 1.0)[0] for values in drawn]
    covered = [-rate in interval for interval in intervals]
    assert np.mean(covered) >= 0.94
    assert all(interval.known for interval in intervals)


@pytest.mark.parametrize("n", [2, 10, 40, 400])
def test_where_nothing_moved_the_limits_are_the_exact_ones(n: int) -> None:
    interval, p_value = mean_within(np.zeros(n), 1.0)
    exact = 1 - 0.025 ** (1 / n)
    assert [interval.low, interval.high] == pytest.approx([-exact, exact], abs=1e-6)
    assert p_value == 1.0


def test_passages_count_and_not_their_samples() -> None:
    """Forty samples of ten passages say as much as ten samples."""
    passages = np.array([str(place // 4) for place in range(40)], dtype=object)
    assert mean_within(np.zeros(40), 1.0, passages)[0].low == pytest.approx(mean_within(np.zeros(10), 1.0)[0].low)


def test_without_a_scale_nothing_is_claimed_where_nothing_moved() -> None:
    interval, p_value = mean_within(np.zeros(40), float("inf"))
    assert not interval.known and p_value is None


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5]), min_size=4, max_size=30), st.data())
def test_one_more_lost_sample_never_raises_a_limit(values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    worse = [*values[:place], -1.0, *values[place + 1 :]]
    before, after = (mean_within(np.array(some), 1.0)[0] for some in (values, worse))
    assert after.low is not None and before.low is not None and after.high is not None and before.high is not None
    assert after.low <= before.low + 1e-9 and after.high <= before.high + 1e-9


def fails_with(*masks: int, n: int = 40) -> list[dict[int, float]]:
    """Samples that fail where all nodes of one of the sets have joined."""
    fails = {mask: float(not any(mask & one == one for one in masks)) for mask in range(8)}
    return [fails] * n


@pytest.mark.parametrize(
    ("worths", "named"),
    [
        (fails_with(0b011), [("a", "b")]),
        (fails_with(0b111), [("a", "b", "c")]),
        (fails_with(0b101, 0b110), [("a", "c"), ("b", "c")]),
        (fails_with(0b001), []),
        (fails_with(0b001, 0b010), []),
        (fails_with(0b011, n=2), []),  # too few to tell
        ([{mask: 1.0 - worth for mask, worth in one.items()} for one in fails_with(0b011)], [("a", "b")]),
    ],
)
def test_the_smallest_sets_that_fail_together_are_named(
    worths: list[dict[int, float]], named: list[tuple[str, ...]]
) -> None:
    assert [one.nodes for one in found_together(THREE, worths, 1.0)] == named


def test_the_table_has_every_coalition_and_the_second_run() -> None:
    assert [row.nodes for row in coalition_table(THREE, fails_with(0b011), 1.0)] == [
        (), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")
    ]  # fmt: skip
    with_repeats = coalition_table([*THREE[:2], REPEATS], fails_with(0b100), 1.0)
    assert [(row.nodes, row.score) for row in with_repeats] == [
        ((), 1.0), (("a",), 1.0), (("b",), 1.0), (("a", "b"), 1.0), (("a", "b", "repeat"), 0.0)
    ]  # fmt: skip
    four = [*THREE, Player(("d",), ("source",))]
    assert coalition_table(four, [dict.fromkeys(range(16), 1.0)] * 9, 1.0) == []
