"""The step that makes training items."""

from __future__ import annotations

import random
from dataclasses import dataclass

from driftgate.api.made_suites import proof_suite
from driftgate.api.privacy import assure_made, require_training
from driftgate.api.rendering import render_items
from driftgate.api.repair._asking import require_proof
from driftgate.api.repair._context import Context
from driftgate.api.repair._spending import SYNTHESIS, BudgetSpent, Meter, Metered
from driftgate.api.set_making import make_set
from driftgate.finetune.config import LEAST_ITEMS
from driftgate.finetune.remediation import Abandoned, Material, Progress, Rejected
from driftgate.finetune.synthesis import CoverageDataset, as_row, as_samples, judge_set, record_dataset, write_dataset
from driftgate.finetune.train import sha256_of, write_items
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model, Prices, Reserving


@dataclass(frozen=True)
class MaterialStep:
    """Makes training items; what holds private data, repeats, or is too like a measured item is left out."""

    context: Context

    async def __call__(self, progress: Progress) -> Material:
        """Make them, and keep them under a name that holds what is in them.

        Raises
        ------
        Rejected
            Too few are left, or their privacy did not pass the recipe's limits.
        Abandoned
            The budget does not suffice.
        """
        context, recipe = self.context, self.context.recipe
        require_proof(context, progress)
        meter = Meter(context.ledger, progress.remediation.id, recipe.budget, SYNTHESIS)
        try:
            made = await self._made(progress.remediation.recipe, meter)
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
        judged = judge_set(made, recipe.synthesis.accept)
        if judged.verdict != "pass":
            why = "; ".join(rule.found for rule in judged.rules if rule.said != "pass")
            raise Rejected(f"the training items are not fit to be trained on ({judged.verdict}): {why}")
        folder = context.folder(progress.remediation)
        write_dataset(made, folder / "synthesis", context.candidate(progress.remediation))
        lineage = record_dataset(context.ledger, made)
        samples = as_samples(made, "synthesis")
        base = context.workspace.config.models[recipe.base_model]
        items = await render_items(context.workspace, proof_suite(recipe, ["base"]), base, samples)
        random.Random(recipe.seed).shuffle(items)
        aside = folder / "items.jsonl"
        write_items(aside, items)
        assure_made(context.workspace.folder, context.ledger, recipe, list(map(as_row, made.items)), aside)
        try:
            require_training(context.ledger, recipe, aside)
        except DriftgateError as problem:
            raise Rejected(problem.message) from problem
        sha256 = sha256_of(aside)
        file = aside.replace(folder / f"items-{sha256[:16]}.jsonl")
        inside = file.relative_to(context.workspace.folder).as_posix()
        return Material(items=inside, sha256=sha256, count=len(items), dropped=dropped, lineage=lineage)

    async def _made(self, name: str, meter: Meter) -> CoverageDataset:
        def counted(model: Model, prices: Prices) -> Model:
            meter.check(model.name, prices)
            return Reserving(Metered(model, prices, meter), prices, meter.purse)

        context = self.context
        return await make_set(context.workspace, context.ledger, name, context.recipe.synthesis, wrap=counted)
