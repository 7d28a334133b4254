"""A recipe can be followed to its end: material, generators, filters, base model, trainer, proof, gate, endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.made_suites import proof_suite
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._trial import try_cell
from driftgate.api.preflight.environment import unset
from driftgate.benchmarks.datasets import Dataset
from driftgate.benchmarks.suite import plan_cells
from driftgate.finetune.config import LEAST_ITEMS, RecipeConfig
from driftgate.finetune.train import TRAINERS
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import EXTRAS, MissingExtra, installed
from driftgate.flows.text import on_disk

if TYPE_CHECKING:
    from driftgate.finetune.synthesis import Candidate

_TRIED = 64
"""Candidates made to see that a source gives any."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Go through each recipe as a repair would; its proof is planned as any suite is."""
    for name in inspection.scope.recipes:
        recipe = inspection.workspace.config.recipes[name]
        found = [
            *_names(inspection, name, recipe),
            *_synthesis(inspection, name, recipe),
            *_trainer(inspection, name, recipe),
            *_gate(inspection, name, recipe),
            *_rollout(inspection, name, recipe),
        ]
        yield from found
        if not any(finding.severity == "error" for finding in found):
            told = f"{len(recipe.synthesis.sources)} sources, {recipe.trainer.trainer}{_estimate(recipe)}"
            yield Finding("good", f"recipe {name}", told)


def _estimate(recipe: RecipeConfig) -> str:
    """What training is going to take, where somebody is paid for it."""
    estimate = TRAINERS.get(recipe.trainer.trainer).estimate
    return f"; training: {estimate(recipe.trainer, recipe.synthesis.count, None).told}" if estimate else ""


def _names(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    from driftgate.finetune.synthesis import FILTERS, GENERATORS

    synthesis, place = recipe.synthesis, ("recipes", name, "synthesis")
    models = inspection.workspace.config.models
    for key, wanted in (("model", synthesis.model), ("judge", synthesis.judge)):
        if wanted and wanted not in models:
            found = f"its synthesis names the model '{wanted}' as {key}, which the workspace does not have"
            yield Finding("error", f"recipe {name}", found, nearest(wanted, models), inspection.where(*place, key))
    for index, source in enumerate(synthesis.sources):
        if source.generator not in GENERATORS.names():
            where = inspection.where(*place, "sources", index, "generator")
            found = f"source {index + 1} names the generator '{source.generator}', which does not exist"
            yield Finding("error", f"recipe {name}", found, nearest(source.generator, GENERATORS.names()), where)
    for index, wanted in enumerate(synthesis.extra_filters):
        if wanted not in FILTERS.names():
            where = inspection.where(*place, "extra_filters", index)
            found = f"its synthesis names the filter '{wanted}', which does not exist"
            yield Finding("error", f"recipe {name}", found, nearest(wanted, FILTERS.names()), where)


def _synthesis(inspection: Inspection, name: str, recipe: RecipeConfig) -> Iterator[Finding]:
    """Read the material of each source, and make a few candidates of it."""
    from driftgate.finetune.synthesis import ASKS, FILTERS, GENERATORS, try_source

    synthesis, folder, subject = recipe.synthesis, inspection.workspace.folder, f"recipe {name}"
    if synthesis.count < LEAST_ITEMS:
        found = f"its synthesis makes {synthesis.count} items, and a repair with fewer than {LEAST_ITEMS} is rejected"
        where = inspection.where("recipes", name, "synthesis", "count")
        yield Finding("error", subject, found, f"ask for {LEAST_ITEMS} or more", where)
    made: list[Candidate] = []
    known = True
    for index, source in enumerate(synthesis.sources):
        yield from _measured(inspection, name, index)
        if source.generator not in GENERATORS.names():
            known = False
            continue
        try:
            made += wait_for(try_source(synthesis, index, folder, _TRIED))
        except DriftgateError as problem:
            yield of_problem(subject, problem, inspection.where("recipes", name, "synthesis", "sources", index))
            known = False
        known = known and source.generator != ASKS
    if known and len(made) < LEAST_ITEMS:
        found = f"its material gives {len(made)} training items, and a repair needs {LEAST_ITEMS}"
        where = inspection.where("recipes", name, "synthesis", "sources")
        yield Finding("error", subject, found, "give it more material", where)
    if not all(map(installed, EXTRAS["finetune"])):
        missing = MissingExtra("finetune", "the synthesis of training items")
        yield of_problem(subject, missing, inspection.where("recipes", name, "synthesis"))
    for filter_name in synthesis.filters:
        if filter_name in FILTERS.names():
            try:
                FILTERS.get(filter_name)
            except DriftgateError as problem:
                yield of_problem(subject, problem, inspection.where("recipes", name, "synthesis"))
    if made:
        yield from _asked_as(inspection, name, recipe, made)


def _measured(inspection: Inspection, name: str, index: int) -> Iterator[Finding]:
    """A source that is itself measured gives nothing: the firewall refuses every item of it."""
    path = getattr(inspection.workspace.config.recipes[name].synthesis.sources[index], "path", None)
    if path is None:
        return
    folder = inspection.workspace.folder
    file = on_disk(folder / path).resolve()
    for dataset, config in inspection.workspace.config.datasets.items():
        theirs = getattr(config, "path", None)
        if theirs is not None and on_disk(folder / str(theirs)).resolve() == file:
            found = f"source {index + 1} is the file of dataset '{dataset}': what is measured is never trained on"
            where = inspection.where("recipes", name, "synthesis", "sources", index, "path")
            yield Finding("error", f"recipe {name}", found, "give it material of its own", where)


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


CHECK = Check(look)
