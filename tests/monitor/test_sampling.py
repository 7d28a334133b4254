"""Which calls are graded: by their identity and a seed, the newest hour first, no more of an hour than its budget."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from driftgate.monitor.sampling import Candidate, in_turn, is_drawn, place_of

HOUR = datetime(2026, 11, 2, 9, tzinfo=UTC)


def waiting(count: int, slice: str = "", hour: datetime = HOUR, first: int = 0) -> list[Candidate]:
    return [Candidate("5b" * 16, f"{first + n:016x}", slice, hour) for n in range(count)]


@pytest.mark.parametrize("rate", [0.01, 0.3, 1.0])
def test_a_share_is_drawn_by_who_they_are_and_a_larger_share_holds_the_smaller(rate: float) -> None:
    calls = waiting(4000)
    drawn = {one.key for one in calls if is_drawn(*one.key, rate, seed=0)}
    assert len(drawn) == pytest.approx(4000 * rate, rel=0.2)
    assert drawn >= {one.key for one in calls if is_drawn(*one.key, rate / 2, seed=0)}
    if rate < 1.0:
        assert drawn != {one.key for one in calls if is_drawn(*one.key, rate, seed=1)}
        assert drawn != {one.key for one in calls if is_drawn("5c" * 16, one.span_id, rate, seed=0)}


def test_the_newest_hour_comes_first_and_within_it_the_first_in_the_order_of_the_seed() -> None:
    calls = [*waiting(5), *waiting(5, hour=HOUR + timedelta(hours=2), first=5), *waiting(5, hour=HOUR - timedelta(1))]
    taken = list(in_turn(calls, {}, 3, seed=4))
    assert [one.hour for one in taken] == [one for one in sorted({call.hour for call in calls})[::-1] for _ in range(3)]
    for hour in {one.hour for one in taken}:
        order = sorted((one for one in calls if one.hour == hour), key=lambda one: place_of(*one.key, 4))
        assert [one for one in taken if one.hour == hour] == order[:3]


def test_what_an_hour_has_had_counts_and_each_slice_has_its_turn() -> None:
    calls = [*waiting(9, "a"), *waiting(9, "b", first=9), *waiting(2, "c", first=18)]
    assert Counter(one.slice for one in in_turn(calls, {}, 8, seed=0)) == {"a": 3, "b": 3, "c": 2}
    had = {HOUR: {"a": 2, "c": 1}}
    assert [one.slice for one in in_turn(calls, had, 6, seed=0)] == ["b", "b", "c"]
    assert list(in_turn(calls, had, 3, seed=0)) == []
    elsewhere = {HOUR - timedelta(hours=1): {"a": 8}}
    assert len(list(in_turn(calls, elsewhere, 8, seed=0))) == 8
