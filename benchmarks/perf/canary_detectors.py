"""What would an e-detector and an online FDR find that the tests of a monitor do not?

**E-detector.** Looks at canaries without a change are exchangeable, so the rank of a look's right answers among those
of all looks before it, ties broken at random, is uniform and independent of those before [1]_. Bets on small ranks are
e-values given the past, and their Shiryaev-Roberts sum is an e-detector [2]_: the mean number of looks until it reaches
A is at least A, whatever the canaries are. It is given the mean run length of the pooled tests, 0.5 / level. Both
see the same made-up answers (`benchmarks.perf.canary_table`): a loss from one look on, found within 48.

**Online FDR.** LORD [3]_ gives each look of traffic a level of its own, which falls while nothing is found, and
controls the share of false alarms among all; beside it the constant level of one false alarm a month.

Run it from the project's root (a few minutes):

    python -m benchmarks.perf.canary_detectors

References
----------
.. [1] Vovk, Gammerman, Shafer (2022). Algorithmic Learning in a Random World, second edition. Springer. Chapter 8.
.. [2] Shin, Ramdas, Rinaldo (2023). E-detectors: a nonparametric framework for sequential change detection. New
   England Journal of Statistics in Data Science 2, 229-260.
.. [3] Ramdas, Yang, Wainwright, Jordan (2017). Online control of the false discovery rate with decaying memory.
   NeurIPS.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.perf.canary_table import BUDGET, WITHIN, World, detected, lapsed
from driftgate.monitor.pooling import TrafficBudget

POWERS = (0.1, 0.3, 0.5)
"""Of the bets: with u a rank, power * u ** (power - 1)."""
MOMENTS, LOSSES, SIZES = (5, 50, 300), (0.03, 0.05, 0.10), (50, 100)

Floats = NDArray[np.float64]


def ranks(right: Floats, rng: np.random.Generator) -> Floats:
    """The share of looks before that were not better, for each look, ties at random."""
    found = np.ones(right.size)
    for look in range(1, right.size):
        earlier = right[:look]
        below, alike = (earlier < right[look]).sum(), (earlier == right[look]).sum()
        found[look] = (below + rng.random() * (alike + 1)) / (look + 1)
    return found


def found_by_bets(right: Floats, first: int, rng: np.random.Generator) -> bool:
    """Whether the e-detector alarms from the look ``first`` on, having begun anew after any alarm before."""
    sums, limit = np.zeros(len(POWERS)), BUDGET.mean_run
    powers = np.array(POWERS)
    for look, rank in enumerate(ranks(right, rng)):
        sums = (1.0 + sums) * (powers * max(rank, 1e-12) ** (powers - 1.0))
        if sums.mean() >= limit:
            if look >= first:
                return True
            sums = np.zeros(len(POWERS))
    return False


def lord(looks: int, share: float) -> Floats:
    """The levels of LORD++ while nothing is found; half of the share is there to begin with."""
    place = np.arange(1.0, looks + 1)
    # Ramdas and others' weights, which sum to about one.
    weights = 0.0722 * np.log(np.maximum(place, 2.0)) / (place * np.exp(np.sqrt(np.log(place))))
    return np.asarray(share / 2.0 * weights)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=15)
    given = parser.parse_args()
    world = World()
    print(
        f"% of losses found within {WITHIN} looks at a mean run of {BUDGET.mean_run:,.0f} looks: pooled | e-detector\n"
    )
    print("| canaries | loss at look | " + " | ".join(f"{100 * loss:.0f} points" for loss in LOSSES) + " |")
    print("|---|---|" + "---|" * len(LOSSES))
    for canaries in SIZES:
        for moment in MOMENTS:
            cells = []
            for loss in LOSSES:
                rng, looks = np.random.default_rng([given.seed, canaries, moment, round(100 * loss)]), moment - 1
                right, pooled, bets = [], 0, 0
                for _ in range(given.runs):
                    chances = world.chances(rng, canaries)
                    after = np.tile(lapsed(rng, chances, loss), (WITHIN, 1))
                    before = np.tile(chances, (world.references + looks, 1))
                    right.append(world.answers(rng, np.vstack([before, after])))
                    bets += found_by_bets(right[-1].sum(axis=1).astype(float), world.references + looks, rng)
                pooled = int(detected(world.courses(np.stack(right))).sum())
                cells.append(f"{100 * pooled / given.runs:.0f} / {100 * bets / given.runs:.0f}")
            print(f"| {canaries} | {moment} | " + " | ".join(cells) + " |", flush=True)
    level, levels = TrafficBudget(1.0, 365.25, 1.0).level, lord(1000, 0.1)
    print("\n| look of traffic, nothing found before | level of one alarm a month | LORD, 10% of alarms false |")
    print("|---|---|---|")
    for look in (1, 7, 30, 100, 365, 1000):
        print(f"| {look} | {level:.3f} | {levels[look - 1]:.2g} |")
    print(f"\nlevels of LORD in sum, over 1,000 looks: {math.fsum(levels):.2f}")


if __name__ == "__main__":
    main()
