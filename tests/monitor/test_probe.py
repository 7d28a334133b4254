"""A probe: few canaries, each asked several times a look, of which some begin to answer otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftgate.monitor._answers import by_themselves
from driftgate.monitor._reference import pooled_look
from driftgate.monitor.config import CanaryConfig, MonitorConfig
from driftgate.monitor.detectors import DETECTORS
from driftgate.monitor.pooling import Budget

CANARIES, REPEATS, LOOKS = 50, 4, 8
LEVEL = Budget(0.05, 8766).level
FLOORS = MonitorConfig(champion="a", canaries=CanaryConfig(dataset="d", probe=True)).canary_floors
Usual = Callable[[int], str]


def asked(rng: np.random.Generator, at: int, usual: Usual, *, cached: bool = False) -> pd.DataFrame:
    """A look at canaries that are answered otherwise one time in five; ``cached``: once for all repeats of the look."""
    odd = rng.random((CANARIES, 1 if cached else REPEATS)) < 0.2
    odd = np.broadcast_to(odd, (CANARIES, REPEATS))
    letters = [["C" if one else usual(number) for one in row] for number, row in enumerate(odd)]
    rows = [(number, letter) for number, row in enumerate(letters) for letter in row]
    frame = pd.DataFrame(rows, columns=["key", "answer"])
    time = pd.Timestamp("2026-03-01", tz="UTC") + pd.Timedelta(hours=at)
    return frame.assign(
        time=time, slice="s", correct=(frame["answer"] == "A").astype(float), outcome="answered", error=""
    )


def looks(seed: int, count: int, *, cached: bool = False) -> list[pd.DataFrame]:
    rng = np.random.default_rng(seed)
    return [asked(rng, at, lambda number: "A", cached=cached) for at in range(count)]


def alerted(reference: list[pd.DataFrame], current: list[pd.DataFrame], *, probe: bool = True) -> set[str]:
    return {alert.signal for alert in pooled_look(reference, current, FLOORS, LEVEL, probe=probe).alerts}


def test_a_fifth_of_the_canaries_that_answer_otherwise_is_seen_at_the_first_look() -> None:
    seen = {"probe": 0, "sums": 0}
    for seed in range(5):
        reference, rng = looks(seed, LOOKS), np.random.default_rng(100 + seed)
        other = asked(rng, LOOKS, lambda number: "B" if number % 5 == 0 else "A")
        seen["probe"] += "canary_agreement" in alerted(reference, [other])
        seen["sums"] += "canary_agreement" in alerted(reference, [other], probe=False)
    assert seen["probe"] >= 4 and seen["sums"] < seen["probe"]


def test_canaries_that_answer_as_they_did_are_no_alert() -> None:
    for seed in range(4):
        made = looks(seed, LOOKS + 4)
        assert alerted(made[:LOOKS], made[LOOKS:]) == set()


def test_repeats_that_a_cache_answers_are_one_answer() -> None:
    made = looks(3, 3 * LOOKS, cached=True)
    assert all(len(frame) == CANARIES for frame in by_themselves(made, LOOKS))
    for last in range(LOOKS + 1, len(made), 8):
        assert alerted(made[:LOOKS], made[LOOKS:last]) == set()
    fresh = looks(3, LOOKS)
    assert all(len(frame) == CANARIES * REPEATS for frame in by_themselves(fresh, LOOKS))


@given(
    before=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    now=st.lists(st.integers(0, 4), min_size=8, max_size=8),
    worse=st.integers(0, 7),
)
def test_one_more_wrong_answer_is_never_less_evidence(before: list[int], now: list[int], worse: int) -> None:
    compare = DETECTORS.get("few_changed").compare
    of_reference = np.array([[right, 12] for right in before], dtype=float)
    of_now = np.array([[right, 4] for right in now[: len(before)]], dtype=float)
    fewer = of_now.copy()
    place = worse % len(before)
    fewer[place, 0] = max(0.0, fewer[place, 0] - 1.0)
    first, second = compare(of_reference, of_now), compare(of_reference, fewer)
    assert first.p_value is not None and second.p_value is not None
    assert second.p_value <= first.p_value * (1.0 + 1e-9)


def test_a_probe_asks_no_more_than_it_may() -> None:
    probe = CanaryConfig(dataset="d", probe=True)
    assert (probe.limit, probe.repeats) == (50, 4)
    assert CanaryConfig(dataset="d", probe=True, limit=200, repeats=1).limit == 200
    for settings in ({"limit": 51}, {"repeats": 5}, {"limit": None}):
        with pytest.raises(ValidationError, match="a probe makes at most 200 requests a look"):
            CanaryConfig(dataset="d", probe=True, **settings)
    assert FLOORS == {"canary_accuracy": 0.02, "canary_agreement": 0.02}
    said = MonitorConfig(champion="a", canaries=probe, floors={"canary_accuracy": 0.1}).canary_floors
    assert said["canary_accuracy"] == 0.1
