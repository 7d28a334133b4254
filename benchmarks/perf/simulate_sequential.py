"""Check by simulation what a gate that stops its run spares, what it loses, and how often it is wrong.

Pairs of recorded models stand for a candidate and a champion: their answers to the same questions, drawn anew with
replacement (whole passages where questions share one) and asked in a random order. The rule is ``no_worse_than`` with a
margin of two points, at 0.05. Of each pair and size of dataset it is printed how many questions a run asks, and how
often it passes, fails or stays undecided, beside the ordinary gate that asks everything. Equal models are one model's
answers on both sides, of which 10% are changed so that as many are gained as lost. At the margin stand pairs whose
margin is their own difference: there neither a pass nor a fail is right. Run it from the project's root:

    python -m benchmarks.perf.simulate_sequential --repetitions 1000 --seed 20261127

Exits with 1 if a model at the margin is passed, or failed, more often than 5% and two Monte Carlo standard errors.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np
import pandas as pd

from benchmarks.perf._simulation import Codes, Floats, Random
from driftgate.benchmarks import stats
from driftgate.benchmarks.gate import AT_LOOKS, Asked, Column, Path, RuleConfig, weigh_at_looks
from driftgate.benchmarks.looks import Looks

SHARED = FilePath("../shared/data/recorded")
MARGIN = 0.02
LEVEL = 0.05
ROUNDING = 1e-12


@dataclass(frozen=True)
class Pair:
    """Two models' recorded answers to the same questions, right 1 and wrong 0."""

    name: str
    candidate: Floats
    reference: Floats
    clusters: Codes | None = None

    @property
    def difference(self) -> float:
        """The truth: of what is drawn with replacement the mean is the recorded one."""
        return float((self.candidate - self.reference).mean())

    def draw(self, rng: Random, n: int) -> tuple[Floats, Floats, Codes | None]:
        """About n questions, in a random order; passages whole."""
        if self.clusters is None:
            chosen = rng.integers(self.candidate.size, size=n)
            return self.candidate[chosen], self.reference[chosen], None
        order = np.argsort(self.clusters, kind="stable")
        sizes = np.bincount(self.clusters)
        starts = np.cumsum(sizes) - sizes
        drawn = rng.integers(sizes.size, size=math.ceil(n * sizes.size / self.candidate.size))
        chosen = np.concatenate([order[starts[one] : starts[one] + sizes[one]] for one in drawn])
        return self.candidate[chosen], self.reference[chosen], np.repeat(np.arange(drawn.size), sizes[drawn])


@dataclass
class Tally:
    """What came of the repetitions of one design."""

    asked: int = 0
    passed: int = 0
    failed: int = 0
    fixed_passed: int = 0
    fixed_failed: int = 0


def recorded(dataset: str, model: str) -> pd.DataFrame:
    """Right (1) or wrong (0) of each question, by its place in its category."""
    (path,) = SHARED.glob(f"[[]{dataset}[]] {model}*.csv")
    rows = pd.read_csv(path, keep_default_na=False, dtype=str)
    by = "id" if "id" in rows else "category"
    rows["place"] = rows.groupby(by).cumcount()
    rows["right"] = (rows["pred"] == rows["answer"]).astype(float)
    return rows.set_index([by, "place"])[["right"]]


def pair(dataset: str, candidate: str, reference: str) -> Pair:
    """Two recorded models on the questions that both have."""
    both = recorded(dataset, candidate).join(recorded(dataset, reference), rsuffix="_reference", how="inner")
    name = f"{dataset}: {candidate.split('-2')[0]} for {reference.split('-2')[0]}"
    return Pair(name, both["right"].to_numpy(), both["right_reference"].to_numpy())


def moved(base: Pair, points: float, flips: float, seed: int) -> Pair:
    """The reference against itself with some answers changed, so that the candidate is so many points better."""
    rng = np.random.default_rng(seed)
    reference = base.reference
    n, right = reference.size, np.flatnonzero(reference == 1.0)
    wrong = np.flatnonzero(reference == 0.0)
    lost, gained = (round(n * (flips - sign * points / 100) / 2) for sign in (1, -1))
    candidate = reference.copy()
    candidate[rng.permutation(right)[:lost]] = 0.0
    candidate[rng.permutation(wrong)[:gained]] = 1.0
    of = base.name.split(": ")
    name = f"{of[0]}: {of[1].split(' for ')[1]} {points:+g} points, {flips:.0%} differ"
    return Pair(name, candidate, reference, base.clusters)


def passages(base: Pair, size: int) -> Pair:
    """The same answers, of which so many in a row are taken to share a passage."""
    labels = np.arange(base.candidate.size) // size
    return Pair(f"{base.name}, passages of {size}", base.candidate, base.reference, labels)


def column(values: Floats, clusters: Codes | None) -> Column:
    """Outcomes as the gate sees them."""
    n = values.size
    labels = np.full(n, "", dtype=object) if clusters is None else clusters.astype(str).astype(object)
    keys = [str(place) for place in range(n)]
    columns = {"key": keys, "sample_id": range(n), "cluster": labels, "category": "", "super_category": ""}
    return Column(pd.DataFrame(columns | {"value": values}), 0.0, 1.0, 0.0, "have no answer to judge")


def decided(path: Path, asked: Asked, alpha: float) -> tuple[str, int]:
    """The verdict of a run that stops, and after how many questions."""
    for look in range(path.looks):
        p_pass, p_fail = path.at(look)
        for said, p in (("fail", p_fail), ("pass", p_pass)):
            if p <= alpha:
                return said, int(asked.ends[look])
    return "inconclusive", asked.count


