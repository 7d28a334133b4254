"""GPT-4 of March and June 2023 on the same thousand numbers, as a stream of canaries.

For each of 200 seeds the numbers are shuffled; each gives a pair, March's answer for reference and June's for current,
and goes to a `CanaryStream`. Measured is after how many pairs it raises an alarm, after how many it names the primes,
and in how many streams it raises one at all when each pair's two answers are exchanged at random. Run it from the
project's root:

    python -m benchmarks.perf.llmdrift ../shared/data/llmdrift/PRIME_FULL_EVAL.csv
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

from driftgate.monitor.canary_stream import CanaryStream

REFERENCE, CURRENT = "openaichat/gpt-4-0314", "openaichat/gpt-4-0613"


def read_pairs(file: Path) -> pd.DataFrame:
    """One row a number: ``slice``, and 0 or 1 for ``reference`` and ``current``."""
    rows = pd.read_csv(file, usecols=["model", "dataset", "id", "query", "ref_answer", "answer"])
    said = rows["answer"].fillna("").map(_said)
    rows["right"] = (said == rows["ref_answer"].str.lower()).astype(float)
    # `id` counts from 0 within each dataset and model; the question itself is the safer key.
    sides = rows[rows["model"].isin([REFERENCE, CURRENT])].pivot(
        index=["dataset", "query"], columns="model", values="right"
    )
    return pd.DataFrame({"reference": sides[REFERENCE], "current": sides[CURRENT]}).reset_index(names=["slice", "key"])


def _said(answer: str) -> str:
    """The last ``[Yes]`` or ``[No]``, or else the last yes or no of any form."""
    marked = re.findall(r"\[(yes|no)\.?\]", answer, re.IGNORECASE) or re.findall(r"\b(yes|no)\b", answer, re.IGNORECASE)
    return str(marked[-1]).lower() if marked else ""


def watch(pairs: pd.DataFrame, seed: int, *, exchange: bool = False) -> tuple[int | None, int | None, tuple[str, ...]]:
    """Shuffle the pairs into a stream; after how many is there an alarm, and after how many is a slice named?

    Returns
    -------
    tuple
        Both numbers, None for never, and the slices named at that moment. A stream without an alarm is watched to its
        end, one with an alarm until a slice is named.
    """
    rng = np.random.default_rng(seed)
    shuffled = pairs.iloc[rng.permutation(len(pairs))]
    differences = (shuffled["current"] - shuffled["reference"]).to_numpy()
    if exchange:
        differences = differences * rng.choice([-1.0, 1.0], size=len(differences))
    stream, alarm = CanaryStream(), None
    for number, (difference, name) in enumerate(zip(differences, shuffled["slice"], strict=True), start=1):
        stream.update(float(difference), name)
        if alarm is None and stream.drift_detected:
            alarm = number
        if stream.moved:
            return alarm, number, stream.moved
    return alarm, None, ()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--shuffles", type=int, default=200)
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.file)
    print(pairs.groupby("slice")[["reference", "current"]].mean().round(3), f"\n{len(pairs)} pairs")
    found = [watch(pairs, seed) for seed in range(arguments.shuffles)]
    for what, numbers in (("alarm", [f[0] for f in found]), ("slice named", [f[1] for f in found])):
        known = [number for number in numbers if number is not None]
        quantiles = np.percentile(known, [50, 90, 100]).tolist() if known else "none"
        print(f"{what}: {len(known)} of {len(found)} streams; median, 90%, most pairs: {quantiles}")
    print("slices named:", pd.Series([f[2] for f in found]).value_counts().to_dict())
    false = sum(watch(pairs, seed, exchange=True)[0] is not None for seed in range(arguments.shuffles))
    print(f"exchanged at random: {false} of {arguments.shuffles} streams of {len(pairs)} pairs alarm")


if __name__ == "__main__":
    main()
