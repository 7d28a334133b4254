"""Bind evaluators to nodes, as ``evaluators.yaml`` beside a flow's DAG says, and run them on a line."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows import mapping
from flows.definition import EVALUATORS_FILE, FlowDefinition
from flows.engines._engine import LineResult
from flows.errors import DriftgateError, nearest
from flows.registry import Registry

Factory = Callable[..., Callable[..., Any]]
EVALUATORS: Registry[Factory] = Registry("evaluator", "flows.evaluators", "make")
_ROOTS = frozenset({"data", "inputs", "nodes", "outputs"})


class BindingConfig(BaseModel):
    """One evaluator bound to one node."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evaluator: str
    """Name of a built-in evaluator, or ``package.module:name`` of any function or class."""
    inputs: dict[str, Any]
    """The evaluator's inputs in prompt flow's mapping grammar; anything else is a literal."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Passed to the evaluator's factory or class."""


class EvaluatorsConfig(BaseModel):
    """The file ``evaluators.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    primary: str
    """``node.evaluator.metric`` that says whether a sample was answered correctly (1) or not (0)."""
    nodes: dict[str, dict[str, BindingConfig]]
    """Evaluators by node and by a name of their own."""


class Evaluation(NamedTuple):
    """One metric of one evaluator on one line: a number, a label, or why there is neither."""

    node: str
    evaluator: str
    metric: str
    value: float | None
    label: str = ""
    error: str = ""

    @property
    def key(self) -> str:
        """``node.evaluator.metric``."""
        return f"{self.node}.{self.evaluator}.{self.metric}"


@dataclass(frozen=True)
class Binding:
    """An evaluator ready to be called with the inputs of a line."""

    node: str
    name: str
    call: Callable[..., Any]
    inputs: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """``node.evaluator``."""
        return f"{self.node}.{self.name}"

    async def evaluate(self, scope: Mapping[str, Any]) -> list[Evaluation]:
        """Call the evaluator; what it raises becomes an evaluation with an error."""
        arguments = mapping.apply(self.inputs, scope)
        absent = [name for name, value in arguments.items() if value is mapping.MISSING]
        if absent:
            return [Evaluation(self.node, self.name, "", None, error=f"no value for {', '.join(absent)}")]
        try:
            result = self.call(**arguments)
            if type(result) is not dict and inspect.isawaitable(result):
                result = await result
        except Exception as problem:  # someone else's function may raise anything, and it concerns this sample alone
            return [Evaluation(self.node, self.name, "", None, error=f"{type(problem).__name__}: {problem}"[:300])]
        if type(result) is not dict and not isinstance(result, Mapping):
            found = type(result).__name__
            return [Evaluation(self.node, self.name, "", None, error=f"returned {found}, expected a dict")]
        return [_evaluation(self.node, self.name, str(metric), value) for metric, value in result.items()]


@dataclass(frozen=True)
class Evaluators:
    """All evaluators of a flow."""

    primary: str
    bindings: tuple[Binding, ...]

    async def evaluate(self, data: Mapping[str, Any], inputs: Mapping[str, Any], line: LineResult) -> list[Evaluation]:
        """Evaluate every node that completed on the line; a node that did not is not evaluated.

        Raises
        ------
        DriftgateError
            The primary's evaluator did its work and returned no such metric: no sample could ever be correct.
        """
        outputs = {name: {"output": node.output} for name, node in line.nodes.items() if node.status == "completed"}
        scope = {"data": data, "inputs": inputs, "nodes": outputs, "outputs": line.output or {}}
        found: list[Evaluation] = []
        for binding in self.bindings:
            if binding.node in outputs:
                made = await binding.evaluate(scope)
                self._check_primary(binding, made)
                found += made
        return found

    @cached_property
    def _primary_binding(self) -> str:
        return self.primary.rpartition(".")[0]

    def _check_primary(self, binding: Binding, made: list[Evaluation]) -> None:
        if binding.key != self._primary_binding or any(e.key == self.primary or e.error for e in made):
            return
        names = [e.key for e in made]
        raise DriftgateError(
            f"primary is '{self.primary}' in {EVALUATORS_FILE}, and its evaluator returns no such metric",
            nearest(self.primary, names),
        )


def load_evaluators(flow: FlowDefinition) -> Evaluators:
    """Read the ``evaluators.yaml`` of the flow, or of the one whose place it takes, and make its evaluators.

    Raises
    ------
    DriftgateError
        The file is missing or invalid, names an unknown node or evaluator, or an evaluator cannot be made.
    """
    flow = flow.stands_for or flow
    file = flow.folder / EVALUATORS_FILE
    try:
        config = EvaluatorsConfig.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DriftgateError(f"flow '{flow.name}' has no {EVALUATORS_FILE}", f"write {file}") from None
    except yaml.YAMLError as problem:
        raise DriftgateError(f"{file} is not YAML: {' '.join(str(problem).split())}", "correct the file") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DriftgateError(f"{file}: {where}: {first['msg']}", "see the flows page of the documentation") from problem
    bindings = []
    for node, by_name in config.nodes.items():
        if node not in flow.node_names:
            raise DriftgateError(f"{file} binds an evaluator to node '{node}'", nearest(node, flow.node_names))
        for name, bound in by_name.items():
            where = f"{file}: {node}.{name}"
            inputs = {key: _parse_input(value, flow, where) for key, value in bound.inputs.items()}
            bindings.append(Binding(node, name, _make(bound, where), inputs))
    declared = [b.key for b in bindings]
    if config.primary.rpartition(".")[0] not in declared:
        wanted = [f"{name}.METRIC" for name in declared]
        raise DriftgateError(f"{file}: primary is '{config.primary}'", nearest(config.primary, wanted))
    return Evaluators(config.primary, tuple(bindings))


def _parse_input(value: Any, flow: FlowDefinition, where: str) -> Any:
    try:
        parsed = mapping.parse(value, _ROOTS)
    except DriftgateError as problem:
        raise DriftgateError(f"{where}: {problem.message}", problem.remedy) from problem
    if isinstance(parsed, mapping.Reference):
        known = {"nodes": flow.node_names, "inputs": flow.inputs, "outputs": flow.outputs}.get(parsed.root)
        if known is not None and (not parsed.path or parsed.path[0] not in known):
            raise DriftgateError(f"{where}: {value} names nothing in the flow", nearest(".".join(parsed.path), known))
    return parsed


def _make(bound: BindingConfig, where: str) -> Callable[..., Any]:
    module, colon, attribute = bound.evaluator.partition(":")
    try:
        if not colon:
            return EVALUATORS.get(bound.evaluator)(**bound.settings)
        target: Any = getattr(importlib.import_module(module), attribute)
        made: Callable[..., Any] = target(**bound.settings) if inspect.isclass(target) or bound.settings else target
        if not callable(made):
            raise TypeError(f"it is {type(made).__name__}, which cannot be called")
        return made
    except DriftgateError as problem:
        raise DriftgateError(f"{where}: {problem.message}", problem.remedy) from problem
    except Exception as problem:  # importing and constructing someone else's class may raise anything
        raise DriftgateError(
            f"{where}: cannot make evaluator '{bound.evaluator}': {problem}", "correct it"
        ) from problem


def _evaluation(node: str, name: str, metric: str, value: Any) -> Evaluation:
    if type(value) is float or isinstance(value, (bool, int, float)):
        number = float(value)
        if math.isfinite(number):
            return Evaluation(node, name, metric, number)
        return Evaluation(node, name, metric, None, error=f"the evaluator returned {number}")
    return Evaluation(node, name, metric, None, label="" if value is None else str(value)[:2000])
