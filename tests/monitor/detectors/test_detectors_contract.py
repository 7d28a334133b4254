"""What every detector must do, run on every member of the registry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.monitor.detectors import DETECTORS, USUAL
from driftgate.monitor.ngrams import ngrams

RUNS = 200


def draw(kind: str, rng: np.random.Generator, n: int, shift: float = 0.0):
    """A reference and a current window of a kind, the current one shifted."""
    if kind == "paired_binary":
        chance = rng.choice([0.0, 0.4, 0.8, 1.0], n)
        asked = rng.integers(1, 3, (2, n))
        right = rng.binomial(asked, [chance, chance * (1.0 - shift)])
        return [np.column_stack([right[i], asked[i]]).astype(float) for i in (0, 1)]
    if kind == "proportion":
        return [(rng.random(n) < share).astype(float) for share in (0.05, 0.05 + 0.5 * shift)]
    if kind == "continuous":
        return [np.ceil(rng.lognormal(3.0 + move, 0.6, n)) for move in (0.0, shift)]
    if kind == "text":
        return [texts(rng, n, share) for share in (0.1, 0.1 + 0.5 * shift)]
    bins = np.full(32, 1 / 32)
    moved = bins * np.linspace(1.0 - shift, 1.0 + shift, 32)
    # Rows that hang together, as the n-grams of one text do.
    return [rng.multinomial(20, rng.dirichlet(p * 40.0, n)) for p in (bins, moved)]


TOPICS = ("환불은 언제 되나요", "배송 조회는 어디서 하나요", "비밀번호를 바꾸고 싶어요", "who is the president")


def texts(rng: np.random.Generator, n: int, share: float):
    """What is kept of texts on four topics, the first with a given share."""
    picked = rng.choice(4, n, p=[share, *[(1 - share) / 3] * 3])
    kept = np.empty(n, dtype=object)
    kept[:] = [np.array(ngrams(f"{TOPICS[topic]} {rng.integers(99)}")) for topic in picked]
    return kept


@pytest.fixture(scope="module", params=DETECTORS.names())
def detector(request):
    return DETECTORS.get(request.param)


def test_every_kind_has_a_usual_detector():
    assert all(DETECTORS.get(name).kind == kind for kind, name in USUAL.items())


def test_unchanged_windows_are_called_changed_no_more_often_than_the_level(detector):
    rng = np.random.default_rng(1)
    p_values = [detector.compare(*draw(detector.kind, rng, 60), seed=run).p_value for run in range(RUNS)]
    # 0.05 of 200 runs are ten; twenty are beyond chance (p < 0.002).
    assert sum(p <= 0.05 for p in p_values) < 20
    assert all(0.0 < p <= 1.0 for p in p_values)


def test_a_clear_change_is_found_with_an_effect_whose_interval_excludes_none(detector):
    rng = np.random.default_rng(2)
    bad = "lower" if detector.kind == "paired_binary" else "higher"
    found = detector.compare(*draw(detector.kind, rng, 400, shift=0.6), bad=bad)
    assert found.p_value < 0.001
    assert 0.0 not in found.effect
    assert (found.effect.estimate < 0) == (bad == "lower")


def test_a_change_for_the_better_is_no_evidence_of_a_change_for_the_worse(detector):
    if detector.kind in ("histogram", "text"):
        pytest.skip("a distance has no direction")
    rng = np.random.default_rng(3)
    better = "higher" if detector.kind == "paired_binary" else "lower"
    found = detector.compare(*draw(detector.kind, rng, 400, shift=0.6), bad=better)
    assert found.p_value > 0.5


def test_it_gives_the_same_numbers_again(detector):
    windows = draw(detector.kind, np.random.default_rng(4), 50)
    assert detector.compare(*windows, seed=5) == detector.compare(*windows, seed=5)


def test_its_evidence_is_in_plain_numbers(detector):
    found = detector.compare(*draw(detector.kind, np.random.default_rng(5), 50))
    assert type(found.p_value) is float
    assert (found.n_reference, found.n_current) == (50, 50)
    assert all(type(value) in (float, int) for value in found.detail.values())


def test_windows_without_rows_are_not_compared(detector):
    windows = [window[:0] for window in draw(detector.kind, np.random.default_rng(6), 20)]
    found = detector.compare(*windows)
    assert found.p_value is None
    assert found.effect.reason


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 60), shift=st.sampled_from([0.0, 0.5]))
def test_the_order_of_rows_does_not_matter(detector, seed, n, shift):
    rng = np.random.default_rng(seed)
    first, second = draw(detector.kind, rng, n, shift)
    order = rng.permutation(n)
    as_is, shuffled = detector.compare(first, second), detector.compare(first[order], second[order])
    if detector.kind == "histogram":  # whose permutations are drawn anew
        assert shuffled.detail["index"] == pytest.approx(as_is.detail["index"])
    else:
        assert shuffled.effect.estimate == pytest.approx(as_is.effect.estimate)
        assert shuffled.p_value == pytest.approx(as_is.p_value)
