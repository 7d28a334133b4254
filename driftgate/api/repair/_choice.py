"""The step that tries what is cheaper than training: another model, another prompt, another flow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from driftgate.api import session
from driftgate.api.deployments import ending
from driftgate.api.made_suites import Way, choice_ways
from driftgate.api.repair._asking import ask, planned_together
from driftgate.api.repair._context import REPLACES, Context
from driftgate.api.repair._options import judged_option, measured_option
from driftgate.api.repair._spending import CHOICE
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.benchmarks.spending import check_budget
from driftgate.finetune.choice import Option, proposed
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import Choice, Progress, Proposed, events_of
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, find_run


class _Begun(BaseModel):
    """The run that is under way."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    run: str = ""
    """Noted before anything is asked."""


@dataclass(frozen=True)
class ChoiceStep:
    """Asks the champion as it is and every alternative the same questions, and lets the recipe's gate judge each."""

    context: Context

    async def __call__(self, progress: Progress) -> Choice:
        """Ask what is not answered yet, and choose.

        Raises
        ------
        Abandoned
            The budget does not suffice.
        Proposed
            What is cheapest of all that passes is none that driftgate can put in place.
        """
        context, recipe = self.context, self.context.recipe
        ways, unpaid = await self._payable(choice_ways(recipe, progress.remediation.champion))
        settings = settings_of(recipe)
        if len(ways) == 1:
            return Choice(settings=settings, options=unpaid)
        known = progress.noted(_Begun).run
        planned = planned_together(context, f"choice-{recipe.champion}", [way.suite for way in ways])
        if known and not session.is_same_plan(find_run(context.ledger, known), planned):
            known = ""  # another choice than the one that was begun: its run tells of other options
        begun: list[str] = [known] if known else []

        def note(run: str) -> None:
            progress.note({"run": run})
            begun.append(run)

        broken = ""
        try:
            await ask(context, progress, CHOICE, planned, known, note)
        except Deposed:
            raise
        except DriftgateError as problem:
            if not begun or not _failed_before(progress):
                raise  # it may go better the next time
            broken = f"its run did not come to its end: {problem}"
        options = [*self._options(progress, ways, begun[0], broken), *unpaid]
        run = find_run(context.ledger, begun[0])
        session.report(context.workspace, context.ledger, run, score_run(context.ledger, run.id, store=False))
        best = proposed(options)
        found = Choice(run=begun[0], options=options, proposal=best.name if best else "", settings=settings)
        if best is None:
            return found
        if best.kind == "model" and recipe.rollout is None and recipe.swap is None:
            return found.model_copy(update={"model": best.model})
        raise Proposed(_for_a_person(best), found)

    async def _payable(self, ways: Sequence[Way]) -> tuple[list[Way], list[Option]]:
        """The ways whose cost would be known, where money is limited; and the others, which are not asked."""
        context, money = self.context, self.context.recipe.budget.money
        if money is None:
            return list(ways), []
        kept, unpaid = [ways[0]], []
        for way in ways[1:]:
            planned = planned_together(context, f"choice-{context.recipe.champion}", [way.suite])
            try:
                check_budget(planned.suite.model_copy(update={"max_cost": money}), planned.cells)
            except DriftgateError as problem:
                unpaid.append(
                    Option(kind=way.kind, name=way.name, model=way.model, verdict="unmeasurable", why=problem.message)
                )
            else:
                kept.append(way)
            await session.close(context.ledger, planned, {})
        return kept, unpaid

    def _options(self, progress: Progress, ways: Sequence[Way], run: str, broken: str) -> list[Option]:
        context, recipe = self.context, self.context.recipe
        cells = score_run(context.ledger, run)
        each = len(recipe.proof)
        if len(cells) < each * len(ways):  # it ended before the last cell was begun
            broken = broken or "its run did not come to its end"
            ways = ways[: len(cells) // each]
        base: list[CellScores] = cells[:each]
        options: list[Option] = []
        for place, way in enumerate(ways):
            own = cells[place * each : (place + 1) * each]
            option = measured_option(way, own, base)
            if place and broken:
                option = option.model_copy(update={"verdict": "unmeasurable", "why": broken})
            elif place:
                gate = context.workspace.config.gates[recipe.gate]
                champion = progress.remediation.champion
                option = judged_option(context.ledger, recipe.gate, gate, option, own, base, champion)
                if (ends := self._ends_too(progress, option)) is not None:
                    why = f"its own deployment ends on {ends}"
                    option = option.model_copy(update={"verdict": "fail", "why": why})
            options.append(option)
        return options

    def _ends_too(self, progress: Progress, option: Option) -> date | None:
        """The day on which the deployment of a successor ends, where that is no later than what it is to replace."""
        if REPLACES not in progress.remediation.evidence:
            return None
        day = ending(self.context.workspace, self.context.ledger, [option.model]).get(option.model)
        return day if day is not None and day.isoformat() <= str(progress.remediation.evidence["ends"]) else None


def _failed_before(progress: Progress) -> bool:
    """Whether the step has failed already: an alternative that cannot be asked does not keep others from the repair."""
    events = events_of(progress.ledger, progress.remediation.id)
    return any((event.step, event.status) == (progress.step, "failed") for event in events)


def _for_a_person(best: Option) -> str:
    if best.kind == "model":
        what = f"make '{best.model}' champion; its traffic is not moved by the recipe's rollout, which deploys what is "
        what += "trained"
    elif best.kind == "prompt":
        what = f"put the variant '{best.variant}' in the place of the recipe's in the application"
    else:
        what = f"let the application ask through the flow '{best.flow}'"
    return f"{best.name} passes the gate, and nothing is trained. It is for a person to put in place: {what}"


def settings_of(recipe: RecipeConfig) -> str:
    """Hash of how a recipe asks and of what it chooses from; see :class:`Choice`."""
    named = recipe.model_dump(mode="json", include={"flow", "variant", "retriever", "proof", "gate", "choice"})
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
