"""Looks that are pooled: what the simulated monitor decides is what the product decides, and worse is never better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf._canary_looks import alarming
from benchmarks.perf.canary_table import World, alarmed, by_the_product, found_in, lapsed
from driftgate.monitor._reference import pooled_look
from driftgate.monitor.config import CanaryConfig, MonitorConfig
from driftgate.monitor.detectors.mantel_haenszel import compare, exact_p_value
from driftgate.monitor.drift import Look
from driftgate.monitor.pooling import Budget, Part, combined, grown

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seed", "loss", "floor", "grows_to"),
    [(1, 0.1, 0.05, 8), (3, 0.06, 0.02, 64), (4, 0, 0.02, 64)],
)
def test_the_simulated_monitor_decides_as_the_product(seed: int, loss: float, floor: float, grows_to: int) -> None:
    rng, world = np.random.default_rng(seed), World(floor=floor, grows_to=grows_to)
    before = world.chances(rng, 60)
    after = lapsed(rng, before, loss)
    course = np.vstack([np.tile(before, (world.references + 60, 1)), np.tile(after, (36, 1))])
    courses = replace(world.courses(world.answers(rng, course)[None]), level=1e-4)
    places = np.array([0, 39, 62, 64, 66, 70, 95])
    mine = alarming(courses, list(courses.sums()), np.zeros(places.size, dtype=int), places)
    assert mine.tolist() == [by_the_product(courses, 0, place) for place in places.tolist()]
    assert mine.any() == (loss > 0.0)


def test_a_loss_is_found_late_as_well_as_early_and_a_year_without_one_is_quiet() -> None:
    for canaries, moment, loss in ((100, 5, 0.1), (100, 300, 0.03), (50, 5000, 0.05)):
        assert found_in(World(), canaries, moment, partial(lapsed, loss=loss), 8, [15])[0].all()
    # Two thirds of such losses are missed where the reference stays as it was.
    assert found_in(World(grows_to=8), 50, 5000, partial(lapsed, loss=0.05), 8, [15])[0].sum() <= 6
    assert not any(alarmed(World(), 50, np.random.default_rng(year)) for year in range(3))


def canary_looks(right: np.ndarray, references: int, floors: dict[str, float]) -> Look:
    """The newest look of some, of which the first are the reference."""
    frames = [
        pd.DataFrame({"time": pd.Timestamp(START), "key": range(right.shape[1]), "slice": "",
                      "answer": np.where(row, "A", "B"), "correct": row.astype(float)})
        for row in right
    ]  # fmt: skip
    return pooled_look(frames[:references], frames[references:], floors, Budget().level)


def test_steady_canaries_that_break_stand_out_from_those_that_never_are_steady() -> None:
    """Two of fifty: the noise of ten others is as large, until the steady ones are tested by themselves."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        right = np.ones((32 + 16, 50))
        right[:, :10] = rng.random((48, 10)) < 0.5
        right[32:, 10:12] = rng.random((16, 2)) < 0.25
        found.append(bool(canary_looks(right, 32, {"canary_accuracy": 0.01}).alerts))
    assert sum(found) >= 5, found


@pytest.mark.parametrize(("share", "signals"), [(0.2, {"canary_agreement"}), (0.06, set())])
def test_answers_that_change_as_often_for_the_better_are_churn_and_no_loss(share: float, signals: set[str]) -> None:
    """Steady canaries can only fall, so they are no evidence of a loss where the whole lost nothing."""
    chances = np.repeat([1.0, 0.0], 50)
    after = chances.copy()
    half = round(share * 50)
    after[:half], after[50 : 50 + half] = 0.0, 1.0
    right = np.vstack([np.tile(chances, (16, 1)), np.tile(after, (8, 1))])
    found = canary_looks(right, 16, {})
    assert {alert.signal for alert in found.alerts} == signals


def test_a_reference_takes_in_no_look_that_is_still_pooled() -> None:
    sizes = [grown(8, before, 64) for before in range(200)]
    assert all(size <= max(0, before + 1 - 32) for before, size in enumerate(sizes))
    assert sorted(set(sizes)) == [0, 8, 24, 56] and sizes == sorted(sizes)
    assert grown(8, 10**6, 8) == grown(8, 10**6, 15) == 0 and grown(8, 10**6, 16) == 8


