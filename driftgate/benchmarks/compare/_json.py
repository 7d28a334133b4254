"""Comparisons for programs: what the terminal and the page say, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.compare._difference import Difference
from driftgate.benchmarks.compare._pair import SLICES, Pair
from driftgate.benchmarks.compare._pareto import Standing, why_unused
from driftgate.benchmarks.compare._ranks import Ranking
from driftgate.benchmarks.stats import Comparison, Interval

if TYPE_CHECKING:
    from driftgate.benchmarks.compare._compare import Comparisons, DatasetComparison


def as_json(compared: Comparisons) -> dict[str, Any]:
    """Every cell, difference, finding and count of directions; shares and differences are fractions."""
    return {
        "datasets": [_dataset(dataset) for dataset in compared.datasets],
        "alone": [{"cell": entry.label, "dataset": entry.dataset} for entry in compared.alone],
        "resamples": compared.resamples,
        "seed": compared.seed,
    }


def _dataset(compared: DatasetComparison) -> dict[str, Any]:
    suspects = compared.suspects
    return {
        "dataset": compared.dataset,
        "measures": list(compared.measures),
        "not_compared": {
            name: why_unused(name, compared.standings) for name in ("cost", "latency") if name not in compared.measures
        },
        "cells": [
            _cell(standing) | {"differs_in": compared.asked_as(standing.entry)} for standing in compared.standings
        ],
        "ranking": None if compared.ranking is None else _ranking(compared.ranking),
        "pairs": [_pair(pair) for pair in compared.pairs],
        "suspect_keys": {"reason": suspects.reason}
        if suspects.reason
        else {
            "strong": list(suspects.strong),
            "looked_at": suspects.looked_at,
            "expected": suspects.expected,
            "samples": suspects.samples.drop(columns="sample_id").to_dict("records"),
        },
    }


def _ranking(ranking: Ranking) -> dict[str, Any]:
    ranks = [{"cell": r.entry.label, "rank": r.rank, "low": r.low, "high": r.high} for r in ranking.ranks]
    return {"ranks": ranks, "samples": ranking.samples, "resamples": ranking.resamples, "words": ranking.words}


def _cell(standing: Standing) -> dict[str, Any]:
    cell = standing.entry.scores.cell
    return {
        "cell": standing.entry.label,
        "model": cell.model,
        "dataset": cell.dataset,
        "run": cell.run_id,
        "signature": cell.signature,
        "asked": len(standing.entry.frame),
        "stopped": cell.stopped,
        "outcomes": standing.entry.scores.outcomes,
        "quality": _interval(standing.quality),
        "quality_if_right": standing.if_right,
        "cost_per_1000": _interval(standing.cost),
        "currency": standing.currency if standing.cost else None,
        "cost_at_most": standing.at_most,
        "latency_p50": _interval(standing.latency),
        "pareto": standing.place,
        "beside": standing.beaten_by,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "candidate": pair.candidate.label,
        "reference": pair.reference.label,
        "design": pair.design,
        "shared": pair.shared,
        "directions": {kind: asdict(pair.directions(kind)) for kind in SLICES if pair.of_kind(kind)},
        "differences": [_difference(difference) for difference in pair.differences],
    }


def _difference(row: Difference) -> dict[str, Any]:
    bounds, boot = row.bounds, row.bootstrap
    return {
        "slice_kind": row.kind,
        "slice": row.name,
        "candidate_score": row.candidate,
        "reference_score": row.reference,
        "finding": row.finding,
        "untested": row.untested,
        "p_adjusted": row.p_adjusted,
        **_comparison(row.comparison),
        "bounds": None
        if bounds is None
        else {"low": bounds.low.estimate, "high": bounds.high.estimate, "unanswered": bounds.n_unanswered},
        "common": None if row.common is None else _comparison(row.common),
        "bootstrap": None if boot is None else {"interval": _interval(boot.interval), "p": boot.p_value},
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "difference": comparison.difference,
        "interval": _interval(comparison.interval),
        "p": comparison.p_value,
        "n": comparison.n,
        "gained": comparison.gained,
        "lost": comparison.lost,
        "paired": comparison.paired,
        "clustered": comparison.clustered,
        "method": comparison.method,
        "minimum_detectable": comparison.minimum_detectable_effect,
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)
