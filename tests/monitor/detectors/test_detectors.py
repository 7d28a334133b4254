"""What is particular to one detector."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftgate.benchmarks.stats import mcnemar_exact
from driftgate.monitor.detectors import DETECTORS, EProcess
from driftgate.monitor.detectors.eprocess import log_e_value
from driftgate.monitor.detectors.histogram import population_stability_index
from driftgate.monitor.ngrams import ngrams

mantel_haenszel = DETECTORS.get("mantel_haenszel").compare
contingency = DETECTORS.get("contingency").compare
histogram = DETECTORS.get("histogram").compare
ks = DETECTORS.get("ks").compare
mmd = DETECTORS.get("mmd").compare

differences = st.lists(st.floats(-1.0, 1.0), max_size=60)


def once(right):
    return np.column_stack([right, np.ones(len(right))]).astype(float)


@given(differences, st.sampled_from(["lower", "higher", "either"]))
def test_pair_by_pair_comes_to_the_same_as_all_at_once(values, bad):
    process = EProcess(bad=bad)
    for value in values:
        process.update(value)
    assert process.n == len(values)
    assert process.mean == pytest.approx(np.mean(values) if values else 0.0)
    assert np.log(process.e_value) == pytest.approx(log_e_value(values, bad), abs=1e-9)


@given(differences, differences)
def test_the_state_goes_through_json_and_on(before, after):
    whole, first = EProcess(), EProcess()
    for value in before:
        whole.update(value)
        first.update(value)
    again = EProcess.from_state(json.loads(json.dumps(first.state())))
    for value in after:
        whole.update(value)
        again.update(value)
    assert again.state() == whole.state()


@given(differences)
def test_an_alarm_stays_and_the_p_value_never_rises(values):
    process, p_values = EProcess(), [1.0]
    for value in values:
        process.update(value)
        p_values.append(process.p_value)
        assert process.drift_detected == (process.p_value <= 0.05)
    assert all(later <= earlier for earlier, later in itertools.pairwise(p_values))


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_an_unchanged_stream_watched_at_every_pair_rarely_alarms(share):
    rng = np.random.default_rng(0)
    streams = rng.choice([-1.0, 0.0, 1.0], p=[share / 2, 1 - share, share / 2], size=(300, 800))
    alarms = 0
    for stream in streams:
        process = EProcess(alpha=0.05)
        for value in stream[stream != 0.0]:
            process.update(value)
        alarms += process.drift_detected
    # 0.05 of 300 are fifteen.
    assert alarms <= 15


def test_a_small_loss_is_found_in_a_long_stream():
    rng = np.random.default_rng(1)
    process = EProcess()
    for value in rng.choice([-1.0, 0.0, 1.0], p=[0.08, 0.9, 0.02], size=2000):
        process.update(value)
    assert process.drift_detected


@pytest.mark.parametrize("value", [1.5, -1.01, float("nan")])
def test_a_difference_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match="-1 to 1"):
        EProcess().update(value)


def test_a_state_of_other_bets_is_refused():
    with pytest.raises(ValueError, match="start a new process"):
        EProcess.from_state({**EProcess().state(), "bets": [0.5]})


@given(lost=st.integers(0, 25), gained=st.integers(0, 25), both=st.integers(0, 9), neither=st.integers(0, 9))
def test_canaries_asked_once_are_tested_as_by_mcnemar(lost, gained, both, neither):
    counts = [both, lost, gained, neither]
    before, after = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
    if before.size:
        found = mantel_haenszel(once(before), once(after), bad="either")
        assert found.p_value == pytest.approx(mcnemar_exact(gained, lost))
        assert (found.detail["lost"], found.detail["gained"]) == (lost, gained)


def test_canaries_asked_several_times_are_tested_as_by_all_their_permutations():
    reference, current = [[1, 1], [1, 0], [1, 1]], [[0], [1], [0]]
    more = 0
    pools = [r + c for r, c in zip(reference, current, strict=True)]
    ways = list(itertools.product(range(3), repeat=3))
    for way in ways:
        more += sum(pool[place] for pool, place in zip(pools, way, strict=True)) <= 1
    counts = [np.array([[sum(asked), len(asked)] for asked in side], dtype=float) for side in (reference, current)]
    assert mantel_haenszel(*counts, bad="lower").p_value == pytest.approx(more / len(ways))


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="more right ones"):
        mantel_haenszel(np.array([[2.0, 1.0]]), np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="expected \\(n, 2\\)"):
        mantel_haenszel(np.ones((3, 2)), np.ones((2, 2)))


@given(x=st.integers(0, 60), n=st.integers(10, 60), y=st.integers(0, 60), m=st.integers(10, 60))
def test_shares_are_tested_by_scipy(x, n, y, m):
    x, y = min(x, n), min(y, m)
    before, after = np.repeat([1, 0], [x, n - x]), np.repeat([1, 0], [y, m - y])
    found = contingency(before, after)
    table = np.array([[x, n - x], [y, m - y]])
    if not table.sum(axis=0).all():
        assert found.p_value == 1.0
    elif stats.contingency.expected_freq(table).min() < 5:
        assert found.p_value == pytest.approx(stats.fisher_exact(table).pvalue)
    else:
        assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
        one_sided = [contingency(before, after, bad=bad).p_value for bad in ("lower", "higher")]
        assert sum(one_sided) == pytest.approx(1.0)
        assert found.p_value == pytest.approx(2 * min(one_sided))


def test_a_value_that_is_no_outcome_is_refused():
    with pytest.raises(ValueError, match="expected 0 or 1"):
        contingency(np.zeros(20), np.full(20, 0.5))


@given(st.lists(st.floats(0.01, 100.0), min_size=10, max_size=40), st.floats(0.5, 4.0))
def test_the_effect_on_numbers_is_their_relative_change(values, factor):
    before = np.array(values)
    assert ks(before, before * factor).effect.estimate == pytest.approx(factor - 1.0, abs=1e-9)


def test_negative_or_unknown_numbers_are_refused():
    with pytest.raises(ValueError, match="0 or more"):
        ks(np.full(20, -1.0), np.ones(20))
    with pytest.raises(ValueError, match="0 or more"):
        ks(np.zeros(20), np.ones(20))
    assert ks(np.zeros(20), np.ones(20), resolution=1.0).effect.estimate == pytest.approx(1.0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=30))
def test_the_stability_index_is_symmetric_and_zero_only_for_equal_shares(pairs):
    first, second = np.array(pairs).T
    index = population_stability_index(first, second)
    assert index == pytest.approx(population_stability_index(second, first))
    assert index >= 0.0
    assert population_stability_index(first, first) == 0.0


def test_chance_gives_the_index_its_textbook_value_for_independent_counts():
    rng = np.random.default_rng(0)
    before, after = rng.multinomial(1, np.full(16, 1 / 16), size=(2, 500))
    found = histogram(before, after)
    assert found.detail["expected_by_chance"] == pytest.approx(15 * (1 / 500 + 1 / 500), rel=0.15)
    assert abs(found.effect.estimate) < 0.06


def test_texts_that_repeat_themselves_raise_no_alarm_where_a_chi_square_test_would():
    rng = np.random.default_rng(0)
    false, naive = 0, 0
    for _ in range(60):
        # Each text says one thing thirty times.
        rows = rng.multinomial(1, np.full(8, 1 / 8), size=200) * 30
        false += histogram(rows[:100], rows[100:]).p_value <= 0.05
        naive += stats.chi2_contingency([rows[:100].sum(0), rows[100:].sum(0)]).pvalue <= 0.05
    assert false <= 8
    assert naive >= 50


def kept(texts):
    rows = np.empty(len(texts), dtype=object)
    rows[:] = [np.array(ngrams(text)) for text in texts]
    return rows


def test_texts_of_another_version_are_no_change_and_not_compared():
    new = kept([f"질문 {number}" for number in range(40)])
    old = np.empty(40, dtype=object)
    old[:] = [np.ones(256)] * 40
    found = mmd(old, new)
    assert found.p_value is None and "counted by the same version" in found.effect.reason
    assert mmd(old, old).p_value == 1.0
    # Where both windows have enough of one version, those are compared.
    both = mmd(np.concatenate([old, new]), new)
    assert both.p_value > 0.05 and both.n_reference == 80


def test_texts_that_were_not_read_are_no_texts():
    unread = np.empty(300, dtype=object)
    unread[:] = [np.empty(0)] * 300
    new = kept([f"질문 {number % 7}" for number in range(40)])
    found = mmd(np.concatenate([unread, new]), np.concatenate([new, unread[:5]]))
    assert (found.n_reference, found.n_current) == (340, 45) and found.p_value == 1.0
    assert mmd(unread, unread).p_value is None


def test_texts_that_are_all_alike_have_not_changed():
    same = kept(["안녕하세요"] * 30)
    found = mmd(same, same)
    assert found.p_value == 1.0 and found.effect.estimate == 0.0
    empty = kept([""] * 30)
    assert mmd(empty, empty).p_value == 1.0
    assert mmd(same, empty).p_value < 0.001


def test_a_text_that_repeats_itself_in_one_window_is_found():
    usual = [f"{word} 어떻게 하나요 {number}" for number in range(50) for word in ("환불", "배송", "로그인")]
    found = mmd(kept(usual), kept(usual[:100] + ["시스템 점검 안내"] * 50))
    assert found.p_value < 0.001
    assert found.effect.low < 1 / 3 < found.effect.high + 0.01
    assert found.detail["group_reference_share"] == 0.0


def test_large_windows_of_texts_are_drawn_from():
    rows = kept([f"질문 {number % 50}" for number in range(5000)])
    found = mmd(rows, rows)
    assert (found.n_reference, found.n_current) == (5000, 5000) and found.p_value > 0.01


def test_large_windows_are_drawn_from():
    rng = np.random.default_rng(0)
    before, after = rng.multinomial(10, np.full(8, 1 / 8), size=(2, 6000))
    found = histogram(before, after)
    assert (found.n_reference, found.n_current) == (6000, 6000)
    assert found.p_value > 0.001
