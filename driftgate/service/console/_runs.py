"""What several pages show of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, CellScore, RunRow, cells_of, find_run, scores_of_runs
from driftgate.service.console._memo import SETTLED
from driftgate.service.console._page import Console, Missing

ACCURACY = "accuracy"
IF_RIGHT = "accuracy_if_right"
ANSWERED = "share.answered"


def run_named(console: Console, name: str) -> RunRow:
    """A run by the id of an address.

    Raises
    ------
    Missing
        There is none.
    """
    try:
        return find_run(console.workspace.ledger, name)
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem


def cells_named(console: Console, run: RunRow) -> Sequence[CellRow]:
    """The cells of a run; of one that has ended they are read once."""
    if run.status != "complete":
        return cells_of(console.workspace.ledger, run.id)
    key = ("cells", run.id, run.finished_at)
    return console.memo.get(key, SETTLED, lambda: cells_of(console.workspace.ledger, run.id))


def cell_named(console: Console, run: RunRow, ordinal: str) -> CellRow:
    """A cell of a run by its place.

    Raises
    ------
    Missing
        There is none.
    """
    cells = cells_named(console, run)
    found = next((cell for cell in cells if str(cell.ordinal) == ordinal), None)
    if found is None:
        raise Missing(f"run {run.id} has no cell {ordinal[:40]}", f"it has {len(cells)}, counted from 0")
    return found


def headline_scores(console: Console, run_ids: Sequence[str]) -> list[CellScore]:
    """The accuracy of every cell of some runs; not known of one in which nothing was answered."""
    found = scores_of_runs(console.workspace.ledger, run_ids, (ACCURACY, ANSWERED))
    silent = {score.cell.id for score in found if score.metric == ANSWERED and not score.value}
    return [
        replace(score, value=None, low=None, high=None) if score.cell.id in silent else score
        for score in found
        if score.metric == ACCURACY
    ]


def with_accuracy(console: Console, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of runs with the accuracy of each run's best and only cell, or how many cells there are."""
    scores: dict[str, list[CellScore]] = {}
    for score in headline_scores(console, [str(row["run"]) for row in rows]):
        scores.setdefault(score.run_id, []).append(score)
    told = []
    for row in rows:
        own = scores.get(str(row["run"]), [])
        one = own[0] if len(own) == 1 else None
        told.append(
            {
                **row,
                "accuracy": one.value if one else None,
                "accuracy_low": one.low if one else None,
                "accuracy_high": one.high if one else None,
                "cells": [
                    {"cell": s.cell.name, "accuracy": s.value, "low": s.low, "high": s.high, "n": s.n} for s in own
                ],
            }
        )
    return told
