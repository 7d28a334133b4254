"""Suites that do not stand in the workspace file, and are made of what does: a monitor's canaries, a repair's proof."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.config import RecipeConfig
from driftgate.monitor.config import CanaryConfig


def canary_suite(canaries: CanaryConfig, model: str) -> SuiteConfig:
    """What a monitor asks of a model when it looks."""
    return SuiteConfig(
        models=[model],
        datasets=[canaries.dataset],
        flow=canaries.flow,
        retriever=canaries.retriever,
        variants=[canaries.variant] if canaries.variant else [],
        few_shot=canaries.few_shot,
        limit=canaries.limit,
        seed=canaries.seed,
        repeats=canaries.repeats,
        **canaries.used,
        max_minutes=canaries.max_minutes,
    )


def proof_suite(recipe: RecipeConfig, models: Sequence[str]) -> SuiteConfig:
    """What is asked of the champion and of the candidate, before the gate decides between them."""
    return SuiteConfig(
        models=list(models),
        datasets=recipe.proof,
        flow=recipe.flow,
        retriever=recipe.retriever,
        variants=[recipe.variant] if recipe.variant else [],
        few_shot=0,
        **recipe.used,
    )
