"""Choose the samples, and measure on models that were left out how well they predict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.datasets import SubsetItem, SubsetPlan
from driftgate.benchmarks.subset._irt import ItemResponse, estimate_ability, fit_item_response
from driftgate.benchmarks.subset._responses import Responses
from driftgate.flows.errors import DriftgateError

_CURVE = np.linspace(-5.0, 5.0, 101)
_LEAST_MODELS = 3
DRAWS = 200
"""Draws of each method for each left-out model."""


@dataclass(frozen=True)
class Method:
    """A way to choose samples and to predict from them."""

    name: str
    words: str
    order: str
    """Along what a systematic sample is drawn: ``none`` (a simple random one), ``category``, ``right`` or ``irt``."""
    estimator: str = "mean"


METHODS = (
    Method("random", "a simple random subset, its mean", "none"),
    Method("stratified", "every category in its share, the mean", "category"),
    Method("difficulty", "spread over how many models are right, and over categories; the mean", "right"),
    Method("irt", "spread over the difficulty of an item-response model; the mean", "irt"),
    Method("p-irt", "spread over that difficulty; the model's expectation for the rest", "irt", "p-irt"),
)
"""From the simplest on; the first is the yardstick."""


@dataclass(frozen=True)
class Measured:
    """How well a method predicts the scores of models that were left out."""

    method: Method
    errors: NDArray[np.float64]
    """Prediction less true score, shape (n_models, n_draws)."""

    @property
    def error(self) -> float:
        """Root mean square error."""
        return float(np.sqrt((self.errors**2).mean()))

    @property
    def worst(self) -> float:
        """The largest root mean square error of one model."""
        return float(np.sqrt((self.errors**2).mean(axis=1)).max())

    @property
    def bias(self) -> float:
        """The largest mean error of one model, in absolute terms."""
        return float(np.abs(self.errors.mean(axis=1)).max())

    @property
    def simulation_error(self) -> float:
        """Standard error of :attr:`error` from so few draws (delta method)."""
        squares = self.errors**2
        return float(squares.std() / np.sqrt(squares.size) / (2.0 * max(self.error, 1e-12)))


def measure_methods(
    responses: Responses,
    size: int,
    *,
    seed: int,
    draws: int = DRAWS,
    advance: Callable[[], None] = lambda: None,
) -> list[Measured]:
    """Leave one model out, choose by the others, predict its score; every method and several draws of each.

    Raises
    ------
    DriftgateError
        There are fewer than three models, or fewer samples than wanted.
    """
    if len(responses.models) < _LEAST_MODELS:
        raise DriftgateError(
            f"the ledger holds complete runs of {len(responses.models)} models on {responses.dataset}, expected at "
            f"least {_LEAST_MODELS}",
            "each model is left out once to measure the error: run or import more models",
        )
    if not 0 < size < responses.n:
        raise DriftgateError(f"--size is {size}, and {responses.dataset} has {responses.n:,} samples", "choose fewer")
    found: dict[str, list[NDArray[np.float64]]] = {method.name: [] for method in METHODS}
    for left_out in range(len(responses.models)):
        others = np.array([place for place in range(len(responses.models)) if place != left_out])
        right = responses.right[others]
        fitted = fit_item_response(right, responses.groups)
        truth, scores = float(responses.right[left_out].mean()), responses.right[left_out]
        for method in METHODS:
            rng, ranks = np.random.default_rng([seed, left_out]), _ranks(method, right, responses.groups, fitted)
            sampled = np.array([_draw(ranks, size, rng) for _ in range(draws)])
            found[method.name].append(_predictions(method, fitted, sampled, scores[sampled]) - truth)
        advance()
    return [Measured(method, np.array(found[method.name])) for method in METHODS]


def best(measured: Sequence[Measured]) -> Measured:
    """The simplest method that is not worse than the best one by more than the simulation can tell apart."""
    least = min(measured, key=lambda m: m.error)
    return next(m for m in measured if m.error <= least.error + 2.0 * m.simulation_error)


def choose(responses: Responses, size: int, measured: Sequence[Measured], *, seed: int) -> SubsetPlan:
    """Choose the samples by the best method, now from the answers of all models."""
    chosen = best(measured)
    fitted = fit_item_response(responses.right, responses.groups)
    rng = np.random.default_rng(seed)
    places = np.sort(_draw(_ranks(chosen.method, responses.right, responses.groups, fitted), size, rng))
    rest = np.setdiff1d(np.arange(responses.n), places)
    curve = [(float(t), round(fitted.expected(float(t), rest), 6)) for t in _CURVE]
    return SubsetPlan(
        of=responses.dataset,
        n=responses.n,
        method=chosen.method.name,
        estimator="p-irt" if chosen.method.estimator == "p-irt" else "mean",
        standard_error=round(chosen.error, 6),
        random_error=round(measured[0].error, 6),
        models=list(responses.models),
        seed=seed,
        curve=curve if chosen.method.estimator == "p-irt" else [],
        items=list(_items(responses, fitted, places)),
    )


def _items(responses: Responses, fitted: ItemResponse, places: NDArray[np.int64]) -> Iterator[SubsetItem]:
    for place in places:
        yield SubsetItem(
            key=responses.keys[place],
            weight=round(responses.n / places.size, 4),  # systematic draws give every sample the same chance
            discrimination=round(float(fitted.discrimination[place]), 4),
            difficulty=round(float(fitted.difficulty[place]), 4),
        )


def _ranks(
    method: Method, right: NDArray[np.float64], groups: NDArray[np.int64], fitted: ItemResponse
) -> NDArray[np.int64]:
    """The place of each item in the order that a method draws along; equal where the order does not care."""
    by = {
        "none": np.zeros_like(groups),
        "category": groups,
        "right": right.sum(axis=0).astype(np.int64) * (int(groups.max(initial=0)) + 1) + groups,
        "irt": fitted.difficulty,
    }[method.order]
    return np.asarray(np.unique(by, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def _draw(ranks: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A systematic sample of all items along their ranks, ties in random order [1]_: each has the same chance.

    References
    ----------
    .. [1] Cochran (1977). Sampling Techniques, 3rd ed., chapter 8.
    """
    order = np.argsort(ranks + rng.random(ranks.size))
    return np.asarray(order[((np.arange(size) + rng.random()) * ranks.size / size).astype(np.int64)])


def _predictions(
    method: Method, fitted: ItemResponse, sampled: NDArray[np.int64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """One prediction for each draw; shape (n_draws,)."""
    if method.estimator == "mean":
        return np.asarray(scores.mean(axis=1))
    abilities = estimate_ability(scores, fitted.discrimination[sampled], fitted.difficulty[sampled])
    # The few chosen samples hardly move the expectation over all, so one curve serves all draws.
    whole = np.interp(abilities, _CURVE, [fitted.expected(float(t)) for t in _CURVE])
    size, n = scores.shape[1], fitted.difficulty.size
    return np.asarray((scores.sum(axis=1) + (n - size) * whole) / n)
