"""How soon does a monitor find that its canaries are answered worse, on day 300 as on day 1, and how often for nothing?

Made-up canaries in four slices: 65 of 100 are always answered right, 15 never, 20 now and then (``--steady``: none, as
at temperature 0). Eight looks are the reference, then one follows each hour. A loss sends as many canaries down to
chance (0.25) as make it up, in their mean, from one look on; it is found if one of the 48 looks from then on alarms. A
year without a loss has 8,760 looks; what is counted is the share of years with any alarm. The decisions are the
product's own: `driftgate.monitor.pooling`, the exact test and Benjamini and Hochberg over canary accuracy and agreement
(a test holds that they are those of `driftgate.monitor.drift.look`). To be done in time, a look is passed over where no
part of its canaries lost the floor, or where the p-value of each that did has a lower bound above the level, or would
by the normal law be a hundred times the level. Run it from the project's root (half an hour):

    python -m benchmarks.perf.canary_table
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from driftgate.benchmarks.stats import benjamini_hochberg
from driftgate.monitor.detectors.mantel_haenszel import exact_p_value
from driftgate.monitor.pooling import WINDOWS, Budget, Part, combined, windows_of
from driftgate.monitor.signals import SIGNALS

YEAR, WITHIN, SLICES = 8760, 48, 4
BUDGET = Budget(per_year=0.05, looks_per_year=YEAR)
SIZES, LOSSES, MOMENTS = (50, 100, 300), (0.03, 0.05, 0.10, 0.20), (5, 50, 300, 5000)
TEAM, OWN = 0.02, SIGNALS.get("canary_accuracy").floor
"""The floor of a team that wants to hear of three points, and the signal's own."""
FLOORS = (TEAM, OWN)

_SURELY = 0.7
"""A sum nearer to its mean than this share of what the normal law has at the level is not worked out: its p-value is
some hundred times the level."""

Bools = NDArray[np.bool_]
Counts = NDArray[np.signedinteger[Any]]
Chances = NDArray[np.float64]
Random = np.random.Generator
Change = Callable[[Random, Chances], Chances]


@dataclass(frozen=True)
class Watched:
    """The reference and the looks after it: of each signal whether each canary's answer counts, looks by canaries."""

    reference: Mapping[str, Bools]
    looks: Mapping[str, Bools]
    floors: Mapping[str, float]
    full: bool = False
    """Whether more looks came before these, so that each window is full as soon as it fits."""
    level: float = BUDGET.level


@dataclass(frozen=True)
class World:
    """What the canaries are like."""

    steady: bool = False
    keeps: int = 1
    """For how many looks an unsteady canary keeps its answer, in the mean."""
    references: int = 8
    floor: float = TEAM
    agreeing: float = SIGNALS.get("canary_agreement").floor
    """The floor of agreement."""

    def chances(self, rng: Random, count: int) -> NDArray[np.float64]:
        """Each canary's chance to be answered right."""
        likely = [0.8, 0.2, 0.0, 0.0] if self.steady else [0.65, 0.15, 0.1, 0.1]
        return rng.choice([1.0, 0.0, 0.7, 0.4], size=count, p=likely)

    def answers(self, rng: Random, chances: Chances) -> Bools:
        """Whether each answer is right; chances are given for each look and canary."""
        drawn = rng.random(chances.shape, dtype=np.float32)
        if self.keeps > 1:
            fresh = rng.random(chances.shape, dtype=np.float32) < 1.0 / self.keeps
            fresh[0] = True
            last = np.maximum.accumulate(np.where(fresh, np.arange(len(drawn))[:, None], 0), axis=0)
            drawn = np.take_along_axis(drawn, last, axis=0)
        return np.asarray(drawn < chances, dtype=np.bool_)

    def watched(self, rng: Random, chances: Chances, *, full: bool = False) -> Watched:
        """The looks, of which the first are the reference; a wrong answer of a canary is always the same one."""
        right = self.answers(rng, chances)
        before, after = right[: self.references], right[self.references :]
        # The first reference answer is the anchor, and no evidence of agreement itself.
        agreed = {"canary_agreement": before[1:] == before[0]}
        floors = {"canary_accuracy": self.floor, "canary_agreement": self.agreeing}
        return Watched(
            {"canary_accuracy": before, **agreed},
            {"canary_accuracy": after, "canary_agreement": after == before[0]},
            floors,
            full,
        )


def parts(canaries: int) -> list[Counts]:
    """Places of all canaries, then of each slice."""
    places = np.arange(canaries)
    return [places, *(places[places % SLICES == slice] for slice in range(SLICES))]


