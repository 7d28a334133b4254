"""What is said of one quantity: properties, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.parity import churn_quantity, decided, score_quantity


def judged(port: np.ndarray, reference: np.ndarray, clusters: np.ndarray | None = None, margin: float = 0.02) -> str:
    return decided([score_quantity("q", port, reference, clusters, margin)])[0].verdict


@given(st.integers(180, 600), st.floats(0.0, 1.0), st.booleans())
def test_two_sides_that_are_the_same_are_equivalent_from_some_number_on(n: int, share: float, clustered: bool) -> None:
    values = (np.arange(n) < share * n).astype(float)
    clusters = np.array([f"c{i}" for i in range(n)], dtype=object) if clustered else None
    assert judged(values, values, clusters) == "equivalent"


@given(st.integers(0, 60), st.floats(0.0, 1.0))
def test_too_few_samples_are_never_equivalent(n: int, share: float) -> None:
    values = (np.arange(n) < share * n).astype(float)
    found = decided([score_quantity("q", values, values, None, 0.02)])[0]
    assert found.verdict == "inconclusive"
    assert n < 2 or (found.needed is not None and found.needed > n)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=5, max_size=80))
def test_exchanging_the_sides_changes_the_sign_alone(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    one = decided([score_quantity("q", first, second, None, 0.1)])[0]
    other = decided([score_quantity("q", second, first, None, 0.1)])[0]
    assert one.verdict == other.verdict
    assert one.interval.estimate == pytest.approx(-(other.interval.estimate or 0.0))
    assert one.p_equivalent == pytest.approx(other.p_equivalent)


def test_a_quantity_that_is_no_share_has_a_relative_margin() -> None:
    rng = np.random.default_rng(1)
    length = rng.normal(500, 50, 400)
    near = decided([score_quantity("length", length + rng.normal(0, 5, 400), length, None, 0.02)])[0]
    far = decided([score_quantity("length", length * 1.1, length, None, 0.02)])[0]
    assert (near.verdict, far.verdict) == ("equivalent", "different")
    assert near.relative and near.margin == pytest.approx(0.02 * length.mean())


def test_the_same_for_all_samples_is_judged_by_its_size() -> None:
    length = np.full(200, 100.0)
    assert judged(length + 1, length) == "inconclusive"  # half the margin, and what was not met could be larger
    assert judged(np.full(2000, 101.0), np.full(2000, 100.0)) == "equivalent"
    assert judged(length + 10, length) == "different"


def test_clusters_that_say_the_same_count_as_one_sample_each() -> None:
    values = np.ones(400)
    clusters = np.array([f"c{i // 40}" for i in range(400)], dtype=object)
    assert judged(values, values, clusters) == "inconclusive"
    differs = np.zeros(400, dtype=bool)
    assert decided([churn_quantity("answers", differs, clusters, 0.02)])[0].verdict == "inconclusive"
    assert decided([churn_quantity("answers", differs, None, 0.02)])[0].verdict == "equivalent"


NEAR = st.sampled_from([0.0, 0.0, 0.0, 0.0, -1.0, 1.0, 0.5])
SHAPES = st.sampled_from([None, 1, 3, 40])


def clusters_of(size: int | None, n: int) -> np.ndarray | None:
    return None if size is None else np.array([f"c{i // size}" for i in range(n)], dtype=object)


DIFFERING = (st.integers(1, 400), st.lists(NEAR, min_size=1, max_size=12), SHAPES, st.sampled_from([0.02, 0.05, 0.2]))
LOST = (st.integers(2, 300), st.integers(0, 8), st.integers(0, 299), SHAPES, st.booleans())


@settings(max_examples=60)
@given(*DIFFERING)
def test_sides_that_differ_are_not_equivalent_where_the_same_would_not_be(
    n: int, differing: list[float], size: int | None, margin: float
) -> None:
    differing_never_helps(n, differing, size, margin)


@settings(max_examples=60)
@given(*LOST)
def test_one_more_lost_or_missing_answer_is_no_step_towards_equivalent(
    n: int, lost: int, place: int, size: int | None, missing: bool
) -> None:
    losing_never_helps(n, lost, place, size, missing)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(*DIFFERING)
def test_nor_does_one_of_ten_thousand_that_differ(
    n: int, differing: list[float], size: int | None, margin: float
) -> None:
    differing_never_helps(n, differing, size, margin)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(*LOST)
def test_nor_does_one_of_ten_thousand_lost_or_missing(
    n: int, lost: int, place: int, size: int | None, missing: bool
) -> None:
    losing_never_helps(n, lost, place, size, missing)


def differing_never_helps(n: int, differing: list[float], size: int | None, margin: float) -> None:
    reference = (np.arange(n) % 2).astype(float)
    port = reference.copy()
    for k, moved in enumerate(differing[:n]):
        port[k] = min(1.0, max(0.0, port[k] + moved))
    labels = clusters_of(size, n)
    found = judged(port, reference, labels, margin)
    if found == "equivalent":
        assert judged(reference, reference, labels, margin) == "equivalent"
    changed = decided([churn_quantity("answers", port != reference, labels, margin)])[0].verdict
    if changed == "equivalent":
        assert decided([churn_quantity("answers", port != port, labels, margin)])[0].verdict == "equivalent"


def losing_never_helps(n: int, lost: int, place: int, size: int | None, missing: bool) -> None:
    reference = np.ones(n)
    port = (np.arange(n) >= lost).astype(float)
    worse = port.copy()
    worse[place % n] = np.nan if missing else 0.0
    labels = clusters_of(size, n)
    one, other = (decided([score_quantity("q", side, reference, labels, 0.05)])[0] for side in (port, worse))
    if one.p_equivalent is None:
        assert other.p_equivalent is None
        return
    assert other.p_equivalent is not None and other.p_equivalent >= one.p_equivalent - 1e-9
    if missing:
        assert other.p_different is not None and one.p_different is not None
        assert other.p_different >= one.p_different - 1e-9


@pytest.mark.parametrize("moved", [1.0, 0.5])
def test_one_that_differs_is_no_evidence_that_nothing_does(moved: float) -> None:
    """Sixty passages of three are too few for a margin of two points, whether all agree or some differ."""
    reference, labels = np.ones(180), clusters_of(3, 180)
    for differing in range(4):
        port = reference - moved * (np.arange(180) < differing)
        assert judged(port, reference, labels) == "inconclusive"
        assert decided([churn_quantity("answers", port != reference, labels, 0.02)])[0].verdict == "inconclusive"


def test_a_value_that_one_side_alone_has_counts_at_its_worst() -> None:
    reference = np.ones(400)
    port = np.where(np.arange(400) < 20, np.nan, 1.0)
    found = decided([score_quantity("q", port, reference, None, 0.04)])[0]
    assert (found.verdict, found.n, found.one_sided) == ("unmeasurable", 380, 20)
    assert found.interval.low is not None and found.interval.low < -0.05
    few = decided([score_quantity("q", port, reference, None, 0.2)])[0]
    assert few.verdict == "equivalent"
    neither = decided([score_quantity("q", port, port, None, 0.04)])[0]
    assert (neither.verdict, neither.n, neither.one_sided) == ("equivalent", 380, 0)


def test_a_true_difference_of_the_margin_is_seldom_called_equivalent_or_different() -> None:
    """Both errors are held at 5%: 300 draws at the margin itself, where they are the most frequent."""
    rng = np.random.default_rng(7)
    verdicts = []
    for _ in range(300):
        reference = rng.random(800) < 0.6
        lost = reference & (rng.random(800) < (0.05 + 0.025) / 0.6)
        gained = ~reference & (rng.random(800) < 0.025 / 0.4)
        port = (reference & ~lost) | gained
        verdicts.append(judged(port.astype(float), reference.astype(float), margin=0.05))
    assert verdicts.count("equivalent") <= 26  # 15 expected at most; 26 is 2.9 standard errors more
    assert verdicts.count("different") <= 16  # 7.5 expected: one side of the two


def test_churn_is_named_where_it_is_beyond_the_limit() -> None:
    differs = np.arange(400) < 40
    found = decided([churn_quantity("answers", differs, None, 0.02)])[0]
    assert (found.verdict, found.differing, found.port) == ("different", 40, 0.1)
    assert found.interval.low is not None and 0.07 < found.interval.low < 0.1
