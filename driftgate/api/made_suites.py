"""Suites that do not stand in the workspace file, and are made of what does: a monitor's canaries, a repair's proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.choice import OptionKind, OtherFlow
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


@dataclass(frozen=True)
class Way:
    """An option of a repair, and how it is asked."""

    kind: OptionKind
    name: str
    suite: SuiteConfig
    """Of one model on the recipe's proof."""

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.suite.models[0]


def choice_ways(recipe: RecipeConfig, champion: str) -> list[Way]:
    """The champion as it is, first, and each alternative of the recipe's choice that is not the champion as it is."""
    base = proof_suite(recipe, [champion])
    choice = recipe.choice
    if choice is None:
        return [Way("base", "base", base)]
    return [
        Way("base", "base", base),
        *(
            Way("prompt", f"prompt {variant}", base.model_copy(update={"variants": [variant]}))
            for variant in choice.variants
            if variant != recipe.variant
        ),
        *(
            Way("model", f"model {name}", base.model_copy(update={"models": [name]}))
            for name in choice.models
            if name != champion
        ),
        *(Way("flow", name, suite) for name, suite in _through(recipe, champion)),
    ]


def tuned_ways(recipe: RecipeConfig, candidate: str) -> list[Way]:
    """What was trained through the other flows of the recipe's choice."""
    return [Way("tuned_flow", f"tuned, {name}", suite) for name, suite in _through(recipe, candidate)]


def _through(recipe: RecipeConfig, model: str) -> Iterator[tuple[str, SuiteConfig]]:
    for other in recipe.choice.flows if recipe.choice is not None else ():
        suite = SuiteConfig(
            models=[model],
            datasets=recipe.proof,
            flow=other.flow,
            retriever=other.retriever,
            variants=[other.variant] if other.variant else [],
            few_shot=0,
            **other.used,
        )
        yield _flow_name(other), suite


def _flow_name(other: OtherFlow) -> str:
    """As people read it.

    Examples
    --------
    >>> _flow_name(OtherFlow(flow="rag_qa", retriever="handbook", variant="compose.letters"))
    'flow rag_qa compose.letters with handbook'
    """
    variant = f" {other.variant}" if other.variant else ""
    return f"flow {other.flow}{variant}" + (f" with {other.retriever}" if other.retriever else "")
