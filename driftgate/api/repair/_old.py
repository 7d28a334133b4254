"""The steps of a remediation: material, training, proof, verdict, approval, rollout, promotion."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api import session
from driftgate.api.champions import champion, promote_model, promotion_basis
from driftgate.api.deployments import keep
from driftgate.api.made_suites import proof_suite
from driftgate.api.preflight import prepare_repair
from driftgate.api.rollout import roll_out, withdraw
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import Dataset, Sample, load_dataset
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.scores import score_run
from driftgate.benchmarks.suite import plan_cells
from driftgate.finetune.config import LEAST_ITEMS, RecipeConfig
from driftgate.finetune.deploy import TrafficMove
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.remediation import (
    Approval,
    Held,
    Progress,
    Rejected,
    Remediation,
    advance,
    approval_of,
    approve,
    asked_for,
    events_of,
    find_remediation,
    open_remediation,
)
from driftgate.finetune.synthesis import (
    as_samples,
    record_dataset,
    recorded_lineage,
    synthesize,
    with_schema,
    write_dataset,
)
from driftgate.finetune.train import TRAINERS, TrainingItem, TrainingJob, write_items
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ChatModel, Model, ModelConfig
from driftgate.flows.private_files import make_folder
from driftgate.flows.prompts import prompt_of
from driftgate.flows.sample import need_answers
from driftgate.ledger import Ledger, PromotionRefused, add_trained_model, find_run, verdicts_of

if TYPE_CHECKING:
    from pandas import DataFrame

_ROOM = 4_096
"""Tokens for an item and for what a model thinks before it writes one."""
_POLL_SECONDS = 2.0
_MADE = ("synthesise", "finished")


def begin_repair(
    workspace: OpenWorkspace, ledger: Ledger, recipe: str, champion: str, evidence: Mapping[str, Any]
) -> tuple[Remediation, bool]:
    """Open a remediation for an alert that says the model moved, or for a failed gate; one at a time for a recipe."""
    slot = workspace.config.recipes[recipe].champion
    return open_remediation(ledger, slot, f"recipe {recipe}", champion, {"recipe": recipe, **evidence})


def check_recipe(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation) -> None:
    """See that the recipe of a remediation can be followed, where nothing of it is done yet.

    Raises
    ------
    DriftgateError
        Something is to be mended before anything is asked or trained.
    """
    if not any(event.status == "finished" for event in events_of(ledger, remediation.id)):
        _recipe(workspace, remediation)
        prepare_repair(workspace, ledger, str(remediation.evidence["recipe"]))


async def go_on(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, display: Display) -> Remediation:
    """Take a remediation as far as it goes now.

    Raises
    ------
    DriftgateError
        A step failed; it is tried again the next time.
    """
    repair = _Repair(workspace, ledger, _recipe(workspace, remediation), display)
    steps = {
        "synthesise": repair.synthesise,
        "train": repair.train,
        "evaluate": repair.evaluate,
        "judge": repair.judge,
        "approve": repair.approve,
        "roll_out": repair.roll_out,
        "promote": repair.promote,
    }
    return await advance(ledger, remediation, steps)


def approve_repair(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, who: str) -> Approval:
    """Agree to the promotion that a remediation asks approval for; the approval is of that verdict and run alone.

    Raises
    ------
    DriftgateError
        It waits for no approval, or what it asked approval for is not what is in the ledger now.
    """
    asked = asked_for(ledger, remediation)
    look = f"look at it now: driftgate remediation run, then: driftgate remediation show {remediation.id}"
    done = {event.step: event.detail for event in events_of(ledger, remediation.id) if event.status == "finished"}
    try:
        basis = _basis(workspace, ledger, _recipe(workspace, remediation), done)
    except PromotionRefused as problem:
        words = f"remediation {remediation.id} can no longer be approved: {problem.message}"
        raise DriftgateError(words, look) from problem
    if basis != asked:
        raise DriftgateError(f"the verdict has changed since remediation {remediation.id} asked for approval", look)
    return approve(ledger, remediation, asked, who)


def training_items(ledger: Ledger, name: str) -> DataFrame:
    """The training items of a remediation; see :meth:`driftgate.api.facade.Workspace.training_items`."""
    from pandas import DataFrame

    one = find_remediation(ledger, name)
    made = [event.detail for event in events_of(ledger, one.id) if (event.step, event.status) == _MADE]
    if not made:
        raise DriftgateError(
            f"remediation {one.id} has made no training items yet",
            f"see how far it is: driftgate remediation show {one.id}",
        )
    return DataFrame(recorded_lineage(ledger, str(made[-1]["lineage"])))


def _recipe(workspace: OpenWorkspace, remediation: Remediation) -> RecipeConfig:
    name = str(remediation.evidence["recipe"])
    if name not in workspace.config.recipes:
        raise DriftgateError(f"remediation {remediation.id} follows the recipe '{name}'", "put it back into the file")
    return workspace.config.recipes[name]


def _basis(
    workspace: OpenWorkspace, ledger: Ledger, recipe: RecipeConfig, found: Mapping[str, Mapping[str, Any]]
) -> str:
    """What allows the candidate's promotion now, as one hash; PromotionRefused where nothing does."""
    model, run = str(found["train"]["model"]), str(found["evaluate"]["run"])
    return promotion_basis(workspace, ledger, recipe.champion, model, run, [recipe.gate])


