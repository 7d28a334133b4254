"""How soon few one-letter canaries show that another model answers, or the same one at another effort.

Of recorded models (``../shared/data/recorded``) with made-up repeats (`benchmarks.perf._recorded_letters`): eight looks
are the reference, then at once, or after it has grown, the model is swapped, or its effort is another, and each look
asks the same questions again.
Found is what a look of the shipped monitor alarms at, at the level of hourly looks, by accuracy or by agreement with
the reference (`benchmarks.perf._canary_looks` does as it does); floors are two points, as in probe mode.

The probe asks 200 questions that were drawn at random, of CLIcK and of HAERAE. Chosen canaries are those of CLIcK that
carry most information by the character (`driftgate.monitor.choosing`), by five repeats of the model and,
in a second row, by one run of each other model but the one that takes its place. Run it from the project's root:

    python -m benchmarks.perf.canary_letters
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.perf._canary_looks import Courses, alarming
from benchmarks.perf._recorded_letters import DATASETS, Letters, Random, Recorded, recorded
from driftgate.monitor.choosing import chosen, informed
from driftgate.monitor.config import REFERENCE_GROWS_TO, REFERENCE_LOOKS
from driftgate.monitor.pooling import Budget

WITHIN, REPEATS, PROBE, FEW, POINTS = (1, 4, 48), 5, 200, 40, 0.03
GROWN = 87
"""Looks until the reference is as large as it gets."""
FLOORS = {"canary_accuracy": 0.02, "canary_agreement": 0.02}
LEVEL = Budget(per_year=0.05, looks_per_year=8760).level

Places = NDArray[np.int64]
Pick = Callable[[Random], Places]


def first_alarms(
    data: Recorded, model: str, after: Sequence[tuple[str, Letters]], pick: Pick, rng: Random, young: bool = False
) -> Places:
    """For each of several changes, after how many looks it is found; more than the last of ``WITHIN`` where it is not.

    Parameters
    ----------
    after
        Whose repeats follow, and what they usually say.
    young
        Whether that is right after the eight looks.
    """
    right, same, quiet = [], [], 0 if young else GROWN
    for name, usual in after:
        places = pick(rng)
        before = data.repeats(model, data.models[model], REFERENCE_LOOKS + quiet, rng, places)
        letters = np.vstack([before, data.repeats(name, usual, WITHIN[-1], rng, places)])
        right.append(letters == data.answer[places])
        same.append(letters == letters[0])
    courses = Courses(np.stack(right), np.stack(same), REFERENCE_LOOKS, REFERENCE_GROWS_TO, FLOORS, LEVEL)
    signals, found = list(courses.sums()), np.full(len(after), WITHIN[-1] + 1)
    for place in range(WITHIN[-1]):
        left = np.flatnonzero(found > WITHIN[-1])
        hit = alarming(courses, signals, left, np.full(left.size, quiet + place))
        found[left[hit]] = place + 1
    return found


def at_random(data: Recorded, count: int) -> Pick:
    """Questions drawn anew for each run."""
    return lambda rng: np.sort(rng.choice(data.answer.size, count, replace=False))


def by_information(data: Recorded, model: str, others: Sequence[str], rng: Random) -> Pick:
    """Few questions chosen by repeats and by what other models said, anew for each run."""
    every = np.arange(data.answer.size)
    said = [dict(zip(map(str, every), data.models[name], strict=True)) for name in others]
    lengths = dict(zip(map(str, every), data.length, strict=True))

    def pick(rng: Random) -> Places:
        asked = data.repeats(model, data.models[model], REPEATS, rng, every)
        frame = pd.DataFrame({"key": np.tile(every.astype(str), REPEATS), "answer": asked.ravel()})
        picked = chosen(informed(frame, said, tokens=lengths), FEW)
        return np.array([int(one.key) for one in picked])

    return pick


def told(found: Sequence[Places]) -> str:
    """The share found within so many looks, in percent."""
    every = np.concatenate(found)
    return " | ".join(f"{100 * (every <= within).mean():.1f}" for within in WITHIN)


def swaps(data: Recorded) -> Iterator[tuple[str, str]]:
    """Swaps between models that differ by three points or more."""
    for first, second in permutations(data.models, 2):
        if abs(data.accuracy(first) - data.accuracy(second)) >= POINTS:
            yield first, second


def probe(runs: int, seed: int) -> None:
    """Print how soon a probe finds changes."""
    print(f"% found by a probe of {PROBE} questions\n")
    heads = " | ".join(f"within {within} looks" if within > 1 else "at the first look" for within in WITHIN)
    print(f"| data | reference looks | change | {heads} |\n|---|---|---|" + "---|" * len(WITHIN))
    for dataset, young in product(DATASETS, (True, False)):
        data, rng = recorded(dataset), np.random.default_rng([seed, 0])
        pick, looks = at_random(data, PROBE), REFERENCE_LOOKS if young else REFERENCE_GROWS_TO
        of = {
            (first, second): first_alarms(data, first, [(second, data.models[second])] * runs, pick, rng, young)
            for first, second in swaps(data)
        }
        worst = max(of, key=lambda pair: float(of[pair].mean()))
        start = f"| {dataset} | {looks} |"
        print(f"{start} {len(of)} swaps of models | {told(list(of.values()))} |", flush=True)
        print(f"{start} the least found of them, {' to '.join(worst)} | {told([of[worst]])} |", flush=True)
        efforts = {model: [(model, data.other_effort(model, rng)) for _ in range(runs)] for model in data.models}
        apart = np.mean([(usual != data.models[model]).mean() for model in efforts for _, usual in efforts[model]])
        found = [first_alarms(data, model, efforts[model], pick, rng, young) for model in efforts]
        print(f"{start} another effort, {100 * apart:.0f}% of answers | {told(found)} |", flush=True)


def choices(runs: int, seed: int) -> None:
    """Print how soon chosen canaries find changes, and as many or more at random."""
    data = recorded("CLIcK")
    print(f"\n% found by {FEW} chosen canaries of CLIcK, and by random ones\n")
    heads = " | ".join(f"{what}, {within}" for what in ("swap", "effort") for within in WITHIN)
    print(f"| canaries | characters a look | {heads} |\n|---|---|" + "---|" * (2 * len(WITHIN)))
    for name in (
        "chosen by repeats and by other models",
        "chosen by repeats",
        *(f"{n} at random" for n in (40, 80, 160)),
    ):
        rng = np.random.default_rng([seed, 1])
        found: dict[str, list[Places]] = {"swap": [], "effort": []}
        size: list[float] = []
        for model in data.models:
            for other in (other for first, other in swaps(data) if first == model):
                pick = _pick(data, name, model, [one for one in data.models if one not in (model, other)], rng)
                found["swap"].append(first_alarms(data, model, [(other, data.models[other])] * runs, pick, rng))
            pick = _pick(data, name, model, [one for one in data.models if one != model], rng)
            size.append(float(data.length[pick(rng)].sum()))
            efforts = [(model, data.other_effort(model, rng)) for _ in range(runs)]
            found["effort"].append(first_alarms(data, model, efforts, pick, rng))
        print(f"| {name} | {np.mean(size):,.0f} | {told(found['swap'])} | {told(found['effort'])} |", flush=True)


def _pick(data: Recorded, name: str, model: str, others: Sequence[str], rng: Random) -> Pick:
    if name.endswith("at random"):
        return at_random(data, int(name.split()[0]))
    return by_information(data, model, others if "models" in name else [], rng)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8, help="of each model and change")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--only", choices=["probe", "choices"], help="one of the tables")
    given = parser.parse_args()
    for name, part in {"probe": probe, "choices": choices}.items():
        if given.only in (None, name):
            part(given.runs, given.seed)


if __name__ == "__main__":
    main()
