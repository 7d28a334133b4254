"""What makes a Shapley value one: the four axioms, on games that hypothesis makes up."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.attribution import Design, exact_design, plan_design, sampled_design

Worth = dict[int, float]
_worth = st.floats(-1, 1, allow_nan=False).map(lambda value: round(value, 6))


@st.composite
def games(draw: st.DrawFn, least: int = 1) -> tuple[int, Worth]:
    players = draw(st.integers(least, 5))
    return players, {mask: draw(_worth) for mask in range(1 << players)}


@st.composite
def designs(draw: st.DrawFn, players: int) -> Design:
    if draw(st.booleans()):
        return exact_design(players, 1)
    return sampled_design(players, 1, orders=draw(st.sampled_from([2, 4, 8])), seed=draw(st.integers(0, 99)))


def only(design: Design, worth: Worth) -> np.ndarray:
    """Contributions of one sample, from no more than the coalitions that the design asks for."""
    (row,) = design.contributions([{mask: worth[mask] for mask in design.coalitions(0)}])
    return row


@given(st.data(), games())
def test_contributions_sum_to_the_difference(data: st.DataObject, game: tuple[int, Worth]) -> None:
    players, worth = game
    row = only(data.draw(designs(players)), worth)
    assert row.sum() == pytest.approx(worth[(1 << players) - 1] - worth[0], abs=1e-9)


@given(st.data(), games())
def test_a_player_that_changes_nothing_gets_nothing(data: st.DataObject, game: tuple[int, Worth]) -> None:
    players, worth = game
    idle = data.draw(st.integers(0, players - 1))
    worth = {mask: worth[mask & ~(1 << idle)] for mask in worth}
    assert only(data.draw(designs(players)), worth)[idle] == pytest.approx(0.0, abs=1e-12)


@given(st.data(), games(least=2))
def test_players_that_do_the_same_get_the_same(data: st.DataObject, game: tuple[int, Worth]) -> None:
    players, worth = game
    first, second = data.draw(st.permutations(range(players)))[:2]

    def exchanged(mask: int) -> int:
        rest = mask & ~(1 << first | 1 << second)
        return rest | (mask >> first & 1) << second | (mask >> second & 1) << first

    alike = {mask: worth[min(mask, exchanged(mask))] for mask in worth}
    row = only(exact_design(players, 1), alike)
    assert row[first] == pytest.approx(row[second], abs=1e-9)


@given(st.data(), games())
def test_contributions_of_a_sum_of_games_are_the_sum(data: st.DataObject, game: tuple[int, Worth]) -> None:
    players, first = game
    second = {mask: data.draw(_worth) for mask in first}
    design = data.draw(designs(players))
    both = only(design, {mask: first[mask] + second[mask] for mask in first})
    assert both == pytest.approx(only(design, first) + only(design, second), abs=1e-9)


@given(games())
def test_exact_values_are_the_mean_over_all_orders(game: tuple[int, Worth]) -> None:
    players, worth = game
    wanted = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        joined = 0
        for player in order:
            wanted[player] += (worth[joined | 1 << player] - worth[joined]) / len(orders)
            joined |= 1 << player
    assert only(exact_design(players, 1), worth) == pytest.approx(wanted, abs=1e-9)


def test_sampled_orders_come_close_to_the_exact_values() -> None:
    rng = np.random.default_rng(3)
    worth = dict(enumerate(rng.uniform(-1, 1, 1 << 7)))
    wanted = only(exact_design(7, 1), worth)
    found = sampled_design(7, 400, orders=16, seed=5).contributions([worth] * 400).mean(axis=0)
    assert found == pytest.approx(wanted, abs=0.03)


def test_the_same_seed_gives_the_same_orders() -> None:
    first, second = (sampled_design(8, 5, seed=4) for _ in range(2))
    assert [first.coalitions(n) for n in range(5)] == [second.coalitions(n) for n in range(5)]
    assert [first.coalitions(n) for n in range(5)] != [sampled_design(8, 5, seed=9).coalitions(n) for n in range(5)]


def test_many_players_are_sampled_and_few_are_not() -> None:
    assert plan_design(6, 3).exact
    assert not plan_design(7, 3).exact
    assert len(plan_design(7, 3).coalitions(0)) < 1 << 7


@pytest.mark.parametrize("orders", [0, 1, 5, -2])
def test_an_odd_number_of_orders_is_refused(orders: int) -> None:
    with pytest.raises(ValueError, match="even number"):
        sampled_design(3, 1, orders=orders)


def test_another_number_of_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2"):
        exact_design(1, 2).contributions([{0: 0.0, 1: 1.0}])
