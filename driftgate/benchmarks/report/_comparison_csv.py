"""Comparisons as CSV files, every row and every flipped sample of them, for a spreadsheet or a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driftgate.benchmarks.compare import Comparisons, DatasetComparison, Difference, Pair, flips
from driftgate.benchmarks.stats import Interval
from driftgate.flows.errors import DriftgateError
from driftgate.flows.plain import no_formula
from driftgate.flows.private_text import write_text
from driftgate.ledger import Ledger, sample_data

_TEXT = 300
"""Characters of a question that go into a table."""


def write_comparison_csv(ledger: Ledger, compared: Comparisons, folder: Path) -> list[Path]:
    """Write ``cells.csv``, ``differences.csv``, ``flips.csv`` and ``suspect_keys.csv``, replacing what is there.

    Raises
    ------
    DriftgateError
        The folder cannot be written to.
    """
    import pandas as pd

    moved = [_flips(ledger, d.dataset, p) for d in compared.datasets for p in d.pairs if p.shared]
    tables = {
        "cells": pd.DataFrame(row for d in compared.datasets for row in _cells(d)),
        "differences": pd.DataFrame(row for d in compared.datasets for row in _differences(d)),
        "flips": pd.concat(moved) if moved else pd.DataFrame(),
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
            "signature": cell.signature,
            "asked": len(standing.entry.frame),
            **standing.entry.scores.outcomes,
            **_limits("quality", standing.quality),
            "quality_if_right": standing.if_right,
            **_limits("cost_per_1000", standing.cost),
            "currency": standing.currency if standing.cost else None,
            **_limits("latency_p50_seconds", standing.latency),
            "pareto": standing.place,
            "beaten_by": standing.beaten_by,
        }


def _differences(compared: DatasetComparison) -> Iterator[dict[str, Any]]:
    for pair in compared.pairs:
        for difference in pair.differences:
            yield _names(compared.dataset, pair) | _difference(difference) | {"design": pair.design}


def _names(dataset: str, pair: Pair) -> dict[str, Any]:
    return {"dataset": dataset, "candidate": pair.candidate.label, "reference": pair.reference.label}


def _difference(row: Difference) -> dict[str, Any]:
    comparison, bounds, boot = row.comparison, row.bounds, row.bootstrap
    return {
        "slice_kind": row.kind,
        "slice": row.name,
        "candidate_score": row.candidate,
        "reference_score": row.reference,
        **_limits("difference", comparison.interval),
        "p": comparison.p_value,
        "p_adjusted": row.p_adjusted,
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