def alarms(watched: Watched) -> Iterator[int]:
    """The places of the looks that alarm, in their order."""
    found = [_Pooled.of(watched, signal, window) for signal in watched.looks for window in WINDOWS]
    suspect: dict[int, list[Callable[[], float]]] = {}
    for pooled in found:
        for place, p_value in pooled.suspects(watched.level):
            suspect.setdefault(place, []).append(p_value)
    for place in sorted(suspect):
        if all(p_value() > watched.level for p_value in suspect[place]):
            continue
        there = windows_of(WINDOWS[-1] if watched.full else place + 1)
        p_values = [pooled.p_value(place) for pooled in found if pooled.window in there and place >= pooled.window - 1]
        adjusted = benjamini_hochberg(p_values)
        if any(p is not None and p <= watched.level for p in adjusted):
            yield place


@dataclass(frozen=True)
class _Pooled:
    """One signal, pooled over a window that ends at each look."""

    window: int
    asked: int
    floor: float
    before: Counts
    """Of each canary, how many reference answers count."""
    now: Counts
    """The same of each look's window, from the first that is full."""

    @classmethod
    def of(cls, watched: Watched, signal: str, window: int) -> _Pooled:
        reference, looks = watched.reference[signal], watched.looks[signal]
        summed = np.zeros((len(looks) + 1, looks.shape[1]), dtype=np.int16)  # no difference of two overflows
        np.cumsum(looks, axis=0, dtype=np.int16, out=summed[1:])
        now = summed[window:] - summed[:-window] if window <= len(looks) else summed[:0]
        return cls(window, len(reference), watched.floors[signal], reference.sum(axis=0), now)

    def suspects(self, level: float) -> Iterator[tuple[int, Callable[[], float]]]:
        """The looks at which a part may alarm, and what works out its share of the p-value."""
        at_most, mean, variance = _of_one(self.asked, self.window)
        everything = parts(self.before.size)
        means = np.zeros((self.before.size, len(everything)), dtype=np.float32)
        for number, places in enumerate(everything):
            means[places, number] = 1.0 / places.size
        lost = self.before @ means / self.asked - self.now.astype(np.float32) @ means / self.window
        for number, places in enumerate(everything):
            share = 2.0 if number == 0 else 2.0 * SLICES
            rows = np.flatnonzero(lost[:, number] > self.floor - 1e-4)
            tables = self.before[places], self.now[np.ix_(rows, places)]
            # A sum is as small where each of its terms is, among other ways.
            possible = at_most[tables].sum(axis=1) <= math.log(level / share)
            away = tables[1].sum(axis=1) - mean[tables].sum(axis=1)
            possible &= away <= _SURELY * stats.norm.ppf(level / share) * np.sqrt(variance[tables].sum(axis=1))
            for row in rows[possible].tolist():
                yield row + self.window - 1, partial(self.share, self.now[row], places, share)

    def share(self, now: Counts, places: Counts, share: float) -> float:
        """What a part has of the p-value of all."""
        return share * self.part(now, places).p_value

    def p_value(self, place: int) -> float:
        """The product's p-value at a look."""
        now = self.now[place - self.window + 1]
        whole, *slices = (self.part(now, places) for places in parts(self.before.size))
        return combined(whole, slices, self.floor)

    def part(self, now: Counts, places: Counts) -> Part:
        """What the canaries at some places say."""
        reference = np.column_stack([self.before[places], np.full(places.size, self.asked)])
        current = np.column_stack([now[places], np.full(places.size, self.window)])
        loss = float((self.before[places] / self.asked - now[places] / self.window).mean())
        return Part(loss, exact_p_value(reference, current, "lower") if loss > 0.0 else 1.0)


