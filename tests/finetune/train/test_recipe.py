"""Recipes, job names and the order of the items."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftgate.finetune.train import TRAINERS, Recipe, TrainerConfig, TrainingJob, parse_trainer
from driftgate.finetune.train._examples import batch_at
from driftgate.flows.errors import DriftgateError


@pytest.mark.parametrize("name", TRAINERS.names())
def test_every_trainer_is_a_member_of_its_kind(name: str) -> None:
    kind = TRAINERS.get(name)
    assert issubclass(kind.config, TrainerConfig)
    undocumented = [key for key, found in kind.config.model_fields.items() if not found.description]
    assert not undocumented


def test_an_unknown_trainer_and_an_unknown_key_are_named() -> None:
    with pytest.raises(DriftgateError, match="did you mean 'local'"):
        parse_trainer({"trainer": "locale"})
    with pytest.raises(ValidationError, match="ranks"):
        parse_trainer({"trainer": "local", "recipe": {"ranks": 8}})


@given(steps=st.integers(2, 300), warm_up=st.integers(0, 50), decay=st.floats(0, 1))
def test_the_learning_rate_is_positive_never_above_the_highest_and_reaches_it(
    steps: int, warm_up: int, decay: float
) -> None:
    if warm_up >= steps:
        with pytest.raises(ValidationError, match="warm_up"):
            Recipe(steps=steps, warm_up=warm_up, decay=decay)
        return
    recipe = Recipe(steps=steps, warm_up=warm_up, decay=decay, learning_rate=0.01)
    rates = [recipe.learning_rate_at(step) for step in range(steps)]
    assert all(0 < rate <= 0.01 for rate in rates)
    if warm_up <= (1 - decay) * steps:
        assert max(rates) == pytest.approx(0.01)
    highest = rates.index(max(rates))
    assert rates[: highest + 1] == sorted(rates[: highest + 1])


@given(count=st.integers(1, 40), batch=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_every_pass_takes_every_item_once(count: int, batch: int, seed: int) -> None:
    passes = 3
    seen = [place for step in range(-(-passes * count // batch)) for place in batch_at(step, batch, count, seed)]
    for start in range(0, passes * count, count):
        assert Counter(seen[start : start + count]) == Counter(range(count))


@pytest.mark.parametrize("name", ["ab", "With Space", "UPPER", "a" * 64, "9lives", "a_b", "../x"])
def test_a_name_no_service_would_take_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="cannot be called"):
        TrainingJob(name, {"provider": "local"}, tmp_path / "items.jsonl", tmp_path, tmp_path)


@given(
    settled_at=st.integers(10, 100), cool_down=st.integers(1, 40), steps=st.integers(50, 150), step=st.integers(0, 200)
)
def test_the_rate_falls_to_nothing_once_the_loss_has_settled(
    settled_at: int, cool_down: int, steps: int, step: int
) -> None:
    recipe = Recipe(learning_rate=1e-3, steps=steps, warm_up=5, cool_down=cool_down)
    rate = recipe.learning_rate_at(step, settled_at)
    assert 0 <= rate <= recipe.learning_rate_at(step, None)
    assert (rate == 0) == (step >= min(steps, settled_at + cool_down))
