"""One stored run under other conventions; no model is asked."""

from __future__ import annotations

from driftgate.benchmarks.conventions import (
    ConventionScores,
    Difference,
    find_convention,
    rescore,
    score_difference,
    store_scores,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, RunRow, cells_of, find_run


def rescore_run(ledger: Ledger, run: str, convention: str) -> list[ConventionScores]:
    """Score a stored run by a convention, and keep the scores under their signature.

    Raises
    ------
    DriftgateError
        There is no such run or convention, or the run is not complete.
    """
    chosen = find_convention(convention)
    scored = [rescore(ledger, cell, chosen) for cell in cells_of(ledger, _complete(ledger, run).id)]
    for scores in scored:
        store_scores(ledger, scores)
    return scored


def differences(ledger: Ledger, run: str, before: str, after: str) -> list[Difference]:
    """Which samples of a stored run two conventions score differently, by reason, cell by cell.

    Raises
    ------
    DriftgateError
        See :func:`rescore_run`.
    """
    first, second = find_convention(before), find_convention(after)
    return [score_difference(ledger, cell, first, second) for cell in cells_of(ledger, _complete(ledger, run).id)]


def _complete(ledger: Ledger, run: str) -> RunRow:
    row = find_run(ledger, run)
    if row.status != "complete":
        raise DriftgateError(
            f"run {row.id} is {row.status}, and a part of it would be scored as the whole",
            row.how_to_finish,
        )
    return row
