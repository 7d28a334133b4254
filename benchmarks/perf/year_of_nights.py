"""What a year of nights takes in the ledger: all of KMMLU, one model, zero-shot, by table.

Run from the project's root, beside ``../shared``::

    python -m benchmarks.perf.year_of_nights [--nights 3] [--questions 35030]

Each night is a run of its own through the shipped flow, with a recorded model's answers from the replay endpoint, and
is packed afterwards as ``driftgate nightly`` does it. What does not grow with the nights (questions, prompts, replies
that were given before) is in the first; a year is the first night and 364 times what each further one added. Pages that
are free in the file are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.perf.throughput import kmmlu, replay_endpoint, through_driftgate
from driftgate.ledger import Checked, check_ledger, pack_details

NIGHTS = 365


def by_table(checked: Checked) -> dict[str, int]:
    """Bytes of each table."""
    return {table.name: table.bytes or 0 for table in checked.tables}


def main() -> None:
    """Run the nights and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=3, help="at least 2")
    parser.add_argument("--questions", type=int, default=None)
    given = parser.parse_args()
    dataset = kmmlu(given.questions)
    asked = len(dataset.samples)
    found: list[Checked] = []
    with replay_endpoint(0) as base, tempfile.TemporaryDirectory() as folder:
        for night in range(given.nights):
            ledger, _ = asyncio.run(through_driftgate(base, dataset, 64, "native", Path(folder)))
            recorded = sum(file.stat().st_size for file in Path(folder).glob("ledger.db*"))
            began = time.perf_counter()
            packed = pack_details(ledger)
            took = time.perf_counter() - began
            found.append(check_ledger(ledger))
            print(
                f"night {night + 1}: {recorded / 1e6:,.0f} MB recorded, {(found[-1].bytes or 0) / 1e6:,.0f} MB packed "
                f"({packed.rows:,} rows into {packed.bytes / 1e6:,.1f} MB in {took:.1f} s), "
                f"{len(found[-1].faults)} faults",
                flush=True,
            )
            ledger.close()
    first, before, last = (by_table(found[place]) for place in (0, -2, -1))
    year = 0.0
    print(f"| table | first night | a night more | bytes a sample | {NIGHTS} nights |\n|---|---|---|---|---|")
    for name in sorted(last, key=lambda name: -last[name]):
        more = last[name] - before.get(name, 0)
        whole = first.get(name, 0) + (NIGHTS - 1) * more
        year += whole
        if last[name] > 100_000:
            nights = f"{first.get(name, 0) / 1e6:,.1f} MB | {more / 1e6:,.1f} MB"
            print(f"| {name} | {nights} | {more / asked:,.0f} | {whole / 1e9:.2f} GB |")
    free, more = (found[-1].bytes or 0) - sum(last.values()), sum(last.values()) - sum(before.values())
    nights = f"{(found[0].bytes or 0) / 1e6:,.0f} MB | {more / 1e6:,.1f} MB"
    print(f"| everything | {nights} | {more / asked:,.0f} | {(year + free) / 1e9:.2f} GB |")
    print(f"free pages, which the next night fills: {free / 1e6:,.0f} MB")
    print(f"{NIGHTS} nights of {asked:,} questions: {(year + free) / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
