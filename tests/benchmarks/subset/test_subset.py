"""Subsets: the item-response model, the choice, the measured error and the prediction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from driftgate.benchmarks.datasets import SubsetItem, SubsetPlan, read_subset, write_subset
from driftgate.benchmarks.subset import (
    Responses,
    best,
    choose,
    estimate_ability,
    fit_item_response,
    measure_methods,
    predict_full,
)
from driftgate.flows.errors import DriftgateError


def made_up(models: int, n: int, seed: int = 0) -> Responses:
    rng = np.random.default_rng(seed)
    difficulty, discrimination = rng.normal(0, 1.6, n), np.exp(rng.normal(0.4, 0.2, n))
    ability = np.linspace(-1.2, 1.2, models)[:, None]
    chance = 1 / (1 + np.exp(-discrimination * (ability - difficulty)))
    right = (rng.random((models, n)) < chance).astype(float)
    groups = rng.integers(0, 6, n)
    return Responses("exam", [f"m{i}" for i in range(models)], [f"k{i}" for i in range(n)], right, groups)


def test_the_fit_orders_models_and_items_as_they_are() -> None:
    responses = made_up(6, 3000)
    fitted = fit_item_response(responses.right, responses.groups)
    assert np.all(np.diff(fitted.ability) > 0)
    right = responses.right.sum(axis=0)
    means = [fitted.difficulty[right == k].mean() for k in range(7)]
    assert np.all(np.diff(means) < 0)
    assert np.all(fitted.discrimination > 0)


def test_items_with_the_same_answers_and_group_are_alike() -> None:
    responses = made_up(4, 400)
    fitted = fit_item_response(responses.right, responses.groups)
    kinds = np.vstack([responses.right, responses.groups])
    same = (kinds == kinds[:, :1]).all(axis=0)
    assert np.ptp(fitted.difficulty[same]) == 0.0


def test_an_ability_is_found_again_from_many_items() -> None:
    rng = np.random.default_rng(1)
    a, b = np.exp(rng.normal(0, 0.2, 4000)), rng.normal(0, 1, 4000)
    for ability in (-1.0, 0.0, 1.5):
        right = (rng.random(4000) < 1 / (1 + np.exp(-a * (ability - b)))).astype(float)
        assert float(estimate_ability(right, a, b)) == pytest.approx(ability, abs=0.12)


def test_spreading_over_difficulty_beats_a_random_subset_where_items_differ() -> None:
    measured = measure_methods(made_up(6, 4000), 200, seed=1, draws=60)
    errors = {m.method.name: m.error for m in measured}
    assert measured[0].method.name == "random"
    assert errors["random"] == pytest.approx(np.sqrt(0.25 / 200), rel=0.25)
    assert errors["difficulty"] < 0.9 * errors["random"]
    assert best(measured).method.name in ("difficulty", "irt", "p-irt")


def test_where_items_do_not_differ_the_simplest_is_taken() -> None:
    rng = np.random.default_rng(3)
    right = (rng.random((5, 3000)) < 0.5).astype(float)
    responses = Responses("exam", [*"abcde"], [str(i) for i in range(3000)], right, np.zeros(3000, dtype=int))
    measured = measure_methods(responses, 100, seed=0, draws=40)
    chosen = best(measured)
    assert chosen.error > 0.9 * measured[0].error
    assert chosen.error <= min(m.error for m in measured) + 2 * chosen.simulation_error


def test_the_stated_error_is_kept_by_a_model_that_nobody_has_seen() -> None:
    """Subsets chosen by five models predict a sixth within the stated interval about as often as promised."""
    responses = made_up(6, 4000, seed=5)
    known = Responses("exam", responses.models[:5], responses.keys, responses.right[:5], responses.groups)
    measured = measure_methods(known, 200, seed=2, draws=60)
    truth, inside = responses.right[5].mean(), 0
    for seed in range(60):
        plan = choose(known, 200, measured, seed=seed)
        inside += truth in predict_full(plan.model_dump(mode="json"), frame_of(plan, responses.right[5]))
    assert 50 <= inside <= 60


def frame_of(plan: SubsetPlan, scores: NDArray[np.float64]) -> pd.DataFrame:
    keys = [item.key for item in plan.items]
    return pd.DataFrame({"key": keys, "correct": [scores[int(key[1:])] for key in keys]})


def test_the_choice_repeats_and_every_sample_stands_once() -> None:
    responses = made_up(5, 1000)
    measured = measure_methods(responses, 100, seed=0, draws=20)
    first, again = (choose(responses, 100, measured, seed=4) for _ in range(2))
    assert first == again
    assert len({item.key for item in first.items}) == 100
    assert first.random_error == pytest.approx(measured[0].error, abs=1e-6)


def test_a_run_that_asked_only_some_predicts_nothing() -> None:
    responses = made_up(5, 1000)
    plan = choose(responses, 50, measure_methods(responses, 50, seed=0, draws=20), seed=0)
    found = predict_full(plan.model_dump(mode="json"), frame_of(plan, responses.right[0]).head(40))
    assert found.low is None and "10 of the 50 chosen samples were not asked" in str(found.reason)


def test_both_estimators_agree_on_a_model_like_the_others() -> None:
    responses = made_up(5, 3000)
    measured = [m for m in measure_methods(responses, 400, seed=0, draws=20) if m.method.name in ("random", "p-irt")]
    p_irt = [m for m in measured if m.method.name == "p-irt"]
    plan = choose(responses, 400, p_irt, seed=0)
    assert plan.estimator == "p-irt" and len(plan.curve) > 50
    found = predict_full(plan.model_dump(mode="json"), frame_of(plan, responses.right[2]))
    assert found.estimate == pytest.approx(responses.right[2].mean(), abs=0.06)


def test_too_few_models_or_samples_are_refused() -> None:
    with pytest.raises(DriftgateError, match="runs of 2 models"):
        measure_methods(made_up(2, 100), 10, seed=0)
    with pytest.raises(DriftgateError, match="--size is 100, and exam has 100"):
        measure_methods(made_up(3, 100), 100, seed=0)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    items = [SubsetItem(key="a/가", weight=2.5, difficulty=-1.0)]
    plan = SubsetPlan(
        of="a", n=9, method="irt", standard_error=0.02, random_error=0.03, curve=[(0.0, 0.5)], items=items
    )
    write_subset(plan, tmp_path / "deep/small.jsonl")
    assert read_subset(tmp_path / "deep/small.jsonl") == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines"),
        ("{}\n[]\n", "expected one about the subset"),
        ('{"of": "a"}\n{"key": "k"}\n', "line 1: n"),
        (
            '{"of": "a", "n": 3, "method": "irt", "standard_error": 0, "random_error": 0}\n{"key": "k", "weight": 0}\n',
            "line 2: items.0.weight",
        ),
        ("{broken\n", "line 1"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "small.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(DriftgateError, match=message):
        read_subset(tmp_path / "small.jsonl")
