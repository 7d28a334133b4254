"""A suite: which models go through which flow on which datasets; and its cells, ready to run."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from driftgate.benchmarks.costs import PRICE_LIST, PRICED
from driftgate.benchmarks.inputs import (
    EXAMPLES_INPUT,
    SCORING_INPUT,
    check_inputs,
    check_names,
    is_absent,
    parse_inputs,
)
from driftgate.benchmarks.signature import format_signature
from driftgate.benchmarks.use import UseConfig
from driftgate.flows import mapping
from driftgate.flows.answer import parse_answer
from driftgate.flows.engines import NODE_TIMEOUT
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext
from driftgate.flows.evaluators._config import BindingConfig
from driftgate.flows.sample import ASKED as ASKED_COLUMNS
from driftgate.flows.text import as_name
from driftgate.ledger import JUDGED, REPEATS

if TYPE_CHECKING:
    from driftgate.benchmarks.datasets import Dataset, Sample
    from driftgate.flows.definition import FlowDefinition
    from driftgate.flows.evaluators import Evaluators
    from driftgate.flows.models import ModelConfig
    from driftgate.flows.retrieval import Retriever

TOLD = frozenset({"dataset_source", PRICED, PRICE_LIST})
"""What a cell's description tells beside what the cell asks for; it may change while a run goes on."""

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


class SuiteConfig(UseConfig):
    """A named suite of the workspace: every model with every variant on every dataset."""

    models: Names = Field(min_length=1)
    """Names of models of the workspace."""
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
    node_timeout: float = Field(NODE_TIMEOUT, gt=0)
    """Seconds after which a node that has not ended fails its sample."""
    cache: bool = False
    """Answer from the ledger what the very same model was asked before. Off, because a nightly run is to measure
    the model of today."""
    delivery: Literal["direct", "batch"] = "direct"
    """``direct`` asks the models request by request. ``batch`` hands requests in by the file (``/v1/batches``) at half
    the price; a service may take 24 hours. A run that is stopped meanwhile asks nothing twice when it goes on. How long
    a reply took is then not known."""
    max_cost: float | None = Field(None, gt=0)
    """Stop the run, to be resumed, once it has cost so much (in the currency of the models' prices); judges count. It
    is refused where a price is not known, and stops the run where a service does not count its tokens."""
    max_failed: float = Field(0.1, ge=0, le=1)
    """Share of a cell's samples that may fail or not be graded; above it the run ends with exit code 4
    (unmeasurable)."""
    max_minutes: float | None = Field(None, gt=0)
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


