"""Anytime-valid test of paired differences, by betting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from driftgate.monitor.detectors._detector import Detector, Evidence
from driftgate.monitor.detectors._paired import paired_evidence, paired_shares
from driftgate.monitor.signals import Direction

BETS: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Shares of the capital that are staked, each by a bettor of its own: small ones find small differences over many
pairs, large ones find a collapse within a few. None stakes all, so that no pair can ruin it."""


class EProcess:
    r"""Has the model become worse on the canaries? To be asked after every pair, as often as one likes.

    Each pair gives a difference ``x``, current less reference, in [-1, 1]. If nothing changed, or things got better,
    its mean given the past is at least 0. Bettor :math:`j` starts with capital 1 and multiplies it by
    :math:`1 - \lambda_j x`; under that hypothesis its capital is a nonnegative supermartingale, and so is the mean
    of all bettors' [2]_ [3]_. By Ville's inequality [1]_ that mean, the e-value, ever reaches :math:`1/\alpha` with
    probability at most :math:`\alpha`, whatever the rule by which one stops looking [4]_.

    Of 0/1 outcomes only discordant pairs change the capital: then this is the sequential form of McNemar's test.

    Parameters
    ----------
    alpha
        The chance of ever raising a false alarm.
    bad
        ``lower`` looks for a loss, ``higher`` for a gain, ``either`` gives half of the capital to each.

    Notes
    -----
    Every pair must be new. Canaries that are asked again and paired with the same reference answers as before are not:
    a reference answer that was right by luck then counts as lost at every look (twenty looks at a hundred made-up
    canaries, a fifth of them unsteady, raised false alarms in 18 of 100 runs). So use one process over time where
    every pair is asked anew, such as of a reference and a current deployment side by side. Looks at fixed reference
    answers are `driftgate.monitor.pooling`'s: each is tested by itself, against all that the reference may have been.

    References
    ----------
    .. [1] Ville (1939). Étude critique de la notion de collectif. Gauthier-Villars.
    .. [2] Shafer (2021). Testing by betting: a strategy for statistical and scientific communication. Journal of the
       Royal Statistical Society A 184, 407-431.
    .. [3] Waudby-Smith, Ramdas (2024). Estimating means of bounded random variables by betting. Journal of the Royal
       Statistical Society B 86, 1-27.
    .. [4] Howard, Ramdas, McAuliffe, Sekhon (2021). Time-uniform, nonparametric, nonasymptotic confidence sequences.
       Annals of Statistics 49, 1055-1080.

    Examples
    --------
    Nine pairs, seven of them lost:

    >>> process = EProcess(alpha=0.05)
    >>> for difference in [0, -1, -1, 0, -1, -1, -1, -1, -1]:
    ...     process.update(difference)
    >>> round(process.e_value, 2), process.drift_detected
    (20.47, True)

    The state goes to JSON and back between two looks:

    >>> again = EProcess.from_state(process.state())
    >>> again.n, again.e_value == process.e_value
    (9, True)
    """

    def __init__(self, alpha: float = 0.05, bad: Direction = "lower") -> None:
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha is {alpha!r}; expected a number strictly between 0 and 1, such as 0.05.")
        self.alpha = alpha
        self.bad: Direction = bad
        self.n = 0
        self._sum = 0.0
        self._stakes = _stakes(bad)
        self._log_capital = np.zeros(self._stakes.size)
        self._log_peak = 0.0

    def update(self, difference: float) -> None:
        """Take in one pair's difference, current less reference.

        Raises
        ------
        ValueError
            It lies outside [-1, 1].
        """
        if not -1.0 <= difference <= 1.0:
            raise ValueError(f"a paired difference is {difference!r}; expected a number from -1 to 1.")
        self.n += 1
        self._sum += difference
        if difference:
            self._log_capital += np.log1p(self._stakes * difference)
            self._log_peak = max(self._log_peak, self._log_e_value)

    @property
    def mean(self) -> float:
        """The mean difference so far; 0 before the first pair."""
        return self._sum / self.n if self.n else 0.0

    @property
    def e_value(self) -> float:
        """The mean capital now: how many times over the hypothesis "no worse" has been beaten."""
        return float(np.exp(self._log_e_value))

    @property
    def p_value(self) -> float:
        """One over the highest e-value so far: valid at any time, and never rising."""
        return float(np.exp(-self._log_peak))

    @property
    def drift_detected(self) -> bool:
        """Whether the e-value has reached ``1 / alpha``; once raised, the alarm stays."""
        return self.p_value <= self.alpha

    @property
    def _log_e_value(self) -> float:
        return float(np.logaddexp.reduce(self._log_capital) - np.log(self._log_capital.size))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as JSON has it."""
        return {
            "alpha": self.alpha,
            "bad": self.bad,
            "n": self.n,
            "sum": self._sum,
            "bets": list(BETS),
            "log_capital": self._log_capital.tolist(),
            "log_peak": self._log_peak,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> EProcess:
        """Go on from a state.

        Raises
        ------
        ValueError
            It was written with other bets than these: its capital cannot be carried over.
        """
        if tuple(state["bets"]) != BETS:
            raise ValueError(f"the state's bets are {state['bets']}, expected {list(BETS)}; start a new process.")
        process = cls(state["alpha"], state["bad"])
        process.n = int(state["n"])
        process._sum = float(state["sum"])
        process._log_capital = np.array(state["log_capital"], dtype=np.float64)
        process._log_peak = float(state["log_peak"])
        return process


def _stakes(bad: Direction) -> NDArray[np.float64]:
    bets = np.array(BETS)
    return {"lower": -bets, "higher": bets, "either": np.concatenate([-bets, bets])}[bad]


def log_e_value(differences: ArrayLike, bad: Direction = "lower") -> float:
    """The natural logarithm of the e-value of differences taken together, in no order.

    Parameters
    ----------
    differences
        Shape (n,), each in [-1, 1].

    Examples
    --------
    >>> round(float(np.exp(log_e_value([0, -1, -1, 0, -1, -1, -1, -1, -1]))), 2)
    20.47
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.size and not np.abs(values).max() <= 1.0:
        raise ValueError(f"a paired difference is {values[~(np.abs(values) <= 1.0)][0]!r}; expected -1 to 1.")
    stakes = _stakes(bad)
    capital = np.log1p(np.outer(stakes, values[values != 0.0])).sum(axis=1)
    return float(np.logaddexp.reduce(capital) - np.log(stakes.size))


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "lower",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    """Compare canaries' current answers with their reference answers.

    Valid, but within one look of fixed size it takes more evidence than the exact test of
    `driftgate.monitor.detectors.mantel_haenszel`: the freedom to stop at any pair has its price.

    Parameters
    ----------
    reference, current
        Of each canary, in the same order, how many answers were right and how many there are: shape (n, 2).
    bad, resolution, seed
        As in `driftgate.monitor.detectors.Detector`; nothing here is random.

    Returns
    -------
    Evidence
        The p-value is one over the e-value of the canaries' differences in the share of right answers; the rest is as
        in `paired_evidence`, and ``detail`` holds the e-value too.

    Examples
    --------
    >>> once = np.ones(30)
    >>> found = compare(np.c_[once, once], np.c_[np.repeat([1.0, 0.0], [20, 10]), once])
    >>> print(found.effect)
    -0.3333 [-0.5122, -0.1820] (95% tango, n=30)
    >>> round(found.p_value, 4)
    0.0088
    """
    before, after = paired_shares(reference, current)
    log_e = log_e_value(after - before, bad)
    found = paired_evidence(before, after, min(1.0, float(np.exp(-log_e))), "e-process")
    return replace(found, detail={**found.detail, "e_value": float(np.exp(min(log_e, 700.0)))})


DETECTOR = Detector("paired_binary", compare)
