"""A repair's runs: what is planned is asked within the budget, in one run that is gone on with after a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from driftgate.api import session
from driftgate.api.made_suites import proof_suite
from driftgate.api.repair._context import Context
from driftgate.api.repair._spending import PROOF
from driftgate.api.session import Planned
from driftgate.benchmarks.spending import LimitReached
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.remediation import Abandoned, Progress, Spent, set_spent, spent
from driftgate.ledger import Ledger, cells_of, find_run, outcome_frame

_AGAINST = 2
"""Champion and candidate."""


def planned_together(context: Context, name: str, suites: Sequence[SuiteConfig]) -> Planned:
    """Several suites as one plan; what limits a run is said by the first."""
    plans = [session.plan_suite(context.workspace, context.ledger, name, suite) for suite in suites]
    return replace(plans[0], cells=[cell for plan in plans for cell in plan.cells])


async def ask(
    context: Context, progress: Progress, what: str, planned: Planned, known: str, begun: Callable[[str], None]
) -> str:
    """Ask what is not answered yet, and say in which run.

    Parameters
    ----------
    what : str
        For what it is counted: ``proof``.
    known : str
        The run, where it was begun already.
    begun : callable
        Notes the run before anything is asked.

    Raises
    ------
    Abandoned
        The budget does not suffice.
    """
    before = spent(context.ledger, progress.remediation.id, beside=what)
    if (money := context.recipe.budget.money) is not None:
        left = None if before.money is None else money - before.money
        if left is None or left <= 0:
            raise Abandoned(f"nothing is known to be left of the budget of {money:g} for the {what}")
        planned = replace(planned, suite=planned.suite.model_copy(update={"max_cost": left}))
    planned_calls = _calls(planned)
    _require_calls(context, what, planned_calls, before)
    live = session.open_models(context.workspace, context.ledger, [cell.model for cell in planned.cells])
    if known:
        run = find_run(context.ledger, known)
        session.check_same_plan(run, planned)
    else:
        run = session.begin(context.ledger, planned, "proof")
        begun(run.id)
    set_spent(context.ledger, progress.remediation.id, what, Spent(planned_calls))
    try:
        await session.work(context.ledger, run, planned, live, context.display)
    except LimitReached as problem:
        if money is not None:
            raise Abandoned(f"the budget of {money:g}: {problem}") from problem
        raise
    finally:
        taken = Spent(planned_calls, _cost(context.ledger, run.id))
        set_spent(context.ledger, progress.remediation.id, what, taken)
    return run.id


def require_proof(context: Context, progress: Progress) -> None:
    """See that calls are left to prove a candidate, before anything is paid to make one.

    Raises
    ------
    Abandoned
        The budget does not suffice.
    """
    if context.recipe.budget.calls is not None:
        suite = proof_suite(context.recipe, [progress.remediation.champion])
        planned = planned_together(context, f"proof-{context.recipe.champion}", [suite])
        before = spent(context.ledger, progress.remediation.id, beside=PROOF)
        _require_calls(context, PROOF, _AGAINST * _calls(planned), before)


def _require_calls(context: Context, what: str, needed: int, before: Spent) -> None:
    calls = context.recipe.budget.calls
    if calls is not None and before.calls + needed > calls:
        left = max(0, calls - before.calls)
        raise Abandoned(f"the {what} takes {needed} calls, and {left} are left of the budget of {calls}")


def _calls(planned: Planned) -> int:
    return sum(len(cell.samples) * cell.repeats for cell in planned.cells)


def _cost(ledger: Ledger, run: str) -> float | None:
    """What the answers of a run cost; None where that is not known of one."""
    total = 0.0
    for cell in cells_of(ledger, run):
        frame = outcome_frame(ledger, cell.id)
        if frame["cost"].isna().any():
            return None
        total += float(frame["cost"].sum())
    return total
