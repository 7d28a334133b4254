"""Does ``driftgate demo loop`` close, whatever the seed? Runs seed after seed and prints how each ended.

    python -m benchmarks.perf.loop_seeds --seeds 20 --threads 1 2 4

Each seed draws other tickets, another order of training and other first values of the adapters. The threads are taken
in turns, seed by seed. Minutes are those of the clock, so that nothing else may run; ``--fresh`` unpacks the embedded
model anew for every seed, as a machine does that never ran the demo. ``--at-once 2`` plays two seeds beside each other,
which on two processors gives each what one processor gives.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How one run of the demonstration ended."""

    seed: int
    threads: int
    code: int
    minutes: float
    attempts: int
    said: str

    def __str__(self) -> str:
        end = "closed" if self.code == 0 else f"exit {self.code}"
        return f"{self.seed:>9} {self.threads:>7} {end:>8} {self.minutes:>8.1f} {self.attempts:>8}  {self.said}"


def play(story: str, seed: int, threads: int, fresh: bool, keep: Path | None) -> Ended:
    """Run the demonstration once."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"XDG_CACHE_HOME": f"{folder}/cache"} if fresh else {}
        command = [sys.executable, "-m", "driftgate", "demo", "loop", f"{folder}/loop", "--story", story]
        began, said = time.monotonic(), Path(folder, "said.txt")
        with said.open("w") as output:
            code = subprocess.run(
                [*command, "--seed", str(seed), "--threads", str(threads)],
                env={**os.environ, **cache, "OMP_NUM_THREADS": str(threads), "NO_COLOR": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        minutes = (time.monotonic() - began) / 60
        text = said.read_text(encoding="utf-8")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{seed}-{threads}.txt").write_text(text, encoding="utf-8")
    attempts = [int(number) for number in re.findall(r"attempt (\d+)", text, re.IGNORECASE)]
    last = "" if code == 0 else (text.strip().splitlines() or ["it said nothing"])[-1][:160]
    return Ended(seed, threads, code, minutes, max(attempts, default=0), last)


def main() -> int:
    """Print a line for each seed, and how many closed in time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--story", choices=["tickets", "assistant"], default="tickets")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--minutes", type=float, default=10.0, help="what counts as in time")
    parser.add_argument("--fresh", action="store_true", help="unpack the embedded model anew for every seed")
    parser.add_argument("--keep", type=Path, help="a folder for what each run printed")
    parser.add_argument("--at-once", type=int, default=1, help="seeds that are played beside each other")
    asked = parser.parse_args()
    print(f"{'seed':>9} {'threads':>7} {'end':>8} {'minutes':>8} {'attempts':>8}", flush=True)
    seeds = range(asked.first, asked.first + asked.seeds)
    turns = [asked.threads[place // asked.at_once % len(asked.threads)] for place in range(asked.seeds)]
    ended = []
    with ThreadPoolExecutor(asked.at_once) as players:
        play_one = partial(play, asked.story, fresh=asked.fresh, keep=asked.keep)
        for one in players.map(play_one, seeds, turns):
            print(one, flush=True)
            ended.append(one)
    closed = [one for one in ended if one.code == 0]
    in_time = [one for one in closed if one.minutes <= asked.minutes]
    print(f"{len(closed)} of {len(ended)} closed, {len(in_time)} of them within {asked.minutes:g} minutes")
    return 0 if len(in_time) >= 0.95 * len(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
