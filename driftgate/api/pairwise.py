"""Have a judge of the workspace compare the answers of two stored cells; the models are not asked again."""

from __future__ import annotations

from driftgate.api._waiting import wait_for
from driftgate.api.compare import chosen_cells
from driftgate.api.deployments import known_as
from driftgate.api.prices import PricedModels, pricing_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.pairwise import Pairwise, compare_pairs
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext, PairJudge, find_judge, language_of
from driftgate.ledger import CellRow, Ledger


def pairwise(
    workspace: OpenWorkspace,
    ledger: Ledger,
    first: str,
    second: str,
    *,
    judge: str,
    criteria: str,
    language: str = "",
    limit: int = 0,
) -> Pairwise:
    """Compare two cells, each named by a run, or by ``RUN/PART`` where its run has several.

    Parameters
    ----------
    judge : str
        A model of the workspace.
    criteria : str
        What a better answer is like, in plain words.
    language : {"ko", "en", ""}
        That of the prompt; empty: that of the criteria.
    limit : int
        Only so many samples; 0: all.

    Raises
    ------
    DriftgateError
        There is no such judge or cell, or the cells share no sample.
    """
    if not criteria.strip():
        raise DriftgateError("a judge needs to know what is better", 'say it: --criteria "..."')
    if language not in ("", "ko", "en"):
        raise DriftgateError(f"language is '{language}', expected ko or en", "prompts are written in these two")
    workspace.hold()
    priced = PricedModels(workspace.config.models, pricing_of(workspace, ledger))
    context = EvaluatorContext(
        priced, workspace.folder, workspace.config.connections, lambda name: known_as(ledger, name)
    )
    found = find_judge(judge, context)
    found.model_config()  # its key is there
    asked = PairJudge(found, criteria.strip(), language or language_of(criteria))
    return wait_for(compare_pairs(ledger, _cell(ledger, first), _cell(ledger, second), asked, limit))


def _cell(ledger: Ledger, name: str) -> CellRow:
    cells = chosen_cells(ledger, [name], [], [])
    if len(cells) > 1:
        known = ", ".join(cell.name for cell in cells[:6])
        raise DriftgateError(f"'{name}' has {len(cells)} cells: {known}", f"name one of them: {name}/PART")
    return cells[0]
