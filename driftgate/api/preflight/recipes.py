"""A recipe can be followed to its end: material, generators, filters, base model, trainer, proof, gate, endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.deployments import ending
from driftgate.api.made_suites import proof_suite
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._trial import try_cell
from driftgate.api.preflight.environment import unset
from driftgate.api.preflight.syntheses import look_at_synthesis
from driftgate.api.privacy import canaries_of, held_out_of, unmeasurable_before
from driftgate.benchmarks.datasets import Dataset
from driftgate.benchmarks.suite import plan_cells
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.train import TRAINERS
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.text import on_disk
from driftgate.ledger import ends_soon

if TYPE_CHECKING:
    from driftgate.finetune.synthesis import Candidate


def look(inspection: Inspection) -> Iterator[Finding]:
    """Go through each recipe as a repair would; its proof is planned as any suite is."""
    for name in inspection.scope.recipes:
        recipe = inspection.workspace.config.recipes[name]
        found = [
            *_synthesis(inspection, name, recipe),
            *_privacy(inspection, name, recipe),
            *_trainer(inspection, name, recipe),
            *_gate(inspection, name, recipe),
            *_budget(inspection, name, recipe),
            *_rollout(inspection, name, recipe),
            *_replacement(inspection, name, recipe),
        ]
        yield from found
        if not any(finding.severity == "error" for finding in found):
            told = f"{len(recipe.synthesis.sources)} sources, {recipe.trainer.trainer}{_estimate(recipe)}"
            yield Finding("good", f"recipe {name}", told)


def _privacy(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """What its items are measured against is there: else nothing that is made for it could be trained on."""
    limits, folder, subject = recipe.privacy, inspection.workspace.folder, f"recipe {name}"
    if limits is None:
        return
    problems = False
    for key, read in (("held_out", held_out_of), ("canary_file", canaries_of)):
        try:
            read(folder, limits)
        except DriftgateError as problem:
            problems = True
            yield of_problem(subject, problem, inspection.where("recipes", name, "privacy", key))
    if problems:
        return
    try:
        lacking = unmeasurable_before(folder, recipe)
    except DriftgateError:  # a source that cannot be read is said of the synthesis
        return
    where = inspection.where("recipes", name, "privacy")
    for figure in lacking:
        found = f"its limit {figure.name} could not be measured, whatever is made: {figure.told}"
        yield Finding("error", subject, found, f"supply it, or set privacy.{figure.name}: null", where)


def _estimate(recipe: RecipeConfig) -> str:
    """What training is going to take, where somebody is paid for it."""
    estimate = TRAINERS.get(recipe.trainer.trainer).estimate
    return f"; training: {estimate(recipe.trainer, recipe.synthesis.count, None).told}" if estimate else ""


def _synthesis(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """Its synthesis, and its first item as the flow asks it."""
    from driftgate.finetune.synthesis import ASKS, stand_in

    made: list[Candidate] = []
    subject, place = f"recipe {name}", ("recipes", name, "synthesis")
    yield from look_at_synthesis(inspection, subject, place, recipe.synthesis, made)
    if not made and any(source.generator in ASKS for source in recipe.synthesis.sources):
        made.append(stand_in(recipe.synthesis.form))
    if made:
        yield from _asked_as(inspection, name, recipe, made)


def _asked_as(inspection: Inspection, name: str, recipe: RecipeConfig, made: list[Candidate]) -> Iterator[Finding]:
    """The first item goes through the recipe's flow, whose prompt the model is trained on."""
    from driftgate.finetune.synthesis import as_sample

    workspace = inspection.workspace
    where, subject = inspection.where("recipes", name), f"recipe {name}"
    config = workspace.config.models[recipe.base_model]
    suite = proof_suite(recipe, [recipe.base_model]).model_copy(update={"datasets": ["material"]})
    material = Dataset("material", [as_sample(made[0], "material")])
    try:
        flow = load_flow(recipe.flow, workspace.folder, workspace.config.connections)
        retriever = session.retriever_of(workspace, suite)
        cell = plan_cells(suite, {recipe.base_model: config}, {"material": material}, flow, retriever)[0]
    except DriftgateError as problem:
        if not _planned(inspection, name):
            return  # said of the proof
        yield of_problem(subject, problem, where)
        return
    trial = wait_for(try_cell(cell, suite, suite.models))
    if trial.result is not None and trial.result.output is None and not trial.heard:
        found = f"the flow '{flow.name}' fails on a training item before its model is asked: {trial.result.error}"
        yield Finding("error", subject, found, "correct what it names", where)


