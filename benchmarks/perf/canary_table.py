"""How soon does a monitor find that its canaries are answered worse, on day 300 as on day 1, and how often for nothing?

Made-up canaries in four slices: 65 of 100 are always answered right, 15 never, 20 now and then (``--steady``: none, as
at temperature 0). Eight looks are the reference, which grows as the shipped setting has it, then one follows each hour.
A loss sends as many canaries down to chance (0.25) as make it up, in their mean, from one look on; it is found if one
of the 48 looks from then on alarms. A year without a loss has 8,760 looks; what is counted is the share of years with
any alarm. All courses of a figure are judged at once from sums (`benchmarks.perf._canary_looks`); at the end looks from
all of them are judged again by `driftgate.monitor.drift.look`, as a monitor calls it, and the two compared. Run it from
the project's root (some minutes):

    python -m benchmarks.perf.canary_table
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.perf._canary_looks import SLICES, Bools, Courses, alarming
from benchmarks.perf._canary_powers import most_powerful
from driftgate.monitor._reference import pooled_look
from driftgate.monitor.config import REFERENCE_GROWS_TO, REFERENCE_LOOKS
from driftgate.monitor.pooling import WINDOWS, Budget, grown
from driftgate.monitor.signals import SIGNALS

YEAR, WITHIN = 8760, 48
BUDGET = Budget(per_year=0.05, looks_per_year=YEAR)
SIZES, LOSSES, MOMENTS = (50, 100, 300), (0.03, 0.05, 0.10, 0.20), (5, 50, 300, 5000)
TEAM, OWN = 0.02, SIGNALS.get("canary_accuracy").floor
"""The floor of a team that wants to hear of three points, and the signal's own."""
FLOORS = (TEAM, OWN)
START = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 3_000_000
"""Answers that are held at once."""

Chances = NDArray[np.float64]
Random = np.random.Generator
Change = Callable[[Random, Chances], Chances]


@dataclass(frozen=True)
class World:
    """What the canaries are like, and how they are watched."""

    steady: bool = False
    keeps: int = 1
    """For how many looks an unsteady canary keeps its answer, in the mean."""
    references: int = REFERENCE_LOOKS
    grows_to: int = REFERENCE_GROWS_TO
    floor: float = TEAM
    agreeing: float = SIGNALS.get("canary_agreement").floor
    """The floor of agreement."""

    def chances(self, rng: Random, count: int) -> Chances:
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

    def courses(self, right: Bools) -> Courses:
        """Courses of answers as they are watched; a wrong answer of a canary is always the same one."""
        floors = {"canary_accuracy": self.floor, "canary_agreement": self.agreeing}
        same = right == right[:, :1]
        return Courses(right, same, self.references, self.grows_to, floors, BUDGET.level)


def by_the_product(courses: Courses, run: int, place: int) -> bool:
    """Whether a look alarms, as a monitor makes it."""
    right, pinned = courses.right[run], courses.pinned
    count = right.shape[1]
    slices = np.array([f"s{number}" for number in np.arange(count) % SLICES], dtype=object)

    def frame(row: Bools) -> pd.DataFrame:
        values = {"key": np.arange(count), "slice": slices, "answer": np.where(row, "A", "B")}
        return pd.DataFrame({"time": pd.Timestamp(START), **values, "correct": row.astype(float)})

    further, newest = grown(pinned, place, courses.grows_to), pinned + place
    reference = [frame(row) for row in right[: pinned + further]]
    current = [frame(row) for row in right[max(pinned, newest - WINDOWS[-1] + 1) : newest + 1]]
    return bool(pooled_look(reference, current, courses.floors, courses.level, pinned=pinned).alerts)


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


def course(world: World, canaries: int, moment: int, change: Change, rng: Random) -> Bools:
    """Answers of a monitor at which a change begins at a look, up to two days after it."""
    chances = world.chances(rng, canaries)
    # What comes later than a full reference and a full window before the change has no part in what is decided after.
    before = min(moment - 1, max(world.grows_to - world.references, 0) + WINDOWS[-1] - 1)
    looks = world.references + before
    return world.answers(rng, np.vstack([np.tile(chances, (looks, 1)), np.tile(change(rng, chances), (WITHIN, 1))]))