@dataclass(frozen=True)
class Cell:
    """One model, one flow with its variants, one dataset."""

    model: str
    model_config: ModelConfig
    flow: FlowDefinition
    variant: str
    dataset: Dataset
    samples: Sequence[Sample]
    few_shot: int
    retriever: Retriever | None = None
    context: EvaluatorContext = field(default_factory=EvaluatorContext)
    inputs: UseConfig = field(default_factory=UseConfig)
    """How the flow is used: where its inputs come from, which output is its answer."""
    repeats: int = 1
    """How often each sample is asked."""
    engine: str = "native"
    """What runs the flow."""
    delivery: str = "direct"
    """How requests get to the models."""
    asks: bool = True
    """Its scores are the model's, so the model must be asked. Not so in parity, which compares two programs."""

    @property
    def name(self) -> str:
        """``model · variant · dataset``."""
        return " · ".join(part for part in (self.model, self.variant, self.dataset.name) if part)

    @cached_property
    def evaluators(self) -> Evaluators:
        """The evaluators that stand beside the flow.

        Raises
        ------
        DriftgateError
            They cannot be made.
        """
        from driftgate.flows.evaluators import load_evaluators

        return load_evaluators(self.flow, self.context)

    @cached_property
    def answer(self) -> mapping.Reference | None:
        """The output that is judged: the suite's word, else that of the flow's evaluators; None: the usual one."""
        named = self.inputs.answer or self.evaluators.answer
        return None if named is None else parse_answer(named)

    @cached_property
    def shots(self) -> int:
        """Examples the chosen variants really use."""
        if EXAMPLES_INPUT in self.inputs.inputs:
            return 0
        used = f"${{inputs.{EXAMPLES_INPUT}}}"
        takes = any(used in map(str, (node.get("inputs") or {}).values()) for node in self.flow.resolved_nodes())
        return min(self.few_shot, len(self.dataset.shots)) if takes else 0

    @cached_property
    def fingerprint(self) -> str:
        """Hash over what the dataset's samples and examples put into the flow, and the right answers: 12 digits.

        It is the dataset's own where the flow reads nothing but what makes a sample the sample it is.
        """
        further = {as_name(given) for given in self.flow.inputs} - {*ASKED_COLUMNS}
        read = {s.key: {c: s.row[c] for c in further & s.row.keys()} for s in self.dataset.samples}
        examples = [dict(shot.data) for shot in self.dataset.shots] if self.shots else []
        if not examples and not any(read.values()):
            return self.dataset.fingerprint
        content = json.dumps(
            [self.dataset.fingerprint, read, examples], sort_keys=True, ensure_ascii=False, default=str
        )
        return hashlib.sha256(content.encode(errors="replace")).hexdigest()[:12]

    def line_inputs(self, sample: Sample) -> dict[str, Any]:
        """The flow's inputs for a sample: its data by name, the examples, the scoring mode and the suite's mapping."""
        declared = self.flow.inputs
        spelt = {as_name(given): given for given in declared}
        inputs = {spelt[column]: value for column, value in sample.row.items() if column in spelt}
        if self.shots:
            inputs[EXAMPLES_INPUT] = self.dataset.examples(sample, self.shots)
        elif EXAMPLES_INPUT in declared and EXAMPLES_INPUT not in self.flow.input_defaults:
            inputs.setdefault(EXAMPLES_INPUT, [])
        if SCORING_INPUT in declared:
            inputs[SCORING_INPUT] = self.model_config.scoring
        if self._mapping:
            mapped = mapping.apply(self._mapping, {"data": sample.row})
            inputs |= {spelt[name]: value for name, value in mapped.items() if name in spelt}
        # What a sample does not have is left to the flow's default, which check_inputs has found to be meant.
        return {name: value for name, value in inputs.items() if not is_absent(self.flow, name, value)}

    def check(self) -> None:
        """Refuse a flow that would run on what nobody gave it, or be answered by whom nobody meant.

        Raises
        ------
        DriftgateError
            Nobody supplies one of its inputs, an llm node names an unknown connection, or none of its nodes can ask the
            model.
        """
        self.flow.check_connections()
        if self.asks:
            from driftgate.flows.reach import check_asks

            check_asks(self.flow)
        check_inputs(self.flow, self.inputs, self.dataset.name, self.samples, shots=self.shots)
        if self.inputs.answer is not None:
            from driftgate.flows.definition import check_answer

            check_answer(self.flow, self.inputs.answer, "the suite")

    @cached_property
    def _mapping(self) -> Mapping[str, Any]:
        return parse_inputs(self.inputs.inputs)

    def describe(self) -> dict[str, Any]:
        """Everything that was asked for, without secrets, for the ledger."""
        return {
            "model": self.model,
            "model_config": self.model_config.model_dump(mode="json"),
            "flow": self.flow.name,
            "flow_hash": self.flow.content_hash(),
            "evaluators_hash": self.evaluators_hash(),
            "nodes": list(self.flow.node_names),
            "chosen": dict(self.flow.chosen),
            "variant": self.variant,
            "dataset": self.dataset.name,
            "dataset_fingerprint": self.fingerprint,
            "dataset_source": self.dataset.source,
            "dataset_licence": self.dataset.licence,
            "samples": hashlib.sha256("\n".join(s.edition for s in self.samples).encode()).hexdigest()[:12],
            "n": len(self.samples),
            **({REPEATS: self.repeats} if self.repeats > 1 else {}),
            **({"delivery": self.delivery} if self.delivery != "direct" else {}),
            "shots": self.shots,
            **({"engine": self.engine} if self.engine != "native" else {}),
            PRICED: self.model_config.prices.known,
            **({PRICE_LIST: self.model_config.listed.model_dump(mode="json")} if self.model_config.listed else {}),
            **({"retriever": dict(self.retriever.identity)} if self.retriever else {}),
            **({"stands_for": dict(self.dataset.stands_for)} if self.dataset.stands_for else {}),
            **({"inputs": self.inputs.inputs} if self.inputs.inputs else {}),
            **({"defaults": self.inputs.defaults} if self.inputs.defaults else {}),
            **({"answer": ".".join(self.answer.path)} if self.answer else {}),
            **({} if self.evaluators.primary else {JUDGED: False}),
            **self._judges(),
        }

    def evaluators_hash(self) -> str:
        """Hash of ``evaluators.yaml`` and of the files that its evaluators run or decide by: 12 hexadecimal digits.

        Those are the files of evaluation flows, the modules of the workspace's own evaluators, and lists of words.
        """
        file = self.flow.evaluators_hash()
        flows = {key: flow.content_hash() for key, flow in self.evaluators.flows.items()}
        bound = flows | dict(self.evaluators.own) | dict(self.evaluators.lists)
        if not bound:
            return file
        parts = [file, *(f"{key}:{content}" for key, content in sorted(bound.items()))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def _judges(self) -> dict[str, Any]:
        """Who grades: where anything is judged, every judged evaluator with its pin, and what decides correctness."""
        from driftgate.flows.evaluators import known_grades

        judged = {
            key: {
                "pin": dict(judge.pin),
                "pin_id": judge.pin_id,
                "anchors": known_grades(self.evaluators.anchors, judge.kind.key),
                "grade": judge.kind.key,
                "scale": [judge.kind.lowest, judge.kind.highest],
            }
            for key, judge in self.evaluators.judged.items()
        }
        return {"judges": judged, "primary": self.evaluators.primary} if judged else {}

    def signature(self) -> str:
        """What a score of this cell depends on beside the model, in one line, under the convention ``asked``."""
        from driftgate.benchmarks.conventions.asked import CONVENTION as ASKED

        scoring = self.model_config.scoring
        parts: dict[str, object] = {
            "dataset": f"{self.dataset.name}:{self.fingerprint[:6]}",
            "n": len(self.samples),
            **({REPEATS: self.repeats} if self.repeats > 1 else {}),
            "flow": f"{self.flow.name}:{self.flow.content_hash()[:6]}",
            "variant": self.variant or "default",
            "prompt": self.flow.prompt_hash()[:6],
            "shots": self.shots,
            "engine": self.engine,
            "scoring": scoring,
            **ASKED.signature_parts(scoring, self.evaluators.reads),
            **self.model_config.signed,
        }
        if self.retriever is not None:
            parts["retriever"] = f"{self.retriever.identity['kind']}:{_short_hash(self.retriever.identity)}"
        if self.inputs.inputs:
            parts["inputs"] = _short_hash(self.inputs.inputs)
        if self.answer is not None:
            parts["answer"] = ".".join(self.answer.path).replace("|", "/")
        if self.evaluators.own or self.evaluators.lists or self.flow.given is not None:
            parts["evaluators"] = self.evaluators_hash()[:6]
        if self.evaluators.judged:
            parts["judges"] = ",".join(f"{key}:{e.pin_id[:6]}" for key, e in self.evaluators.judged.items())
        return format_signature(parts)


def _short_hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(value), sort_keys=True).encode()).hexdigest()[:6]


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


def describe_plan(name: str, suite: SuiteConfig, cells: Sequence[Cell]) -> tuple[dict[str, Any], str]:
    """What a run of the suite asks for, and a hash by which a resumed run knows that it is still the same."""
    described = [cell.describe() for cell in cells]
    plan = {"suite": name, "config": suite.model_dump(mode="json"), "cells": described}
    if listed := _listed(cells):
        plan[LISTED] = listed
    # How fast and how long a run goes does not change what it asks for.
    asked = [{k: v for k, v in cell.items() if k not in TOLD} for cell in described]
    for cell in asked:
        volatile = ("in_flight", "timeout", "attempts", "threads", "prices", "api_key")
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
