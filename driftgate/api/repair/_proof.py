"""The steps that prove the candidate: champion and candidate are asked the same, and a gate decides."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from driftgate.api import session
from driftgate.api.made_suites import Way, proof_suite, tuned_ways
from driftgate.api.repair._asking import ask, planned_together
from driftgate.api.repair._context import Context
from driftgate.api.repair._options import measured_option
from driftgate.api.repair._spending import PROOF, THROUGH
from driftgate.benchmarks.gate import GateVerdict
from driftgate.benchmarks.scores import score_run
from driftgate.finetune.choice import Option
from driftgate.finetune.remediation import Abandoned, Judgement, Progress, Proved, Rejected, Trained
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, find_run


class Begun(BaseModel):
    """The proof that is under way."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    run: str = ""
    """Its run, noted before anything is asked."""
    through: str = ""
    """The run of what was trained through other flows."""


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
        known = progress.noted(Begun)
        planned = planned_together(context, f"proof-{context.recipe.champion}", [proof_suite(context.recipe, models)])
        run = await ask(context, progress, PROOF, planned, known.run, lambda run: progress.note({"run": run}))
        if context.recipe.choice is None:
            return Proved(run=run)
        return Proved(run=run, options=await self._options(progress, run, models[1]))

    async def _options(self, progress: Progress, run: str, candidate: str) -> list[Option]:
        """What was trained as the table of options has it, through other flows too."""
        context, recipe = self.context, self.context.recipe
        cells = score_run(context.ledger, run)
        base, tuned = ([one for one in cells if (one.cell.model == candidate) is is_it] for is_it in (False, True))
        options = [measured_option(Way("tuned", "tuned", proof_suite(recipe, [candidate])), tuned, base)]
        ways = tuned_ways(recipe, candidate)
        if not ways:
            return options
        known = progress.noted(Begun).through
        try:
            planned = planned_together(context, f"choice-{recipe.champion}", [way.suite for way in ways])
            through = await ask(context, progress, THROUGH, planned, known, lambda run: progress.note({"through": run}))
        except Deposed:
            raise
        except (DriftgateError, Abandoned) as problem:  # it only tells more of a candidate that is proved
            progress.note({}, f"what was trained was not asked through other flows: {problem}")
            return options
        others, each = score_run(context.ledger, through), len(recipe.proof)
        for place, way in enumerate(ways):
            options.append(measured_option(way, others[place * each : (place + 1) * each], base))
        return options


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
        verdict = judge_proof(self.context, progress)
        if verdict.verdict != "pass":
            why = "; ".join(f"{r.cell}: {r.rule}: {r.told}" for r in verdict.rules if r.verdict != "pass")
            raise Rejected(f"the gate '{verdict.gate}' says {verdict.verdict}: {why}")
        return Judgement(verdict=verdict.as_json())


def judge_proof(context: Context, progress: Progress) -> GateVerdict:
    """Let the recipe's gate judge candidate and champion, keep its verdict, and report the run.

    The run of a choice has other options too, which are nobody's candidates: they are left out.
    """
    run = find_run(context.ledger, progress.found.proof)
    every = judged = score_run(context.ledger, run.id)
    gates, champion = [context.recipe.gate], progress.remediation.champion
    if chosen := progress.found.chosen:
        judged = [*every[: len(context.recipe.proof)], *(one for one in every if one.cell.model == chosen)]
    verdict = session.judge_run(context.workspace, context.ledger, run, judged, gates, champion=champion)[0]
    session.report(context.workspace, context.ledger, run, every)
    return verdict
