"""The steps that prove the candidate: champion and candidate are asked the same, and a gate decides."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from driftgate.api import session
from driftgate.api.made_suites import proof_suite
from driftgate.api.repair._context import Context
from driftgate.api.repair._spending import PROOF
from driftgate.benchmarks.runner import LimitReached
from driftgate.benchmarks.scores import score_run
from driftgate.finetune.remediation import (
    Abandoned,
    Judgement,
    Progress,
    Proved,
    Rejected,
    Spent,
    Trained,
    set_spent,
    spent,
)
from driftgate.ledger import Ledger, cells_of, find_run, outcome_frame


class Begun(BaseModel):
    """The proof that is under way."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    run: str = ""
    """Its run, noted before anything is asked."""


@dataclass(frozen=True)
class ProofStep:
    """Asks champion and candidate the same questions, in one run that is gone on with after a kill."""

    context: Context

    async def __call__(self, progress: Progress) -> Proved:
        """Ask what is not answered yet.

        Raises
        ------
        Abandoned
            The budget does not suffice.
        """
        context = self.context
        models = [progress.remediation.champion, progress.found.get(Trained).model]
        before = spent(context.ledger, progress.remediation.id, beside=PROOF)
        suite = proof_suite(context.recipe, models)
        if (money := context.recipe.budget.money) is not None:
            left = None if before.money is None else money - before.money
            if left is None or left <= 0:
                raise Abandoned(f"nothing is known to be left of the budget of {money:g} for the proof")
            suite = suite.model_copy(update={"max_cost": left})
        planned = session.plan_suite(context.workspace, context.ledger, f"proof-{context.recipe.champion}", suite)
        planned_calls = sum(len(cell.samples) * cell.repeats for cell in planned.cells)
        calls = context.recipe.budget.calls
        if calls is not None and before.calls + planned_calls > calls:
            raise Abandoned(
                f"the proof takes {planned_calls} calls, and {max(0, calls - before.calls)} are left of the budget "
                f"of {calls}"
            )
        live = session.open_models(context.workspace, context.ledger, models)
        known = progress.noted(Begun)
        if known.run:
            run = find_run(context.ledger, known.run)
            session.check_same_plan(run, planned)
        else:
            run = session.begin(context.ledger, planned, "proof")
            progress.note({"run": run.id})
        set_spent(context.ledger, progress.remediation.id, PROOF, Spent(planned_calls))
        try:
            await session.work(context.ledger, run, planned, live, context.display)
        except LimitReached as problem:
            if money is not None:
                raise Abandoned(f"the budget of {money:g}: {problem}") from problem
            raise
        finally:
            taken = Spent(planned_calls, _cost(context.ledger, run.id))
            set_spent(context.ledger, progress.remediation.id, PROOF, taken)
        return Proved(run=run.id)


def _cost(ledger: Ledger, run: str) -> float | None:
    """What the answers of a run cost; None where that is not known of one."""
    total = 0.0
    for cell in cells_of(ledger, run):
        frame = outcome_frame(ledger, cell.id)
        if frame["cost"].isna().any():
            return None
        total += float(frame["cost"].sum())
    return total


@dataclass(frozen=True)
class JudgeStep:
    """Lets the gate decide."""

    context: Context

    async def __call__(self, progress: Progress) -> Judgement:
        """Judge the proof, and report it.

        Raises
        ------
        Rejected
            The gate says anything but ``pass``.
        """
        context = self.context
        run = find_run(context.ledger, progress.found.get(Proved).run)
        scored = score_run(context.ledger, run.id)
        gates, champion = [context.recipe.gate], progress.remediation.champion
        verdict = session.judge_run(context.workspace, context.ledger, run, scored, gates, champion=champion)[0]
        session.report(context.workspace, context.ledger, run, scored)
        if verdict.verdict != "pass":
            why = "; ".join(f"{r.cell}: {r.rule}: {r.told}" for r in verdict.rules if r.verdict != "pass")
            raise Rejected(f"the gate '{verdict.gate}' says {verdict.verdict}: {why}")
        return Judgement(verdict=verdict.as_json())
