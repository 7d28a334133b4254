"""What the simulations share: runs drawn from known truths, and a table of how often something happened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks import stats

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Random = np.random.Generator

# How many test samples KMMLU's 45 subjects have.
KMMLU = np.repeat([100, 130, 200, 300, 600, 1000], [5, 1, 3, 2, 2, 32])
RATES = (0.25, 0.95)  # True proportions are drawn anew from here, so that no lucky n and p is picked.


@dataclass(frozen=True)
class Row:
    """One simulated quantity: `trial` says whether it happened, `share` of the repetitions suffices if it is slow."""

    name: str
    trial: Callable[[Random], bool]
    share: float = 1.0
    judged: bool = True


def covers(interval: stats.Interval, truth: float) -> bool:
    """Whether a known interval holds the truth."""
    return interval.known and truth in interval


def rate(rng: Random) -> float:
    return float(rng.uniform(*RATES))


def pairs(rng: Random, n: int, difference: float, discordance: float) -> tuple[Floats, Floats]:
    """Outcomes of two models on n independent shared samples."""
    kinds = [0.5 * (1 - discordance)] * 2 + [(discordance + difference) / 2, (discordance - difference) / 2]
    both, neither, gained, lost = rng.multinomial(n, kinds)
    candidate = np.repeat([1.0, 0.0, 1.0, 0.0], [both, neither, gained, lost])
    return candidate, np.repeat([1.0, 0.0, 0.0, 1.0], [both, neither, gained, lost])


def clustered(rng: Random, sizes: Codes, p: float, correlation: float) -> tuple[Floats, Codes]:
    """Outcomes whose proportion varies between clusters (beta-binomial) with an intra-cluster correlation."""
    spread = 1.0 / correlation - 1.0
    rates = rng.beta(p * spread, (1.0 - p) * spread, size=sizes.size)
    clusters = np.repeat(np.arange(sizes.size), sizes)
    return (rng.random(clusters.size) < rates[clusters]).astype(np.float64), clusters


def clustered_pairs(rng: Random, sizes: Codes, difference: float, between: float) -> tuple[Floats, Floats, Codes]:
    """Outcomes of two models, 0.2 discordant, whose difference varies with standard deviation `between` clusters."""
    shifts = np.clip(rng.normal(difference, between, size=sizes.size), -0.2, 0.2)
    clusters = np.repeat(np.arange(sizes.size), sizes)
    draw, shift = rng.random(clusters.size), shifts[clusters]
    gained, lost = draw < (0.2 + shift) / 2, draw >= 1.0 - (0.2 - shift) / 2
    both = rng.random(clusters.size) < 0.6
    return (gained | (both & ~lost)).astype(np.float64), (lost | (both & ~gained)).astype(np.float64), clusters


def passages(count: int) -> Codes:
    """Sizes of passages with one to five questions each."""
    return np.resize(np.arange(1, 6), count)


def simulate(title: str, rows: list[Row], low: float, high: float, repetitions: int, seed: int) -> int:
    """Print one table and return how many judged figures lie outside [low, high] by more than two standard errors."""
    print(f"\n{title}")
    missed = 0
    for number, row in enumerate(rows):
        rng = np.random.default_rng([seed, number])
        count = max(100, round(repetitions * row.share))
        started = time.perf_counter()
        share = sum(row.trial(rng) for _ in range(count)) / count
        error = math.sqrt(max(share * (1.0 - share), 1.0 / count) / count)
        out = row.judged and not low - 2 * error <= share <= high + 2 * error
        missed += out
        name = row.name if row.judged else f"[{row.name}]"
        spent = f"({count}, {time.perf_counter() - started:.0f} s)"
        print(f"  {name:<62} {100 * share:6.2f}% +- {100 * error:.2f}  {'MISSED' if out else '':6} {spent}", flush=True)
    return missed
