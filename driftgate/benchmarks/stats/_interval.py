"""The value every interval is: an estimate, its limits, or the reason it has none; and two of them as bounds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bounds", "Interval"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, or the reason why there is none.

    Either `low` and `high` are both numbers and `reason` is None, or both are None and `reason` says what is missing.

    Parameters
    ----------
    estimate
        The point estimate; None only if there are no samples.
    low, high
        The limits, in the estimate's unit.
    level
        The nominal coverage, such as 0.95.
    method
        The name of the method, as printed beside the number.
    n
        The number of samples.
    reason
        Why there are no limits.

    Examples
    --------
    >>> print(Interval(estimate=0.7, low=0.592, high=0.789, level=0.95, method="wilson", n=80))
    0.7000 [0.5920, 0.7890] (95% wilson, n=80)
    >>> print(Interval.unknown(None, level=0.95, method="wilson", n=0, reason="no samples"))
    unknown (no samples; wilson, n=0)
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    reason: str | None = None

    def __post_init__(self) -> None:
        known = self.low is not None and self.high is not None
        if known != (self.reason is None) or (self.low is None) != (self.high is None):
            raise ValueError(
                f"An interval has both limits or a reason: low={self.low}, high={self.high}, {self.reason!r}."
            )
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"An interval's limits are in order: low={self.low}, high={self.high}.")

    @classmethod
    def unknown(cls, estimate: float | None, *, level: float, method: str, n: int, reason: str) -> Interval:
        """An interval without limits, and why."""
        return cls(estimate=estimate, low=None, high=None, level=level, method=method, n=n, reason=reason)

    @property
    def known(self) -> bool:
        """Whether there are limits."""
        return self.reason is None

    def __contains__(self, value: float) -> bool:
        """Whether `value` lies within the limits; an interval without limits excludes nothing."""
        return self.low is None or self.high is None or self.low <= value <= self.high

    def __str__(self) -> str:
        estimate = "unknown" if self.estimate is None else f"{self.estimate:.4f}"
        if self.low is None or self.high is None:
            return f"{estimate} ({self.reason}; {self.method}, n={self.n})"
        return f"{estimate} [{self.low:.4f}, {self.high:.4f}] ({100 * self.level:g}% {self.method}, n={self.n})"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a score could have been had everything been answered: two bounds, each with its own sampling interval.

    A filtered, failed or missing sample is right or wrong in truth, nobody knows which. Without assumptions the score
    then lies between all of them wrong and all of them right, Manski's worst-case bounds [1]_. From `low.low` to
    `high.high` covers every value between these with at least the intervals' level [2]_.

    Parameters
    ----------
    low, high
        The score if everything not answered had been worst, best.
    n, n_unanswered
        Samples asked, and of these not answered (of a difference: by at least one side).

    References
    ----------
    .. [1] Manski (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2), 319-323.
    .. [2] Horowitz, Manski (2000). Nonparametric analysis of randomized experiments with missing covariate and outcome
       data. JASA 95, 77-84.
    """

    low: Interval
    high: Interval
    n: int
    n_unanswered: int
