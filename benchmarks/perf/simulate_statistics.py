"""Check by simulation what driftgate.benchmarks.stats promises: coverage, type-I error, power.

Prints four tables: the coverage of nominal 95% intervals (wanted: 94 to 96%), how often one that has limits misses a
truth near the ends with few clusters (wanted: at most 6%; where hardly a cluster tells, an interval is wider than it
need be, or has no limits), how often tests show a claim that is just not true (wanted: at most 5%), and the power at
the stated minimum detectable effect or number of samples (wanted: 78 to 82%). A figure counts as missed if it is
further out than two of its Monte Carlo standard errors. Rows in brackets show what the defaults avoid and are not
judged. Run it from the project's root:

    python -m benchmarks.perf.simulate_statistics --repetitions 10000 --seed 20240601

Exits with 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.perf._simulation import (
    KMMLU,
    RATES,
    Codes,
    Floats,
    Random,
    Row,
    clustered,
    clustered_pairs,
    covers,
    pairs,
    passages,
    rate,
    simulate,
)
from driftgate.benchmarks import stats


@cache
def wilson(right: int, n: int) -> stats.Interval:
    return stats.wilson_interval(right, n)


# --- coverage ---------------------------------------------------------------------------------------------------------


def cover_wilson(n: int) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        p = rate(rng)
        return covers(wilson(int(rng.binomial(n, p)), n), p)

    return trial


def cover_macro(sizes: Codes) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        rates = rng.uniform(*RATES, size=sizes.size)
        right = rng.binomial(sizes, rates)
        return covers(stats.macro_interval(right.tolist(), sizes.tolist()), float(rates.mean()))

    return trial


def cover_clustered(sizes: Codes, correlation: float, method: str = "cr2") -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        # With these correlations the proportion of a finite set of clusters is only well defined away from 0 and 1.
        p = float(rng.uniform(0.4, 0.85))
        outcomes, clusters = clustered(rng, sizes, p, correlation)
        if method == "bootstrap":
            seed = int(rng.integers(2**31))
            return covers(stats.bootstrap_mean(outcomes, clusters=clusters, resamples=1000, seed=seed).interval, p)
        if method == "wilson":
            return covers(wilson(int(outcomes.sum()), outcomes.size), p)
        return covers(stats.clustered_interval(outcomes, clusters), p)

    return trial


def cover_paired(n: int, method: str = "tango") -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        discordance = float(rng.uniform(0.05, 0.4))
        difference = float(rng.uniform(-0.5, 0.5)) * discordance
        candidate, reference = pairs(rng, n, difference, discordance)
        if method == "bootstrap":
            tables = {"": stats.paired_table(candidate, reference)}
            boot = stats.bootstrap_paired(tables, resamples=1000, seed=int(rng.integers(2**31)))
            return covers(boot.micro.interval, difference)
        return covers(stats.compare_paired(candidate, reference).interval, difference)

    return trial


def cover_paired_clustered(sizes: Codes, between: float) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        candidate, reference, clusters = clustered_pairs(rng, sizes, 0.03, between)
        return covers(stats.compare_paired(candidate, reference, clusters=clusters).interval, 0.03)

    return trial


def cover_paired_macro(sizes: Codes) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        shifts = rng.uniform(-0.05, 0.1, size=sizes.size)
        tables = {}
        for k, (n, shift) in enumerate(zip(sizes.tolist(), shifts.tolist(), strict=True)):
            gained, lost, both, neither = rng.multinomial(n, [0.1 + shift / 2, 0.1 - shift / 2, 0.5, 0.3]).tolist()
            tables[str(k)] = stats.PairedTable(both=both, gained=gained, lost=lost, neither=neither)
        return covers(stats.compare_macro(tables).interval, float(shifts.mean()))

    return trial


def cover_unpaired(n: int, reference_n: int) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        p, q = rate(rng), rate(rng)
        right, reference = int(rng.binomial(n, p)), int(rng.binomial(reference_n, q))
        return covers(stats.compare_unpaired(right, n, reference, reference_n).interval, p - q)

    return trial


def cover_mean(n: int) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        weights = rng.dirichlet(np.ones(5) * 3.0)
        grades = rng.choice(5, size=n, p=weights) + 1.0
        return covers(stats.mean_interval(grades), float(weights @ np.arange(1, 6)))

    return trial


def cover_quantile(n: int, probability: float) -> Callable[[Random], bool]:
    from scipy.special import ndtri

    truth = math.exp(float(ndtri(probability)))

    def trial(rng: Random) -> bool:
        return covers(stats.quantile_interval(rng.lognormal(size=n), probability), truth)

    return trial


COVERAGE = [
    Row("wilson, n=50", cover_wilson(50)),
    Row("wilson, n=500", cover_wilson(500)),
    Row("clustered (CR2), 10 clusters of 30, ICC 0.1", cover_clustered(np.full(10, 30), 0.1)),
    Row("clustered (CR2), 20 unequal clusters (10 to 105), ICC 0.1", cover_clustered(np.arange(10, 110, 5), 0.1)),
    Row("clustered (CR2), 200 passages of 1 to 5, ICC 0.3", cover_clustered(passages(200), 0.3)),
    Row("clustered (CR2), KMMLU's 45 subjects, ICC 0.06", cover_clustered(KMMLU, 0.06), share=0.4),
    Row("clustered (CR2), 200 passages of 1 to 5, ICC 0.001", cover_clustered(passages(200), 0.001)),
    Row(
        "cluster bootstrap, 200 passages of 1 to 5, ICC 0.3",
        cover_clustered(passages(200), 0.3, "bootstrap"),
        share=0.4,
    ),
    Row(
        "cluster bootstrap, 10 clusters of 30, ICC 0.1", cover_clustered(np.full(10, 30), 0.1, "bootstrap"), 0.4, False
    ),
    Row("wilson, clusters forgotten: 10 of 30, ICC 0.1", cover_clustered(np.full(10, 30), 0.1, "wilson"), judged=False),
    Row("macro (stratified), KMMLU's 45 subjects", cover_macro(KMMLU), share=0.2),
    Row("macro (stratified), 8 categories of 20", cover_macro(np.full(8, 20)), share=0.5),
    Row("paired (Tango), n=100", cover_paired(100), share=0.4),
    Row("paired (Tango), n=1000", cover_paired(1000), share=0.4),
    Row("paired bootstrap, n=1000", cover_paired(1000, "bootstrap"), share=0.4),
    Row("paired, clustered (CR2), 10 clusters of 40", cover_paired_clustered(np.full(10, 40), 0.05)),
    Row("paired, clustered (CR2), 200 passages of 1 to 5", cover_paired_clustered(passages(200), 0.05)),
    Row("paired, clustered (CR2), KMMLU's 45 subjects", cover_paired_clustered(KMMLU, 0.03), share=0.2),
    Row("paired macro (stratified), 11 categories of 30 to 330", cover_paired_macro(np.arange(30, 360, 30)), share=0.4),
    Row("unpaired (Newcombe), n=200 and 300", cover_unpaired(200, 300), share=0.4),
    Row("mean of grades 1 to 5 (t), n=100", cover_mean(100)),
    Row("median (order statistics), n=200", cover_quantile(200, 0.5), share=0.4),
    Row("p95 (order statistics), n=1000", cover_quantile(1000, 0.95), share=0.4),
]

# --- coverage near the ends -------------------------------------------------------------------------------------------

FEW = {
    "10 clusters of 40": np.full(10, 40),
    "20 clusters of 20": np.full(20, 20),
    "20 clusters of 10 to 105": np.arange(10, 110, 5),
    "45 clusters of 20": np.full(45, 20),
    "200 clusters of 5": np.full(200, 5),
}


def misses(interval: stats.Interval, truth: float) -> bool:
    return interval.known and truth not in interval


def miss_share(sizes: Codes, p: float, correlation: float) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        return misses(stats.clustered_interval(*clustered(rng, sizes, p, correlation)), p)

    return trial


def rare_pairs(rng: Random, sizes: Codes, discordance: float, correlation: float) -> tuple[Floats, Floats, Codes]:
    """Three of four samples on which two models differ are gained; both kinds come in clusters."""
    gained, clusters = clustered(rng, sizes, 0.75 * discordance, correlation)
    lost, _ = clustered(rng, sizes, 0.25 * discordance, correlation)
    return gained, lost * (1.0 - gained), clusters


def miss_pairs(sizes: Codes, discordance: float, correlation: float, bootstrap: bool) -> Callable[[Random], bool]:
    truth = 0.75 * discordance - 0.25 * discordance * (1.0 - 0.75 * discordance)

    def trial(rng: Random) -> bool:
        gained, lost, clusters = rare_pairs(rng, sizes, discordance, correlation)
        if bootstrap:
            seed = int(rng.integers(2**31))
            change = gained - lost
            return misses(stats.bootstrap_mean(change, clusters=clusters, resamples=1000, seed=seed).interval, truth)
        return misses(stats.compare_paired(gained, lost, clusters=clusters).interval, truth)

    return trial


ENDS = [
    *(
        Row(f"share {p:g}, {name}, ICC {correlation:g}", miss_share(sizes, p, correlation), 0.3)
        for name, sizes in FEW.items()
        for p in (0.02, 0.05, 0.9, 0.98)
        for correlation in (0.05, 0.2)
    ),
    *(
        Row(f"pairs {100 * discordance:g}%, {name}, ICC 0.1", miss_pairs(sizes, discordance, 0.1, False), 0.3)
        for name, sizes in FEW.items()
        for discordance in (0.02, 0.05, 0.1)
    ),
    *(
        Row(f"bootstrap, pairs {100 * discordance:g}%, {name}", miss_pairs(sizes, discordance, 0.1, True), 0.1)
        for name, sizes in FEW.items()
        for discordance in (0.05, 0.2)
    ),
]

# --- type-I error -----------------------------------------------------------------------------------------------------


def shown(test: stats.OneSidedTest) -> bool:
    return test.shown is True


def wrong_margin(sizes: Codes, between: float) -> Callable[[Random], bool]:
    """The mean of paired differences in clusters; the truth is the margin, 3 points down."""

    def trial(rng: Random) -> bool:
        candidate, reference, clusters = clustered_pairs(rng, sizes, -0.03, between)
        mean = stats.bounded_mean(candidate - reference, -1.0, 1.0, clusters=clusters)
        return shown(stats.one_sided_mean(mean, -0.03, "above", alpha=0.05))

    return trial


def wrong_threshold(n: int) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        p = rate(rng)
        return shown(stats.above_threshold(int(rng.binomial(n, p)), n, p))

    return trial


def wrong_threshold_clustered(sizes: Codes, correlation: float) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        outcomes, clusters = clustered(rng, sizes, 0.6, correlation)
        mean = stats.bounded_mean(outcomes, 0.0, 1.0, clusters=clusters)
        return shown(stats.one_sided_mean(mean, 0.6, "above", alpha=0.05))

    return trial


def wrong_mcnemar(n: int, discordance: float) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        gained, lost, _ = rng.multinomial(n, [discordance / 2, discordance / 2, 1 - discordance]).tolist()
        return stats.mcnemar_exact(gained, lost) <= 0.05

    return trial


def wrong_family(adjust: Callable[[list[float | None]], list[float | None]]) -> Callable[[Random], bool]:
    def trial(rng: Random) -> bool:
        drawn = rng.multinomial(800, [0.1, 0.1, 0.8], size=45).tolist()
        adjusted = adjust([stats.mcnemar_exact(gained, lost) for gained, lost, _ in drawn])
        return any(p is not None and p <= 0.05 for p in adjusted)

    return trial


TYPE_I = [
    Row("mean difference above a margin (Gaffke), 10 clusters of 40", wrong_margin(np.full(10, 40), 0.05), share=0.4),
    Row("mean difference above a margin, 200 passages of 1 to 5", wrong_margin(passages(200), 0.05), share=0.1),
    Row("mean difference above a margin, KMMLU's 45 subjects", wrong_margin(KMMLU, 0.03), share=0.05),
    Row("threshold (exact), n=300", wrong_threshold(300)),
    Row(
        "threshold (Gaffke), 20 unequal clusters (10 to 105), ICC 0.1",
        wrong_threshold_clustered(np.arange(10, 110, 5), 0.1),
    ),
    Row("difference (exact McNemar), n=500", wrong_mcnemar(500, 0.15)),
    Row("any of 45 subjects, Holm", wrong_family(stats.holm), share=0.2),
    Row("any of 45 subjects, Benjamini-Hochberg", wrong_family(stats.benjamini_hochberg), share=0.2),
    Row("any of 45 subjects, uncorrected", wrong_family(list), share=0.1, judged=False),
]

# --- power ------------------------------------------------------------------------------------------------------------


def known(effect: float | None) -> float:
    if effect is None:
        raise SystemExit("nothing is detectable at this n; choose a larger one")
    return effect


def find_paired(n: int, discordance: float, difference: float) -> Callable[[Random], bool]:
    probabilities = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]

    def trial(rng: Random) -> bool:
        gained, lost, _ = rng.multinomial(n, probabilities).tolist()
        return stats.mcnemar_exact(gained, lost) <= 0.05

    return trial


def find_unpaired(n: int, reference_n: int, middle: float, difference: float) -> Callable[[Random], bool]:
    @cache
    def p_value(right: int, reference: int) -> float:
        return stats.compare_unpaired(right, n, reference, reference_n).p_value or 0.0

    def trial(rng: Random) -> bool:
        right = int(rng.binomial(n, middle + difference / 2))
        return p_value(right, int(rng.binomial(reference_n, middle - difference / 2))) <= 0.05

    return trial


def find_threshold(n: int, threshold: float, p: float) -> Callable[[Random], bool]:
    test = stats.above_threshold if p > threshold else stats.below_threshold
    return lambda rng: shown(test(int(rng.binomial(n, p)), n, threshold))


def find_clustered(rng: Random, sizes: Codes, between: float) -> Callable[[Random], bool]:
    """The effect that earlier runs of the same design state, on average, as their minimum detectable one."""
    earlier = [clustered_pairs(rng, sizes, 0.0, between) for _ in range(300)]
    stated = [known(stats.compare_paired(a, b, clusters=c).minimum_detectable_effect) for a, b, c in earlier]
    effect = float(np.mean(stated))

    def trial(rng: Random) -> bool:
        candidate, reference, clusters = clustered_pairs(rng, sizes, effect, between)
        p_value = stats.compare_paired(candidate, reference, clusters=clusters).p_value
        return p_value is not None and p_value <= 0.05

    return trial


def power_rows(rng: Random) -> list[Row]:
    small = known(stats.minimum_detectable_effect_paired(300, 0.15))
    large = known(stats.minimum_detectable_effect_paired(5000, 0.10))
    apart = known(stats.minimum_detectable_effect_unpaired(500, 800, 0.6))
    above = known(stats.minimum_detectable_effect_threshold(400, 0.7))
    n_paired = stats.sample_size_paired(0.03, 0.12)
    n_apart = stats.sample_size_unpaired(0.05, 0.7)
    n_above, n_below = stats.sample_size_threshold(0.75, 0.7), stats.sample_size_threshold(0.65, 0.7)
    return [
        Row(f"paired, n=300: MDE {small:.4f}", find_paired(300, 0.15, small)),
        Row(f"paired, n=5000: MDE {large:.4f}", find_paired(5000, 0.10, large)),
        Row(f"paired, difference 0.03: n={n_paired}", find_paired(n_paired, 0.12, 0.03)),
        Row(f"unpaired, n=500 and 800: MDE {apart:.4f}", find_unpaired(500, 800, 0.6, apart), share=0.4),
        Row(f"unpaired, difference 0.05: n={n_apart} each", find_unpaired(n_apart, n_apart, 0.7, 0.05), share=0.4),
        Row(f"threshold 0.7, n=400: MDE {above:.4f}", find_threshold(400, 0.7, 0.7 + above)),
        Row(f"threshold 0.7, truth 0.75: n={n_above}", find_threshold(n_above, 0.7, 0.75)),
        Row(f"threshold 0.7, truth 0.65: n={n_below}", find_threshold(n_below, 0.7, 0.65)),
        Row("paired, clustered: MDE of 20 clusters of 40", find_clustered(rng, np.full(20, 40), 0.03), share=0.5),
        Row("paired, clustered: MDE of 200 passages of 1 to 5", find_clustered(rng, passages(200), 0.03), share=0.5),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Simulate coverage, type-I error and power of driftgate.benchmarks.stats."
    )
    parser.add_argument("--repetitions", type=int, default=10_000, help="of the quick rows; slow ones take a share")
    parser.add_argument("--seed", type=int, default=20240601)
    given = parser.parse_args()
    run = (given.repetitions, given.seed)
    missed = simulate("Coverage of 95% intervals (wanted: 94 to 96%)", COVERAGE, 0.94, 0.96, *run)
    missed += simulate("95% intervals that miss a truth near the ends (wanted: at most 6%)", ENDS, 0.0, 0.06, *run)
    missed += simulate("Wrongly shown at 5%, truth at the limit (wanted: at most 5%)", TYPE_I, 0.0, 0.05, *run)
    planned = power_rows(np.random.default_rng([given.seed, 1]))
    missed += simulate("Power at the stated effect or n for 80% (wanted: 78 to 82%)", planned, 0.78, 0.82, *run)
    print(f"\n{missed} missed")
    raise SystemExit(missed > 0)


if __name__ == "__main__":
    main()
