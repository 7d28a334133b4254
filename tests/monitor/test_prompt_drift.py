"""The tests of a look at prompts: exact within questions, so that unsteadiness is not called sensitivity."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf.prompt_drift_table import (
    WEEKLY,
    answers,
    called,
    called_in_time,
    habits,
    look,
    moved,
    unsteadier,
)
from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.monitor._exchange import Pair, exchange_p_value, less_agreement, more_entropy, more_flips
from driftgate.monitor.prompt_drift import findings, repeatability, within_look

LOOKS = 120
TERMS = (more_flips, less_agreement, more_entropy)


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=2, max_size=4), st.lists(st.integers(0, 2), min_size=2, max_size=2)
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(TERMS),
)
def test_the_p_value_is_the_share_of_all_ways_to_deal_the_answers_out(questions, term):
    def value(before, now):
        return round(Pair(*(tuple(side.count(kind) for kind in range(3)) for side in (before, now))).value(term) * 360)

    pairs = [Pair(*(tuple(s.count(k) for k in range(3)) for s in question)) for question in questions]
    seen = sum(value(*question) for question in questions)
    ways = []
    for before, now in questions:
        whole = [*before, *now]
        dealt = []
        for chosen in itertools.combinations(range(len(whole)), len(now)):
            rest = [answer for place, answer in enumerate(whole) if place not in chosen]
            dealt.append(value(rest, [whole[place] for place in chosen]))
        ways.append(dealt)
    sums = [sum(one) for one in itertools.product(*ways)]
    # Values that differ by rounding only may fall on either side of a step of the grid.
    strict, loose = (sum(s >= seen + slack for s in sums) / len(sums) for slack in (len(pairs), -len(pairs)))
    exact = sum(s >= seen for s in sums) / len(sums)
    p_value = exchange_p_value(pairs, term)
    assert p_value == pytest.approx(exact) or strict - 1e-9 <= p_value <= loose + 1e-9


def test_a_flip_of_every_question_is_as_unlikely_as_the_ways_to_deal_it():
    pairs = [Pair((5, 0), (0, 2))] * 4
    assert exchange_p_value(pairs, more_flips) == pytest.approx(math.comb(7, 2) ** -4)


@pytest.mark.parametrize(("questions", "k"), [(50, 5), (100, 3)])
def test_unsteadiness_is_called_sensitivity_no_oftener_than_the_level_has_it(questions, k):
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(LOOKS):
        chances = habits(rng, questions)
        frame = look(rng, chances, k)
        alarms += bool(called(frame, 0.05))
    # Of 120 looks at level 0.05, more than 13 have an alarm once in a thousand times.
    assert alarms <= 13
    first = findings(within_look(frame), {}, 0.05)[0].everywhere
    assert first.reference_value > 0.1 and first.current_value > 0.1  # though its answers do differ


def test_an_unchanged_model_is_called_changed_no_oftener_than_the_level_has_it():
    rng = np.random.default_rng(12)
    alarms = 0
    for _ in range(LOOKS):
        chances = habits(rng, 50)
        alarms += bool(called_in_time(answers(rng, chances, 10), answers(rng, chances, 5), 0.05))
    assert alarms <= 13


def test_a_model_that_hangs_on_the_order_of_choices_is_found_in_one_weekly_look():
    rng = np.random.default_rng(13)
    found = [called(look(rng, habits(rng, 50), 5, sensitive=0.3), WEEKLY) for _ in range(20)]
    assert sum(one == {"sensitivity_option_order"} for one in found) >= 19


def test_what_became_unsteady_and_what_became_another_answer_are_told_apart():
    rng = np.random.default_rng(14)
    for _ in range(10):
        chances = habits(rng, 100)
        before = answers(rng, chances, 10)
        other = called_in_time(before, answers(rng, moved(rng, chances, 0.4), 5), WEEKLY)
        loose = called_in_time(before, answers(rng, unsteadier(rng, chances, 0.4), 5), WEEKLY)
        assert "answer_churn" in other and "repeat_agreement" not in other
        assert "repeat_agreement" in loose and "semantic_entropy" in loose


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), max_size=12))
def test_repeatability_counts_as_by_hand(runs):
    rows = [{"key": key, "form": "", "kind": kind} for key, kinds in enumerate(runs) for kind in kinds]
    found = repeatability(pd.DataFrame(rows, columns=["key", "form", "kind"]))
    several = [kinds for kinds in runs if len(kinds) > 1]
    pairs = [
        sum(a == b for i, a in enumerate(kinds) for b in kinds[:i]) / (len(kinds) * (len(kinds) - 1) / 2)
        for kinds in several
    ]
    entropies = [
        -sum(kinds.count(k) / len(kinds) * math.log(kinds.count(k) / len(kinds), len(kinds)) for k in set(kinds))
        for kinds in several
    ]
    assert found.n == len(several)
    if several:
        assert found.unanimous.estimate == pytest.approx(sum(len(set(k)) == 1 for k in several) / len(several))
        assert found.agreement.estimate == pytest.approx(sum(pairs) / len(pairs))
        assert found.entropy.estimate == pytest.approx(sum(entropies) / len(entropies))


def test_slips_of_the_hand_leave_numbers_negations_and_quotations_alone():
    from driftgate.monitor.perturbations import PERTURBATIONS, Prompt

    samples = load_dataset("sample", parse_config({"kind": "sample"}), Path()).samples
    changed = 0
    for sample in samples:
        other = PERTURBATIONS.get("typos").apply(Prompt(sample.data), key=sample.key, seed=random.Random(1).random())
        if other is None:
            continue
        before, after = (str(data["question"]).split() for data in (sample.data, other.data))
        slips = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
        assert slips
        for one, two in slips:
            assert len(one) == len(two) and not any(letter.isdigit() for letter in one)
            assert not any(word in one for word in ("않", "없", "아닌"))
        changed += 1
    assert changed > len(samples) / 4
