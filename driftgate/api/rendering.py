"""Training items: samples as a flow renders them, prompt and target alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.api import session
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import Dataset, Sample
from driftgate.benchmarks.suite import SuiteConfig, plan_cells
from driftgate.finetune.train import TrainingItem
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.models import ModelConfig
from driftgate.flows.prompts import prompt_of, target_of
from driftgate.flows.sample import need_answers


async def render_items(
    workspace: OpenWorkspace,
    suite: SuiteConfig,
    config: ModelConfig,
    samples: Sequence[Sample],
    lineage: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[TrainingItem]:
    """Render samples as the model would be asked them, with what it ought to reply.

    Parameters
    ----------
    suite : SuiteConfig
        Names the flow, its variant and retriever; its models and datasets are not looked at.
    config : ModelConfig
        Of the model that is to be trained.
    lineage : Mapping, optional
        What a sample was made from, by its id.

    Raises
    ------
    DriftgateError
        A sample has no answer, or the flow cannot be asked about it.
    """
    need_answers(samples, "training")
    flow = load_flow(suite.flow, workspace.folder, workspace.config.connections)
    retriever = session.retriever_of(workspace, suite)
    named = suite.model_copy(update={"models": ["base"], "datasets": ["material"]})
    cell = plan_cells(named, {"base": config}, {"material": Dataset("material", samples)}, flow, retriever)[0]
    engine = ENGINES.get(suite.engine)(cell.flow)
    try:
        items = []
        for sample in samples:
            prompt = await prompt_of(engine, cell.line_inputs(sample), cell.retriever)
            target = target_of(cell.flow, sample.data, prompt)
            told = (lineage or {}).get(sample.id, {})
            items.append(TrainingItem(prompt, target, id=sample.id, category=sample.category, lineage=told))
        return items
    finally:
        await engine.aclose()
        if retriever is not None:
            await retriever.aclose()
