"""Simulate biased judges: does the corrected pass rate cover the true one, and how much shorter is its interval?

People grade 100 texts, drawn at random, of 10,000 that a judge passed or failed. Each judge has another bias, at true
pass rates from 0.1 to 0.95. Printed are, for driftgate's corrected rate, the normal interval of prediction-powered
inference with its tuned weight (PPI++) and the labels alone (Wilson's interval), how often the 95% interval covers the
true rate, and its mean width as a share of that of the labels alone. Run it from the project's root:

    python -m benchmarks.perf.simulate_ppi --repeats 1000 --seed 7

Exits with 1 if the coverage over all judges and rates is not 94 to 96%, if that of any one lies outside by more than
chance allows, if the interval of the good judge is not at least 30% shorter, or if that of the useless one is more than
5% longer.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np

from driftgate.benchmarks.stats import Labelled, corrected_rate, wilson_interval

RATES = (0.1, 0.3, 0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Simulated:
    """A judge by how often it passes what people pass and what they fail, in two slices of half of the texts each."""

    name: str
    of_passed: tuple[float, float]
    of_failed: tuple[float, float]


JUDGES = (
    Simulated("good", (0.97, 0.97), (0.05, 0.05)),
    Simulated("fair", (0.90, 0.90), (0.15, 0.15)),
    Simulated("lenient", (0.99, 0.99), (0.30, 0.30)),
    Simulated("strict", (0.75, 0.75), (0.01, 0.01)),
    Simulated("biased in a slice", (0.98, 0.70), (0.05, 0.50)),
    Simulated("nearly always passes", (0.98, 0.98), (0.95, 0.95)),
    Simulated("the wrong way round", (0.20, 0.20), (0.70, 0.70)),
    Simulated("useless", (0.50, 0.50), (0.50, 0.50)),
)


@dataclass
class Tally:
    """How often an interval covered, and its widths."""

    covered: int = 0
    width: float = 0.0

    def add(self, low: float, high: float, true: float) -> None:
        """One interval more."""
        self.covered += low <= true <= high
        self.width += high - low


def draw(
    rng: np.random.Generator, judge: Simulated, rate: float, n: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Counts of n texts, ``[judged to pass or not][passed by people or not]``."""
    table = np.zeros((2, 2), dtype=np.int64)
    first = rng.binomial(n, 0.5)
    for texts, of_passed, of_failed in zip((first, n - first), judge.of_passed, judge.of_failed, strict=True):
        good = rng.binomial(texts, rate)
        both, wrong = rng.binomial(good, of_passed), rng.binomial(texts - good, of_failed)
        table += np.array([[both, wrong], [good - both, texts - good - wrong]])
    return table


def normal(labels: np.ndarray[tuple[int, int], np.dtype[np.int64]], judged: int, n: int) -> tuple[float, float]:
    """The interval of PPI++ for a mean: Angelopoulos, Duchi, Zrnic (2023), with its tuned weight."""
    (a, b), (c, d) = labels.tolist()
    people, judge = np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d]), np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])
    few, share, spread = people.size, judged / n, float(judge.var())
    together = float(((people - people.mean()) * (judge - judge.mean())).mean())
    weight = together / spread / (1.0 + few / n) if spread else 0.0
    centre = weight * share + float((people - weight * judge).mean())
    error = math.sqrt(float((people - weight * judge).var(ddof=1)) / few + weight**2 * share * (1.0 - share) / n)
    return centre - 1.96 * error, centre + 1.96 * error


def simulate(
    rng: np.random.Generator, judge: Simulated, rate: float, repeats: int, few: int, many: int
) -> dict[str, Tally]:
    """Coverage and width of each interval for one judge and one rate."""
    found = {name: Tally() for name in ("corrected", "normal", "labels")}
    for _ in range(repeats):
        labels, others = draw(rng, judge, rate, few), draw(rng, judge, rate, many - few)
        judged = (labels + others).sum(axis=1)
        passing, failing = (Labelled(int(judged[row]), int(labels[row, 0]), int(labels[row, 1])) for row in (0, 1))
        made = corrected_rate(passing, failing)
        found["corrected"].add(made.low, made.high, rate)
        found["normal"].add(*normal(labels, int(judged[0]), many), rate)
        alone = wilson_interval(int(labels[:, 0].sum()), few)
        assert alone.low is not None and alone.high is not None
        found["labels"].add(alone.low, alone.high, rate)
    return found


def main() -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--judged", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    chance = 3.5 * math.sqrt(0.95 * 0.05 / given.repeats)
    print(f"{given.labels} labels in {given.judged:,} judgements, {given.repeats:,} repeats, seed {given.seed}")
    print(f"{'judge':22}{'rate':>6}{'covers':>9}{'width':>7}{'PPI++ covers':>14}{'width':>7}{'labels cover':>14}")
    bad, covers, shorter = [], [], {}
    for judge in JUDGES:
        widths = []
        for rate in RATES:
            found = simulate(rng, judge, rate, given.repeats, given.labels, given.judged)
            cover = {name: one.covered / given.repeats for name, one in found.items()}
            width = {name: one.width / found["labels"].width for name, one in found.items()}
            print(
                f"{judge.name:22}{rate:6.2f}{cover['corrected']:9.1%}{width['corrected']:7.2f}"
                f"{cover['normal']:14.1%}{width['normal']:7.2f}{cover['labels']:14.1%}"
            )
            covers.append(cover["corrected"])
            widths.append(width["corrected"])
            if not 0.94 - chance <= cover["corrected"] <= 0.96 + chance:
                bad.append(f"{judge.name} at {rate:g} covers {cover['corrected']:.1%}")
        shorter[judge.name] = 1.0 - float(np.mean(widths))
    mean = float(np.mean(covers))
    print(f"coverage over all {len(covers)} settings: {mean:.2%}, from {min(covers):.1%} to {max(covers):.1%}")
    for name, by in shorter.items():
        print(f"{name:22} interval {abs(by):.0%} {'shorter' if by >= 0 else 'longer'} than that of the labels alone")
    bad += [f"all together cover {mean:.1%}"] if not 0.94 <= mean <= 0.96 else []
    bad += ["the good judge's interval is not 30% shorter"] if shorter["good"] < 0.3 else []
    bad += ["the useless judge's interval is longer"] if shorter["useless"] < -0.05 else []
    for told in bad:
        print(f"not as promised: {told}")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
