"""A run says how far it is and how long it will still take, in a log as well."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

from bench import Bench
from chat_endpoint import Answer, ChatEndpoint
from rich.console import Console

from driftgate.api.display import ProgressDisplay
from driftgate.benchmarks.datasets import Sample
from driftgate.ledger import Ledger


async def test_a_log_says_how_long_the_whole_run_will_take(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]
) -> None:
    endpoint.default = lambda prompt: Answer("A", seconds=0.1)
    written = io.StringIO()
    display = ProgressDisplay(Console(file=written, width=200), log_seconds=0)
    bench = Bench(endpoint, ledger, tmp_path, samples(12), suite={"variants": ["terse", "zero_shot"]}, model={})
    bench.model, bench.watcher = {"in_flight": 1}, display  # type: ignore[assignment]
    await bench.run()
    first, second = (
        [line for line in written.getvalue().splitlines() if f"· {variant} ·" in line]
        for variant in ("terse", "zero_shot")
    )
    assert [re.findall(r": (\d+)/12", line) for line in first] == [[str(n)] for n in (*range(1, 13), 12)]
    # One reply, which may have waited for a model to be loaded, says nothing of the others.
    assert [" left" in line for line in first] == [False, False, *[True] * 11]
    assert [" left" in line for line in second] == [False, False, *[True] * 9, False, False]
    forecasts = [int(re.findall(r"about (\d+) s left", line)[0]) for line in (first[2], second[2])]
    assert forecasts[0] > forecasts[1] >= 1  # the cells to come count


async def test_a_cell_that_was_done_before_has_no_forecast(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]
) -> None:
    bench = Bench(endpoint, ledger, tmp_path, samples(6))
    run = await bench.run()
    written = io.StringIO()
    bench.watcher = ProgressDisplay(Console(file=written, width=200), log_seconds=0)  # type: ignore[assignment]
    await bench.run(run)
    assert "6 of 6 are already recorded" in written.getvalue()
    assert " left" not in written.getvalue()
