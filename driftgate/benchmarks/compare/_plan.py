"""What a comparison could find before it is run, from what earlier runs showed or from a stated assumption."""

from __future__ import annotations

import math
from dataclasses import dataclass

from driftgate.benchmarks import stats
from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import Pair
from driftgate.benchmarks.metrics import is_binary
from driftgate.flows.errors import DriftgateError


@dataclass(frozen=True)
class Design:
    """Two models to be asked the same samples.

    Parameters
    ----------
    n
        Samples.
    rate
        The middle of the two accuracies.
    discordance
        Share of samples that exactly one model gets right.
    design_effect
        Variance of the difference over that of independent samples; 1 where samples share no passages.
    source
        Where these come from, in words.
    """

    n: int
    rate: float
    discordance: float
    design_effect: float
    source: str
    alpha: float = 0.05
    power: float = 0.8

    def detectable(self, n: int | None = None) -> float | None:
        """The smallest true difference that is found with the wanted power, paired; None if none is."""
        return stats.minimum_detectable_effect_paired(
            self.n if n is None else n,
            self.discordance,
            alpha=self.alpha,
            power=self.power,
            design_effect=self.design_effect,
        )

    def detectable_unpaired(self, n: int | None = None) -> float | None:
        """The same if the two models were asked different samples, so many each."""
        count = self.n if n is None else n
        return stats.minimum_detectable_effect_unpaired(
            count, count, self.rate, alpha=self.alpha, power=self.power, design_effect=self.design_effect
        )

    def needed(self, difference: float) -> int:
        """Shared samples that a true difference needs; one wider than the discordance brings its own."""
        discordance = max(self.discordance, abs(difference))
        return stats.sample_size_paired(
            difference, discordance, alpha=self.alpha, power=self.power, design_effect=self.design_effect
        )

    def needed_unpaired(self, difference: float) -> int | None:
        """Samples that each side needs where none are shared; None where the rates would leave [0, 1]."""
        if not abs(difference) / 2 < min(self.rate, 1 - self.rate):
            return None
        return stats.sample_size_unpaired(
            difference, self.rate, alpha=self.alpha, power=self.power, design_effect=self.design_effect
        )


def observed_design(pair: Pair, *, alpha: float = 0.05, power: float = 0.8) -> Design:
    """The design of a pair of cells that were asked the same samples.

    The design effect is that of the paired differences over shared passages, at least 1: an estimate below it is
    more likely chance than passages that help.

    Raises
    ------
    DriftgateError
        The cells share too few samples, or are graded and not right or wrong; one was stopped early, or answered none
        of them.
    """
    _check_measured(pair.candidate, pair.reference)
    table = pair.overall.comparison
    asked_again = max(side.scores.cell.repeats for side in (pair.candidate, pair.reference))
    if asked_again > 1:
        raise DriftgateError(
            f"{pair.name}: each sample was asked {asked_again} times, and a plan is of samples that are right or wrong",
            "plan from runs without repeats, or give --rate and --n",
        )
    if not table.paired or table.n_discordant is None or not table.n:
        raise DriftgateError(
            f"{pair.name}: {pair.design}", "plan from runs on the same samples, or give --rate and --n"
        )
    ours, theirs = pair.candidate.shared_with(pair.reference)
    a, b = pair.candidate.right[ours], pair.reference.right[theirs]
    effect = None
    clusters = pair.candidate.clusters
    if clusters is not None:
        effect = stats.design_effect(a - b, clusters[ours])
    return Design(
        int(ours.size),
        float((a.mean() + b.mean()) / 2),
        table.n_discordant / table.n,
        max(1.0, effect or 1.0),
        f"observed, {pair.name}, {pair.design}",
        alpha,
        power,
    )


def _check_measured(*entries: Entry) -> None:
    """Refuse to plan from what leans, and from an outage: what nobody answered differs from everything.

    Raises
    ------
    DriftgateError
        A cell was stopped early, or none of its samples was answered.
    """
    for entry in entries:
        if entry.scores.cell.stopped:
            raise DriftgateError(
                f"{entry.label}, and what was asked until then leans",
                "plan from a run that asked everything, or give --rate and --n",
            )
        if not entry.settled.any():
            raise DriftgateError(
                f"{entry.label}: none of its {entry.settled.size:,} samples has an answer to judge",
                "plan from a run that was answered, or give --rate and --n",
            )


def assumed_design(
    rate: float,
    n: int,
    *,
    discordance: float | None = None,
    source: str = "assumed",
    alpha: float = 0.05,
    power: float = 0.8,
) -> Design:
    """A design without runs of both models.

    Without a discordance, that of two models of this accuracy that err independently is taken, ``2 rate (1 - rate)``.
    Real models agree more than that, so it is a cautious one: they will find smaller differences.

    Raises
    ------
    DriftgateError
        The rate, the discordance or n is out of range.

    Examples
    --------
    >>> design = assumed_design(0.6, 1000)
    >>> design.discordance, round(design.detectable(), 4), design.needed(0.05)
    (0.48, 0.0626, 1539)
    >>> round(assumed_design(0.6, 1000, discordance=0.2).detectable(), 4)
    0.0404
    """
    if not 0.0 < rate < 1.0:
        raise DriftgateError(f"--rate is {rate}", "give the expected accuracy as a share above 0 and below 1")
    if n < 1:
        raise DriftgateError(f"--n is {n}", "give the number of samples, at least 1")
    if discordance is not None and not 0.0 < discordance <= 1.0:
        raise DriftgateError(f"--discordance is {discordance}", "give a share above 0 and at most 1")
    share = round(2 * rate * (1 - rate), 12) if discordance is None else discordance
    words = "two models that err independently" if discordance is None else "as given"
    return Design(n, rate, share, 1.0, f"{source}: discordance of {words}", alpha, power)


def half_observed(entry: Entry, *, discordance: float | None, alpha: float, power: float) -> Design:
    """A design where only one of the models was run: its accuracy and samples, the discordance assumed."""
    _check_measured(entry)
    if not entry.right.size or not is_binary(entry.right):
        raise DriftgateError(f"{entry.label} has no right or wrong answers", "give --rate and --n")
    rate = min(max(float(entry.right.mean()), 1 / (2 * entry.right.size)), 1 - 1 / (2 * entry.right.size))
    words = f"accuracy and samples of {entry.label} on {entry.dataset}; assumed"
    return assumed_design(rate, entry.right.size, discordance=discordance, source=words, alpha=alpha, power=power)


def round_sizes(n: int) -> list[int]:
    """Sample sizes worth showing beside ``n``.

    Examples
    --------
    >>> round_sizes(1995)
    [100, 200, 300, 500, 1000, 1995, 2000, 5000]
    """
    steps = [m * 10**e for e in range(2, 6) for m in (1, 2, 5)] + [300]
    most = 4 * max(n, 250)
    return sorted({n, *(s for s in steps if s <= most and not math.isclose(s, n))})