@cache
def _of_one(asked: int, window: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """By a canary's right answers in the reference and now: the logarithm of the chance of at most so many now, mean
    and variance of their number."""
    before, now = np.ogrid[: asked + 1, : window + 1]
    everything = asked + window
    share = (before + now) / everything
    variance = window * share * (1.0 - share) * asked / (everything - 1)
    return np.log(stats.hypergeom.cdf(now, everything, before + now, window)), window * share, variance


def lapsed(rng: Random, chances: Chances, loss: float) -> Chances:
    """The chances after a loss in their mean: canaries that were mostly right go down to chance, the last in part."""
    after, left = chances.copy(), loss * chances.size
    for place in rng.permutation(np.flatnonzero(chances >= 0.7)):
        step = min(left, chances[place] - 0.25)
        after[place] -= step
        left -= step
    return after


def churned(rng: Random, chances: Chances, share: float) -> Chances:
    """The chances after a change that is no loss: so many answers are others now, as often for the better."""
    after = chances.copy()
    for value in (0.0, 1.0):
        among = np.flatnonzero(chances == 1.0 - value)
        count = min(among.size, rng.binomial(round(share * chances.size), 0.5))
        after[rng.choice(among, count, replace=False)] = value
    return after


def detected(rng: Random, world: World, canaries: int, moment: int, change: Change) -> bool:
    """Whether a change at a look is found within two days."""
    chances = world.chances(rng, canaries)
    # Only so many looks before it have a part in what is decided after it.
    before = min(moment - 1, WINDOWS[-1] - 1)
    looks = world.references + before
    course = np.vstack([np.tile(chances, (looks, 1)), np.tile(change(rng, chances), (WITHIN, 1))])
    watched = world.watched(rng, course, full=moment > WINDOWS[-1])
    return any(place >= before for place in alarms(watched))


def alarmed(rng: Random, world: World, canaries: int) -> bool:
    """Whether a year in which nothing changes has any alarm."""
    chances = np.broadcast_to(world.chances(rng, canaries), (world.references + YEAR, canaries))
    return next(alarms(world.watched(rng, chances)), None) is not None


def shares(trial: Callable[[Random], bool], runs: int, seed: Sequence[int]) -> str:
    """In how many runs it happened, in percent, with the standard error."""
    happened = sum(trial(np.random.default_rng([*seed, run])) for run in range(runs)) / runs
    # None of the runs, or all: half of one run more.
    sure = happened if 0.0 < happened < 1.0 else 0.5 / runs
    return f"{100 * happened:.1f} ± {100 * math.sqrt(sure * (1.0 - sure) / runs):.1f}"


def found_share(world: World, canaries: int, moment: int, change: Change, runs: int, seed: Sequence[int]) -> str:
    """In how many runs a change is found."""
    return shares(partial(detected, world=world, canaries=canaries, moment=moment, change=change), runs, seed)


WORLDS = {
    "a fifth unsteady, 8 reference looks": World(),
    "a fifth unsteady, 32 reference looks": World(references=32),
    "all steady, 8 reference looks": World(steady=True),
}


def years_without_a_loss(count: int, seed: int) -> None:
    """Print how often a year has a false alarm; steady answers never differ, and have none."""
    print(f"level of a look {BUDGET.level:.3g}; mean run between false alarms at least {BUDGET.mean_run:,.0f} looks")
    print(f"\n% of years of {YEAR:,} looks with any alarm where nothing changed, floor {100 * TEAM:.0f} points\n")
    print("| canaries | reference looks | years with an alarm |\n|---|---|---|")
    for number, canaries in (*product((0,), SIZES), (1, 100)):
        world = list(WORLDS.values())[number]
        cell = shares(partial(alarmed, world=world, canaries=canaries), count, [seed, 0, number, canaries])
        print(f"| {canaries} | {world.references} | {cell} |", flush=True)


def losses(runs: int, seed: int) -> None:
    """Print how often a loss is found."""
    for number, (name, world) in enumerate(WORLDS.items()):
        print(f"\n% of losses found within {WITHIN} looks, floor {100 * TEAM:.0f} points: {name}\n")
        heads = [f"{100 * loss:.0f} points" for loss in LOSSES]
        print("| canaries | loss at look | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(heads))
        # The first table shows that the moment makes no difference.
        for canaries, moment in product(SIZES, MOMENTS if number == 0 else MOMENTS[2:3]):
            place = [seed, 1, number, canaries, moment]
            cells = [
                found_share(world, canaries, moment, partial(lapsed, loss=loss), runs, [*place, round(100 * loss)])
                for loss in LOSSES
            ]
            print(f"| {canaries} | {moment:,} | " + " | ".join(cells) + " |", flush=True)


def other_changes(runs: int, years: int, seed: int) -> None:
    """Print how often what is no loss in the mean alarms."""
    print("\nwhat is no loss in the mean, 100 canaries, 8 reference looks: % with an alarm\n")
    print(f"| | floor {100 * TEAM:.0f} points | floor {100 * OWN:.0f} points |\n|---|---|---|")
    for share in (0.1, 0.2):
        swap, place = partial(churned, share=share), [seed, 2, round(100 * share)]
        cells = [found_share(World(steady=True, floor=f, agreeing=1.0), 100, 50, swap, runs, place) for f in FLOORS]
        print(
            f"| {100 * share:.0f} of 100 answers change for good, as often for the better | " + " | ".join(cells) + " |"
        )
    for keeps in (2, 4):
        sticky = [World(keeps=keeps, floor=floor) for floor in FLOORS]
        cells = [shares(partial(alarmed, world=w, canaries=100), max(1, years // 10), [seed, 3, keeps]) for w in sticky]
        told = f"a year in which unsteady canaries keep an answer for {keeps} looks"
        print(f"| {told} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="of each figure of detection")
    parser.add_argument("--years", type=int, default=200, help="of each figure of false alarms")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--only", choices=["years", "losses", "others"], help="one of the tables")
    given = parser.parse_args()
    if given.only in (None, "years"):
        years_without_a_loss(given.years, given.seed)
    if given.only in (None, "losses"):
        losses(given.runs, given.seed)
    if given.only in (None, "others"):
        other_changes(given.runs, given.years, given.seed)


if __name__ == "__main__":
    main()
