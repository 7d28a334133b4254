"""A suite: which models go through which flow on which datasets, as cells that are ready to run."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from driftgate.benchmarks.cell import TOLD, Cell
from driftgate.benchmarks.inputs import (
    check_names,
)
from driftgate.benchmarks.looks import Looks
from driftgate.benchmarks.use import UseConfig
from driftgate.flows.amounts import Amount
from driftgate.flows.engines import NODE_TIMEOUT
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext
from driftgate.flows.evaluators._config import BindingConfig

if TYPE_CHECKING:
    from driftgate.benchmarks.datasets import Dataset, Sample
    from driftgate.flows.definition import FlowDefinition
    from driftgate.flows.models import ModelConfig
    from driftgate.flows.retrieval import Retriever

LISTED = "prices"
"""Where a plan keeps the prices that are from a list, of the models that are asked and of judges, each by name. A run
keeps those with which it began."""
MODELS, JUDGES = "models", "judges"
"""The two parts of that: who is asked in batches may grade without."""
_UNSAID = (("wire", "auto"),)
"""Settings that say nothing; runs that began before there were any can go on."""


def _once(names: list[str]) -> list[str]:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"names {', '.join(map(repr, twice))} twice: it would be asked and paid for twice")
    return names


Names = Annotated[list[str], AfterValidator(_once)]
"""Names, each of them once."""


def followed(model: str) -> str | None:
    """The slot whose champion a suite asks under this name; None where the name is a model's.

    Examples
    --------
    >>> followed("champion:assistant"), followed("gpt-5-mini")
    ('assistant', None)
    """
    prefix, colon, slot = model.partition(":")
    return slot if colon and prefix == "champion" else None


class SuiteConfig(UseConfig):
    """A named suite of the workspace: every model with every variant on every dataset."""

    models: Names = Field(min_length=1)
    """Names of models of the workspace; ``champion:SLOT`` is whichever model is live in a slot when a run begins."""
    datasets: Names = Field(min_length=1)
    """Names of datasets of the workspace."""
    flow: str = "multiple_choice"
    """A flow that driftgate ships, a folder of the workspace that holds a ``flow.dag.yaml`` or a ``flow.flex.yaml``, or
    a ``.prompty`` file of it."""
    prompt: str | None = None
    """A prompt of your own in the place of a flow: a Jinja template whose variables are columns of the data, or the
    path of one in the workspace (``.jinja2``, ``.txt``, ``.md``), or of a ``.prompty``. Its nodes are ``prompt`` and
    ``reply``, the model's words; of a ``.prompty`` they are ``render`` and ``ask``. Needs ``evaluators``."""
    evaluators: dict[str, dict[str, BindingConfig]] = {}
    """Evaluators by node and by a name of their own, as ``nodes`` in a flow's ``evaluators.yaml``, in whose place they
    stand. Needs ``primary``."""
    primary: str | None = None
    """Of ``evaluators``: ``node.evaluator.metric`` that says whether a sample was answered correctly (1) or not (0)."""
    variants: Names = []
    """Variants of the flow, each ``variant`` or ``node.variant``, several nodes joined by commas. Empty: the
    flow's defaults."""
    retriever: str | None = None
    """Name of a retriever of the workspace, for flows that search documents."""
    few_shot: int = Field(5, ge=0, le=50)
    """Examples given to variants that take them, from the dataset's own development split."""
    limit: int | None = Field(None, ge=1)
    """Ask only so many samples of each dataset, drawn by ``seed``. Unset: all."""
    repeats: int = Field(1, ge=1, le=100)
    """Ask each sample so many times, to see whether the model is steady; it costs as many times as much. A sample
    counts once, with the mean of its repeats. A model whose temperature is 0, driftgate's default, answers alike: give
    it one under its ``parameters``."""
    seed: int = 0
    """Decides which samples ``limit`` draws and how retries are spaced."""
    engine: str = "native"
    """What runs the flow: ``native`` or ``promptflow``."""
    node_timeout: Amount = NODE_TIMEOUT
    """Seconds after which a node that has not ended fails its sample."""
    cache: bool = False
    """Answer from the ledger what the very same model was asked before. Off, because a nightly run is to measure
    the model of today."""
    delivery: Literal["direct", "batch"] = "direct"
    """``direct`` asks the models request by request. ``batch`` hands requests in by the file (``/v1/batches``) at half
    the price; a service may take 24 hours. A run that is stopped meanwhile asks nothing twice when it goes on. How long
    a reply took is then not known."""
    max_cost: Amount | None = None
    """Stop the run, to be resumed, once it has cost so much (in the currency of the models' prices); judges count. It
    is refused where a price is not known, and stops the run where a service does not count its tokens."""
    max_failed: float = Field(0.1, ge=0, le=1)
    """Share of a cell's samples that may fail or not be graded; above it the run ends with exit code 4
    (unmeasurable)."""
    max_minutes: Amount | None = None
    """Stop the run, to be resumed, after so many minutes. Waits for models (pauses, ``Retry-After``, the queue) end
    then; a request that is under way may end within its model's ``timeout``."""

    @model_validator(mode="after")
    def _judged(self) -> Self:
        if self.prompt is not None and not self.prompt.strip():
            raise ValueError("the prompt is empty")
        if self.prompt is not None and not self.evaluators:
            raise ValueError("a prompt needs evaluators, which say what a right answer is; see 'evaluators'")
        if self.prompt is not None and self.variants:
            raise ValueError("a prompt has no variants; make a suite for each prompt")
        if bool(self.evaluators) != (self.primary is not None):
            raise ValueError("evaluators and primary belong together: primary names the metric of one of them")
        return self


