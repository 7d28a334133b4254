"""Worse evidence never improves a verdict, at ten thousand steps for every kind of rule."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from rule_kinds import FEWER, KINDS, SHAPES, WORSE, Kind, not_smaller

STEPS = 10_000
WALK = 9
"""Steps from one run to ever worse ones."""


def walks(kind: Kind, rng: np.random.Generator) -> Iterator[tuple[list[float], list[float], str]]:
    """Our values, those compared with, and the shape of the clusters; often nearly all are the best or the same."""

    def mixed(base: list[float]) -> list[float]:
        values = np.array(base)
        places = rng.integers(0, len(base), size=rng.integers(0, rng.choice([3, 6, 41])))
        values[places] = rng.choice(kind.values, size=len(places))
        return [float(value) for value in values]

    while True:
        n = int(rng.integers(1, 13) if rng.random() < 0.5 else rng.integers(20, 91))
        theirs = mixed([rng.choice(kind.values)] * n)
        yield mixed(theirs if rng.random() < 0.5 else [rng.choice(kind.values)] * n), theirs, str(rng.choice(SHAPES))


@pytest.mark.acceptance
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_no_step_of_a_long_walk_downhill_helps(kind: Kind) -> None:
    """Each step makes one to three answers worse, or loses them."""
    rng, taken = np.random.default_rng(20261127), 0
    for ours, theirs, shape in walks(kind, rng):
        before = kind.weigh(ours, theirs, shape)
        for _ in range(WALK):
            lost, worse = rng.random() < 0.3, list(ours)
            for place in rng.integers(0, len(ours), size=rng.integers(1, 4)):
                options = [value for value in kind.values if not (value - worse[place]) * kind.sign > 0.0]
                worse[place] = math.nan if lost or math.isnan(worse[place]) else float(rng.choice(options))
            after = kind.weigh(worse, theirs, shape)
            step = (ours, worse, theirs, shape)
            assert kind.verdict(after) in (FEWER if lost else WORSE)[kind.verdict(before)], step
            assert not_smaller(before.p_pass, after.p_pass), step
            assert not_smaller(before.p_fail, after.p_fail) if lost else not_smaller(after.p_fail, before.p_fail), step
            ours, before, taken = worse, after, taken + 1
        if taken >= STEPS:
            return
