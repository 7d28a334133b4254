"""Time all comparisons of several models on a KMMLU-sized benchmark.

Five models with made-up outcomes on 35,030 samples of 45 subjects; for all ten pairs the table of every subject, 10,000
paired resamples of every subject's, the micro and the macro difference with intervals and p-values, exact McNemar tests
corrected over subjects, and the difference with subjects as clusters. The target is 5 seconds on two cores. The
yardstick is the bootstrap as usually written: draw indices, take the mean of the drawn outcomes; it is timed for one
pair's micro difference, with fewer resamples, and scaled. Run it from the project's root:

    python -m benchmarks.perf.paired_comparisons
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks import stats

SUBJECT_SIZES = np.repeat([100, 130, 200, 300, 600, 1000], [5, 1, 3, 2, 2, 32])


def made_up_outcomes(models: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """0/1 outcomes of models of rising ability, shape (models, samples), and each sample's subject."""
    subjects = np.repeat(np.arange(SUBJECT_SIZES.size), SUBJECT_SIZES)
    difficulty = rng.normal(size=subjects.size) + rng.normal(scale=0.5, size=SUBJECT_SIZES.size)[subjects]
    ability = np.linspace(-0.3, 1.0, models)[:, None]
    chance = 1.0 / (1.0 + np.exp(difficulty - ability))
    return (rng.random(chance.shape) < 0.25 + 0.75 * chance).astype(np.float64), subjects


def compare_all(outcomes: NDArray[np.float64], subjects: NDArray[np.int64], resamples: int, seed: int) -> list[str]:
    """Compare all pairs of models; one line a pair."""
    lines = []
    for number, (i, j) in enumerate(itertools.combinations(range(len(outcomes)), 2)):
        tables = stats.paired_tables(outcomes[j], outcomes[i], subjects)
        boot = stats.bootstrap_paired(tables, resamples=resamples, seed=seed + number)
        exact = stats.benjamini_hochberg([stats.mcnemar_exact(t.gained, t.lost) for t in tables.values()])
        clustered = stats.compare_paired(outcomes[j], outcomes[i], clusters=subjects)
        found = sum(p is not None and p <= 0.05 for p in exact)
        lines.append(
            f"model {j} - model {i}: micro {boot.micro.interval}; macro {boot.macro.interval}; "
            f"by subject as cluster {clustered.interval}; {found} of {len(tables)} subjects differ"
        )
    return lines


def naive_seconds(first: NDArray[np.float64], second: NDArray[np.float64], resamples: int, seed: int) -> float:
    """Seconds a resample of one pair's micro difference takes when indices are drawn."""
    rng = np.random.default_rng(seed)
    started = time.perf_counter()
    for _ in range(resamples):
        drawn = rng.integers(first.size, size=first.size)
        first[drawn].mean() - second[drawn].mean()
    return (time.perf_counter() - started) / resamples


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time all paired comparisons of several models on a KMMLU-sized benchmark."
    )
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcomes, subjects = made_up_outcomes(given.models, np.random.default_rng(given.seed))
    pairs = given.models * (given.models - 1) // 2

    stats.holm([0.5])  # Import statsmodels and scipy now: an import is not what is timed.
    stats.wilson_interval(1, 2)
    started = time.perf_counter()
    lines = compare_all(outcomes, subjects, given.resamples, given.seed)
    seconds = time.perf_counter() - started
    print("\n".join(lines))

    naive = naive_seconds(outcomes[0], outcomes[1], 200, given.seed) * given.resamples * pairs
    print(
        f"\n{given.models} models, {pairs} pairs, {subjects.size} samples, {SUBJECT_SIZES.size} subjects, "
        f"{given.resamples} resamples: {seconds:.2f} s (target for 5 models: 5 s)\n"
        f"drawing indices, micro difference only: {naive:.1f} s (200 resamples of one pair, scaled), "
        f"{naive / seconds:.0f} times as long"
    )


if __name__ == "__main__":
    main()
