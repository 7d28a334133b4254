"""Whether what a proof was made from is what lies there now: the datasets' rows, and the flow that asked them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftgate.api import session
from driftgate.api.made_suites import proof_suite
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import Found, Remediation
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, PromotionRefused, cells_of, editions_of, find_run

_ROWS = ("dataset_fingerprint", "samples", "n")
_PARTS = {"flow_hash": "flow", "evaluators_hash": "evaluators of flow"}
_NAMED = 3
"""Rows that are named."""


def require_same_proof(
    workspace: OpenWorkspace, ledger: Ledger, recipe: RecipeConfig, remediation: Remediation, found: Found
) -> None:
    """See that the proof would be asked of the same rows through the same flow if it were made now.

    Raises
    ------
    PromotionRefused
        It would not, or that cannot be seen; the message says what has changed.
    """
    run = find_run(ledger, found.proof)
    remedy = (
        "put that back as it was, or let a proof of it be made: "
        f"driftgate remediation abandon {remediation.id} --reason WHY, and another one is opened when it is called for"
    )
    suite = proof_suite(recipe, [remediation.champion])
    try:
        now = session.plan_suite(workspace, ledger, f"proof-{recipe.champion}", suite).cells
    except DriftgateError as problem:
        told = f"the proof in run {run.id} cannot be made any more: {problem.message}"
        raise PromotionRefused(told, remedy) from None
    plans, rows = run.plan["cells"], cells_of(ledger, run.id)
    changes: list[str] = []
    for cell in now:  # champion and candidate were asked the same
        place = next((place for place, plan in enumerate(plans) if _same(plan, cell)), None)
        if place is None:
            changes.append(f"dataset '{cell.dataset.name}' was not asked through flow '{cell.flow.name}'")
        else:
            changes += _changes(ledger, plans[place], rows[place], cell)
    if changes:
        told = "; ".join(dict.fromkeys(changes))
        raise PromotionRefused(f"the proof in run {run.id} is of something else than what is there now: {told}", remedy)


def _same(plan: Mapping[str, Any], cell: Cell) -> bool:
    return (plan["dataset"], plan["flow"], plan["variant"]) == (cell.dataset.name, cell.flow.name, cell.variant)


def _changes(ledger: Ledger, plan: Mapping[str, Any], row: CellRow, cell: Cell) -> Iterator[str]:
    described = cell.describe()
    if any(plan.get(key) != described[key] for key in _ROWS):
        yield f"dataset '{cell.dataset.name}': {_rows(ledger, row, cell)}"
    for key, what in _PARTS.items():
        if plan.get(key) != described[key]:
            yield f"the {what} '{cell.flow.name}' has changed"


def _rows(ledger: Ledger, row: CellRow, cell: Cell) -> str:
    """What became of the rows: a row of the same id that is asked or answered otherwise has changed."""
    asked, now = editions_of(ledger, row.id), {sample.edition: sample for sample in cell.samples}
    gone = {own or key for edition, (key, own) in asked.items() if edition not in now}
    new = {sample.id or sample.key for edition, sample in now.items() if edition not in asked}
    parts = {"changed": gone & new, "removed": gone - new, "added": new - gone}
    told = [f"{len(names)} {what} ({_some(names)})" for what, names in parts.items() if names]
    return f"rows {', '.join(told)}" if told else "the order of its rows, or what they are drawn from, has changed"


def _some(names: set[str]) -> str:
    return ", ".join([*sorted(names)[:_NAMED], *(["..."] if len(names) > _NAMED else [])])