def draw(samples: Sequence[Sample], limit: int | None, seed: int) -> list[Sample]:
    """Draw ``limit`` samples without replacement, in the dataset's order.

    Examples
    --------
    >>> draw([1, 2, 3, 4, 5], 3, seed=7)  # doctest: +SKIP
    [2, 3, 5]
    """
    if limit is None or limit >= len(samples):
        return list(samples)
    return [samples[i] for i in sorted(random.Random(seed).sample(range(len(samples)), limit))]


def plan_cells(
    suite: SuiteConfig,
    models: Mapping[str, ModelConfig],
    datasets: Mapping[str, Dataset],
    flow: FlowDefinition,
    retriever: Retriever | None = None,
    context: EvaluatorContext | None = None,
    *,
    asks: bool = True,
) -> list[Cell]:
    """Make the suite's cells: for each dataset and model, each variant.

    Parameters
    ----------
    asks : bool
        See :attr:`Cell.asks`.

    Raises
    ------
    DriftgateError
        The flow has no such variant, cannot measure what is meant (see :meth:`Cell.check`), or a model is of a provider
        that takes no batches.
    """
    _check_delivery(suite, models)
    drawn = {name: draw(datasets[name].samples, suite.limit, suite.seed) for name in suite.datasets}
    given = UseConfig.of(suite)
    check_names(flow, given)
    flow = given.applied(flow)
    flows = {variant: flow.with_variant(variant) for variant in suite.variants or [""]}
    cells = [
        Cell(
            model=model,
            model_config=models[model],
            flow=chosen,
            variant=variant or ",".join(chosen.chosen.values()),
            dataset=datasets[dataset],
            samples=drawn[dataset],
            few_shot=suite.few_shot,
            retriever=retriever,
            context=context or EvaluatorContext(),
            inputs=given,
            repeats=suite.repeats,
            engine=suite.engine,
            delivery=suite.delivery,
            asks=asks,
        )
        for dataset in suite.datasets
        for model in suite.models
        for variant, chosen in flows.items()
    ]
    for cell in {(cell.dataset.name, cell.variant): cell for cell in cells}.values():
        cell.check()
        cell.flow.check_models(suite.models, cell.context.models)
    return cells


def _check_delivery(suite: SuiteConfig, models: Mapping[str, ModelConfig]) -> None:
    from driftgate.flows.models import PROVIDERS

    for name in suite.models if suite.delivery == "batch" else ():
        provider = models[name].provider
        if not PROVIDERS.get(provider).batches:
            raise DriftgateError(
                f"model '{name}' is of the provider '{provider}', which takes no batches",
                "give it a suite of its own, without delivery: batch",
            )


def stopped_by(suite: SuiteConfig, cells: Sequence[Cell], looks: Looks) -> list[Cell]:
    """The cells as they are asked where a gate may stop them.

    Raises
    ------
    DriftgateError
        The suite asks each sample several times or in batches.
    """
    why = ""
    if suite.repeats > 1:
        why = f"the suite asks each sample {suite.repeats} times (repeats)"
    elif suite.delivery == "batch":
        why = "the suite hands its requests in by the batch (delivery: batch), all of them at once"
    if why:
        raise DriftgateError(f"gate '{looks.gate}' cannot stop the run: {why}", "run without --sequential")
    block = max(looks.block, *(cell.model_config.in_flight for cell in cells))
    return [replace(cell, looks=replace(looks, block=block)) for cell in cells]


def describe_plan(name: str, suite: SuiteConfig, cells: Sequence[Cell]) -> tuple[dict[str, Any], str]:
    """What a run of the suite asks for, and a hash by which a resumed run knows that it is still the same."""
    described = [cell.describe() for cell in cells]
    plan = {"suite": name, "config": suite.model_dump(mode="json"), "cells": described}
    if listed := _listed(cells):
        plan[LISTED] = listed
    # How fast and how long a run goes does not change what it asks for.
    asked = [{k: v for k, v in cell.items() if k not in TOLD} for cell in described]
    for cell in asked:
        volatile = ("in_flight", "timeout", "attempts", "threads", "prices", "api_key", "retires")
        cell["model_config"] = {
            k: v for k, v in cell["model_config"].items() if k not in volatile and (k, v) not in _UNSAID
        }
    return plan, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _listed(cells: Sequence[Cell]) -> dict[str, Any]:
    """The prices of models and judges that are from a list, with where they stand; empty where none is."""
    judges = [judged.judge for cell in cells for judged in cell.evaluators.judged.values()]
    roles: dict[str, dict[str, ModelConfig]] = {
        MODELS: {cell.model: cell.model_config for cell in cells},
        JUDGES: {judge.name: judge.config for judge in judges},
    }
    kept = {
        role: {
            name: {"prices": config.prices.model_dump(mode="json"), "from": config.listed.model_dump(mode="json")}
            for name, config in configs.items()
            if config.listed is not None
        }
        for role, configs in roles.items()
    }
    return kept if any(kept.values()) else {}
