"""Check by simulation what the gate promises: how often it is wrong, and how often it decides where it says it can.

Runs are drawn from known truths and go through the gate's own decision: its evidence, its correction, its verdict.
Three tables are printed: how often a gate passes what is just not good enough, or fails what is just good enough
(wanted: at most 5%); how often it passes at the minimum detectable effect that it states (wanted: 78 to 82%); and the
coverage of the 95% intervals beside the verdicts (wanted: at least 94%). A figure counts as missed if it is further
out than two of its Monte Carlo standard errors. Rows in brackets are not judged. Run it from the project's root:

    python -m benchmarks.perf.simulate_gate --repetitions 4000 --seed 20261125

Exits with 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from benchmarks.perf._simulation import (
    Codes,
    Floats,
    Random,
    Row,
    clustered,
    clustered_pairs,
    passages,
    simulate,
)
from driftgate.benchmarks.gate import Column, Evidence, RuleConfig, Verdict, decide, over_slices, weigh

Trial = Callable[[Random], bool]
Draw = Callable[[Random], Evidence]
"""Draws a run and weighs a rule on it."""
UNEQUAL = np.arange(10, 110, 5)
"""Twenty clusters of 10 to 105 samples."""


def column(values: Floats, clusters: Codes | None = None, categories: Codes | None = None) -> Column:
    """Outcomes as the gate sees them; NaN where there is none."""
    n = values.size
    labels = np.full(n, "") if clusters is None else clusters.astype(str)
    frame = pd.DataFrame(
        {
            "key": np.arange(n),
            "sample_id": np.arange(n),
            "cluster": labels.astype(object),
            "category": "" if categories is None else categories.astype(str),
            "super_category": "",
            "value": values,
        }
    )
    return Column(frame, 0.0, 1.0, 0.0, "have no answer to judge")


def latencies(seconds: Floats) -> Column:
    """Latencies as the gate sees them."""
    return replace(column(seconds), low=-np.inf, high=np.inf, stated=None)


def rule(**settings: object) -> RuleConfig:
    return RuleConfig.model_validate(settings)


def some(verdict: Verdict, *draws: tuple[RuleConfig, Draw]) -> Trial:
    """Whether the gate of these rules says ``pass`` (all do) or ``fail`` (any does)."""

    def trial(rng: Random) -> bool:
        found = [said for said, _ in decide([(one, draw(rng)) for one, draw in draws])]
        return all(said == "pass" for said in found) if verdict == "pass" else "fail" in found

    return trial


# --- runs -------------------------------------------------------------------------------------------------------------

AT_LEAST = rule(min=0.7)
NEAR_ALL = rule(min=0.9)
NO_WORSE = rule(no_worse_than="champion", margin=0.03)
FILTERED = rule(metric="share.filtered", max=0.05)
FAST = rule(metric="latency_p95", max=5.0)
NOT_SLOWER = rule(metric="latency_p95", no_worse_than="champion", margin=0.2)
NOT_DEARER = rule(metric="cost", no_worse_than="champion", margin=0.1)
PER_SLICE = rule(min=0.7, slices="category")
GRADE = rule(metric="answer.judge.grade", min=3.0)


@cache
def _weigh_counts(one: RuleConfig, plan: bool, right: int, wrong: int, lost: int) -> Evidence:
    """Independent samples are exchangeable, so that equal counts give equal evidence."""
    return weigh(one, column(np.repeat([1.0, 0.0, np.nan], [right, wrong, lost])), plan=plan)


@cache
def _weigh_table(one: RuleConfig, plan: bool, both: int, neither: int, gained: int, lost: int) -> Evidence:
    counts = [both, neither, gained, lost]
    candidate, reference = np.repeat([1.0, 0.0, 1.0, 0.0], counts), np.repeat([1.0, 0.0, 0.0, 1.0], counts)
    return weigh(one, column(candidate), column(reference), plan=plan)


def shares(n: int, p: float, one: RuleConfig = AT_LEAST, *, lost: float = 0.0, plan: bool = False) -> Draw:
    """Independent outcomes; a share ``lost`` of them is not known, whatever it was."""
    chances = [p * (1.0 - lost), (1.0 - p) * (1.0 - lost), lost]

    def draw(rng: Random) -> Evidence:
        right, wrong, unknown = rng.multinomial(n, chances).tolist()
        return _weigh_counts(one, plan, right, wrong, unknown)

    return draw


def shares_in_clusters(
    sizes: Codes, p: float, correlation: float, one: RuleConfig = AT_LEAST, *, plan: bool = False
) -> Draw:
    def draw(rng: Random) -> Evidence:
        return weigh(one, column(*clustered(rng, sizes, p, correlation)), plan=plan)

    return draw


def paired(n: int, difference: float, discordance: float = 0.15, *, plan: bool = False) -> Draw:
    """Outcomes of two models on independent shared samples; what both or neither got right tells nothing."""
    chances = [1.0 - discordance, (discordance + difference) / 2, (discordance - difference) / 2]

    def draw(rng: Random) -> Evidence:
        both, gained, lost = rng.multinomial(n, chances).tolist()
        return _weigh_table(NO_WORSE, plan, both, 0, gained, lost)

    return draw


def paired_in_clusters(sizes: Codes, difference: float, between: float, *, plan: bool = False) -> Draw:
    def draw(rng: Random) -> Evidence:
        candidate, reference, clusters = clustered_pairs(rng, sizes, difference, between)
        return weigh(NO_WORSE, column(candidate, clusters), column(reference, clusters), plan=plan)

    return draw


def lost_whole(sizes: Codes, share: float) -> Draw:
    """Outcomes of two models that differ only in passages which the candidate gets wrong as a whole."""

    def draw(rng: Random) -> Evidence:
        clusters = np.repeat(np.arange(sizes.size), sizes)
        kept = (rng.random(sizes.size) >= share)[clusters].astype(np.float64)
        return weigh(NO_WORSE, column(kept, clusters), column(np.ones_like(kept), clusters), plan=False)

    return draw


def unpaired(n: int, reference_n: int, difference: float, *, plan: bool = False) -> Draw:
    def draw(rng: Random) -> Evidence:
        ours = column((rng.random(n) < 0.7 + difference).astype(np.float64))
        theirs = column((rng.random(reference_n) < 0.7).astype(np.float64))
        other = replace(theirs, frame=theirs.frame.assign(key=-1 - theirs.frame["key"]))
        return weigh(NO_WORSE, ours, other, plan=plan)

    return draw


def grades(n: int, shift: float, *, plan: bool = False) -> Draw:
    """Grades 1 to 5 whose mean is 3 plus the shift."""
    weights = np.array([0.15, 0.2, 0.3, 0.2, 0.15])
    tilt = np.arange(-2, 3) * shift / float(weights @ np.arange(-2, 3) ** 2)
    chances = weights * (1.0 + tilt)

    def draw(rng: Random) -> Evidence:
        values = np.asarray(rng.choice(5, size=n, p=chances / chances.sum()) + 1.0, dtype=np.float64)
        return weigh(GRADE, replace(column(values), low=1.0, high=5.0, stated=None), plan=plan)

    return draw


@cache
def _weigh_within(within: int, n: int) -> Evidence:
    """A rule about a quantile sees of each latency whether it is within the limit."""
    return weigh(FAST, latencies(np.repeat([1.0, 10.0], [within, n - within])), plan=False)


def fast(n: int, within: float = 0.95) -> Draw:
    """Latencies of which such a share, on average, is within the limit; at 0.95 the p95 is the limit itself."""
    return lambda rng: _weigh_within(int(rng.binomial(n, within)), n)


def slower(n: int, ratio: float, together: float) -> Draw:
    """Latencies of two models on shared samples, correlated on the logarithmic scale."""

    def draw(rng: Random) -> Evidence:
        sample, a, b = rng.normal(size=(3, n))
        own, shared = np.sqrt(1.0 - together), np.sqrt(together)
        theirs = np.exp(0.5 * (shared * sample + own * a))
        ours = ratio * np.exp(0.5 * (shared * sample + own * b))
        return weigh(NOT_SLOWER, latencies(ours), latencies(theirs), plan=False)

    return draw


def dearer(n: int, ratio: float) -> Draw:
    def draw(rng: Random) -> Evidence:
        length = rng.lognormal(size=n)
        ours, theirs = (length * rng.gamma(8.0, 1.0 / 8.0, size=n) for _ in range(2))
        return weigh(NOT_DEARER, latencies(ratio * ours), latencies(theirs), plan=False)

    return draw


def by_slice(count: int, each: int, p: float) -> Draw:
    """So many categories of so many samples, all with the same proportion."""

    def draw(rng: Random) -> Evidence:
        categories = np.repeat(np.arange(count), each)
        whole = column((rng.random(categories.size) < p).astype(np.float64), categories=categories)
        parts = {name: weigh(PER_SLICE, whole.of("category", name), plan=False) for name in whole.slices("category")}
        return over_slices(PER_SLICE, parts)

    return draw


# --- tables -----------------------------------------------------------------------------------------------------------


def covers(draw: Draw, truth: float) -> Trial:
    def trial(rng: Random) -> bool:
        found = draw(rng)
        return found.low is not None and found.high is not None and found.low <= truth <= found.high

    return trial


COVERAGE = [
    Row("accuracy, n=500", covers(shares(500, 0.72), 0.72)),
    Row(
        "accuracy, 200 passages of 1 to 5, ICC 0.3",
        covers(shares_in_clusters(passages(200), 0.72, 0.3), 0.72),
        share=0.5,
    ),
    Row("accuracy, 20 unequal clusters, ICC 0.1", covers(shares_in_clusters(UNEQUAL, 0.72, 0.1), 0.72), share=0.5),
    Row("paired difference, n=1000", covers(paired(1000, -0.01), -0.01)),
    Row("paired, 200 passages of 1 to 5", covers(paired_in_clusters(passages(200), 0.01, 0.05), 0.01), share=0.5),
    Row("paired, 10 clusters of 40", covers(paired_in_clusters(np.full(10, 40), 0.01, 0.05), 0.01), share=0.5),
    Row("unpaired difference, n=500 and 800", covers(unpaired(500, 800, -0.02), -0.02), share=0.5),
    Row("mean of grades, n=200", covers(grades(200, 0.1), 3.1), share=0.5),
    Row("p95 ratio, n=500, correlation 0", covers(slower(500, 1.1, 0.0), 1.1), share=0.1),
    Row("p95 ratio, n=500, correlation 0.5: too wide", covers(slower(500, 1.1, 0.5), 1.1), share=0.1),
    Row("cost ratio, n=500", covers(dearer(500, 1.05), 1.05), share=0.5),
]

AT_LIMITS: list[tuple[RuleConfig, Draw]] = [
    (AT_LEAST, shares(500, 0.7)),
    (NO_WORSE, paired(1000, -0.03)),
    (FILTERED, shares(500, 0.05, FILTERED)),
    (FAST, fast(500)),
    (NOT_DEARER, dearer(500, 1.1)),
]
WELL_WITHIN: list[tuple[RuleConfig, Draw]] = [
    (NO_WORSE, paired(1000, 0.05)),
    (FILTERED, shares(500, 0.005, FILTERED)),
    (FAST, fast(500, 0.99)),
    (NOT_DEARER, dearer(500, 0.7)),
]


def uncorrected(draws: Sequence[tuple[RuleConfig, Draw]]) -> Trial:
    return lambda rng: any(decide([(one, draw(rng))])[0][0] == "fail" for one, draw in draws)


WRONG = [
    Row("pass: accuracy at 0.7, n=500", some("pass", (AT_LEAST, shares(500, 0.7)))),
    Row("pass: the same, 5% of the answers lost", some("pass", (AT_LEAST, shares(500, 0.7, lost=0.05)))),
    Row(
        "pass: 200 passages, ICC 0.3", some("pass", (AT_LEAST, shares_in_clusters(passages(200), 0.7, 0.3))), share=0.5
    ),
    Row(
        "pass: 20 unequal clusters, ICC 0.1", some("pass", (AT_LEAST, shares_in_clusters(UNEQUAL, 0.7, 0.1))), share=0.5
    ),
    Row("pass: paired at the margin, n=1000", some("pass", (NO_WORSE, paired(1000, -0.03)))),
    Row("pass: paired at the margin, n=200", some("pass", (NO_WORSE, paired(200, -0.03)))),
    Row(
        "pass: paired, 200 passages",
        some("pass", (NO_WORSE, paired_in_clusters(passages(200), -0.03, 0.05))),
        share=0.5,
    ),
    Row(
        "pass: paired, 10 clusters of 40",
        some("pass", (NO_WORSE, paired_in_clusters(np.full(10, 40), -0.03, 0.05))),
        share=0.5,
    ),
    Row(
        "pass: paired, 200 passages lost as a whole, as many as the margin",
        some("pass", (NO_WORSE, lost_whole(np.full(200, 3), 0.03))),
        share=0.5,
    ),
    Row(
        "pass: accuracy at 0.9, 20 unequal clusters, ICC 0.1",
        some("pass", (NEAR_ALL, shares_in_clusters(UNEQUAL, 0.9, 0.1, NEAR_ALL))),
        share=0.5,
    ),
    Row("pass: unpaired at the margin, n=500 and 800", some("pass", (NO_WORSE, unpaired(500, 800, -0.03))), share=0.5),
    Row("pass: filtered at 5%, n=500", some("pass", (FILTERED, shares(500, 0.05, FILTERED)))),
    Row("pass: mean grade at 3, n=200", some("pass", (GRADE, grades(200, 0.0))), share=0.5),
    Row("pass: p95 at the limit, n=500", some("pass", (FAST, fast(500)))),
    Row("pass: p95 ratio at the margin, correlation 0", some("pass", (NOT_SLOWER, slower(500, 1.2, 0.0))), share=0.1),
    Row("pass: cost ratio at the margin, n=500", some("pass", (NOT_DEARER, dearer(500, 1.1))), share=0.5),
    Row("pass: five rules, one at its limit", some("pass", (AT_LEAST, shares(500, 0.7)), *WELL_WITHIN)),
    Row("pass: five rules, all at their limits", some("pass", *AT_LIMITS)),
    Row("pass: 10 categories at 0.7, n=200 each", some("pass", (PER_SLICE, by_slice(10, 200, 0.7))), share=0.25),
    Row("fail: accuracy at 0.7, n=500", some("fail", (AT_LEAST, shares(500, 0.7)))),
    Row(
        "fail: 200 passages, ICC 0.3", some("fail", (AT_LEAST, shares_in_clusters(passages(200), 0.7, 0.3))), share=0.5
    ),
    Row("fail: paired at the margin, n=1000", some("fail", (NO_WORSE, paired(1000, -0.03)))),
    Row(
        "fail: paired, 200 passages",
        some("fail", (NO_WORSE, paired_in_clusters(passages(200), -0.03, 0.05))),
        share=0.5,
    ),
    Row("fail: five rules, all at their limits (Holm)", some("fail", *AT_LIMITS)),
    Row("fail: the same, uncorrected", uncorrected(AT_LIMITS), judged=False),
    Row("fail: 10 categories at 0.7, n=200 each (BH)", some("fail", (PER_SLICE, by_slice(10, 200, 0.7))), share=0.25),
]


def stated(draw: Draw, rng: Random, earlier: int = 100) -> float:
    """The minimum detectable effect that runs of this design state, on average."""
    found = [draw(rng).detectable for _ in range(earlier)]
    known = [effect for effect in found if effect is not None]
    if len(known) < earlier:
        raise SystemExit("nothing is detectable with this design; choose a larger one")
    return float(np.mean(known))


def power_rows(rng: Random) -> list[Row]:
    """Rows whose truth lies as far beyond the limit as runs at the limit say can be detected."""
    rows = []

    def add(name: str, one: RuleConfig, at: Callable[[float, bool], Draw], share: float = 0.5) -> None:
        effect = stated(at(0.0, True), rng)
        # The effect's own variance is that of the truth it is about, so it is stated once more from there.
        effect = stated(at(effect, True), rng)
        rows.append(Row(f"{name}: {effect:.4f}", some("pass", (one, at(effect, False))), share))

    add("accuracy above 0.7, n=500", AT_LEAST, lambda e, plan: shares(500, 0.7 + e, plan=plan))
    add("accuracy above 0.7, n=2000", AT_LEAST, lambda e, plan: shares(2000, 0.7 + e, plan=plan))
    add("filtered below 5%, n=2000", FILTERED, lambda e, plan: shares(2000, 0.05 - e, FILTERED, plan=plan))
    add(
        "accuracy, 200 passages, ICC 0.3",
        AT_LEAST,
        lambda e, plan: shares_in_clusters(passages(200), 0.7 + e, 0.3, plan=plan),
    )
    add(
        "accuracy, 20 unequal clusters, ICC 0.1",
        AT_LEAST,
        lambda e, plan: shares_in_clusters(UNEQUAL, 0.7 + e, 0.1, plan=plan),
    )
    add("paired, n=1000", NO_WORSE, lambda e, plan: paired(1000, -0.03 + e, plan=plan))
    add("paired, n=300", NO_WORSE, lambda e, plan: paired(300, -0.03 + e, plan=plan))
    add(
        "paired, 200 passages",
        NO_WORSE,
        lambda e, plan: paired_in_clusters(passages(200), -0.03 + e, 0.05, plan=plan),
    )
    add(
        "paired, 20 clusters of 40",
        NO_WORSE,
        lambda e, plan: paired_in_clusters(np.full(20, 40), -0.03 + e, 0.05, plan=plan),
    )
    add("unpaired, n=500 and 800", NO_WORSE, lambda e, plan: unpaired(500, 800, -0.03 + e, plan=plan))
    add("mean grade above 3, n=200", GRADE, lambda e, plan: grades(200, e, plan=plan))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate the gate: coverage, wrong verdicts, power.")
    parser.add_argument("--repetitions", type=int, default=4_000, help="of the quick rows; slow ones take a share")
    parser.add_argument("--seed", type=int, default=20261125)
    given = parser.parse_args()
    run = (given.repetitions, given.seed)
    missed = simulate("Wrong verdicts at 5% (wanted: at most 5%)", WRONG, 0.0, 0.05, *run)
    planned = power_rows(np.random.default_rng([given.seed, 1]))
    missed += simulate("Passes at the stated minimum detectable effect (wanted: 78 to 82%)", planned, 0.78, 0.82, *run)
    title = "Coverage of the 95% intervals beside the verdicts (wanted: at least 94%)"
    missed += simulate(title, COVERAGE, 0.94, 1.0, *run)
    print(f"\n{missed} missed")
    raise SystemExit(missed > 0)


if __name__ == "__main__":
    main()
