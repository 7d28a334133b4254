"""Comparisons as CSV files, every row and every flipped sample of them, for a spreadsheet or a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from driftgate.benchmarks.compare import SLICES, Comparisons, DatasetComparison, Difference, Entry, Pair, flips
from driftgate.benchmarks.stats import Interval
from driftgate.flows.errors import DriftgateError
from driftgate.flows.plain import no_formula
from driftgate.flows.private_files import make_folder, opened
from driftgate.flows.private_text import write_text
from driftgate.flows.scrubbing import scrub
from driftgate.ledger import Ledger, sample_data

_TEXT = 300
"""Characters of a question that go into a table."""


def write_comparison_csv(ledger: Ledger, compared: Comparisons, folder: Path) -> list[Path]:
    """Write ``cells.csv``, ``differences.csv``, ``directions.csv`` and ``suspect_keys.csv``, replacing what is there.

    What flipped is written by :func:`write_flips`.

    Raises
    ------
    DriftgateError
        The folder cannot be written to.
    """
    import pandas as pd

    tables = {
        "cells": pd.DataFrame(row for d in compared.datasets for row in _cells(d)),
        "differences": pd.DataFrame(row for d in compared.datasets for row in _differences(d)),
        "directions": pd.DataFrame(row for d in compared.datasets for row in _directions(d)),
        "suspect_keys": pd.concat([_suspects(ledger, d) for d in compared.datasets]),
    }
    files = {folder / f"{name}.csv": table for name, table in tables.items()}
    try:
        for path, table in files.items():
            harmless = table.map(no_formula) if len(table.columns) else table
            write_text(path, harmless.to_csv(index=False, lineterminator="\n"))
    except OSError as problem:
        said = problem.strerror or str(problem)
        raise DriftgateError(
            f"the tables cannot be written to {folder}: {said}", "free space or name another folder"
        ) from problem
    return list(files)


def write_flips(ledger: Ledger, compared: Comparisons, path: Path) -> int:
    """Write every sample that two cells answered differently, pair by pair, so that memory does not grow with pairs.

    Of datasets with many cells only the pairs that were asked for, or all of them where none was.

    Returns
    -------
    int
        How many samples flipped, over all pairs.

    Raises
    ------
    DriftgateError
        The file cannot be written.
    """
    pairs = [(d.dataset, pair) for d in compared.datasets for pair in d.detailed or d.pairs if pair.shared]
    written = 0
    try:
        make_folder(path.parent)
        with opened(path, "w", encoding="utf-8", newline="") as file:
            for number, (dataset, pair) in enumerate(pairs):
                table = _flips(ledger, dataset, pair).map(no_formula)
                file.write(scrub(table.to_csv(index=False, header=number == 0, lineterminator="\n")))
                written += len(table)
    except OSError as problem:
        said = problem.strerror or str(problem)
        raise DriftgateError(f"the flips cannot be written to {path}: {said}", "free space or name another file") from (
            problem
        )
    return written


def _directions(compared: DatasetComparison) -> Iterator[dict[str, Any]]:
    for pair in compared.detailed:
        for kind in SLICES:
            if pair.of_kind(kind):
                counted = asdict(pair.directions(kind))
                told = {name: "; ".join(v) if isinstance(v, tuple) else v for name, v in counted.items()}
                yield _names(compared.dataset, pair) | {"slice_kind": kind} | told


def _limits(name: str, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _cells(compared: DatasetComparison) -> Iterator[dict[str, Any]]:
    for standing in compared.standings:
        cell = standing.entry.scores.cell
        yield {
            "dataset": compared.dataset,
            "cell": standing.entry.label,
            "model": cell.model,
            "flow": cell.flow,
            "variant": cell.variant,
            "run": cell.run_id,
            "differs_in": compared.asked_as(standing.entry),
            "signature": cell.signature,
            "asked": len(standing.entry.frame),
            "stopped": cell.stopped,
            **standing.entry.scores.outcomes,
            **_limits("quality", standing.quality),
            "quality_if_right": standing.if_right,
            **_limits("cost_per_1000", standing.cost),
            "currency": standing.currency if standing.cost else None,
            **_limits("latency_p50_seconds", standing.latency),
            **_rank(compared, standing.entry),
            "pareto": standing.place,
            "beaten_by": standing.beaten_by,
        }


def _rank(compared: DatasetComparison, entry: Entry) -> dict[str, Any]:
    ranks = compared.ranking.ranks if compared.ranking else ()
    mine = next((rank for rank in ranks if rank.entry is entry), None)
    return {"rank": mine.rank, "rank_low": mine.low, "rank_high": mine.high} if mine else {}


def _differences(compared: DatasetComparison) -> Iterator[dict[str, Any]]:
    for pair in compared.pairs:
        for difference in pair.differences:
            yield _names(compared.dataset, pair) | _difference(difference) | {"design": pair.design}


def _names(dataset: str, pair: Pair) -> dict[str, Any]:
    return {"dataset": dataset, "candidate": pair.candidate.label, "reference": pair.reference.label}


def _difference(row: Difference) -> dict[str, Any]:
    comparison, bounds, boot, common = row.comparison, row.bounds, row.bootstrap, row.common
    return {
        "slice_kind": row.kind,
        "slice": row.name,
        "candidate_score": row.candidate,
        "reference_score": row.reference,
        **_limits("difference", comparison.interval),
        "p": comparison.p_value,
        "p_adjusted": row.p_adjusted,
        "finding": row.finding,
        "untested": row.untested,
        "n": comparison.n,
        "gained": comparison.gained,
        "lost": comparison.lost,
        "paired": comparison.paired,
        "clustered": comparison.clustered,
        "method": comparison.method,
        "no_interval_because": comparison.interval.reason,
        "minimum_detectable": comparison.minimum_detectable_effect,
        "bound_low": bounds.low.estimate if bounds else None,
        "bound_high": bounds.high.estimate if bounds else None,
        "unanswered": bounds.n_unanswered if bounds else 0,
        **_limits("common_difference", common.interval if common else None),
        "common_p": common.p_value if common else None,
        "common_n": common.n if common else None,
        **_limits("bootstrap", boot.interval if boot else None),
        "bootstrap_p": boot.p_value if boot else None,
    }


def _flips(ledger: Ledger, dataset: str, pair: Pair) -> Any:
    moved = flips(pair)
    columns = ["key", "upstream_id", "category", "direction", "answer", "outcome", "score"]
    columns += ["answer_reference", "outcome_reference", "score_reference"]
    table = moved[columns].assign(question=_questions(ledger, moved["sample_id"]))
    for place, (name, value) in enumerate(_names(dataset, pair).items()):
        table.insert(place, name, value)
    return table


def _suspects(ledger: Ledger, compared: DatasetComparison) -> Any:
    found = compared.suspects.samples
    if found.empty:
        return found
    table = found.drop(columns="sample_id").assign(question=_questions(ledger, found["sample_id"]))
    table.insert(0, "dataset", compared.dataset)
    return table


def _questions(ledger: Ledger, sample_ids: Any) -> list[str]:
    wanted = [int(i) for i in sample_ids]
    data = sample_data(ledger, wanted)
    return [" ".join(str(data[i].get("question") or "").split())[:_TEXT] for i in wanted]
