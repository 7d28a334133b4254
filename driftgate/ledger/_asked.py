"""Which models were asked in a cell, and whether its own was among them."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, or_, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._cells import CellRow
from driftgate.ledger._not_needed import NOT_NEEDED
from driftgate.ledger._schema import asked_models, cells, outcomes
from driftgate.ledger._store import Ledger

MEANT = "asks_model"
"""In the details of a cell: whether its lines are to ask its model; which models they ask is then kept."""
JUDGED = "judged"
"""In the details of a cell, false where no evaluator says what a right answer is."""
NOT_THROUGH = ("failed", "filtered")
"""Outcomes of samples whose line did not come through its flow."""
_EARLIER = "flow_hash"
"""In the details of a cell that went through a flow, also before that was kept."""


def models_asked(connection: Connection, cell_id: int) -> list[str]:
    """Names of the models that lines of a cell asked, sorted."""
    query = select(asked_models.c.model).where(asked_models.c.cell_id == cell_id)
    return sorted(connection.execute(query).scalars())


def why_unasked(ledger: Ledger, cell_id: int) -> str:
    """Why the outcomes of a cell say nothing of its model: lines went through their flow, and none asked it.

    A reply from the cache and a request that failed count as asked. Of a cell of an earlier version it is taken from
    its outcomes: a reply, or a call that failed, of whichever model.

    Returns
    -------
    str
        Empty where a line asked it, none is meant to, or none came through.
    """
    with ledger.read() as connection:
        cell = connection.execute(select(cells.c.model, cells.c.details).where(cells.c.id == cell_id)).one()
        meant = cell.details.get(MEANT)
        if meant is False or (meant is None and _EARLIER not in cell.details):
            return ""
        named = models_asked(connection, cell_id)
        if cell.model in named:
            return ""
        through = outcomes.c.outcome.not_in((*NOT_THROUGH, NOT_NEEDED))
        called = or_(outcomes.c.attempts > 0, outcomes.c.cached, outcomes.c.outcome.in_(NOT_THROUGH))
        lines, calls = (func.sum(case((one, 1), else_=0)) for one in (through, called))
        found = connection.execute(select(lines, calls).where(outcomes.c.cell_id == cell_id)).one()
    if not found[0] or (meant is None and found[1]):
        return ""
    others = f" (asked: {', '.join(named)})" if named else ""
    return f"no line asked the model '{cell.model}'{others}, so nothing of it was measured"


def check_asked_once(cell: CellRow, what: str) -> None:
    """Refuse a cell that asked each sample several times, for what reads one answer to each.

    Raises
    ------
    DriftgateError
        It did.
    """
    if cell.repeats > 1:
        raise DriftgateError(
            f"{cell.name} of run {cell.run_id} asked each sample {cell.repeats} times, and {what} reads one answer",
            "take a run without repeats",
        )


def check_whole(cell: CellRow, what: str) -> None:
    """Refuse a cell that its gate stopped, for what takes its score for that of the whole dataset.

    Raises
    ------
    DriftgateError
        It was stopped.
    """
    if cell.stopped:
        raise DriftgateError(
            f"{cell.name} of run {cell.run_id} was {cell.stopped}: its score leans the way it was stopped, and "
            f"{what} would take it for the whole's",
            "take a run that asked everything",
        )


def check_asked(ledger: Ledger, cell: CellRow) -> None:
    """Refuse a cell whose outcomes do not say how often its model is right.

    Raises
    ------
    DriftgateError
        No line of it asked its model, or no evaluator judged what was answered.
    """
    if cell.details.get(JUDGED) is False:
        raise DriftgateError(
            f"{cell.name} of run {cell.run_id}: no evaluator says what a right answer is",
            "bind one beside the flow or in the suite (evaluators, primary), and run it anew",
        )
    if reason := why_unasked(ledger, cell.id):
        raise DriftgateError(f"{cell.name} of run {cell.run_id}: {reason}", "leave it out, or correct its flow")