@dataclass(frozen=True)
class _Repair:
    workspace: OpenWorkspace
    ledger: Ledger
    recipe: RecipeConfig
    display: Display

    def folder(self, progress: Progress) -> Path:
        """The remediation's own folder."""
        folder = self.workspace.folder / ".driftgate" / "remediations" / progress.remediation.id
        return make_folder(folder)

    def candidate(self, progress: Progress) -> str:
        """Name of the model that is being made."""
        return f"{self.recipe.champion}-{progress.remediation.id}"

    def measured(self) -> list[Sample]:
        """Everything that is or may be measured: all datasets of the workspace, the sealed hold-out among them."""
        folder, datasets = self.workspace.folder, self.workspace.config.datasets
        return [sample for name, config in datasets.items() for sample in load_dataset(name, config, folder).samples]

    async def synthesise(self, progress: Progress) -> Mapping[str, Any]:
        """Make training items; what holds private data, repeats, or is too like a measured item is left out."""
        config = self.recipe.synthesis
        writer, judge = self._opened(config.model, with_schema), self._opened(config.judge)
        try:
            firewall = Firewall(self.measured())
            made = await synthesize(config, self.workspace.folder, firewall, writer=writer, judge=judge)
        finally:
            for model in filter(None, (writer, judge)):
                with suppress(DriftgateError):
                    keep(self.ledger, model)
                await model.aclose()
        dropped = {entry.filter: entry.count for entry in made.dropped}
        if len(made.items) < LEAST_ITEMS:
            told = ", ".join(f"{name} {count}" for name, count in dropped.items() if count) or "none"
            raise Rejected(
                f"{len(made.items)} of {made.generated} training items are left (dropped: {told}); "
                f"at least {LEAST_ITEMS} are needed"
            )
        folder = self.folder(progress)
        write_dataset(made, folder / "synthesis")
        lineage = record_dataset(self.ledger, made)
        samples = as_samples(made, "synthesis")
        items = await self._items(Dataset("synthesis", samples), samples)
        random.Random(self.recipe.seed).shuffle(items)
        write_items(folder / "items.jsonl", items)
        return {"items": str(folder / "items.jsonl"), "count": len(items), "dropped": dropped, "lineage": lineage}

    def _opened(self, name: str, adapt: Callable[[ModelConfig], ModelConfig] = lambda config: config) -> Model | None:
        """The model of that name, opened from its configuration as adapted; None without a name."""
        if not name:
            return None
        config = session.model_config(self.workspace, self.ledger, name)
        model = session.open_model(self.workspace, self.ledger, name, adapt(config))
        if isinstance(model, ChatModel):
            model.make_room(_ROOM)
        return model

    async def _items(self, material: Dataset, samples: Sequence[Sample]) -> list[TrainingItem]:
        flow = load_flow(self.recipe.flow, self.workspace.folder, self.workspace.config.connections)
        config = self.workspace.config.models[self.recipe.base_model]
        suite = proof_suite(self.recipe, ["base"]).model_copy(update={"datasets": ["material"]})
        retriever = session.retriever_of(self.workspace, suite)
        cell = plan_cells(suite, {"base": config}, {"material": material}, flow, retriever)[0]
        need_answers(samples, "training")
        engine = ENGINES.get(suite.engine)(cell.flow)
        try:
            return [
                TrainingItem(
                    prompt=await prompt_of(engine, cell.line_inputs(sample), cell.retriever),
                    target=str(sample.data["answer"]),
                    id=sample.id,
                    category=sample.category,
                )
                for sample in samples
            ]
        finally:
            await engine.aclose()
            if retriever is not None:
                await retriever.aclose()

    async def train(self, progress: Progress) -> Mapping[str, Any]:
        """Train, here or elsewhere; a job that was submitted is found again by its handle."""
        kind = TRAINERS.get(self.recipe.trainer.trainer)
        trainer = kind.open(self.recipe.trainer, self.workspace.folder)
        name = self.candidate(progress)
        job = TrainingJob(
            name=name,
            base_model=self.workspace.config.models[self.recipe.base_model].model_dump(mode="json", exclude_unset=True),
            items=Path(progress.found["synthesise"]["items"]),
            workspace=self.workspace.folder,
            folder=self.folder(progress) / "training",
            recipe=self.recipe.trainer.recipe,
            seed=self.recipe.seed,
        )
        handle = progress.notes.get("handle")
        if handle is None:
            handle = dict(await asyncio.to_thread(trainer.submit, job))
            progress.note({"handle": handle})
        while (status := await asyncio.to_thread(trainer.poll, handle)).state == "running":
            await asyncio.sleep(_POLL_SECONDS)
        if status.state == "failed":
            raise Rejected(f"training failed: {status.detail}")
        trained = await asyncio.to_thread(trainer.result, handle)
        add_trained_model(self.ledger, name, trained.model, trained.lineage)
        return {"model": name, "artefact": trained.artefact, "metrics": dict(trained.metrics)}

    async def evaluate(self, progress: Progress) -> Mapping[str, Any]:
        """Ask champion and candidate the same questions."""
        models = [progress.remediation.champion, str(progress.found["train"]["model"])]
        suite = proof_suite(self.recipe, models)
        planned = session.plan_suite(self.workspace, self.ledger, f"proof-{self.recipe.champion}", suite)
        live = session.open_models(self.workspace, self.ledger, models)
        if "run" in progress.notes:
            run = find_run(self.ledger, progress.notes["run"])
            session.check_same_plan(run, planned)
        else:
            run = session.begin(self.ledger, planned, "proof")
            progress.note({"run": run.id})
        await session.work(self.ledger, run, planned, live, self.display)
        return {"run": run.id}

    async def judge(self, progress: Progress) -> Mapping[str, Any]:
        """Let the gate decide."""
        run = find_run(self.ledger, progress.found["evaluate"]["run"])
        scored = score_run(self.ledger, run.id)
        champion = progress.remediation.champion
        verdict = session.judge_run(self.workspace, self.ledger, run, scored, [self.recipe.gate], champion=champion)[0]
        session.report(self.workspace, self.ledger, run, scored)
        if verdict.verdict != "pass":
            why = "; ".join(f"{r.cell}: {r.rule}: {r.told}" for r in verdict.rules if r.verdict != "pass")
            raise Rejected(f"the gate '{verdict.gate}' says {verdict.verdict}: {why}")
        return {"verdict": verdict.as_json()}

    async def approve(self, progress: Progress) -> Mapping[str, Any]:
        """Wait for a person, where the workspace asks for one."""
        if not self.recipe.approval:
            return {"who": "not asked for"}
        run = str(progress.found["evaluate"]["run"])
        newest = next((row for row in verdicts_of(self.ledger, run) if row.gate == self.recipe.gate), None)
        if newest is not None and newest.verdict != "pass":
            raise Rejected(f"the gate '{newest.gate}' judged run {run} anew and says {newest.verdict}")
        try:
            given = self._approved(progress)
        except PromotionRefused as problem:  # what is stale may be judged again; until then nobody can agree to it
            raise Held(f"there is nothing to approve now: {problem}") from problem
        return {"who": given.who, "what": given.what}

    def _approved(self, progress: Progress) -> Approval:
        """The approval of what the promotion rests on now; what was agreed to before it changed is no approval of it.

        Raises
        ------
        Held
            Nobody agreed to just this.
        PromotionRefused
            Nothing allows the promotion now.
        """
        remediation = progress.remediation
        basis = _basis(self.workspace, self.ledger, self.recipe, progress.found)
        given = approval_of(self.ledger, remediation, basis)
        if given is None:
            earlier = [e.detail["who"] for e in events_of(self.ledger, remediation.id) if e.status == "approved"]
            changed = f"the verdict has changed since {earlier[-1]} approved it; " if earlier else ""
            raise Held(f"{changed}waits for: driftgate remediation approve {remediation.id}", awaits=basis)
        return given

    def _check_promotable(self, progress: Progress) -> Approval | None:
        """The approval where one is asked for; raises what :meth:`_approved` raises, else only PromotionRefused."""
        if self.recipe.approval:
            return self._approved(progress)
        _basis(self.workspace, self.ledger, self.recipe, progress.found)
        return None

    async def roll_out(self, progress: Progress) -> Mapping[str, Any]:
        """Bring the candidate to its endpoint, where the recipe names one."""
        config = self.recipe.rollout
        if config is None:
            if progress.notes:
                raise DriftgateError(
                    f"remediation {progress.remediation.id} has begun a rollout and its recipe names none any more",
                    "put it back into the recipe, so that it can go on or be rolled back",
                )
            return {"phase": "no rollout asked for"}
        if "rolled_back" not in progress.notes:
            try:  # no traffic moves for a candidate that could not become champion afterwards
                self._check_promotable(progress)
            except PromotionRefused as problem:
                await withdraw(config, progress)
                raise Rejected(problem.message) from problem
        return await roll_out(self.workspace, self.ledger, self.recipe, config, progress, self.display)

    async def promote(self, progress: Progress) -> Mapping[str, Any]:
        """Move the champion pointer."""
        model = str(progress.found["train"]["model"])
        run = str(progress.found["evaluate"]["run"])
        slot, gates = self.recipe.champion, [self.recipe.gate]
        move = progress.found["roll_out"].get("traffic")
        try:
            if champion(self.workspace, self.ledger, slot) != model:  # a kill may have come after the pointer moved
                given = self._check_promotable(progress)
                agreed = f", {given.who} approved" if given is not None else ""
                reason = f"remediation {progress.remediation.id}: the gate passed{agreed}"
                promote_model(self.workspace, self.ledger, slot, model, run, gates, reason, move)
        except PromotionRefused as problem:
            if move is not None:
                await TrafficMove.model_validate(move).undo()
            raise Rejected(problem.message) from problem
        return {"model": model, "run": run}
