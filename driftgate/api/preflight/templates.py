"""Flows are taken through on a real sample: their templates are rendered, their tools run, their ports are called."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.api.preflight._trial import Trial, right_answer
from driftgate.flows.errors import DriftgateError, nearest

DEFECTS = frozenset(
    {"CancelledError", "ImportError", "KeyboardInterrupt", "ModuleNotFoundError", "NameError", "NotImplementedError"}
    | {"SyntaxError", "SystemExit", "UnboundLocalError"}
)
"""Errors of a program whatever it is given. Others, a TypeError too, may come of a reply that no model would give."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Say of each flow whether a sample came through it."""
    silent: dict[str, DriftgateError] = {}
    for asking in inspection.askings:
        for trial in inspection.trials(asking):
            if trial.unsearched is not None and asking.suite.retriever is not None:
                silent.setdefault(asking.suite.retriever, trial.unsearched)
            yield from _of_trial(inspection, asking, trial)
    if inspection.scope.reaches:
        for name, problem in silent.items():
            yield of_problem(f"retriever {name}", problem, inspection.where("retrievers", name))


def _of_trial(inspection: Inspection, asking: Asking, trial: Trial) -> Iterator[Finding]:
    where, flow = inspection.where(*asking.location), trial.cell.flow
    if trial.problem is not None:
        yield of_problem(asking.subject, trial.problem, where)
        return
    variant = f", variant '{trial.cell.variant}'" if trial.cell.variant else ""
    on = f"on sample '{trial.sample.id}' of dataset '{trial.cell.dataset.name}'"
    what = f"the flow '{flow.name}'{variant}"
    if trial.untried or trial.result is None:
        yield Finding("unchecked", asking.subject, f"{what} was not tried, as {trial.untried}", "", where)
    elif trial.unsearched is not None:
        told = f"{what} was not tried, as its retriever '{asking.suite.retriever}' gives nothing"
        yield Finding("unchecked", asking.subject, told, "see what is said of the retriever", where)
    elif trial.stopped:
        yield _stopped(asking, trial, f"{what} fails {on}", where)
    elif misnamed := _misnamed(trial):
        yield Finding("error", asking.subject, f"{misnamed} {on}", nearest(*_answer(trial)), where)
    elif not trial.heard:
        if trial.cell.asks and flow.port is None:
            found = f"{what} asks its model nothing {on}"
            yield Finding("warning", asking.subject, found, "see that other samples do", where)
    elif not any(message.content.strip() for message in trial.heard[0]):
        yield Finding("error", asking.subject, f"{what} asks an empty prompt {on}", "correct its template", where)


def _answer(trial: Trial) -> tuple[str, list[str]]:
    """The output that is named the answer, empty where none is, and the outputs that the flow gives."""
    named, result = trial.cell.answer, trial.result
    return ("" if named is None else named.path[0]), sorted((result.output if result else None) or {})


def _misnamed(trial: Trial) -> str:
    """That the named answer is none of the outputs, which a flex flow and a prompty need not declare."""
    named, given = _answer(trial)
    if not named or named in given:
        return ""
    return f"the answer is named ${{outputs.{named}}}, and the flow '{trial.cell.flow.name}' gives no such output"


def _stopped(asking: Asking, trial: Trial, begins: str, where: str) -> Finding:
    """The flow's failure: an error where no sample reaches the model, or where it is a defect of the program.

    After the model was asked it may be for the made-up reply, and a port is compared whatever it gives.
    """
    result = trial.result
    assert result is not None
    kind = result.error_type or result.error.partition(":")[0]
    said = result.error or kind
    named = "" if result.error_type in ("", "DriftgateError") else f"{result.error_type}: "
    every = all(other.stopped for other in trial.others)
    first = "" if every else f", and not on sample '{next(o for o in trial.others if not o.stopped).sample.id}'"
    stage = f"once its model has answered '{_short(trial)}'" if trial.heard else "before its model is asked"
    certain = kind in DEFECTS or not (trial.heard or trial.cell.flow.port)
    return Finding(
        "error" if every and certain else "warning",
        asking.subject,
        f"{begins} {stage}{first}: {named}{said}",
        "correct what it names" if certain else "see that a reply of the model comes through",
        where,
    )


def _short(trial: Trial) -> str:
    answer = right_answer(trial.sample)
    return answer if len(answer) <= 40 else f"{answer[:40]}…"


CHECK = Check(look)
