"""The bootstrap from sufficient statistics: distributed as drawing indices, seeded, honest where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.stats import (
    PairedTable,
    bootstrap_mean,
    bootstrap_paired,
    compare_macro,
    compare_table,
    paired_tables,
    resample_mean,
    resample_tables,
)

TABLES = {
    "law": PairedTable(both=80, gained=25, lost=10, neither=85),
    "math": PairedTable(both=20, gained=9, lost=12, neither=59),
    "medicine": PairedTable(both=400, gained=60, lost=40, neither=100),
}


def test_table_draws_are_distributed_as_drawing_indices() -> None:
    table = TABLES["law"]
    differences = np.repeat([0, 1, -1], [165, 25, 10])
    rng = np.random.default_rng(0)
    naive = differences[rng.integers(200, size=(20_000, 200))].sum(axis=1)
    draws = resample_tables([table], resamples=20_000, seed=1)[0]
    assert draws.mean() == pytest.approx(naive.mean(), abs=0.2)
    assert draws.std() == pytest.approx(naive.std(), rel=0.03)
    levels = [0.01, 0.025, 0.5, 0.975, 0.99]
    assert np.quantile(draws, levels) == pytest.approx(np.quantile(naive, levels), abs=1)


def test_cluster_draws_are_distributed_as_drawing_clusters() -> None:
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    values = rng.integers(-1, 2, clusters.size).astype(float)
    sums, sizes = np.bincount(clusters, weights=values), np.bincount(clusters)
    index = rng.integers(40, size=(20_000, 40))
    naive = sums[index].sum(axis=1) / sizes[index].sum(axis=1)
    draws = resample_mean(values, clusters=clusters, resamples=20_000, seed=3)
    assert draws.mean() == pytest.approx(naive.mean(), abs=0.005)
    assert draws.std() == pytest.approx(naive.std(), rel=0.03)
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx(np.quantile(naive, [0.025, 0.975]), abs=0.01)


def test_overall_differences_are_those_of_the_tables() -> None:
    result = bootstrap_paired(TABLES, seed=4)
    total = sum(TABLES.values(), PairedTable(0, 0, 0, 0))
    assert result.micro.interval.estimate == total.difference
    assert result.macro.interval.estimate == pytest.approx(np.mean([t.difference for t in TABLES.values()]))
    assert list(result.categories) == list(TABLES)
    assert (result.resamples, result.seed) == (10_000, 4)


@pytest.mark.parametrize("name", list(TABLES))
def test_percentiles_are_near_the_score_interval(name: str) -> None:
    boot, score = bootstrap_paired(TABLES, seed=5).categories[name].interval, compare_table(TABLES[name]).interval
    assert boot.low is not None and boot.high is not None and score.low is not None and score.high is not None
    assert (boot.low, boot.high) == pytest.approx((score.low, score.high), abs=0.012)


def test_macro_percentiles_are_near_the_stratified_interval() -> None:
    boot, normal = bootstrap_paired(TABLES, seed=5).macro, compare_macro(TABLES)
    assert boot.interval.low == pytest.approx(normal.interval.low, abs=0.006)
    assert boot.interval.high == pytest.approx(normal.interval.high, abs=0.006)
    assert boot.p_value == pytest.approx(normal.p_value, abs=0.02)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not() -> None:
    assert bootstrap_paired(TABLES, seed=6) == bootstrap_paired(TABLES, seed=6)
    assert bootstrap_paired(TABLES, seed=6).micro != bootstrap_paired(TABLES, seed=7).micro
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=5), st.integers(0, 2**63))
def test_bootstrap_properties(cells: list[tuple[int, int, int, int]], seed: int) -> None:
    tables = {str(i): PairedTable(*four) for i, four in enumerate(cells)}
    result = bootstrap_paired(tables, resamples=400, seed=seed)
    for found in (result.micro, result.macro, *result.categories.values()):
        interval = found.interval
        if interval.low is None or interval.high is None:
            assert found.p_value is None and interval.reason
            continue
        assert found.p_value is not None and 0.0 < found.p_value <= 1.0
        assert -1.0 <= interval.low <= interval.high <= 1.0
        if not interval.low <= 0.0 <= interval.high:
            assert found.p_value <= 0.06


@pytest.mark.parametrize(
    "table", [PairedTable(5, 0, 0, 5), PairedTable(0, 8, 0, 0), PairedTable(1, 0, 0, 0), PairedTable(0, 0, 0, 0)]
)
def test_what_does_not_vary_has_no_bootstrap_interval(table: PairedTable) -> None:
    found = bootstrap_paired({"only": table}, seed=1)
    for each in (found.categories["only"], found.micro, found.macro):
        assert each.p_value is None and each.interval.low is None and each.interval.reason


def test_an_empty_category_leaves_the_others_measured() -> None:
    result = bootstrap_paired({**TABLES, "empty": PairedTable(0, 0, 0, 0)}, seed=1)
    assert result.macro.interval.reason == "1 of 4 categories have no samples"
    assert not result.categories["empty"].interval.known and result.categories["law"].interval.known
    assert bootstrap_paired({}, seed=1).micro.interval.reason == "no samples"


def test_clusters_widen_the_interval() -> None:
    outcomes = np.repeat(np.random.default_rng(9).integers(0, 2, 60), 5)
    plain = bootstrap_mean(outcomes, seed=1).interval
    by_cluster = bootstrap_mean(outcomes, clusters=np.repeat(np.arange(60), 5), seed=1).interval
    assert None not in (plain.low, plain.high, by_cluster.low, by_cluster.high)
    widened = (by_cluster.high - by_cluster.low) / (plain.high - plain.low)  # type: ignore[operator]
    assert widened == pytest.approx(5**0.5, rel=0.1)


def test_clusters_of_which_few_tell_have_no_bootstrap_interval() -> None:
    clusters = np.repeat(np.arange(60), 5)
    rare = np.where(clusters < 8, 1.0, 0.0)
    assert not bootstrap_mean(rare, clusters=clusters, seed=1).interval.known
    assert not bootstrap_mean(np.resize([0.0, 1.0], 100), clusters=np.repeat(np.arange(20), 5), seed=1).interval.known


def test_one_cluster_and_no_samples_have_no_bootstrap_interval() -> None:
    assert not bootstrap_mean([1, 0, 1], clusters=["a", "a", "a"], seed=1).interval.known
    assert bootstrap_mean([], seed=1).interval.reason == "no samples"


def test_malformed_input_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        bootstrap_mean([1, float("nan")], seed=1)
    with pytest.raises(ValueError, match="at least 100"):
        bootstrap_paired(TABLES, resamples=10, seed=1)
    with pytest.raises(ValueError, match="no samples to resample"):
        resample_tables([PairedTable(0, 0, 0, 0)], resamples=100, seed=1)
    with pytest.raises(ValueError, match="no samples to resample"):
        resample_mean([], seed=1)


def test_tables_of_a_benchmark_sum_to_the_overall_difference() -> None:
    rng = np.random.default_rng(11)
    candidate, reference, subjects = rng.integers(0, 2, 900), rng.integers(0, 2, 900), rng.integers(0, 9, 900)
    result = bootstrap_paired(paired_tables(candidate, reference, subjects), resamples=500, seed=1)
    assert result.micro.interval.estimate == pytest.approx(candidate.mean() - reference.mean())
    assert result.micro.interval.n == 900