def detected(courses: Courses) -> Bools:
    """In which courses a change is found within two days; they end with these."""
    runs, looks, _ = courses.right.shape
    first, found, signals = looks - courses.pinned - WITHIN, np.zeros(runs, dtype=np.bool_), list(courses.sums())
    for place in range(first, first + WITHIN):
        left = np.flatnonzero(~found)
        found[left] = alarming(courses, signals, left, np.full(left.size, place))
    return found


def found_in(
    world: World, canaries: int, moment: int, change: Change, runs: int, seed: Sequence[int]
) -> tuple[Bools, Courses]:
    """In which runs a change is found, and some of the courses."""
    found, left = [], list(range(runs))
    while left:
        size = max(1, _AT_ONCE // (canaries * 160))
        some, left = left[:size], left[size:]
        drawn = [course(world, canaries, moment, change, np.random.default_rng([*seed, run])) for run in some]
        courses = world.courses(np.stack(drawn))
        found.append(detected(courses))
    return np.concatenate(found), courses


def alarmed(world: World, canaries: int, rng: Random) -> bool:
    """Whether a year in which nothing changes has any alarm."""
    chances = np.broadcast_to(world.chances(rng, canaries), (world.references + YEAR, canaries))
    courses = world.courses(world.answers(rng, chances)[None])
    return bool(alarming(courses, list(courses.sums()), np.zeros(YEAR, dtype=int), np.arange(YEAR)).any())


def told(happened: float, runs: int) -> str:
    """A share in percent, with its standard error."""
    # None of the runs, or all: half of one run more.
    sure = happened if 0.0 < happened < 1.0 else 0.5 / runs
    return f"{100 * happened:.1f} ± {100 * math.sqrt(sure * (1.0 - sure) / runs):.1f}"


def years_told(world: World, canaries: int, years: int, seed: Sequence[int]) -> str:
    """In how many years there is an alarm."""
    happened = [alarmed(world, canaries, np.random.default_rng([*seed, year])) for year in range(years)]
    return told(float(np.mean(happened)), years)


WORLDS = {
    f"a fifth unsteady, 8 reference looks that grow to {REFERENCE_GROWS_TO}": World(),
    "a fifth unsteady, 8 reference looks for good": World(grows_to=REFERENCE_LOOKS),
    "a fifth unsteady, 32 reference looks": World(references=32),
    f"all steady, 8 reference looks that grow to {REFERENCE_GROWS_TO}": World(steady=True),
}


@dataclass
class Table:
    """What is measured, and looks of all of it for the check at the end."""

    runs: int
    years: int
    seed: int
    sampled: list[tuple[Courses, int, int]]

    def false_alarms(self) -> None:
        """Print how often a year has a false alarm; steady answers never differ, and have none."""
        mean = f"mean run between false alarms at least {BUDGET.mean_run:,.0f} looks"
        print(f"level of a look {BUDGET.level:.3g}; {mean}")
        print(f"\n% of years of {YEAR:,} looks with any alarm where nothing changed, floor {100 * TEAM:.0f} points\n")
        print("| canaries | years with an alarm |\n|---|---|")
        for canaries in SIZES:
            print(f"| {canaries} | {years_told(World(), canaries, self.years, [self.seed, 0, canaries])} |", flush=True)

    def losses(self) -> None:
        """Print how often a loss is found."""
        for number, (name, world) in enumerate(WORLDS.items()):
            print(f"\n% of losses found within {WITHIN} looks, floor {100 * TEAM:.0f} points: {name}\n")
            heads = [f"{100 * loss:.0f} points" for loss in LOSSES]
            print("| canaries | loss at look | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(heads))
            moments = MOMENTS if number == 0 else MOMENTS[:1] if world.references > REFERENCE_LOOKS else MOMENTS[2:3]
            for canaries in SIZES:
                for moment in moments:
                    cells = [self.found(number, world, canaries, moment, loss) for loss in LOSSES]
                    print(f"| {canaries} | {moment:,} | " + " | ".join(cells) + " |", flush=True)

    def found(self, number: int, world: World, canaries: int, moment: int, loss: float) -> str:
        """In how many runs a loss is found."""
        seed = [self.seed, 1, number, canaries, moment, round(100 * loss)]
        found, courses = found_in(world, canaries, moment, partial(lapsed, loss=loss), self.runs, seed)
        rng = np.random.default_rng([*seed, self.runs])
        last = courses.right.shape[1] - courses.pinned
        run, place = int(rng.integers(len(courses.right))), int(last - WITHIN + rng.integers(WITHIN))
        one = world.courses(courses.right[run : run + 1])
        self.sampled.append((one, 0, place))
        return told(float(found.mean()), self.runs)

    def what_is_there(self) -> None:
        """Print what the best tests find of losses while the reference is young."""
        print(f"\n% of losses at look {MOMENTS[0]} found by the best tests of the same level that there are\n")
        heads = [f"{100 * loss:.0f} points, {kind}" for loss in LOSSES[:2] for kind in ("exact", "mix known")]
        print("| canaries | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
        for canaries in SIZES:
            cells = [
                told(share, self.runs)
                for loss in LOSSES[:2]
                for share in most_powerful(canaries, loss, MOMENTS[0] - 1, self.runs, self.seed)
            ]
            print(f"| {canaries} | " + " | ".join(cells) + " |", flush=True)

    def other_changes(self) -> None:
        """Print how often what is no loss in the mean alarms."""
        print("\nwhat is no loss in the mean, 100 canaries: % with an alarm\n")
        print(f"| | floor {100 * TEAM:.0f} points | floor {100 * OWN:.0f} points |\n|---|---|---|")
        for share in (0.1, 0.2):
            swap, place = partial(churned, share=share), [self.seed, 2, round(100 * share)]
            worlds = [World(steady=True, floor=floor, agreeing=1.0) for floor in FLOORS]
            found = [found_in(world, 100, 50, swap, self.runs, place)[0].mean() for world in worlds]
            cells = " | ".join(told(float(share), self.runs) for share in found)
            print(f"| {100 * share:.0f} of 100 answers change for good, as often for the better | {cells} |")
        for keeps in (2, 4):
            years = max(1, self.years // 10)
            worlds = [World(keeps=keeps, floor=floor) for floor in FLOORS]
            cells = " | ".join(years_told(world, 100, years, [self.seed, 3, keeps]) for world in worlds)
            print(f"| a year in which unsteady canaries keep an answer for {keeps} looks | {cells} |", flush=True)

    def check(self) -> int:
        """Print how many of the sampled looks the shipped look decides alike; returns how many it does not."""
        other = alarms = 0
        for courses, run, place in self.sampled:
            mine = bool(alarming(courses, list(courses.sums()), np.array([run]), np.array([place]))[0])
            alarms += mine
            other += mine != by_the_product(courses, run, place)
        alike = len(self.sampled) - other
        print(f"\nthe shipped look decides {alike} of {len(self.sampled)} of these looks alike, {alarms} with an alarm")
        return other


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="of each figure of detection")
    parser.add_argument("--years", type=int, default=60, help="of each figure of false alarms")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--only", choices=["years", "losses", "others", "best"], help="one of the tables")
    given = parser.parse_args()
    table = Table(given.runs, given.years, given.seed, [])
    parts = {
        "years": table.false_alarms,
        "losses": table.losses,
        "best": table.what_is_there,
        "others": table.other_changes,
    }
    for name, part in parts.items():
        if given.only in (None, name):
            part()
    return int(bool(table.sampled) and table.check() > 0)


if __name__ == "__main__":
    raise SystemExit(main())
