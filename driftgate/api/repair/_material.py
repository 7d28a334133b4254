"""The step that makes training items."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from driftgate.api import session
from driftgate.api.deployments import keep
from driftgate.api.made_suites import proof_suite
from driftgate.api.prices import priced
from driftgate.api.repair._context import Context
from driftgate.api.repair._spending import SYNTHESIS, BudgetSpent, Meter, Metered
from driftgate.benchmarks.datasets import Dataset, Sample, load_dataset
from driftgate.benchmarks.suite import plan_cells
from driftgate.finetune.config import LEAST_ITEMS
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.remediation import Abandoned, Material, Progress, Rejected
from driftgate.finetune.synthesis import (
    CoverageDataset,
    as_samples,
    record_dataset,
    synthesize,
    with_schema,
    write_dataset,
)
from driftgate.finetune.train import TrainingItem, sha256_of, write_items
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ChatModel, Model, ModelConfig
from driftgate.flows.prompts import prompt_of
from driftgate.flows.sample import need_answers

_ROOM = 4_096
"""Tokens for an item and for what a model thinks before it writes one."""


@dataclass(frozen=True)
class MaterialStep:
    """Makes training items; what holds private data, repeats, or is too like a measured item is left out."""

    context: Context

    async def __call__(self, progress: Progress) -> Material:
        """Make them, and keep them under a name that holds what is in them.

        Raises
        ------
        Rejected
            Too few are left.
        Abandoned
            The budget does not suffice.
        """
        context, recipe = self.context, self.context.recipe
        meter = Meter(context.ledger, progress.remediation.id, recipe.budget, SYNTHESIS)
        try:
            made = await self._made(meter)
        except BudgetSpent as problem:
            raise Abandoned(str(problem)) from problem
        finally:
            meter.end()
        dropped = {entry.filter: entry.count for entry in made.dropped}
        if len(made.items) < LEAST_ITEMS:
            told = ", ".join(f"{name} {count}" for name, count in dropped.items() if count) or "none"
            raise Rejected(
                f"{len(made.items)} of {made.generated} training items are left (dropped: {told}); "
                f"at least {LEAST_ITEMS} are needed"
            )
        folder = context.folder(progress.remediation)
        write_dataset(made, folder / "synthesis")
        lineage = record_dataset(context.ledger, made)
        samples = as_samples(made, "synthesis")
        items = await self._items(Dataset("synthesis", samples), samples)
        random.Random(recipe.seed).shuffle(items)
        aside = folder / "items.jsonl"
        write_items(aside, items)
        sha256 = sha256_of(aside)
        file = aside.replace(folder / f"items-{sha256[:16]}.jsonl")
        inside = file.relative_to(context.workspace.folder).as_posix()
        return Material(items=inside, sha256=sha256, count=len(items), dropped=dropped, lineage=lineage)

    async def _made(self, meter: Meter) -> CoverageDataset:
        config = self.context.recipe.synthesis
        opened: list[Model] = []
        try:
            writer, judge = (
                self._opened(name, adapt, meter, opened)
                for name, adapt in ((config.model, with_schema), (config.judge, _as_it_is))
            )
            firewall = Firewall(self._measured())
            return await synthesize(config, self.context.workspace.folder, firewall, writer=writer, judge=judge)
        finally:
            for model in opened:
                with suppress(DriftgateError):
                    keep(self.context.ledger, model)
                await model.aclose()

    def _measured(self) -> list[Sample]:
        """Everything that is or may be measured: all datasets of the workspace, the sealed hold-out among them."""
        folder, datasets = self.context.workspace.folder, self.context.workspace.config.datasets
        return [sample for name, config in datasets.items() for sample in load_dataset(name, config, folder).samples]

    def _opened(
        self, name: str, adapt: Callable[[ModelConfig], ModelConfig], meter: Meter, opened: list[Model]
    ) -> Metered | None:
        """The model of that name, opened from its configuration as adapted, and counted; None without a name."""
        if not name:
            return None
        workspace, ledger = self.context.workspace, self.context.ledger
        config = adapt(session.model_config(workspace, ledger, name))
        prices = priced(workspace, ledger, name, config).prices
        meter.check(name, prices)
        model = session.open_model(workspace, ledger, name, config)
        opened.append(model)
        if isinstance(model, ChatModel):
            model.make_room(_ROOM)
        return Metered(model, prices, meter)

    async def _items(self, material: Dataset, samples: Sequence[Sample]) -> list[TrainingItem]:
        workspace, recipe = self.context.workspace, self.context.recipe
        flow = load_flow(recipe.flow, workspace.folder, workspace.config.connections)
        config = workspace.config.models[recipe.base_model]
        suite = proof_suite(recipe, ["base"]).model_copy(update={"datasets": ["material"]})
        retriever = session.retriever_of(workspace, suite)
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


def _as_it_is(config: ModelConfig) -> ModelConfig:
    return config
