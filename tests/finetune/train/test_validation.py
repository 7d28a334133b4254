"""The best of a training run is the lowest loss that was measured, and none where it is no number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.finetune.train._training import Kept
from driftgate.flows.errors import DriftgateError


@given(st.lists(st.floats(0, 20), min_size=1, max_size=30))
def test_the_first_of_the_lowest_is_kept(losses: list[float]) -> None:
    kept, best = Kept(), 0
    for step, loss in enumerate(losses):
        kept.step = step
        best = step if kept.measured(loss) else best
    assert losses[best] == kept.best_loss == min(losses)
    assert best == kept.best_step == losses.index(min(losses))
    assert kept.worse == len(losses) - 1 - best


@pytest.mark.parametrize("loss", [math.nan, math.inf])
@pytest.mark.parametrize("before", [[], [0.5]])
def test_a_loss_that_is_no_number_ends_the_training(loss: float, before: list[float]) -> None:
    kept = Kept()
    for one in before:
        kept.measured(one)
    with pytest.raises(DriftgateError, match="validation items is"):
        kept.measured(loss)
