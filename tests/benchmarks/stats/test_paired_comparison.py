"""Comparisons: against scipy, statsmodels and published examples, and under exchange of the two models."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar

from driftgate.benchmarks.stats import (
    Comparison,
    PairedTable,
    compare_macro,
    compare_means,
    compare_paired,
    compare_table,
    compare_unpaired,
    mcnemar_exact,
    paired_table,
    paired_tables,
)

cells = st.integers(0, 300)
tables = st.builds(PairedTable, both=cells, gained=cells, lost=cells, neither=cells).filter(lambda t: t.n > 0)


def exchanged(table: PairedTable) -> PairedTable:
    return replace(table, gained=table.lost, lost=table.gained)


def limits(comparison: Comparison) -> tuple[float, float]:
    interval = comparison.interval
    assert interval.low is not None and interval.high is not None, interval.reason
    return interval.low, interval.high


@given(cells, cells)
def test_mcnemar_is_the_binomial_test(gained: int, lost: int) -> None:
    expected = scipy_stats.binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0
    assert mcnemar_exact(gained, lost) == pytest.approx(expected)
    assert mcnemar_exact(gained, lost) == pytest.approx(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def test_counting_a_table() -> None:
    rng = np.random.default_rng(0)
    candidate, reference = rng.integers(0, 2, 500), rng.integers(0, 2, 500)
    subjects = rng.choice(["법", "수학", "의학"], 500)
    expected = {
        str(name): PairedTable(
            both=int(np.sum((subjects == name) & (candidate == 1) & (reference == 1))),
            gained=int(np.sum((subjects == name) & (candidate == 1) & (reference == 0))),
            lost=int(np.sum((subjects == name) & (candidate == 0) & (reference == 1))),
            neither=int(np.sum((subjects == name) & (candidate == 0) & (reference == 0))),
        )
        for name in np.unique(subjects)
    }
    found = paired_tables(candidate, reference, subjects)
    assert found == expected
    assert paired_tables(candidate, reference, list(subjects)) == expected
    assert sum(found.values(), PairedTable(0, 0, 0, 0)) == paired_table(candidate, reference)


@pytest.mark.parametrize(
    ("candidate", "reference", "message"),
    [
        ([1, 0, 1], [1, 0], "candidate has 3 samples and reference 2"),
        ([1, float("nan")], [1, 0], "candidate has 1 of 2 values that are NaN"),
        ([1, 0], [1, 0.5], "reference has 1 of 2 values other than 0 and 1"),
    ],
)
def test_misaligned_or_unscored_samples_are_refused(
    candidate: list[float], reference: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compare_paired(candidate, reference)


def test_negative_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="lost is -1"):
        PairedTable(both=1, gained=1, lost=-1, neither=1)


def test_tango_published() -> None:
    # Fagerland, Lydersen, Laake (2014): airway hyper-responsiveness, Bentur et al. (2009).
    assert limits(compare_table(PairedTable(1, 1, 7, 12))) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(tables, st.sampled_from([0.8, 0.95, 0.99]))
def test_paired_properties(table: PairedTable, level: float) -> None:
    comparison = compare_table(table, level=level)
    low, high = limits(comparison)
    assert comparison.difference is not None and comparison.p_value is not None
    assert -1.0 <= low <= comparison.difference <= high <= 1.0
    assert 0.0 <= comparison.p_value <= 1.0
    assert comparison.paired and not comparison.clustered
    swapped = compare_table(exchanged(table), level=level)
    assert limits(swapped) == pytest.approx((-high, -low), abs=1e-8)
    assert (swapped.p_value, swapped.minimum_detectable_effect) == (
        comparison.p_value,
        comparison.minimum_detectable_effect,
    )
    more = PairedTable(table.both * 9, table.gained * 9, table.lost * 9, table.neither * 9)
    narrow = limits(compare_table(more, level=level))
    assert narrow[1] - narrow[0] < high - low


@given(tables.filter(lambda t: t.n_discordant >= 5))
def test_tango_limits_are_where_a_multinomial_likelihood_says(table: PairedTable) -> None:
    """The score statistic, computed here by maximising the likelihood numerically, is z at both limits."""
    from scipy.optimize import minimize_scalar

    n, b, c = table.n, table.gained, table.lost
    for limit in limits(compare_table(table)):
        if not -0.98 < limit < 0.98:
            continue
        low, high = max(0.0, -limit), (1.0 - limit) / 2.0

        def negative(q: float, limit: float = limit) -> float:
            parts = [(b, q + limit), (c, q), (n - b - c, 1.0 - 2.0 * q - limit)]
            return -sum(k * math.log(max(p, 1e-300)) for k, p in parts if k)

        loss = minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": 1e-11}).x
        variance = n * (2.0 * loss + limit - limit**2)
        assert abs(b - c - n * limit) / math.sqrt(variance) == pytest.approx(1.95996, abs=2e-3)


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_no_discordant_pair_is_not_certainty(n: int) -> None:
    comparison = compare_table(PairedTable(both=n, gained=0, lost=0, neither=0))
    z2 = scipy_stats.norm.ppf(0.975) ** 2
    assert limits(comparison) == pytest.approx((-z2 / (n + z2), z2 / (n + z2)), abs=1e-6)
    assert comparison.p_value == 1.0 and comparison.n_discordant == 0


def test_no_samples_have_no_comparison() -> None:
    nothing = [
        compare_paired([], []),
        compare_paired([], [], clusters=[]),
        compare_means([], []),
        compare_unpaired(0, 0, 0, 0),
        compare_macro({}),
    ]
    for comparison in nothing:
        assert comparison.difference is None and comparison.p_value is None
        assert not comparison.interval.known and comparison.minimum_detectable_effect is None
    assert compare_unpaired(3, 5, 0, 0).interval.reason == "one side has no samples"


def paired_sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 15, 120)
    skill = rng.normal(0.5, 0.15, 15)[clusters]
    return (rng.random(120) < skill + 0.1).astype(float), (rng.random(120) < skill).astype(float), clusters


@given(st.integers(0, 2**31))
def test_clustered_properties(seed: int) -> None:
    candidate, reference, clusters = paired_sample(seed)
    comparison = compare_paired(candidate, reference, clusters=clusters)
    low, high = limits(comparison)
    assert comparison.difference == pytest.approx(candidate.mean() - reference.mean())
    assert comparison.clustered and comparison.n_discordant == int((candidate != reference).sum())
    swapped = compare_paired(reference, candidate, clusters=clusters)
    assert limits(swapped) == pytest.approx((-high, -low))
    assert swapped.p_value == pytest.approx(comparison.p_value)
    # The p-value and the interval are the same test.
    assert comparison.p_value is not None
    assert (comparison.p_value < 0.05) == (not low <= 0.0 <= high)


def test_repeating_every_sample_five_times_as_a_cluster_adds_no_evidence() -> None:
    candidate, reference, _ = paired_sample(5)
    once = compare_means(candidate, reference)
    five = compare_paired(np.repeat(candidate, 5), np.repeat(reference, 5), clusters=np.repeat(np.arange(120), 5))
    assert five.p_value == pytest.approx(once.p_value)
    assert limits(five) == pytest.approx(limits(once))


@pytest.mark.parametrize(
    ("clusters", "reason"), [(["a"] * 4, "1 cluster"), (["a", "b", "a", "b"], "all 2 clusters agree exactly")]
)
def test_clusters_that_tell_nothing_give_a_reason(clusters: list[str], reason: str) -> None:
    comparison = compare_paired([1, 1, 0, 0], [0, 0, 0, 0], clusters=clusters)
    assert comparison.difference == 0.5 and comparison.p_value is None
    assert comparison.interval.reason is not None and reason in comparison.interval.reason


@given(st.integers(0, 2**31), st.integers(2, 60))
def test_means_are_scipys_paired_t(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    candidate, reference = rng.normal(0.3, 1.0, n), rng.normal(0.0, 1.0, n)
    comparison, expected = compare_means(candidate, reference), scipy_stats.ttest_rel(candidate, reference)
    assert comparison.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert limits(comparison) == pytest.approx((interval.low, interval.high))


def test_means_without_variation_give_a_reason() -> None:
    comparison = compare_means([1.1, 2.1, 3.1], [1.0, 2.0, 3.0])
    assert comparison.difference == pytest.approx(0.1) and comparison.p_value is None
    assert comparison.interval.reason is not None and "agree exactly" in comparison.interval.reason


# Newcombe (1998), Interval estimation for the difference between independent proportions, table II, method 10.
NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("x1", "n1", "x0", "n0", "low", "high"), NEWCOMBE)
def test_unpaired_published(x1: int, n1: int, x0: int, n0: int, low: float, high: float) -> None:
    assert limits(compare_unpaired(x1, n1, x0, n0)) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_unpaired_properties(n1: int, n0: int, data: st.DataObject) -> None:
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    comparison, swapped = compare_unpaired(x1, n1, x0, n0), compare_unpaired(x0, n0, x1, n1)
    low, high = limits(comparison)
    assert comparison.difference is not None and -1.0 <= low <= comparison.difference <= high <= 1.0
    assert limits(swapped) == pytest.approx((-high, -low), abs=1e-12)
    assert comparison.p_value is not None and comparison.p_value == pytest.approx(swapped.p_value)
    if 0 < x1 + x0 < n1 + n0:
        expected = scipy_stats.chi2_contingency([[x1, n1 - x1], [x0, n0 - x0]], correction=False).pvalue
        assert comparison.p_value == pytest.approx(expected)
    else:
        assert comparison.p_value == 1.0
    assert not comparison.paired and comparison.n == n1 + n0 and comparison.gained is None


@settings(max_examples=50)
@given(st.lists(tables.filter(lambda t: t.n > 1), min_size=1, max_size=6))
def test_macro_properties(parts: list[PairedTable]) -> None:
    named = {str(i): table for i, table in enumerate(parts)}
    comparison = compare_macro(named)
    assert comparison.difference == pytest.approx(np.mean([t.difference for t in parts]))
    assume(comparison.interval.known)
    low, high = limits(comparison)
    swapped = compare_macro({name: exchanged(table) for name, table in named.items()})
    assert limits(swapped) == pytest.approx((-high, -low))
    assert comparison.p_value is not None and 0.0 <= comparison.p_value <= 1.0


def test_macro_of_one_category_is_the_paired_t_test() -> None:
    candidate, reference, _ = paired_sample(8)
    macro, mean = compare_macro({"all": paired_table(candidate, reference)}), compare_means(candidate, reference)
    assert macro.p_value == pytest.approx(mean.p_value)
    assert limits(macro) == pytest.approx(limits(mean))


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"a": PairedTable(3, 1, 1, 0), "b": PairedTable(0, 0, 0, 0)}, "1 of 2 categories have no samples"),
        ({"a": PairedTable(3, 1, 1, 0), "b": PairedTable(0, 1, 0, 0)}, "1 of 2 categories have 1 sample"),
        ({"a": PairedTable(3, 0, 0, 1), "b": PairedTable(0, 4, 0, 0)}, "do not vary"),
    ],
)
def test_macro_without_enough_gives_a_reason(tables: dict[str, PairedTable], reason: str) -> None:
    comparison = compare_macro(tables)
    assert comparison.p_value is None
    assert comparison.interval.reason is not None and reason in comparison.interval.reason
