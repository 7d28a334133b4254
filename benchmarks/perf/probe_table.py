"""How soon does a probe of 200 one-letter requests a look show another model, or the same one at another effort?

Of recorded models (``../shared/data/recorded``) with made-up repeats (`benchmarks.perf._recorded_letters`), all swaps
between models that differ by three points or more, and for each model another effort, by which on each question the
usual answer becomes one of the repeats. The probe is 50 questions, each asked four times a look, chosen by five repeats
of the model as ``driftgate monitor choose-canaries --probe`` does; beside it 200 questions drawn at random, each asked
once. Eight looks are the reference, or 64.

What is counted is the test that a probe has beside that of sums (`driftgate.monitor.detectors.few_changed`), of
agreement alone, at the level of hourly looks less what all windows, references, slices and signals of a look could take
of it at most: the shipped look finds at least as much. Run it from the project's root:

    python -m benchmarks.perf.probe_table
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.perf._recorded_letters import DATASETS, Letters, Random, Recorded, recorded
from benchmarks.perf.canary_letters import LEVEL, swaps
from driftgate.monitor.choosing import chosen_for_probe, informed
from driftgate.monitor.config import PROBE, REFERENCE_GROWS_TO, REFERENCE_LOOKS
from driftgate.monitor.detectors.few_changed import log_e_value
from driftgate.monitor.pooling import WINDOWS

WITHIN, CHOSEN_BY = (1, 4, 48), 5
_SHARED = 64.0
"""16 windows, references and signals under Benjamini and Hochberg at worst, halved for slices and for the two tests."""

Places = NDArray[np.int64]


def questions(data: Recorded, model: str, count: int, rng: Random, *, chosen: bool) -> Places:
    """The questions of a probe."""
    every = np.arange(data.answer.size)
    if not chosen:
        return np.sort(rng.choice(every, count, replace=False))
    asked = data.repeats(model, data.models[model], CHOSEN_BY, rng, every)
    frame = pd.DataFrame({"key": np.tile(every.astype(str), CHOSEN_BY), "answer": asked.ravel()})
    return np.array([int(one.key) for one in chosen_for_probe(informed(frame), count, seed=int(rng.integers(2**31)))])


def found_after(
    data: Recorded, model: str, after: tuple[str, Letters], rng: Random, *, count: int, looks: int, chosen: bool
) -> int:
    """After how many looks a change is found; one more than 48 where it is not."""
    repeats, places = PROBE["requests"] // count, questions(data, model, count, rng, chosen=chosen)
    # Looks between the reference and the change fill the windows.
    earlier = data.repeats(model, data.models[model], (looks + WINDOWS[-1] - 1) * repeats, rng, places)
    later = data.repeats(after[0], after[1], WITHIN[-1] * repeats, rng, places)
    agrees = np.vstack([earlier, later]) == earlier[0]
    per_look = agrees.reshape(-1, repeats, count).sum(axis=1)
    summed = np.vstack([np.zeros((1, count), dtype=int), per_look.cumsum(axis=0)])
    # The first answer is the anchor, and no evidence of agreement.
    before = np.column_stack([summed[looks] - 1, np.full(count, looks * repeats - 1)])
    needed = math.log(_SHARED / LEVEL)
    for look in range(1, WITHIN[-1] + 1):
        end = looks + WINDOWS[-1] - 1 + look
        for window in WINDOWS:
            now = np.column_stack([summed[end] - summed[end - window], np.full(count, window * repeats)])
            if log_e_value(before, now) >= needed:
                return look
    return WITHIN[-1] + 1


def told(found: Sequence[int]) -> str:
    """The share found within so many looks, in percent."""
    return " | ".join(f"{100 * np.mean([one <= within for one in found]):.0f}" for within in WITHIN)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8, help="of each model and effort; a quarter of each swap")
    parser.add_argument("--seed", type=int, default=15)
    given = parser.parse_args()
    heads = " | ".join(f"{what}, {within}" for what in ("swap", "effort") for within in WITHIN)
    print(f"| data | probe | reference looks | {heads} | unchanged, 48 |\n|---|---|---|{'---|' * 7}")
    for dataset in DATASETS:
        data, rng = recorded(dataset), np.random.default_rng(given.seed)
        for count, chosen in ((PROBE["limit"], True), (PROBE["requests"], False)):
            for looks in (REFERENCE_LOOKS, REFERENCE_GROWS_TO):
                after = partial(found_after, data, rng=rng, count=count, looks=looks, chosen=chosen)
                swapped = [
                    after(first, (second, data.models[second]))
                    for first, second in swaps(data)
                    for _ in range(max(1, given.runs // 4))
                ]
                models = [model for model in data.models for _ in range(given.runs)]
                efforts = [after(one, (one, data.other_effort(one, rng))) for one in models]
                unchanged = models[:: max(1, given.runs // 2)]
                same = [after(one, (one, data.models[one])) for one in unchanged]
                wrongly = f"{sum(one <= WITHIN[-1] for one in same)} of {len(same)}"
                name = f"{count} {'chosen' if chosen else 'at random'}, {PROBE['requests'] // count} times"
                print(f"| {dataset} | {name} | {looks} | {told(swapped)} | {told(efforts)} | {wrongly} |", flush=True)


if __name__ == "__main__":
    main()
