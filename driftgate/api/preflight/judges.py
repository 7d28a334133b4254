"""Every judge is asked for one grade, with each prompt that it grades by: can what it replies be read?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api._waiting import wait_for
from driftgate.api.deployments import keep
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import REASKED, JudgedEvaluator, NoGrade, capabilities_of, trial_text

if TYPE_CHECKING:
    from driftgate.api._yaml import Location


@dataclass(frozen=True)
class _Judged:
    """One judge with one prompt, and by whom it is asked first."""

    key: str
    evaluator: JudgedEvaluator
    subject: str
    location: Location


def look(inspection: Inspection) -> Iterator[Finding]:
    """Ask for a grade of one short text; no grade is kept."""
    if not (inspection.scope.probes and inspection.scope.whole):
        return
    found: dict[str, _Judged] = {}
    for asking in inspection.askings:
        for cell in inspection.cells(asking):
            for key, evaluator in cell.evaluators.judged.items():
                if not unset(inspection, "models", evaluator.judge.name):
                    one = _Judged(key, evaluator, asking.subject, asking.location)
                    found.setdefault(evaluator.pin_id, one)
    for name, made in inspection.graders.items():
        for key, evaluator in ({} if isinstance(made, DriftgateError) else made.judged).items():
            if not unset(inspection, "models", evaluator.judge.name):
                one = _Judged(key, evaluator, f"monitor {name}", ("monitors", name, "evaluate"))
                found.setdefault(evaluator.pin_id, one)
    yield from wait_for(_ask_all(inspection, list(found.values())))


async def _ask_all(inspection: Inspection, judges: list[_Judged]) -> list[Finding]:
    return list(await asyncio.gather(*(_ask(inspection, one) for one in judges)))


async def _ask(inspection: Inspection, one: _Judged) -> Finding:
    judged, subject, where = one.evaluator, one.subject, inspection.where(*one.location)
    who = f"the judge '{judged.judge.name}' of {one.key}"
    inputs = trial_text(judged.kind.inputs)
    if inputs is None:
        return Finding(
            "unchecked", subject, f"{who} was not asked for a grade, as its inputs are of its own", "", where
        )
    try:
        await asyncio.to_thread(judged.open)
        graded = await judged(**inputs)
    except NoGrade as problem:
        remedy = (
            "take a judge that answers as it is asked to, or correct its settings; without grades nothing is judged"
        )
        return Finding("error", subject, f"{who} was asked for one grade: {problem}", remedy, where)
    except DriftgateError as problem:
        return of_problem(subject, problem, where)
    if inspection.ledger is not None and (known := capabilities_of(judged.judge)) is not None:
        await asyncio.to_thread(keep, inspection.ledger, judged.judge.open({}, known))
    grade = graded.get(judged.kind.key)
    told = f"{who} gives {grade:g} of {judged.kind.scale}" if grade is not None else f"{who} grades"
    if graded.get(REASKED):
        found = f"{told}, and its reply could be read only when it was asked again"
        return Finding("warning", subject, found, "every grade may cost two requests; see what it writes", where)
    return Finding("good", subject, f"{told}, read at once" if REASKED in graded else told, "", where)


CHECK = Check(look)