def trial(rng: Random, base: Pair, n: int, rule: RuleConfig, tally: Tally, *, check: bool) -> None:
    """Draw one run and judge it both ways.

    Parameters
    ----------
    check : bool
        Let the gate itself weigh it, and see that it comes to the same p-values.
    """
    candidate, reference, clusters = base.draw(rng, n)
    ours = column(candidate, clusters)
    asked = Asked.of(Looks("g", int(rng.integers(2**31))), ours.frame, candidate.size)
    places = np.array([asked.places[key] for key in ours.frame["key"]])
    made = stats.bets(candidate - reference, -1.0, 1.0, clusters=clusters, places=places)
    fixed = stats.bounded_mean(candidate - reference, -1.0, 1.0, clusters=clusters)
    ends, found = np.searchsorted(made.ends, asked.ends, side="right"), []
    # As in the gate: a look shows nothing that the mean up to it denies, and a tie with the limit is not worse than it.
    beyond = np.append(np.nan, made.means)[ends] + rule.margin
    for at_looks, at_end, agrees in (
        (made.p_above(-rule.margin), fixed.p_above(-rule.margin), beyond >= -ROUNDING),
        (made.p_below(-rule.margin), fixed.p_below(-rule.margin), beyond < -ROUNDING),
    ):
        assert at_end is not None
        each = np.where(agrees, np.append(1.0, at_looks)[ends], 1.0) / AT_LOOKS
        each[-1] = min(each[-1], at_end / (1.0 - AT_LOOKS))
        found.append((np.minimum(1.0, each), at_end))
    path = Path(found[0][0], found[1][0])
    if check:
        weighed = weigh_at_looks(rule, ours, column(reference, clusters), asked, plan=False).path
        assert weighed is not None
        np.testing.assert_allclose([weighed.p_pass, weighed.p_fail], [path.p_pass, path.p_fail], rtol=1e-6)
    said, after = decided(path, asked, rule.alpha)
    tally.asked += after
    tally.passed += said == "pass"
    tally.failed += said == "fail"
    tally.fixed_passed += found[0][1] <= rule.alpha
    tally.fixed_failed += found[1][1] <= rule.alpha


def designs() -> tuple[list[Pair], list[Pair]]:
    """Pairs judged at the margin of two points, and pairs whose margin is their own difference."""
    gpt35, phi, mini = "gpt-35-turbo-230613", "phi-3-5-moe-instruct", "gpt-4.1-mini-2025-04-14"
    llama = "llama-3-1-8b-instruct"
    click, hard, kmmlu = (pair(name, gpt35, phi) for name in ("CLIcK", "KMMLU-HARD", "KMMLU"))
    steps = [moved(kmmlu, points, flips, 1) for points, flips in ((0, 0.1), (2, 0.1), (-2, 0.1), (-5, 0.2), (-10, 0.3))]
    real = [
        pair("CLIcK", phi, gpt35),
        click,
        pair("CLIcK", gpt35, llama),
        pair("CLIcK", llama, gpt35),
        pair("KMMLU", gpt35, llama),
        pair("KMMLU", llama, gpt35),
        pair("KMMLU-HARD", llama, phi),
        pair("KMMLU", mini, phi),
    ]
    edge = [click, hard, kmmlu, pair("CLIcK", llama, gpt35), pair("KMMLU", llama, gpt35), passages(click, 5)]
    edge += [moved(kmmlu, -2, flips, 2) for flips in (0.03, 0.1, 0.3)]
    return [*steps, *real], edge


def table(title: str, rows: Sequence[tuple[Pair, float, int]], repetitions: int, seed: int, *, judged: bool) -> int:
    """Print a table; returns how many rates at the margin are too high."""
    print(f"\n{title}")
    print(
        "\n| candidate less champion | of | asked | spared | sequential | all asked |\n|---|---|---|---|---|---|",
        flush=True,
    )
    missed, worst = 0, [0.0, 0.0]
    for number, (base, margin, n) in enumerate(rows):
        rng = np.random.default_rng([seed, number, n])
        rule, tally = RuleConfig(no_worse_than="r", margin=margin), Tally()
        for repetition in range(repetitions):
            trial(rng, base, n, rule, tally, check=repetition < 3)
        rates = [count / repetitions for count in (tally.passed, tally.failed, tally.fixed_passed, tally.fixed_failed)]
        most = LEVEL + 2 * math.sqrt(LEVEL * (1 - LEVEL) / repetitions)
        out = judged and max(rates[:2]) > most
        missed += out
        asked = tally.asked / repetitions
        worst = [max(one, two) for one, two in zip(worst, rates[:2], strict=True)]
        digits = 1 if judged else 0
        sequential, fixed = (
            f"{100 * p:.{digits}f} / {100 * f:.{digits}f} / {1 - p - f:.{digits}%}" for p, f in (rates[:2], rates[2:])
        )
        name = f"{base.name} ({100 * base.difference:+.1f})"
        row = f"| {name} | {n:,} | {asked:,.0f} | {1 - asked / n:.0%} | {sequential} | {fixed} |"
        print(f"{row}{' MISSED' if out else ''}", flush=True)
    if judged:
        print(f"of {len(rows)} pairs at most {worst[0]:.1%} passed and {worst[1]:.1%} failed")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--sizes", type=int, nargs="*", default=[2000, 4000])
    chosen = parser.parse_args()
    pairs, edge = designs()
    rows = [(one, MARGIN, n) for n in chosen.sizes for one in pairs]
    at_margin = [(one, max(0.0, -one.difference), n) for n in (1000, 2000) for one in edge]
    missed = table(
        "At the margin (wanted: at most 5% pass, at most 5% fail)",
        at_margin,
        chosen.repetitions,
        chosen.seed,
        judged=True,
    )
    table("No worse by more than two points", rows, chosen.repetitions, chosen.seed + 1, judged=False)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
