"""Tests by betting: their level however often one looks, and that a worse value never helps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.stats import bets, betting_interval

VALUES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0]), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("values", "chances", "low", "high"),
    [
        ((1.0, 0.0), (0.3, 0.7), 0.0, 1.0),
        ((1.0, 0.0), (0.98, 0.02), 0.0, 1.0),
        ((1.0, 0.0, -1.0), (0.02, 0.94, 0.04), -1.0, 1.0),
        ((5.0, 4.0, 1.0), (0.5, 0.48, 0.02), 1.0, 5.0),  # rare catastrophes
    ],
)
@pytest.mark.parametrize("size", [1, 4])
def test_looking_after_every_sample_is_wrong_in_at_most_one_of_twenty(
    values: tuple[float, ...], chances: tuple[float, ...], low: float, high: float, size: int
) -> None:
    rng = np.random.default_rng(20261127)
    truth = float(np.dot(values, chances))
    wrong = np.zeros(2)
    repetitions = 400
    for _ in range(repetitions):
        drawn = np.repeat(rng.choice(values, size=400 // size, p=chances), size)
        made = bets(drawn, low, high, clusters=None if size == 1 else np.arange(drawn.size) // size)
        wrong += [(made.p_above(truth) <= 0.05).any(), (made.p_below(truth) <= 0.05).any()]
    assert (wrong / repetitions <= 0.05 + 2 * (0.05 * 0.95 / repetitions) ** 0.5).all()


@given(values=VALUES, size=st.integers(1, 4), data=st.data())
def test_a_worse_value_never_lowers_a_p_value_at_any_time(values: list[float], size: int, data: st.DataObject) -> None:
    worse = list(values)
    for place in data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=3)):
        worse[place] = data.draw(
            st.sampled_from([value for value in (-1.0, -0.5, 0.0, 0.5, 1.0) if value <= worse[place]])
        )
    limit = data.draw(st.sampled_from([-0.3, -0.02, 0.0, 0.4]))
    clusters = [place // size for place in range(len(values))]
    before, after = (bets(some, -1.0, 1.0, clusters=clusters) for some in (values, worse))
    assert (after.p_above(limit) >= before.p_above(limit) * (1 - 1e-9)).all()
    assert (after.p_below(limit) <= before.p_below(limit) * (1 + 1e-9)).all()


def test_a_cluster_counts_once_its_last_sample_came_in_whatever_order() -> None:
    places = [4, 0, 3, 1, 2, 5]
    made = bets([1.0, 0.0, 1.0, 0.0, 1.0, 1.0], 0.0, 1.0, clusters=["a", "b", "a", "b", "c", "c"], places=places)
    assert made.ends.tolist() == [2, 5, 6]
    assert made.sums.tolist() == [0.0, 2.0, 2.0]
    assert bets([1.0], 0.0, 1.0, largest=5).largest == 5.0


def test_an_interval_that_holds_wherever_one_stops() -> None:
    rng = np.random.default_rng(20261127)
    missed = 0
    for _ in range(200):
        drawn = (rng.random(600) < 0.7).astype(float)
        # Stopped where it looks best, of all places the one that a usual interval is fooled by.
        stop = max(range(50, 601, 10), key=lambda n: float(drawn[:n].mean()))
        missed += 0.7 not in betting_interval(drawn[:stop], 0.0, 1.0)
    assert missed <= 10 + 2 * (200 * 0.05 * 0.95) ** 0.5


def test_without_samples_or_a_scale_nothing_is_shown() -> None:
    assert betting_interval([], 0.0, 1.0).reason == "no samples"
    assert (bets([1.0, 2.0], -np.inf, np.inf).p_above(0.0) == 1.0).all()
    assert (bets([1.0] * 50, 0.0, 1.0).p_above(0.0) == 1.0).all()  # at the end of its scale
    with pytest.raises(ValueError, match="outside the scale"):
        bets([2.0], 0.0, 1.0)
