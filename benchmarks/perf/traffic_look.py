"""A look at traffic of many millions of calls: its time and memory, beside evidently's report on the same calls.

A store of so many calls a side is written, fourteen days before and fourteen now, with users, slices, errors, weights
and n-grams of KMMLU questions; then `driftgate.monitor.watch.look_at_traffic` looks at it in a process of its own, with
every signal. The yardstick, in another process: evidently's drift report of the two windows' numbers (latency, tokens,
output length, error, slice), of as many calls as it is given. Run it from the project's root, where
../shared/data lies, with 3 GB of disk free::

    python -m benchmarks.perf.traffic_look [--calls 10000000] [--evidently 1000000]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.perf.text_drift import DATA, subjects
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import SCHEMA, ModelCall, to_arrow
from driftgate.monitor.telemetry import _parquet as days

END = datetime(2026, 3, 29, tzinfo=UTC)
DAYS = 14
SLICES = ["billing", "search", "support", "tutor"]


def some_calls(count: int, rng: np.random.Generator) -> pa.Table:
    """Calls as an application sends them, all within a day."""
    texts = [text for asked in subjects(DATA).values() for text in asked][:count]
    kept = [ngrams(text) for text in texts]
    calls = []
    for number in range(count):
        failed = rng.random() < 0.02
        calls.append(
            ModelCall(
                time=END,
                trace_id="",
                span_id="",
                request_model="gpt-4o",
                response_model="gpt-4o-2024-08-06",
                prompt_hash="4d9a7c11",
                slice=SLICES[number % 4],
                user=f"user {rng.integers(5000)}",
                latency=float(rng.lognormal(0.0, 0.6)),
                input_tokens=int(rng.integers(50, 500)),
                output_tokens=int(rng.integers(1, 200)),
                output_chars=int(rng.integers(1, 900)),
                error="timeout" if failed else "",
                finish_reason="" if failed else "stop",
                refused=bool(rng.random() < 0.03),
                unparsed=bool(rng.random() < 0.01),
                malformed=bool(rng.random() < 0.01),
                addressed=True,
                input_korean=True,
                output_korean=bool(rng.random() < 0.98),
                tool_calls=int(rng.random() < 0.1),
                input_ngrams=kept[number % len(kept)],
                output_ngrams=kept[(7 * number) % len(kept)],
            )
        )
    return pa.Table.from_batches([to_arrow(calls)])


def write(folder: Path, calls: int, seed: int) -> None:
    """Write the store, a day after the other."""
    rng = np.random.default_rng(seed)
    few = some_calls(20_000, rng)
    a_day = calls // DAYS
    for day in range(2 * DAYS):
        drawn = few.take(pa.array(rng.integers(few.num_rows, size=a_day)))
        begun = END - timedelta(days=2 * DAYS - day)
        moments = (rng.random(a_day) * 86_400e6).astype("timedelta64[us]") + np.datetime64(begun.replace(tzinfo=None))
        ids = pa.array(np.char.mod("%016x", rng.integers(2**62, size=a_day)))
        fresh = {
            "time": pa.array(moments).cast(SCHEMA.field("time").type),
            "trace_id": pc.binary_join_element_wise(ids, ids, ""),
            "span_id": ids,
        }
        for name, column in fresh.items():
            drawn = drawn.set_column(drawn.schema.get_field_index(name), name, column)
        days.write_days(folder, drawn.cast(SCHEMA), day + 1)


def look(folder: Path) -> str:
    """What a look comes to."""
    from driftgate.ledger import open_ledger
    from driftgate.monitor.config import TrafficConfig
    from driftgate.monitor.watch import look_at_traffic

    with tempfile.TemporaryDirectory() as name:
        ledger = open_ledger("sqlite:///ledger.db", Path(name))
        traffic = TrafficConfig(request_model="gpt-4o", reference_days=DAYS, current_days=DAYS)
        found = look_at_traffic(ledger, "m", folder, traffic, END)
        signals = sum(finding.p_value is not None for finding in (found.look.findings if found.look else ()))
        return f"{found.conclusion.result}, {signals} signals told; {found.conclusion.reason}"


def evidently_report(folder: Path, most: int) -> str:
    """How many columns evidently calls drifted."""
    import pyarrow.dataset as ds
    from evidently import Report
    from evidently.presets import DataDriftPreset

    middle = END - timedelta(days=DAYS)
    sides = [
        ds.dataset(days.files_between(folder, begun, begun + timedelta(days=DAYS - 1)), format="parquet")
        .head(most, columns=["latency", "input_tokens", "output_tokens", "output_chars", "error", "slice"])
        .to_pandas()
        for begun in (END - timedelta(days=2 * DAYS), middle)
    ]
    report = Report([DataDriftPreset()]).run(sides[1], sides[0])
    return f"{len(report.dict()['metrics'])} metrics of {len(sides[0]):,} and {len(sides[1]):,} calls"


def measured(part: str, folder: Path, most: int) -> None:
    """Do a part of the work in this process, and print its seconds and megabytes."""
    began = time.perf_counter()
    told = look(folder) if part == "look" else evidently_report(folder, most)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
    print(
        f"{part:<10}{seconds:6.1f} s ({processor:.1f} s of processors), {used.ru_maxrss / 1024:,.0f} MB: {told}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000_000, help="of each window")
    parser.add_argument("--evidently", type=int, default=1_000_000, help="calls of each window it is given; 0: none")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--folder", type=Path, help="where the store is made, or was")
    parser.add_argument("--part", choices=["write", "look", "evidently"], help="do only this, in this process")
    options = parser.parse_args()
    if options.part == "write":
        write(options.folder, options.calls, options.seed)
        return
    if options.part:
        measured(options.part, options.folder, options.evidently)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name) / "telemetry"
        parts = ["look", *(["evidently"] if options.evidently else [])]
        print(f"{options.calls:,} calls a window", flush=True)
        for part in [*([] if folder.exists() else ["write"]), *parts]:
            wanted = [f"--{key}={getattr(options, key)}" for key in ("calls", "evidently", "seed")]
            command = [sys.executable, "-m", "benchmarks.perf.traffic_look", "--part", part, "--folder", str(folder)]
            subprocess.run([*command, *wanted], check=True)


if __name__ == "__main__":
    main()
