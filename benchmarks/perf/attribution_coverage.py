"""How often the limits of a contribution hold the truth, where a node moves few samples: by simulation.

A node lowers the score of a share of the samples by one, by a half (another node shares the loss), or raises as many
as it lowers. Each row prints the coverage of the 95% interval that the attribution states, and of Student's t with no
width where no sample moved, as it was stated before. Run it from the project's root:

    python -m benchmarks.perf.attribution_coverage --repetitions 2000 --seed 20261127

Exits with 1 where a coverage is below 94%.
"""

from __future__ import annotations

import argparse

import numpy as np

from driftgate.benchmarks.attribution import mean_within
from driftgate.benchmarks.stats import Interval, compare_means

SIZES = (25, 100, 400)
RATES = (0.0025, 0.01, 0.05, 0.2)
MOVES = {"all by -1": [-1.0], "all by -1/2": [-0.5], "as many up": [-1.0, 1.0]}
LEAST = 0.94


def before(values: np.ndarray) -> Interval:
    """Student's t; no width where no sample moved."""
    n = int(values.size)
    if not values.any():
        return Interval(0.0, 0.0, 0.0, 0.95, "no sample moved", n)
    return compare_means(values, np.zeros(n)).interval


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261127)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print(f"{'samples':>8} {'moved':>7} {'how':<12} {'none moved':>11} {'before':>8} {'now':>7} {'half width':>11}")
    missed = False
    for n in SIZES:
        for rate in RATES:
            for how, moves in MOVES.items():
                truth = rate * float(np.mean(moves))
                drawn = np.where(
                    rng.random((arguments.repetitions, n)) < rate, rng.choice(moves, (arguments.repetitions, n)), 0.0
                )
                idle = float((~drawn.any(axis=1)).mean())
                then = float(np.mean([truth in before(values) for values in drawn]))
                stated = [mean_within(values, 1.0)[0] for values in drawn]
                now = float(np.mean([truth in one for one in stated]))
                half = float(np.mean([((one.high or 0.0) - (one.low or 0.0)) / 2 for one in stated]))
                missed |= now < LEAST
                print(f"{n:>8} {rate:>7.2%} {how:<12} {idle:>11.1%} {then:>8.1%} {now:>7.1%} {half:>11.4f}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
