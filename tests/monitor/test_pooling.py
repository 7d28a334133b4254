"""Looks that are pooled: what the simulated monitor decides is what the product decides, and worse is never better."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf.canary_table import Watched, World, alarmed, alarms, detected, lapsed, parts
from driftgate.monitor._reference import pooled_look
from driftgate.monitor.config import CanaryConfig, MonitorConfig
from driftgate.monitor.detectors.mantel_haenszel import compare, exact_p_value
from driftgate.monitor.drift import Look
from driftgate.monitor.pooling import Budget, Part, combined

START = datetime(2026, 1, 1, tzinfo=UTC)


def by_the_product(watched: Watched, right: np.ndarray, place: int) -> Look:
    """The look of that place through frames, as a monitor makes it."""
    count = right.shape[1]
    slices = np.empty(count, dtype=object)
    for number, places in enumerate(parts(count)[1:]):
        slices[places] = f"s{number}"

    def frame(row: np.ndarray) -> pd.DataFrame:
        values = {"key": np.arange(count), "slice": slices, "answer": np.where(row, "A", "B")}
        return pd.DataFrame({"time": pd.Timestamp(START), **values, "correct": row.astype(float)})

    references = len(watched.reference["canary_accuracy"])
    newest = references + place
    reference = [frame(row) for row in right[:references]]
    current = [frame(row) for row in right[max(references, newest - 31) : newest + 1]]
    return pooled_look(reference, current, watched.floors, watched.level)


@pytest.mark.parametrize(("seed", "loss", "floor"), [(1, 0.1, 0.05), (2, 0.08, 0.03), (3, 0.2, 0.05), (4, 0.0, 0.02)])
def test_the_simulated_monitor_decides_as_the_product(seed: int, loss: float, floor: float) -> None:
    rng, world = np.random.default_rng(seed), World(floor=floor)
    before = world.chances(rng, 60)
    after = lapsed(rng, before, loss)
    right = world.answers(rng, np.vstack([np.tile(before, (16, 1)), np.tile(after, (36, 1))]))
    reference, looks = right[:8], right[8:]
    watched = Watched(
        {"canary_accuracy": reference, "canary_agreement": reference[1:] == reference[0]},
        {"canary_accuracy": looks, "canary_agreement": looks == reference[0]},
        {"canary_accuracy": floor, "canary_agreement": 0.1},
        level=1e-4,
    )
    places = [*range(0, 44, 3), 43]
    mine = set(alarms(watched)) & set(places)
    assert mine == {place for place in places if by_the_product(watched, right, place).alerts}
    assert bool(mine) == (loss > 0.0)


def test_a_loss_is_found_late_as_well_as_early_and_a_year_without_one_is_quiet() -> None:
    rng = np.random.default_rng(15)

    def ten_points(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
        return lapsed(rng, chances, 0.1)

    assert all(detected(rng, World(), 100, moment, ten_points) for moment in (5, 300, 5000) for _ in range(5))
    assert not any(alarmed(rng, World(), 50) for _ in range(3))


CANARY = st.tuples(st.integers(1, 9), st.integers(1, 8)).flatmap(
    lambda asked: st.tuples(
        st.integers(0, asked[0]), st.just(asked[0]), st.integers(0, asked[1]), st.just(asked[1]), st.integers(0, 2)
    )
)


@given(st.lists(CANARY, min_size=1, max_size=12), st.integers(0, 11), st.sampled_from([0.0, 0.03, 0.2]))
def test_one_more_wrong_answer_never_raises_a_p_value(
    canaries: list[tuple[int, int, int, int, int]], which: int, floor: float
) -> None:
    table = np.array(canaries, dtype=float)
    worse = table.copy()
    worse[which % len(table), 2] = max(0.0, worse[which % len(table), 2] - 1.0)

    def p_value(rows: np.ndarray) -> float:
        def part(chosen: np.ndarray) -> Part:
            loss = float((chosen[:, 0] / chosen[:, 1] - chosen[:, 2] / chosen[:, 3]).mean())
            return Part(loss, exact_p_value(chosen[:, :2], chosen[:, 2:4], "lower") if loss > 0 else 1.0)

        slices = [part(rows[rows[:, 4] == slice]) for slice in np.unique(rows[:, 4])]
        return combined(part(rows), slices, floor)

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
    assert smallest == [6, 6, 6]
