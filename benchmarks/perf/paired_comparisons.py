"""Time all comparisons of several models on a KMMLU-sized benchmark, as ``driftgate compare`` makes them.

Five models with made-up answers to 35,030 samples of 45 subjects; for all ten pairs the difference overall, macro, of
every super-category and of every subject with its interval, corrected p-value and minimum detectable effect, 10,000
paired resamples of all of them, the Pareto front and the suspect keys. The target is 5 seconds on two cores. The
yardstick is the bootstrap as usually written: draw indices, take the mean of the drawn outcomes; it is timed for one
pair's overall difference, with fewer resamples, and scaled. With ``--workspace`` the newest cells of a dataset in a
ledger are compared instead, and reading them is timed on its own. Run it from the project's root:

    python -m benchmarks.perf.paired_comparisons [--workspace FOLDER --dataset kmmlu]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftgate.benchmarks.compare import agreeing_cells, compare_scored
from driftgate.benchmarks.scores import CellScores, score_cell
from driftgate.ledger import CellRow, key_frame, open_ledger

SUBJECT_SIZES = np.repeat([100, 130, 200, 300, 600, 1000], [5, 1, 3, 2, 2, 32])
LETTERS = np.array([*"ABCD"])
Cells = tuple[list[CellScores], Mapping[int, pd.DataFrame]]


def made_up_cells(models: int, rng: np.random.Generator) -> Cells:
    """Cells of models of rising ability, as they would be read from a ledger, and the keys of their samples."""
    subjects = np.repeat(np.arange(SUBJECT_SIZES.size), SUBJECT_SIZES)
    n = subjects.size
    difficulty = rng.normal(size=n) + rng.normal(scale=0.5, size=SUBJECT_SIZES.size)[subjects]
    keys = pd.DataFrame({"sample_id": np.arange(n), "gold": LETTERS[rng.integers(4, size=n)], "choices": 4})
    samples = pd.DataFrame(
        {
            "sample_id": np.arange(n),
            "key": [f"made-up/{i}" for i in range(n)],
            "upstream_id": [str(i) for i in range(n)],
            "category": [f"subject {s}" for s in subjects],
            "super_category": [f"group {s % 4}" for s in subjects],
            "cluster": "",
            "outcome": "answered",
            "cached": False,
            "cost": 0.001,
            "latency": 0.5,
        }
    )
    gold = np.searchsorted(LETTERS, keys["gold"].to_numpy(dtype=str))
    scored = []
    for place, ability in enumerate(np.linspace(-0.3, 1.0, models)):
        right = rng.random(n) < 0.25 + 0.75 / (1.0 + np.exp(difficulty - ability))
        answer = LETTERS[np.where(right, gold, (gold + rng.integers(1, 4, size=n)) % 4)]
        cell = CellRow(place, "made-up", place, f"model {place}", "", "", "made up", "", {})
        scored.append(CellScores(cell, samples.assign(answer=answer, correct=right.astype(float)), []))
    return scored, dict.fromkeys(range(models), keys)


def stored_cells(folder: Path, dataset: str) -> Cells:
    """The newest cells of a dataset in a workspace's ledger, and their keys."""
    ledger = open_ledger("ledger.db" if (folder / "ledger.db").exists() else ".driftgate/ledger.db", folder)
    cells = agreeing_cells(ledger, datasets=[dataset])
    keys = key_frame(ledger, cells[0].id)
    scored = [score_cell(ledger, cell) for cell in cells]
    ledger.close()
    return scored, {cell.id: keys for cell in cells}


def naive_seconds(first: NDArray[np.float64], second: NDArray[np.float64], resamples: int, seed: int) -> float:
    """Seconds a resample of one pair's overall difference takes when indices are drawn."""
    rng = np.random.default_rng(seed)
    started = time.perf_counter()
    for _ in range(resamples):
        drawn = rng.integers(first.size, size=first.size)
        first[drawn].mean() - second[drawn].mean()
    return (time.perf_counter() - started) / resamples


def main() -> None:
    parser = argparse.ArgumentParser(description="Time all comparisons of several models on a KMMLU-sized benchmark.")
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--dataset", default="kmmlu")
    given = parser.parse_args()

    warm, warm_keys = made_up_cells(2, np.random.default_rng(0))
    compare_scored(warm, warm_keys, resamples=100)  # Import everything now: an import is not what is timed.
    started = time.perf_counter()
    if given.workspace:
        scored, keys = stored_cells(given.workspace, given.dataset)
        print(f"reading and scoring {len(scored)} cells: {time.perf_counter() - started:.2f} s\n")
    else:
        scored, keys = made_up_cells(given.models, np.random.default_rng(given.seed))

    started, used = time.perf_counter(), time.process_time()
    (compared,) = compare_scored(scored, keys, resamples=given.resamples, seed=given.seed).datasets
    seconds, used = time.perf_counter() - started, time.process_time() - used
    for pair in compared.pairs:
        boot, sure = pair.overall.bootstrap, [d.p_adjusted for d in pair.of_kind("category")]
        found = sum(p is not None and p <= 0.05 for p in sure)
        print(
            f"{pair.name}: {pair.overall.comparison.interval}; bootstrap {boot.interval if boot else '-'}; "
            f"{found} of {len(sure)} categories differ"
        )

    first, second = (entry.right for entry in compared.entries[:2])
    naive = naive_seconds(first, second, 200, given.seed) * given.resamples * len(compared.pairs)
    differences = sum(len(pair.differences) for pair in compared.pairs)
    print(
        f"\n{len(compared.entries)} models, {len(compared.pairs)} pairs, {first.size:,} samples, {differences} "
        f"differences, {given.resamples:,} resamples: {seconds:.2f} s, {used:.2f} s of processor time (target for 5 "
        f"models: 5 s)\ndrawing indices, overall differences only: {naive:.1f} s (200 resamples of one pair, scaled), "
        f"{naive / seconds:.0f} times as long"
    )


if __name__ == "__main__":
    main()
