"""The two-parameter logistic model of item responses, for few models and many items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ABILITY_SD = 1.0
_LOG_DISCRIMINATION_SD = 0.35
_DIFFICULTY_SD = 1.5
_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class ItemResponse:
    """A fitted model.

    Parameters
    ----------
    discrimination, difficulty
        Of every item, shape (n_items,).
    ability
        Of every model, shape (n_models,).
    """

    discrimination: NDArray[np.float64]
    difficulty: NDArray[np.float64]
    ability: NDArray[np.float64]

    def expected(self, ability: float, items: NDArray[np.int64] | slice = slice(None)) -> float:
        """Expected accuracy at an ability, over some items."""
        return float(_logistic(self.discrimination[items] * (ability - self.difficulty[items])).mean())


def fit_item_response(right: NDArray[np.float64], groups: NDArray[np.int64]) -> ItemResponse:
    r"""Fit :math:`P(\text{right}) = \operatorname{logit}^{-1}(a_i (\theta_m - b_i))` by its posterior mode.

    A handful of models says little about one item, so everything is shrunk: :math:`\theta_m \sim N(0, 1)`,
    :math:`\log a_i \sim N(0, 0.35^2)` and :math:`b_i \sim N(\mu_{g(i)}, 1.5^2)`, with the mean of the item's group
    (its category) estimated. Items of one group with the same responses have the same parameters, so each such kind
    is fitted once. Newton's steps for items, groups and models take turns.

    Parameters
    ----------
    right
        0 or 1, shape (n_models, n_items).
    groups
        The group of each item, from 0, shape (n_items,).

    References
    ----------
    .. [1] Birnbaum (1968). Some latent trait models. In Lord, Novick, Statistical Theories of Mental Test Scores.
    .. [2] Mislevy (1986). Bayes modal estimation in item response models. Psychometrika 51, 177-195.
    .. [3] Maia Polo et al. (2024). tinyBenchmarks: evaluating LLMs with fewer examples. arXiv:2402.14992.

    Examples
    --------
    An item that only the stronger model solves is harder than one that both do:

    >>> right = np.array([[1, 0, 1, 0, 1, 0], [1, 1, 1, 0, 1, 1]])
    >>> fitted = fit_item_response(right, np.zeros(6, dtype=int))
    >>> bool(fitted.ability[1] > fitted.ability[0]), bool(fitted.difficulty[1] > fitted.difficulty[0])
    (True, True)
    """
    kinds, inverse, counts = np.unique(np.vstack([right, groups]), axis=1, return_inverse=True, return_counts=True)
    inverse = np.asarray(inverse).reshape(-1)
    responses, group = kinds[:-1].T, kinds[-1].astype(np.int64)
    weights = np.bincount(group, weights=counts)
    share = np.clip(right.mean(axis=1), 0.01, 0.99)
    ability = np.log(share / (1.0 - share))
    ability -= ability.mean()
    log_a, b, mean = np.zeros(group.size), np.zeros(group.size), np.zeros(weights.size)
    for _ in range(_ROUNDS):
        before = ability.copy()
        for _ in range(2):
            a = np.exp(log_a)[:, None]
            p = _logistic(a * (ability - b[:, None]))
            slope = -(a * (responses - p)).sum(axis=1) - (b - mean[group]) / _DIFFICULTY_SD**2
            curve = (a**2 * p * (1.0 - p)).sum(axis=1) + 1.0 / _DIFFICULTY_SD**2
            b = b + np.clip(slope / curve, -0.5, 0.5)
            z = a * (ability - b[:, None])
            p = _logistic(z)
            slope = (z * (responses - p)).sum(axis=1) - log_a / _LOG_DISCRIMINATION_SD**2
            curve = (z**2 * p * (1.0 - p)).sum(axis=1) + 1.0 / _LOG_DISCRIMINATION_SD**2
            log_a = log_a + np.clip(slope / curve, -0.3, 0.3)
        mean = np.divide(np.bincount(group, weights=counts * b), weights, out=np.zeros_like(weights), where=weights > 0)
        a = np.exp(log_a)[:, None]
        p = _logistic(a * (ability - b[:, None]))
        slope = (counts[:, None] * a * (responses - p)).sum(axis=0) - ability / _ABILITY_SD**2
        curve = (counts[:, None] * a**2 * p * (1.0 - p)).sum(axis=0) + 1.0 / _ABILITY_SD**2
        ability = ability + np.clip(slope / curve, -0.5, 0.5)
        if np.abs(ability - before).max() < 1e-4:
            break
    return ItemResponse(np.exp(log_a)[inverse], b[inverse], ability)


def estimate_ability(
    right: NDArray[np.float64], discrimination: NDArray[np.float64], difficulty: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The posterior mode of abilities from the answers to items whose parameters are known.

    Parameters
    ----------
    right, discrimination, difficulty
        Shape (..., n_items); leading axes are separate estimates.

    Returns
    -------
    ndarray
        Shape (...).

    Examples
    --------
    >>> float(estimate_ability(np.array([1.0, 1.0, 0.0]), np.ones(3), np.array([-1.0, 0.0, 1.0])).round(3))
    0.305
    """
    ability = np.zeros(np.asarray(right).shape[:-1])
    for _ in range(25):
        p = _logistic(discrimination * (ability[..., None] - difficulty))
        slope = (discrimination * (right - p)).sum(axis=-1) - ability / _ABILITY_SD**2
        curve = (discrimination**2 * p * (1.0 - p)).sum(axis=-1) + 1.0 / _ABILITY_SD**2
        step = np.clip(slope / curve, -1.0, 1.0)
        ability = ability + step
        if np.abs(step).max(initial=0.0) < 1e-6:
            break
    return np.asarray(ability)


def _logistic(value: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit

    return np.asarray(expit(value), dtype=np.float64)
