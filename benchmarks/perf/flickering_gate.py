"""Simulate builds whose gate holds judged tests, one of which flickers: how often does a good build turn red?

A build asks ten judged tests. Nine always pass; the tenth passes by chance. A second kind of build has a test that is
really broken: it never passes. Each build goes through the gate's own decision, with each test asked once, and asked
``--repeats`` times under a ``pass_rate``. Printed are the verdicts in 100 builds, beside what the binomial says. Run it
from the project's root:

    python -m benchmarks.perf.flickering_gate --builds 2000 --seed 11

Exits with 1 if the builds of a test that flickers by half are decided alike in fewer than 95 of 100, or if a broken
test ever passes.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import pandas as pd

from driftgate.benchmarks.gate import Column, RuleConfig, decide, weigh

TESTS = 10


def column(answers: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Column:
    """A build as the gate sees it: one row a test, with the values of its repeats."""
    places = np.arange(len(answers))
    each = np.empty(len(answers), dtype=object)
    each[:] = list(answers)
    frame = pd.DataFrame({"key": places, "sample_id": places, "cluster": "", "category": "", "super_category": ""})
    frame["repeats"], frame["value"] = each, answers.mean(axis=1)
    return Column(frame, 0.0, 1.0, 0.0, "have no answer to judge")


def verdicts(rng: np.random.Generator, rule: RuleConfig, repeats: int, chance: float, builds: int) -> Counter[str]:
    """The verdicts on builds whose last test passes with a chance."""
    found: Counter[str] = Counter()
    for _ in range(builds):
        answers = np.ones((TESTS, repeats))
        answers[-1] = rng.binomial(1, chance, repeats)
        build = column(answers)
        if rule.pass_rate is not None:
            build = build.passing(rule.pass_rate)
        ((verdict, _),) = decide([(rule, weigh(rule, build, plan=False))])
        found[verdict] += 1
    return found


def main() -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--builds", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    from scipy.stats import binom

    rng, every = np.random.default_rng(given.seed), {"metric": "judge.grade.passed", "min": 1.0}
    rate = 1.0 / given.repeats
    rules = [(1, None), (given.repeats, None), (given.repeats, rate), (given.repeats, 0.6)]
    missed = 0
    print(f"{'rule':34} {'the test passes':>16}  {'green in 100':>12}  expected  others")
    for repeats, pass_rate in rules:
        rule = RuleConfig.model_validate(every | ({"pass_rate": pass_rate} if pass_rate else {}))
        for chance in (0.5, 0.8, 0.0):
            found = verdicts(rng, rule, repeats, chance, given.builds)
            least = repeats if pass_rate is None else int(np.ceil(pass_rate * repeats - 1e-9))
            green = 100 * found["pass"] / given.builds
            expected = 100 * float(binom.sf(least - 1, repeats, chance))
            others = ", ".join(f"{name} {n}" for name, n in found.items() if name not in ("pass", "fail"))
            name = f"asked {repeats} times, " + (f"pass_rate {pass_rate:g}" if pass_rate else "all must pass")
            print(f"{name:34} {100 * chance:>15g}%  {green:>12.1f}  {expected:>8.1f}  {others}")
            missed += pass_rate == rate and chance == 0.5 and green < 95
            missed += chance == 0.0 and green > 0
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
