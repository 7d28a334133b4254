"""The privacy of training items on a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

import driftgate
from driftgate.api.privacy import check_items, limits_of, seal_dataset
from driftgate.benchmarks.gate import EXIT_CODES
from driftgate.cli._console import console, write_json
from driftgate.finetune.assurance import Assurance, Figure, as_data
from driftgate.finetune.holdouts import seals

_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow", "unmeasurable": "magenta"}
_SHARES = ("personal_data", "closer_share", "membership_advantage")


def run_check(
    folder: Path,
    items: Path,
    sources: Path | None,
    held_out: Path | None,
    canaries: Path | None,
    recipe: str,
    seed: int,
    json: Path | None,
) -> int:
    """Measure a file of training items and show it; the exit code is the verdict's."""
    with driftgate.open(folder) as ws:
        limits = limits_of(ws.files, recipe)
        found = check_items(ws.ledger, items, limits, sources=sources, held_out=held_out, canaries=canaries, seed=seed)
    _print(found)
    if json is not None:
        write_json(json, as_data(found))
    return EXIT_CODES[found.verdict]


def run_seal(folder: Path, dataset: str) -> None:
    """Seal a dataset, and say which are sealed."""
    with driftgate.open(folder) as ws:
        seal_dataset(ws.files, ws.ledger, dataset)
        for one in seals(ws.ledger):
            console.print(
                f"{escape(one.name)}: {one.count:,} samples, sealed on {one.sealed_at:%Y-%m-%d %H:%M} UTC, "
                f"{one.content[:12]}",
                soft_wrap=True,
            )


def _print(found: Assurance) -> None:
    table = Table(header_style="bold")
    for column in ("figure", "value", "95% on each side", "limit", "n", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for figure in found.figures:
        bounds = "" if figure.low is None or figure.high is None else f"{figure.low:.3f} to {figure.high:.3f}"
        verdict = f"[{_COLOURS[figure.verdict]}]{figure.verdict}[/]"
        limit = _number(figure, figure.limit)
        table.add_row(
            figure.name, _number(figure, figure.value), bounds, limit, f"{figure.n:,}", verdict, escape(figure.told)
        )
    console.print(table)
    console.print(f"privacy: [{_COLOURS[found.verdict]}]{found.verdict}[/]", soft_wrap=True)


def _number(figure: Figure, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3f}" if figure.name in _SHARES else f"{value:g}"
