"""How often the gate's tests pass, or fail, what lies exactly at its limit, over designs with clusters.

Run from the project's root::

    python -m benchmarks.perf.simulate_clusters [--repetitions 1000] [--seed 20261127]

A row is a design (so many clusters of so many samples), a column what is drawn: accuracies from 0.02 to 0.98 held
against a limit, two models whose outcomes differ in 2% to 20% of the samples and by the margin, and grades of 1 to 5 of
which a few are catastrophes. In each the truth lies at the limit, so that at most 5% may pass, and at most 5% fail. The
outcomes of a cluster share its own rate (Dirichlet) with an intra-cluster correlation (ICC). A star stands where the
gate says of a run that does not pass that there are too few clusters: no result of its size could. That depends on the
clusters' sizes and on the limit alone.

Exits with 1 if a figure is above 5.5% by more than two of its Monte Carlo standard errors.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.perf._simulation import Codes, Floats, Random
from driftgate.benchmarks.gate._quantities import Mean, Quantity, Share, opposite, too_few

ALPHA = 0.05
MOST = 0.055
DESIGNS: dict[str, Codes] = {
    "400 alone": np.ones(400, dtype=np.int64),
    "200 x 2": np.full(200, 2),
    "100 x 4": np.full(100, 4),
    "200 x 5": np.full(200, 5),
    "45 x 20": np.full(45, 20),
    "20 x 20": np.full(20, 20),
    "10 x 40": np.full(10, 40),
    "3 x 100": np.full(3, 100),
    "20 of 10 to 105": np.arange(10, 110, 5),
}
CORRELATIONS = (0.0, 0.05, 0.2)
Draw = Callable[[Random, Codes, float], Quantity]
"""Draws a run of clusters of these sizes with an ICC, whose truth lies at the limit."""


def rates(rng: Random, sizes: Codes, chances: Floats, correlation: float) -> Floats:
    """Of each cluster, the chances of each outcome; shape (clusters, outcomes)."""
    if correlation == 0.0:
        return np.broadcast_to(chances, (sizes.size, chances.size))
    spread = 1.0 / correlation - 1.0
    # A Dirichlet law with tiny parameters can draw nothing but zeros; then the cluster is of one outcome.
    drawn = rng.gamma(np.maximum(chances * spread, 1e-12), size=(sizes.size, chances.size))
    empty = drawn.sum(axis=1) == 0.0
    drawn[empty] = rng.multinomial(1, chances / chances.sum(), size=int(empty.sum()))
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def outcomes(rng: Random, sizes: Codes, chances: Floats, correlation: float) -> tuple[Codes, Codes | None]:
    """Which outcome each sample has, and its cluster."""
    clusters = np.repeat(np.arange(sizes.size), sizes)
    limits = rates(rng, sizes, chances, correlation).cumsum(axis=1)[clusters]
    which = (rng.random(clusters.size)[:, None] >= limits[:, :-1]).sum(axis=1)
    return which, None if (sizes == 1).all() else clusters


def accuracy(p: float) -> Draw:
    """An accuracy that is its limit."""

    def draw(rng: Random, sizes: Codes, correlation: float) -> Quantity:
        which, clusters = outcomes(rng, sizes, np.array([1.0 - p, p]), correlation)
        values = which.astype(np.float64)
        return Share(values, p) if clusters is None else Mean(values, clusters, p, 0.0, 1.0)

    return draw


def paired(margin: float, discordance: float) -> Draw:
    """A model that is worse by the margin, and differs in such a share of the samples."""
    gained, lost = (discordance - margin) / 2.0, (discordance + margin) / 2.0

    def draw(rng: Random, sizes: Codes, correlation: float) -> Quantity:
        chances = np.array([1.0 - gained - lost, gained, lost])
        which, clusters = outcomes(rng, sizes, chances, correlation)
        return Mean(np.array([0.0, 1.0, -1.0])[which], clusters, -margin, -1.0, 1.0)

    return draw


def grades(catastrophes: float) -> Draw:
    """Grades of 4 and 5, and a few of 1, whose mean is the limit."""

    def draw(rng: Random, sizes: Codes, correlation: float) -> Quantity:
        chances = np.array([(1.0 - catastrophes) / 2.0, (1.0 - catastrophes) / 2.0, catastrophes])
        values = np.array([5.0, 4.0, 1.0])
        which, clusters = outcomes(rng, sizes, chances, correlation)
        return Mean(values[which], clusters, float(chances @ values), 1.0, 5.0)

    return draw


COLUMNS: dict[str, Draw] = {
    **{f"accuracy {p:g}": accuracy(p) for p in (0.02, 0.1, 0.5, 0.9, 0.98)},
    **{f"pairs {100 * d:g}%": paired(0.02, d) for d in (0.02, 0.05, 0.1, 0.2)},
    **{f"grades {100 * q:g}%": grades(q) for q in (0.01, 0.05)},
}


@dataclass(frozen=True)
class Found:
    """Shares of the repetitions."""

    passed: float
    failed: float
    too_few: bool


def measure(draw: Draw, sizes: Codes, correlation: float, repetitions: int, rng: Random) -> Found:
    """Draw runs, and count what the gate's test says of them."""
    passed = failed = 0
    for _ in range(repetitions):
        quantity = draw(rng, sizes, correlation)
        passed += bool(quantity.test("above", ALPHA).shown)
        failed += bool(quantity.test(opposite("above"), ALPHA).shown)
    few = bool(too_few(draw(rng, sizes, correlation), "above", ALPHA))
    return Found(passed / repetitions, failed / repetitions, few)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261127)
    options = parser.parse_args()
    began = time.perf_counter()
    limit = MOST + 2.0 * math.sqrt(MOST * (1.0 - MOST) / options.repetitions)
    most = {"pass": 0.0, "fail": 0.0}
    print("wrong passes / wrong fails in 100 runs; *: too few clusters")
    print(f"{'':22}" + "".join(f"{name:>15}" for name in COLUMNS))
    for place, (name, sizes) in enumerate(DESIGNS.items()):
        for correlation in CORRELATIONS if sizes.max() > 1 else CORRELATIONS[:1]:
            told = []
            for column, draw in enumerate(COLUMNS.values()):
                rng = np.random.default_rng([options.seed, place, column, round(100 * correlation)])
                found = measure(draw, sizes, correlation, options.repetitions, rng)
                most = {"pass": max(most["pass"], found.passed), "fail": max(most["fail"], found.failed)}
                told.append(f"{100 * found.passed:.1f} /{100 * found.failed:4.1f}{'*' if found.too_few else ' '}")
            print(f"{name:<16}{correlation:5.2f} " + "".join(f"{one:>15}" for one in told), flush=True)
    print(f"at most {100 * most['pass']:.1f}% wrong passes, {100 * most['fail']:.1f}% wrong fails; ", end="")
    print(f"{options.repetitions} runs a figure, {time.perf_counter() - began:.0f} s")
    raise SystemExit(max(most.values()) > limit)


if __name__ == "__main__":
    main()
