"""Gaffke's test of a bounded mean: what it equals, that worse never helps it, its level summed exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from driftgate.benchmarks.stats import bounded_mean, mcnemar_exact, p_difference_above
from driftgate.benchmarks.stats._weighted_sum import chance_not_positive

shares = st.floats(0.02, 0.98)
counts = st.integers(2, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def outcomes(right: int, n: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [right, n - right])


@given(counts, shares)
def test_of_right_and_wrong_it_is_the_exact_binomial_test(count: tuple[int, int], threshold: float) -> None:
    mean = bounded_mean(outcomes(*count), 0.0, 1.0)
    assert mean.p_above(threshold) == pytest.approx(
        scipy_stats.binomtest(*count, threshold, alternative="greater").pvalue, abs=1e-9
    )
    assert mean.p_below(threshold) == pytest.approx(
        scipy_stats.binomtest(*count, threshold, alternative="less").pvalue, abs=1e-9
    )
    exact = scipy_stats.binomtest(*count).proportion_ci(0.9, "exact")
    assert (mean.quantile(0.05), mean.quantile(0.95)) == pytest.approx((exact.low, exact.high), abs=1e-7)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 300))
def test_of_pairs_against_no_difference_it_is_mcnemars_exact_test(gained: int, lost: int, tied: int) -> None:
    mean = bounded_mean(np.repeat([1.0, -1.0, 0.0], [gained, lost, tied]), -1.0, 1.0)
    p_values = mean.p_above(0.0), mean.p_below(0.0)
    if not gained + lost:
        assert p_values == (1.0, 1.0)
    else:
        assert min(1.0, 2.0 * min(p for p in p_values if p is not None)) == pytest.approx(
            mcnemar_exact(gained, lost), abs=1e-8
        )


@settings(max_examples=20)
@given(counts, counts)
def test_of_two_runs_without_a_shared_sample_it_is_fishers_exact_test(
    ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    p_value = p_difference_above(bounded_mean(outcomes(*ours), 0, 1), bounded_mean(outcomes(*theirs), 0, 1), 0.0)
    table = [[ours[0], ours[1] - ours[0]], [theirs[0], theirs[1] - theirs[0]]]
    exact = scipy_stats.fisher_exact(table, alternative="greater").pvalue
    assert p_value is not None and 0.99 * exact - 1e-6 <= p_value <= 1.1 * exact + 1e-6  # its grid errs to one side


@pytest.mark.parametrize("size", [1, 3, 10])
def test_clusters_that_all_say_the_same_count_once_each(size: int) -> None:
    passages = np.repeat(np.arange(60), size)
    same = bounded_mean(np.zeros(60 * size), -1.0, 1.0, clusters=passages)
    assert same.p_above(-0.02) == pytest.approx(0.98**60)
    right = bounded_mean(np.ones(60 * size), 0.0, 1.0, clusters=passages)
    assert right.p_above(0.9) == pytest.approx(0.9**60)
    assert right.quantile(0.05) == pytest.approx(0.05 ** (1 / 60))
    assert right.needed(0.99) == pytest.approx(298.1 * size, abs=size)  # 0.99 ** 298.1 is 0.05


def test_one_that_differs_is_no_evidence_that_nothing_does() -> None:
    """Every wrong answer raises the p-value, the first one too, where before it all samples agreed."""
    passages = np.repeat(np.arange(60), 3)
    found = []
    for wrong in range(4):
        differences = np.where(np.arange(180) < wrong, -1.0, 0.0)
        found.append(bounded_mean(differences, -1.0, 1.0, clusters=passages).p_above(-0.02) or 0.0)
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.98**60)


def test_a_lucky_answer_among_equal_ones_is_no_evidence_of_a_loss() -> None:
    passages = np.repeat(np.arange(60), 3)
    for lucky in range(2):
        differences = np.where(np.arange(180) < lucky, 1.0, 0.0)
        assert bounded_mean(differences, -1.0, 1.0, clusters=passages).p_below(0.0) == pytest.approx(1.0)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.sampled_from([1.0, 0.3, 2.0])), min_size=2, max_size=60),
    shares,
    st.data(),
)
def test_a_worse_value_never_lowers_the_p_value(
    rows: list[tuple[float, int, float]], threshold: float, data: st.DataObject
) -> None:
    values, clusters, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    labels = None if data.draw(st.booleans()) else clusters
    worse = values.copy()
    for place in data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=4)):
        worse[place] *= data.draw(st.floats(0, 1))
    one, other = (bounded_mean(v, 0.0, 1.0, clusters=labels, weights=weights) for v in (values, worse))
    if one.reason is not None:
        assert one.p_above(threshold) is other.p_above(threshold) is None
        return
    above, below = (
        (one.p_above(threshold), other.p_above(threshold)),
        (one.p_below(threshold), other.p_below(threshold)),
    )
    assert above[1] >= above[0] - 1e-8
    assert below[1] <= below[0] + 1e-8


@pytest.mark.parametrize(("n", "margin"), [(7, 0.0), (7, 0.1), (30, 0.02), (30, 0.05), (45, 0.1)])
def test_level_of_the_paired_test_summed_exactly(n: int, margin: float) -> None:
    """At the margin a candidate passes in at most 5% of all possible tables, whatever share is discordant."""
    least = []  # gains that pass, by losses
    for lost in range(n + 1):
        low, high = 0, n - lost + 1
        while low < high:
            gained = (low + high) // 2
            differences = np.repeat([1.0, -1.0, 0.0], [gained, lost, n - gained - lost])
            p_value = bounded_mean(differences, -1.0, 1.0).p_above(-margin)
            low, high = (low, gained) if p_value is not None and p_value <= 0.05 else (gained + 1, high)
        least.append(low)
    lost, gained = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    passes = (gained >= np.array(least)[:, None]) & (gained + lost <= n)
    gained, discordant = gained[passes], (gained + lost)[passes]
    for discordance in np.linspace(max(margin, 0.01), 1.0, 25):
        share = (discordance - margin) / (2 * discordance)
        chance = scipy_stats.binom.pmf(discordant, n, discordance) * scipy_stats.binom.pmf(gained, discordant, share)
        assert float(chance.sum()) <= 0.05


@pytest.mark.parametrize("size", [3, 10])
def test_a_model_at_the_margin_seldom_passes_where_passages_are_lost_as_a_whole(size: int) -> None:
    """200 passages, each lost with probability 0.03, which is the margin."""
    rng = np.random.default_rng(5)
    passages = np.repeat(np.arange(200), size)
    passed = 0
    for _ in range(400):
        differences = -np.repeat(rng.random(200) < 0.03, size).astype(float)
        p_value = bounded_mean(differences, -1.0, 1.0, clusters=passages).p_above(-0.03)
        passed += p_value is not None and p_value <= 0.05
    assert passed <= 29  # 20 expected at most; two standard errors more


def test_many_different_values_are_summed_on_a_grid_and_say_the_same() -> None:
    values = np.random.default_rng(1).beta(4.0, 3.0, size=3000)
    many, few = bounded_mean(values, 0.0, 1.0), bounded_mean(np.round(values, 3), 0.0, 1.0)
    for limit in (0.56, 0.565, 0.57):
        assert many.p_above(limit) == pytest.approx(few.p_above(limit), rel=0.05)
        assert many.p_above(limit) == pytest.approx(
            scipy_stats.ttest_1samp(values, limit, alternative="greater").pvalue, abs=0.03
        )


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(50), 4)], ids=["alone", "clusters"])
def test_what_is_needed_and_detectable_is_what_the_test_shows(clusters: np.ndarray | None) -> None:
    values = np.resize([5.0, 4.0, 4.0, 3.0, 5.0, 2.0, 4.0], 200)
    mean = bounded_mean(values, 0.0, 6.0, clusters=clusters)  # room above 5 for what is moved up below
    needed = mean.needed(3.75)
    assert needed is not None and needed > 200 and (mean.p_above(3.75) or 0.0) > 0.05
    times = -(-needed // 200)
    labels = None if clusters is None else np.concatenate([clusters + 50 * k for k in range(times)])
    assert (bounded_mean(np.tile(values, times), 0.0, 6.0, clusters=labels).p_above(3.75) or 1.0) <= 0.05
    reach = mean.detectable(3.75, above=True)
    assert reach is not None and 0.1 < reach < 1.0
    # Four runs in five lie no further below the truth than this, and are just shown there.
    there = values + 3.75 + reach - values.mean() - scipy_stats.norm.ppf(0.8) * mean.standard_error
    assert bounded_mean(there, 0.0, 6.0, clusters=clusters).p_above(3.75) == pytest.approx(0.05, abs=1e-3)
    assert mean.detectable(5.99, above=True) is None
    assert mean.needed(float(mean.estimate or 0.0)) is None


def test_without_two_samples_or_a_scale_there_is_no_test() -> None:
    for mean, reason in [
        (bounded_mean([], 0, 1), "no samples"),
        (bounded_mean([1.0], 0, 1), "only 1 sample"),
        (bounded_mean([1.0, 0.0], 0, 1, clusters=["a", "a"]), "only 1 cluster"),
        (bounded_mean([5.0] * 40, float("-inf"), float("inf")), "scale"),
    ]:
        assert mean.p_above(0.5) is mean.p_below(0.5) is mean.quantile(0.05) is mean.needed(0.5) is None
        assert mean.detectable(0.5, above=False) is None
        assert reason in str(mean.reason) and mean.interval().low is None


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_weights_are_positive(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        bounded_mean([1.0, 0.0], 0.0, 1.0, weights=weights)


@given(st.integers(0, 2**31), shares)
def test_clusters_of_one_are_no_clusters(seed: int, threshold: float) -> None:
    right = np.random.default_rng(seed).integers(0, 2, 40)
    alone, clustered = (bounded_mean(right, 0.0, 1.0, clusters=labels) for labels in (None, np.arange(40)))
    assert clustered.p_above(threshold) == pytest.approx(alone.p_above(threshold), abs=1e-9)


@pytest.mark.parametrize(
    ("factors", "counts", "chance"),
    [
        (
            [0.5011472474426701, 1.6745248969125653e-05, -5.004806324686888e-06, -2.022341794173e-05, -1.385503912532],
            [13, 3, 31, 71055, 2],
            0.1741,
        ),
        ([1.3648654764988484, -2.27e-05, 3.0879918435207754e-06, -0.22696608279066993], [2, 3, 76123, 96], 0.999993),
        (
            [-1.6384751979e-06, -0.0005357110075, -0.00907585035431, -1.3008990594e-06, 0.0037375350795549],
            [12154, 77, 2, 90803, 92],
            5.66e-05,
        ),
    ],
)  # fmt: skip
def test_counts_of_very_unlike_size_have_a_chance_too(factors: list[float], counts: list[int], chance: float) -> None:
    """The fault: on a path that climbed the sum overflowed, and its chance was said to be 0, which shows anything."""
    made, sizes = np.array(factors), np.array(counts, dtype=float)
    found = chance_not_positive(made, sizes)
    drawn = np.random.default_rng(7).gamma(sizes[:, None], size=(len(sizes), 200_000)) * made[:, None]
    assert found == pytest.approx(chance, rel=2e-3)
    assert abs(found - (drawn.sum(axis=0) <= 0.0).mean()) < 4e-3
    assert chance_not_positive(-made, sizes) == pytest.approx(1.0 - chance, abs=1e-3)
