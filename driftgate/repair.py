"""The steps of a remediation: material, training, proof, verdict, approval, rollout, promotion."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.datasets import Dataset, Sample, load_dataset
from benchmarks.ledger import Ledger, PromotionRefused, add_trained_model, find_run
from benchmarks.runner import Display
from benchmarks.scores import score_run
from benchmarks.suite import SuiteConfig, plan_cells
from driftgate import session
from driftgate.champions import check_promotion, promote_model
from driftgate.rollout import roll_out
from driftgate.workspace import OpenWorkspace
from finetune.config import RecipeConfig
from finetune.firewall import Firewall
from finetune.remediation import Held, Progress, Rejected, Remediation, advance, open_remediation
from finetune.synthesis import as_samples, record_dataset, synthesize, write_dataset
from finetune.train import TRAINERS, TrainingItem, TrainingJob, write_items
from flows.definition import load_flow
from flows.engines import ENGINES
from flows.errors import DriftgateError
from flows.prompts import prompt_of

_POLL_SECONDS = 2.0
_LEAST_ITEMS = 20


def begin_repair(
    workspace: OpenWorkspace, ledger: Ledger, recipe: str, champion: str, evidence: Mapping[str, Any]
) -> tuple[Remediation, bool]:
    """Open a remediation for an alert that says the model moved, or for a failed gate; one at a time for a recipe."""
    slot = workspace.config.recipes[recipe].champion
    return open_remediation(ledger, slot, f"recipe {recipe}", champion, {"recipe": recipe, **evidence})


async def go_on(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, display: Display) -> Remediation:
    """Take a remediation as far as it goes now.

    Raises
    ------
    DriftgateError
        A step failed; it is tried again the next time.
    """
    name = str(remediation.evidence["recipe"])
    if name not in workspace.config.recipes:
        raise DriftgateError(f"remediation {remediation.id} follows the recipe '{name}'", "put it back into the file")
    repair = _Repair(workspace, ledger, workspace.config.recipes[name], display)
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


@dataclass(frozen=True)
class _Repair:
    workspace: OpenWorkspace
    ledger: Ledger
    recipe: RecipeConfig
    display: Display

    def folder(self, progress: Progress) -> Path:
        """The remediation's own folder."""
        folder = self.workspace.folder / ".driftgate" / "remediations" / progress.remediation.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

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
        names = [name for name in (config.model, config.judge) if name]
        live = session.open_models(self.workspace, self.ledger, names)
        try:
            made = await synthesize(config, self.workspace.folder, Firewall(self.measured()), live)
        finally:
            for model in live.values():
                await model.aclose()
        dropped = {entry.filter: entry.count for entry in made.dropped}
        if len(made.items) < _LEAST_ITEMS:
            told = ", ".join(f"{name} {count}" for name, count in dropped.items() if count) or "none"
            raise Rejected(
                f"{len(made.items)} of {made.generated} training items are left (dropped: {told}); "
                f"at least {_LEAST_ITEMS} are needed"
            )
        folder = self.folder(progress)
        write_dataset(made, folder / "synthesis")
        lineage = record_dataset(self.ledger, made)
        samples = as_samples(made, "synthesis")
        items = await self._items(Dataset("synthesis", samples), samples)
        random.Random(self.recipe.seed).shuffle(items)
        write_items(folder / "items.jsonl", items)
        return {"items": str(folder / "items.jsonl"), "count": len(items), "dropped": dropped, "lineage": lineage}

    async def _items(self, material: Dataset, samples: Sequence[Sample]) -> list[TrainingItem]:
        flow = load_flow(self.recipe.flow, self.workspace.folder, self.workspace.config.connections)
        config = self.workspace.config.models[self.recipe.base_model]
        suite = SuiteConfig(
            models=["base"],
            datasets=["material"],
            flow=self.recipe.flow,
            retriever=self.recipe.retriever,
            variants=self._variants(),
        )
        retriever = session.retriever_of(self.workspace, suite)
        cell = plan_cells(suite, {"base": config}, {"material": material}, flow, retriever)[0]
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

    def _variants(self) -> list[str]:
        return [self.recipe.variant] if self.recipe.variant else []

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
        suite = SuiteConfig(
            models=models,
            datasets=self.recipe.proof,
            flow=self.recipe.flow,
            retriever=self.recipe.retriever,
            variants=self._variants(),
            few_shot=0,
        )
        planned = session.plan_suite(self.workspace, self.ledger, f"proof-{self.recipe.champion}", suite)
        live = session.open_models(self.workspace, self.ledger, models)
        if "run" in progress.notes:
            run = find_run(self.ledger, progress.notes["run"])
            session.check_same_plan(run, planned)
        else:
            run = session.begin(self.ledger, planned)
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
            why = "; ".join(f"{r.cell}: {r.rule}: {r.reason}" for r in verdict.rules if r.verdict != "pass")
            raise Rejected(f"the gate '{verdict.gate}' says {verdict.verdict}: {why}")
        return {"verdict": verdict.as_json()}

    async def approve(self, progress: Progress) -> Mapping[str, Any]:
        """Wait for a person, where the workspace asks for one."""
        if self.recipe.approval and "who" not in progress.notes:
            raise Held(f"waits for: driftgate approve {progress.remediation.id}")
        return {"who": progress.notes.get("who", "not asked for")}

    async def roll_out(self, progress: Progress) -> Mapping[str, Any]:
        """Bring the candidate to its endpoint, where the recipe names one."""
        if self.recipe.rollout is None:
            return {"phase": "no rollout asked for"}
        if not progress.notes:  # no traffic moves for a candidate that could not become champion afterwards
            model, run = str(progress.found["train"]["model"]), str(progress.found["evaluate"]["run"])
            slot, gates = self.recipe.champion, [self.recipe.gate]
            try:
                check_promotion(self.workspace, self.ledger, slot, model, run, gates)
            except PromotionRefused as problem:
                raise Rejected(problem.message) from problem
        return await roll_out(self.workspace, self.ledger, self.recipe, self.recipe.rollout, progress, self.display)

    async def promote(self, progress: Progress) -> Mapping[str, Any]:
        """Move the champion pointer."""
        model = str(progress.found["train"]["model"])
        run = str(progress.found["evaluate"]["run"])
        reason = f"remediation {progress.remediation.id}: the gate passed"
        slot, gates = self.recipe.champion, [self.recipe.gate]
        try:
            promote_model(self.workspace, self.ledger, slot, model, run, gates, reason)
        except PromotionRefused as problem:
            raise Rejected(problem.message) from problem
        return {"model": model, "run": run}
