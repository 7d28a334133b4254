"""A cell: one model, one flow with its variants, one dataset, ready to run; and what a score of it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.costs import PRICE_LIST, PRICED
from driftgate.benchmarks.inputs import (
    EXAMPLES_INPUT,
    SCORING_INPUT,
    check_inputs,
    is_absent,
    parse_inputs,
)
from driftgate.benchmarks.node_scores import EVALUATORS
from driftgate.benchmarks.signature import format_signature
from driftgate.benchmarks.use import UseConfig
from driftgate.flows import mapping
from driftgate.flows.answer import parse_answer
from driftgate.flows.evaluators import EvaluatorContext
from driftgate.flows.sample import ASKED as ASKED_COLUMNS
from driftgate.flows.text import as_name
from driftgate.ledger import JUDGED, REPEATS, SEQUENTIAL

if TYPE_CHECKING:
    from driftgate.benchmarks.datasets import Dataset, Sample
    from driftgate.benchmarks.looks import Looks
    from driftgate.flows.definition import FlowDefinition
    from driftgate.flows.evaluators import Evaluators
    from driftgate.flows.models import ModelConfig
    from driftgate.flows.retrieval import Retriever

DOCUMENTS = "documents"
"""Of a cell's description: what became of the files that its flow searches."""
TOLD = frozenset({"dataset_source", EVALUATORS, PRICED, PRICE_LIST, DOCUMENTS})
"""What a cell's description tells beside what the cell asks for; it may change while a run goes on."""


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
    looks: Looks | None = None
    """In which order and in what steps it is asked where a gate may stop it; None: all of it is asked."""

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

    @cached_property
    def unseen(self) -> str:
        """Who of its flow may ask where nobody counts what it costs, in words; empty where nobody does."""
        from driftgate.flows.reach import asks_unseen

        return asks_unseen(self.flow)

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
            EVALUATORS: {"bound": [b.key for b in self.evaluators.bindings], "primary": self.evaluators.primary},
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
            **self._documents(),
            **({"stands_for": dict(self.dataset.stands_for)} if self.dataset.stands_for else {}),
            **({"inputs": self.inputs.inputs} if self.inputs.inputs else {}),
            **({"defaults": self.inputs.defaults} if self.inputs.defaults else {}),
            **({"answer": ".".join(self.answer.path)} if self.answer else {}),
            **({} if self.evaluators.primary else {JUDGED: False}),
            **({SEQUENTIAL: self.looks.as_json()} if self.looks else {}),
            **self._judges(),
        }

    def _documents(self) -> dict[str, Any]:
        from driftgate.flows.retrieval import ingest_of

        ingest = ingest_of(self.retriever)
        return {DOCUMENTS: ingest.as_json()} if ingest is not None else {}

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
        judged = described_judges(self.evaluators)
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


def described_judges(evaluators: Evaluators) -> dict[str, Any]:
    """Who grades: every judged evaluator with its pin, its anchors and what decides that a text passes."""
    from driftgate.flows.evaluators import anchor_lengths, attacks_for, attacks_on, known_grades

    return {
        key: {
            "pin": dict(judge.pin),
            "pin_id": judge.pin_id,
            "anchors": known_grades(evaluators.anchors, judge.kind.key),
            "lengths": anchor_lengths(evaluators.anchors, judge.kind.key, judge.kind.inputs),
            "attacks": attacks_on(attacks_for(judge), judge.kind.key),
            "grade": judge.kind.key,
            "scale": [judge.kind.lowest, judge.kind.highest],
            "threshold": judge.threshold,
        }
        for key, judge in evaluators.judged.items()
    }


def _short_hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(value), sort_keys=True).encode()).hexdigest()[:6]
