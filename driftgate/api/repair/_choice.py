"""The step that tries what is cheaper than training: another model, another prompt, another flow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pydantic import BaseModel, ConfigDict

from driftgate.api import session
from driftgate.api.deployments import ending
from driftgate.api.made_suites import Way, choice_ways
from driftgate.api.repair._asking import ask, planned_together
from driftgate.api.repair._context import REPLACES, Context
from driftgate.api.repair._options import judged_option, measured_option
from driftgate.api.repair._spending import CHOICE
from driftgate.api.session import Planned
from driftgate.benchmarks.scores import score_run
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
        ways, planned, same = _apart(ways, planned)
        await session.close(context.ledger, same, {})
        if len(ways) == 1:
            await session.close(context.ledger, planned, {})
            return Choice(settings=settings, options=unpaid)
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
            self._require_champion(progress, begun[0], problem)
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
        raise Proposed(_for_a_person(best, "rollout" if recipe.rollout is not None else "swap"), found)

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
        """Every way as it was measured; a cell that its run did not come to is nobody else's."""
        context, recipe = self.context, self.context.recipe
        cells = {scores.cell.ordinal: scores for scores in score_run(context.ledger, run)}
        each = len(recipe.proof)
        options: list[Option] = []
        for place, way in enumerate(ways):
            begun = [number for number in range(each) if place * each + number in cells]
            own, base = [cells[place * each + number] for number in begun], [cells[number] for number in begun]
            if not own:
                options.append(
                    Option(kind=way.kind, name=way.name, model=way.model, verdict="unmeasurable", why=broken)
                )
                continue
            option = measured_option(way, own, base, whole=len(begun) == each)
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

    def _require_champion(self, progress: Progress, run: str, problem: DriftgateError) -> None:
        """See that the champion as it is was asked all: nothing can be compared with it otherwise, trained or not.

        Raises
        ------
        DriftgateError
            It was not.
        """
        cells = {scores.cell.ordinal: scores for scores in score_run(self.context.ledger, run, store=False)}
        base = [cells.get(number) for number in range(len(self.context.recipe.proof))]
        if any(one is None or one.outcomes["missing"] for one in base):
            champion = progress.remediation.champion
            raise DriftgateError(
                f"the champion '{champion}' itself cannot be asked, so nothing is compared with it: {problem.message}",
                f"{problem.remedy}; where it is gone for good, prove another model by a gate with limits of its own "
                "(min), and make it champion: driftgate champion promote",
                fault=problem.fault,
            ) from problem

    def _ends_too(self, progress: Progress, option: Option) -> date | None:
        """The day on which the deployment of a successor ends, where that is no later than what it is to replace."""
        if REPLACES not in progress.remediation.evidence:
            return None
        day = ending(self.context.workspace, self.context.ledger, [option.model]).get(option.model)
        return day if day is not None and day.isoformat() <= str(progress.remediation.evidence["ends"]) else None


def _apart(ways: Sequence[Way], planned: Planned) -> tuple[list[Way], Planned, Planned]:
    """What is asked, and what is not: the champion as it is under another name, such as its default variant's."""
    each = len(planned.cells) // len(ways)
    cells = [planned.cells[place * each : (place + 1) * each] for place in range(len(ways))]
    asked = [[{**cell.describe(), "variant": ""} for cell in some] for some in cells]
    same = [place > 0 and one == asked[0] for place, one in enumerate(asked)]
    kept, left = (
        replace(
            planned, cells=[cell for some, is_same in zip(cells, same, strict=True) if is_same is out for cell in some]
        )
        for out in (False, True)
    )
    return [way for way, is_same in zip(ways, same, strict=True) if not is_same], kept, left


def _failed_before(progress: Progress) -> bool:
    """Whether the step has failed already: an alternative that cannot be asked does not keep others from the repair."""
    events = events_of(progress.ledger, progress.remediation.id)
    return any((event.step, event.status) == (progress.step, "failed") for event in events)


def _for_a_person(best: Option, moves: str) -> str:
    if best.kind == "model":
        what = f"make '{best.model}' champion; its traffic is not moved by the recipe's {moves}, which deploys what is "
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