def _planned(inspection: Inspection, name: str) -> bool:
    asking = next(one for one in inspection.askings if one.subject == f"recipe {name}")
    return bool(inspection.cells(asking))


def _trainer(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    workspace = inspection.workspace
    check = TRAINERS.get(recipe.trainer.trainer).check
    if check is None:
        found = f"the trainer '{recipe.trainer.trainer}' does not say beforehand what it needs"
        yield Finding("unchecked", f"recipe {name}", found, "", inspection.where("recipes", name, "trainer"))
        return
    if unset(inspection, "recipes", name, "trainer"):
        return
    try:
        check(recipe.trainer, recipe.base_model, workspace.config.models[recipe.base_model], workspace.folder)
    except DriftgateError as problem:
        yield of_problem(f"recipe {name}", problem, inspection.where("recipes", name, "trainer"))


def _gate(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """The gate that decides can let a candidate pass, and for the right place."""
    gate = inspection.workspace.config.gates[recipe.gate]
    where, subject = inspection.where("recipes", name, "gate"), f"recipe {name}"
    if gate.slot not in (None, recipe.champion):
        found = f"it repairs the champion '{recipe.champion}', and its gate '{recipe.gate}' is of '{gate.slot}'"
        yield Finding("error", subject, found, "name a gate of the same place", where)
    if not any(rule.opponent is not None for rule in gate.rules):
        found = f"no rule of its gate '{recipe.gate}' compares with the champion: a worse candidate could pass"
        remedy = "add a rule: {metric: accuracy, no_worse_than: champion, margin: 0.02}"
        yield Finding("warning", subject, found, remedy, where)
    if len(recipe.proof) != len(set(recipe.proof)):
        found = "a dataset stands twice in its proof"
        yield Finding("warning", subject, found, "keep one", inspection.where("recipes", name, "proof"))


def _budget(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """Its calls suffice to ask champion and candidate the proof."""
    asking = next(one for one in inspection.askings if one.subject == f"recipe {name}")
    of_each = sum(len(c.samples) * c.repeats for c in inspection.cells(asking)) // len(asking.suite.models)
    limit = recipe.budget.calls
    if limit is not None and 2 * of_each > limit:
        found = f"its proof takes {2 * of_each:,} calls, and its budget has {limit:,}: nothing it makes could be proved"
        remedy = "raise calls, or prove on fewer samples"
        yield Finding("error", f"recipe {name}", found, remedy, inspection.where("recipes", name, "budget", "calls"))


def _rollout(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    rollout, subject = recipe.rollout, f"recipe {name}"
    if rollout is None or rollout.code is None:
        return
    code = on_disk(inspection.workspace.folder / rollout.code)
    where = inspection.where("recipes", name, "rollout", "code")
    if not code.is_dir():
        yield Finding("error", subject, f"there is no folder {code} with the endpoint's code", "correct it", where)
    elif not (code / rollout.scoring_script).is_file():
        found = f"{code} has no file {rollout.scoring_script}, which is to serve the model"
        names = [file.name for file in code.glob("*.py")]
        yield Finding("error", subject, found, nearest(rollout.scoring_script, names), where)


def _replacement(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """On which day the champion's deployment ends, and whether something is there to take its place."""
    if recipe.replacement is None:
        return
    subject, where, live = (
        f"recipe {name}",
        inspection.where("recipes", name, "replacement"),
        inspection.live(recipe.champion),
    )
    ledger = inspection.ledger
    day = ending(inspection.workspace, ledger, [live]).get(live) if ledger is not None else None
    if day is None:
        found = f"on which day the deployment of its champion '{live}' ends is not known: it is not replaced in time"
        yield Finding("unchecked", subject, found, f"say it: retires: 2027-03-01 of the model '{live}'", where)
        return
    left = (day - datetime.now(UTC).date()).days
    told = f"its champion '{live}' is replaced from {recipe.replacement.days} days before: {ends_soon(day)}"
    if left > recipe.replacement.days:
        yield Finding("good", subject, told, "", where)
    else:
        yield Finding("warning", subject, told, "driftgate nightly opens its replacement", where)


CHECK = Check(look)
