"""Is a topic that tripled found in 2,000 inputs against 2,000, and is nothing found where nothing changed?

The inputs are questions of KMMLU with their options. In the reference a tenth of them is on one subject, the rest on
the other 44; in the current window that subject has the share named, or still a tenth. Each subject of ten is tried
once. Beside it, on the same texts, evidently's text drift: a classifier of the two windows, whose area under the curve
it compares with that of a random one. Run it from the project's root, where ../shared/data lies:

    python -m benchmarks.perf.text_drift
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from driftgate.monitor.detectors import DETECTORS
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.signals import SIGNALS

DATA = Path("../shared/data/kmmlu/data")
LEVEL = 0.01 / sum(not SIGNALS.get(name).of_canaries for name in SIGNALS.names())
"""What a look at all signals, whose level is 0.01, asks of one that moved alone."""


def subjects(folder: Path, *, options: bool = True) -> dict[str, list[str]]:
    """The questions of each subject, as an application would send them."""
    found = {}
    for path in sorted(folder.glob("*-test.csv")):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found[path.name.removesuffix("-test.csv")] = [
            row["question"] + ("".join(f"\n{name}. {row[name]}" for name in "ABCD") if options else "") for row in rows
        ]
    return found


def window(asked: dict[str, list[str]], topic: str, share: float, rng: np.random.Generator, size: int) -> list[str]:
    """Questions of which a share is on the topic."""
    count = round(share * size)
    others = [text for subject, texts in asked.items() if subject != topic for text in texts]
    return [*rng.choice(asked[topic], count, replace=False), *rng.choice(others, size - count, replace=False)]


def ours(before: list[str], now: list[str]) -> bool:
    """Whether the signal of inputs would be an alert."""
    sides = []
    for texts in (before, now):
        kept = np.empty(len(texts), dtype=object)
        kept[:] = [np.array(ngrams(text), dtype=np.int32) for text in texts]
        sides.append(kept)
    found = DETECTORS.get("mmd").compare(*sides)
    effect = found.effect.estimate
    assert found.p_value is not None and effect is not None
    return found.p_value <= LEVEL and effect >= SIGNALS.get("input_drift").floor


def evidently(before: list[str], now: list[str]) -> bool:
    """Whether evidently calls the column drifted, by its usual test for texts of this size."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    definition = DataDefinition(text_columns=["text"])
    sides = [Dataset.from_pandas(pd.DataFrame({"text": texts}), data_definition=definition) for texts in (now, before)]
    result = Report([ValueDrift(column="text")]).run(*sides).dict()["metrics"][0]
    threshold = result["config"].get("threshold") or 0.55
    return float(result["value"]) >= threshold


def tried(
    asked: dict[str, list[str]],
    topics: list[str],
    share: float,
    size: int,
    test: Callable[[list[str], list[str]], bool],
    seed: int,
) -> tuple[int, float]:
    """In how many topics a test finds a change, and the longest time on a CPU in seconds."""
    found, longest = 0, 0.0
    for number, topic in enumerate(topics):
        before = window(asked, topic, 0.1, np.random.default_rng([number, 1, seed]), size)
        now = window(asked, topic, share, np.random.default_rng([number, 2, seed]), size)
        begun = time.process_time()
        found += test(before, now)
        longest = max(longest, time.process_time() - begun)
    return found, longest


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--topics", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--questions-only", action="store_true", help="leave the options out of the inputs")
    parser.add_argument("--without-evidently", action="store_true")
    arguments = parser.parse_args()
    asked = subjects(arguments.data, options=not arguments.questions_only)
    large = [name for name, texts in asked.items() if len(texts) >= 700]
    rng = np.random.default_rng([1, arguments.seed])
    topics = [str(name) for name in rng.choice(large, arguments.topics, replace=False)]
    tests = {"driftgate": ours} | ({} if arguments.without_evidently else {"evidently": evidently})
    for name, test in tests.items():
        for share in (0.1, 0.25, 0.3):
            found, seconds = tried(asked, topics, share, arguments.size, test, arguments.seed)
            print(
                f"{name}: a topic from 10% to {share:.0%} of {arguments.size:,} inputs: found in {found} of "
                f"{len(topics)}; at most {seconds:.1f} s of CPU",
                flush=True,
            )


if __name__ == "__main__":
    main()