CANARY = st.tuples(st.integers(1, 9), st.integers(1, 8)).flatmap(
    lambda asked: st.tuples(
        st.integers(0, asked[0]), st.just(asked[0]), st.integers(0, asked[1]), st.just(asked[1]), st.integers(0, 2)
    )
)


@given(st.lists(CANARY, min_size=1, max_size=12), st.integers(0, 11), st.sampled_from([0.0, 0.03, 0.2]), st.booleans())
def test_one_more_wrong_answer_never_raises_a_p_value(
    canaries: list[tuple[int, int, int, int, int]], which: int, floor: float, steady: bool
) -> None:
    table = np.array(canaries, dtype=float)
    worse = table.copy()
    worse[which % len(table), 2] = max(0.0, worse[which % len(table), 2] - 1.0)

    def p_value(rows: np.ndarray) -> float:
        def part(chosen: np.ndarray) -> Part:
            if not len(chosen):
                return Part(0.0, 1.0)
            loss = float((chosen[:, 0] / chosen[:, 1] - chosen[:, 2] / chosen[:, 3]).mean())
            return Part(loss, exact_p_value(chosen[:, :2], chosen[:, 2:4], "lower") if loss > 0 else 1.0)

        slices = [part(rows[rows[:, 4] == slice]) for slice in np.unique(rows[:, 4])]
        return combined(part(rows), slices, floor, part(rows[rows[:, 4] > 0]) if steady else None)

    assert p_value(worse) <= p_value(table) * (1 + 1e-9)


@given(st.lists(CANARY, min_size=1, max_size=12))
def test_the_exact_test_is_that_of_all_ways_to_deal_the_answers(
    canaries: list[tuple[int, int, int, int, int]],
) -> None:
    """Against draws: the number of right answers now, if each canary's answers are dealt out anew."""
    table = np.array(canaries)
    rng, draws = np.random.default_rng(0), 4000
    right = table[:, 0] + table[:, 2]
    dealt = rng.hypergeometric(right, table[:, 1] + table[:, 3] - right, table[:, 3], size=(draws, len(table)))
    share = (dealt.sum(axis=1) <= table[:, 2].sum()).mean()
    p_value = compare(table[:, :2].astype(float), table[:, 2:4].astype(float)).p_value
    assert p_value == pytest.approx(share, abs=4.5 * np.sqrt(0.25 / draws))


@pytest.mark.parametrize(
    ("cron", "looks"), [("0 * * * *", 8766), ("0 3 * * *", 365.25), ("*/30 8-17 * * 1-5", 5218), ("0 0 29 2 *", 0.25)]
)
def test_the_budget_is_of_a_year_as_the_schedule_has_it(cron: str, looks: float) -> None:
    monitor = MonitorConfig(champion="a", canaries=CanaryConfig(dataset="d"), cron=cron, false_alarms_per_year=0.05)
    budget = monitor.budget
    assert budget.looks_per_year == pytest.approx(looks, rel=1e-3)
    assert budget.level <= 0.05
    spent = budget.level * looks + budget.level_of_reference(8) * 14
    assert spent <= 0.0501 and (looks < 1 or spent == pytest.approx(0.05, rel=1e-3))


def test_the_setting_of_before_says_what_took_its_place() -> None:
    with pytest.raises(ValueError, match="put false_alarms_per_year in its place"):
        MonitorConfig.model_validate({"champion": "a", "canaries": {"dataset": "d"}, "alpha": 0.05})


def test_the_level_does_not_depend_on_how_many_looks_there_were() -> None:
    """Where it did, the smallest loss that could alarm grew from 5 points to 21 in a year of hourly looks."""
    hour = timedelta(hours=1)
    smallest = []
    for number in (1, 50, 8760):
        for lost in range(1, 30):
            right = np.ones((9, 100))
            right[8, :lost] = 0.0
            frames = [
                pd.DataFrame({"time": pd.Timestamp(START + hour * (place if place < 8 else number + 8)),
                              "key": range(100), "answer": np.where(row, "A", "B"), "correct": row, "slice": ""})
                for place, row in enumerate(right)
            ]  # fmt: skip
            if pooled_look(frames[:8], frames[8:], {}, Budget().level).alerts:
                smallest.append(lost)
                break
    assert smallest == [7, 7, 7]
