"""Bind evaluators to nodes, as ``evaluators.yaml`` beside a flow's DAG says, and run them on a line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from driftgate.flows import mapping
from driftgate.flows.definition import FlowDefinition, check_answer
from driftgate.flows.engines._engine import FinishedLine, LineResult
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators._anchors import Anchor, anchors_file, drawn, load_anchors
from driftgate.flows.evaluators._arguments import check_arguments, check_texts, text_inputs
from driftgate.flows.evaluators._azure import take_turns_from_templates
from driftgate.flows.evaluators._by_name import asks_judge, built_in, check_keys, make_judged, of_our_own
from driftgate.flows.evaluators._config import BindingConfig, EvaluatorsConfig, Reads
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.evaluators._evaluation import Evaluation, read_metrics
from driftgate.flows.evaluators._flow import PREFIX, FlowEvaluator, FlowMetrics, make_flow
from driftgate.flows.evaluators._judged import COST, JudgedEvaluator, NoGrade
from driftgate.flows.evaluators._safety import SafetyEvaluator
from driftgate.flows.extras import naming_extras
from driftgate.flows.foreign import described, is_its_own, own_copy
from driftgate.flows.line import TOLD, TOOL_CALLS, Call, spent, tool_calls
from driftgate.flows.models import ModelMisconfigured
from driftgate.flows.own_code import OwnCode, own_code
from driftgate.flows.own_sources import hash_of, module_sources
from driftgate.flows.reach import reads_of
from driftgate.flows.registry import Registry
from driftgate.flows.yaml_text import parse

Factory = Callable[..., Callable[..., Any]]
EVALUATORS: Registry[Factory] = Registry("evaluator", "driftgate.flows.evaluators", "make")
AZURE = "azure.ai.evaluation"
"""Evaluators of this package ask somebody, or would."""
_EMPTY: tuple[Any, ...] = (None, "", [], (), {})
_ROOTS = frozenset({"data", "inputs", "line", "nodes", "outputs"})


class EvaluatedLine(NamedTuple):
    """One line as the aggregation nodes of an evaluation flow need it, or, without a node, those of the cell's flow."""

    node: str
    evaluator: str
    line: FinishedLine

    def tagged(self) -> EvaluatedLine:
        """In JSON that gives it back."""
        return self._replace(line=self.line.tagged())


@dataclass(frozen=True)
class Binding:
    """An evaluator ready to be called with the inputs of a line."""

    node: str
    name: str
    call: Callable[..., Any]
    inputs: Mapping[str, Any]
    own: str = ""
    """Hash of the workspace's own code that it runs; empty where it is not the workspace's own."""
    unless_empty: Any = None
    """A reference to what is empty on samples that are not evaluated; None: every sample is."""

    @cached_property
    def key(self) -> str:
        """``node.evaluator``."""
        return f"{self.node}.{self.name}"

    @cached_property
    def of_spending(self) -> bool:
        """Whether it measures what a run spent, seconds or tokens, and not what the nodes gave."""
        taken = [entry for entry in self.inputs.values() if isinstance(entry, mapping.Reference)]
        return any(
            (e.root == "line" and e.path[:1] != (TOOL_CALLS,)) or (e.root == "nodes" and e.path[1:2] == ("seconds",))
            for e in taken
        )

    @cached_property
    def of_line(self) -> bool:
        """Whether it takes something that is known of a line while it runs, and not of its nodes afterwards."""
        taken = self.inputs.values()
        return self.of_spending or any(isinstance(e, mapping.Reference) and e.root == "line" for e in taken)

    @cached_property
    def asks(self) -> bool:
        """Whether a call of it asks a service: a judge, a Foundry project, the connection of an evaluation flow."""
        if isinstance(self.call, FlowEvaluator):
            return self.call.asks
        azure = (getattr(self.call, "__module__", None) or "").startswith(AZURE)
        return azure or isinstance(self.call, (JudgedEvaluator, SafetyEvaluator))

    @cached_property
    def declared(self) -> tuple[str, ...] | None:
        """The numbers that it gives, where it says so beforehand; None where only a call tells."""
        return self.call.metrics if isinstance(self.call, (JudgedEvaluator, SafetyEvaluator)) else None

    @cached_property
    def objection(self) -> Callable[[str, Any], str] | None:
        """``unfit(name, value)`` of an evaluator that says beforehand by which values it cannot grade, and why."""
        return getattr(self.call, "unfit", None)

    def unfit(self, data: Mapping[str, Any]) -> str:
        """Why a sample cannot be graded, whatever the reply, as far as the evaluator says so; else empty."""
        if (objection := self.objection) is None:
            return ""
        own = ((name, e) for name, e in self.inputs.items() if isinstance(e, mapping.Reference) and e.root == "data")
        values = ((name, entry.resolve({"data": data})) for name, entry in own)
        reasons = (objection(name, value) for name, value in values if value is not mapping.MISSING)
        return next((str(reason) for reason in reasons if reason), "")

    async def evaluate(self, scope: Mapping[str, Any], kept: list[EvaluatedLine] | None = None) -> list[Evaluation]:
        """Call the evaluator; what it raises becomes an evaluation with an error.

        Parameters
        ----------
        kept : list of EvaluatedLine, optional
            Is added what the aggregation nodes of an evaluation flow need of the line.

        Raises
        ------
        ModelMisconfigured
            It asks a service that every sample would fail at.
        """
        if isinstance(self.unless_empty, mapping.Reference) and self.unless_empty.resolve(scope) in _EMPTY:
            return []
        arguments = own_copy(mapping.apply(self.inputs, scope))
        for name in getattr(self.call, "optional", ()):
            if arguments.get(name, mapping.MISSING) is mapping.MISSING:
                arguments.pop(name, None)
        absent = [name for name, value in arguments.items() if value is mapping.MISSING]
        if absent:
            return [self._without_value(f"no value for {', '.join(absent)}")]
        try:
            check_texts(self._texts, arguments)
            result = self.call(**arguments)
            if type(result) is not dict and inspect.isawaitable(result):
                result = await result
            made = read_metrics(self.node, self.name, result)
        except ModelMisconfigured:  # every sample would meet it
            raise
        except BaseException as problem:  # someone else's function may raise anything, and it concerns this sample
            if not is_its_own(problem):
                raise
            spent = problem.spent if isinstance(problem, NoGrade) else {}
            return [self._without_value(described(problem)), *read_metrics(self.node, self.name, spent)]
        if kept is not None and isinstance(result, FlowMetrics) and result.line is not None:
            kept.append(EvaluatedLine(self.node, self.name, result.line))
        return made

    @cached_property
    def _texts(self) -> frozenset[str]:
        return text_inputs(self.call)

    def _without_value(self, error: str) -> Evaluation:
        return Evaluation(self.node, self.name, "", None, error=error)


@dataclass(frozen=True)
class Evaluators:
    """All evaluators of a flow."""

    primary: str
    """``node.evaluator.metric`` that says what is correct; empty where nothing does, as there are no evaluators."""
    bindings: tuple[Binding, ...]
    anchors: Sequence[Anchor] = ()
    """What the judges are asked in every run; empty where nothing is judged."""
    reads: Reads = "none"
    """What the flow reads from a reply."""
    answer: str | None = None
    """The output that is judged, where the flow's own evaluators name it."""

    async def evaluate(
        self,
        data: Mapping[str, Any],
        inputs: Mapping[str, Any],
        line: LineResult,
        calls: Sequence[Call] = (),
        seconds: float = 0.0,
        kept: list[EvaluatedLine] | None = None,
    ) -> list[Evaluation]:
        """Evaluate every node that completed on the line; a node that did not is not evaluated.

        Parameters
        ----------
        calls : sequence of Call
            The line's model calls, for ``${line.input_tokens}`` and the like.
        seconds : float
            What the line took.
        kept : list of EvaluatedLine, optional
            Is added what the aggregation nodes of evaluation flows need of the line.

        Raises
        ------
        DriftgateError
            The primary's evaluator did its work and returned no such metric: no sample could ever be correct.
        """
        done = (node for node in line.nodes.values() if node.status == "completed")
        outputs = {node.node: {"output": node.output, "seconds": node.seconds} for node in done}
        scope = {"data": data, "inputs": inputs, "nodes": outputs, "outputs": line.output or {}}
        if self._reads_line:
            scope["line"] = {**spent(calls, seconds), TOOL_CALLS: tool_calls(calls)}
        found: list[Evaluation] = []
        for binding in self.bindings:
            if binding.node in outputs:
                made = await binding.evaluate(scope, kept)
                found += self._with_primary(binding, made) if binding.key == self._primary_binding else made
        return found

    @cached_property
    def judged(self) -> Mapping[str, JudgedEvaluator]:
        """The evaluators that ask a judge, by ``node.evaluator``."""
        return {b.key: b.call for b in self.bindings if isinstance(b.call, JudgedEvaluator)}

    def shown(self, key: str) -> tuple[str, ...]:
        """What the judge of a binding is given of a text: what it has to be, and what else the binding gives it."""
        kind, bound = self.judged[key].kind, next(b.inputs for b in self.bindings if b.key == key)
        return (*kind.inputs, *(name for name in kind.optional if name in bound))

    @cached_property
    def flows(self) -> Mapping[str, FlowEvaluator]:
        """The evaluation flows, by ``node.evaluator``."""
        return {b.key: b.call for b in self.bindings if isinstance(b.call, FlowEvaluator)}

    @cached_property
    def own(self) -> Mapping[str, str]:
        """Hash of the code of the evaluators that are the workspace's own, by ``node.evaluator``."""
        return {b.key: b.own for b in self.bindings if b.own}

    @cached_property
    def lists(self) -> Mapping[str, str]:
        """Hash of the words or phrases, which are data, that evaluators decide by, by ``node.evaluator``.

        An evaluator that decides by a list says its hash as ``list_id``; a plugin's may too.
        """
        return {b.key: str(b.call.list_id) for b in self.bindings if hasattr(b.call, "list_id")}

    def judges_cost(self, found: Sequence[Evaluation], currency: str | None) -> float | None:
        """What the judges' grades among ``found`` cost; None where that of any is not known.

        Parameters
        ----------
        currency : str, optional
            In which it is wanted; None leaves it to the judges, who must agree on one.
        """
        total, currencies = 0.0, {currency} - {None}
        for one in found:
            judged = self.judged.get(f"{one.node}.{one.evaluator}") if one.metric == COST else None
            if judged is None:
                continue
            if one.value is None:
                return None
            if one.value:
                currencies.add(judged.judge.config.prices.currency)
            total += one.value
        return total if len(currencies) <= 1 else None

    def open(self) -> None:
        """Make ready what is made ready only for a run: evaluators that need a key or a credential.

        Raises
        ------
        DriftgateError
            A variable of the environment is not set, or there is no credential.
        """
        for binding in self.bindings:
            if hasattr(binding.call, "open"):
                binding.call.open()

    @cached_property
    def _reads_line(self) -> bool:
        entries = (entry for binding in self.bindings for entry in binding.inputs.values())
        return any(isinstance(entry, mapping.Reference) and entry.root == "line" for entry in entries)

    @cached_property
    def _primary_binding(self) -> str:
        return self.primary.rpartition(".")[0]

    def _with_primary(self, binding: Binding, made: list[Evaluation]) -> list[Evaluation]:
        """What the primary's evaluator gave; that it has no number for the primary is an error of its sample."""
        if not any(e.key == self.primary or e.error for e in made):
            raise DriftgateError(
                f"primary is '{self.primary}', and its evaluator returns no such metric",
                nearest(self.primary, [e.key for e in made]),
            )
        return [one.measured if one.key == self.primary else one for one in made]


def load_evaluators(flow: FlowDefinition, context: EvaluatorContext | None = None) -> Evaluators:
    """Read the ``evaluators.yaml`` of the flow, or of the one whose place it takes, and make its evaluators.

    Parameters
    ----------
    context : EvaluatorContext, optional
        The workspace, for evaluators that need a judge or a flow of it.

    Raises
    ------
    DriftgateError
        The file is invalid, names an unknown node or evaluator, or an evaluator cannot be made.
    """
    flow = flow.stands_for or flow
    context = context or EvaluatorContext(folder=flow.workspace or Path())
    code = own_code(*(flow.code_folders if flow.workspace else ()), context.folder)
    found = _config_of(flow)
    if found is None:
        return Evaluators("", (), reads=reads_of(flow))
    config, place = found
    if config.answer is not None:
        check_answer(flow, config.answer, str(flow.evaluators_file))
    bindings = []
    for node, by_name in config.nodes.items():
        if node not in flow.node_names:
            raise DriftgateError(
                f"{place((node,))} binds an evaluator to node '{node}'", nearest(node, flow.node_names)
            )
        for name, bound in by_name.items():
            where = f"{place((node, name))}: {node}.{name}"
            inputs = {key: _parse_input(value, flow, where) for key, value in bound.inputs.items()}
            call = _make(bound, where, context, code)
            check_arguments(call, bound.evaluator, inputs, where)
            empty = None if bound.unless_empty is None else _parse_input(bound.unless_empty, flow, where)
            if empty is not None and not (isinstance(empty, mapping.Reference) and empty.root == "data"):
                raise DriftgateError(  # an empty reply would else take its sample out of the mean
                    f"{where}: unless_empty is '{bound.unless_empty}', which is no column of the data",
                    "name one: ${data.COLUMN}",
                )
            bindings.append(Binding(node, name, call, inputs, _own_hash(bound, code), empty))
    declared = [b.key for b in bindings]
    if config.primary.rpartition(".")[0] not in declared:
        wanted = [f"{name}.METRIC" for name in declared]
        raise DriftgateError(f"{place(())}: primary is '{config.primary}'", nearest(config.primary, wanted))
    decides = config.primary.rpartition(".")[0]
    if any(b.key == decides and b.unless_empty is not None for b in bindings):
        raise DriftgateError(
            f"{place(())}: unless_empty stands at {decides}, which decides what is correct", "let it take every sample"
        )
    reads = config.reads or _reads(flow, config)
    made = Evaluators(config.primary, tuple(bindings), reads=reads, answer=config.answer)
    if not made.judged:
        return made
    anchors = load_anchors(anchors_file(flow.folder, config.anchors))
    return replace(made, anchors=drawn(anchors, config.anchors_sample, config.anchors_seed))


def _config_of(flow: FlowDefinition) -> tuple[EvaluatorsConfig, Callable[[Sequence[str]], str]] | None:
    """What is bound to the nodes of a flow, and where a message says that it stands; None where nothing is."""
    file = flow.evaluators_file
    own = _read_file(file) if file.is_file() else None
    if (given := flow.given) is not None:  # how the flow reads a reply, and which output is its answer, stay its own
        kept = {} if own is None else {"reads": own.reads, "answer": own.answer}
        return EvaluatorsConfig.model_validate({"primary": given.primary, "nodes": given.nodes, **kept}), given.place
    return None if own is None else (own, lambda location: str(file))


def _reads(flow: FlowDefinition, config: EvaluatorsConfig) -> Reads:
    named = {bound.evaluator for by_name in config.nodes.values() for bound in by_name.values()}
    readers: tuple[Reads, ...] = ("quantity", "choice")
    return next((reader for reader in readers if reader in named), None) or reads_of(flow)


def _read_file(file: Path) -> EvaluatorsConfig:
    try:
        return EvaluatorsConfig.model_validate(parse(file.read_text(encoding="utf-8"), str(file))[1])
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DriftgateError(f"{file}: {where}: {first['msg']}", "see the flows page of the documentation") from problem


def _parse_input(value: Any, flow: FlowDefinition, where: str) -> Any:
    try:
        parsed = mapping.parse(value, _ROOTS)
    except DriftgateError as problem:
        raise DriftgateError(f"{where}: {problem.message}", problem.remedy) from problem
    if isinstance(parsed, mapping.Reference):
        named = {"nodes": flow.node_names, "inputs": flow.inputs, "outputs": flow.outputs, "line": TOLD}
        known = named.get(parsed.root)
        if known is not None and (not parsed.path or parsed.path[0] not in known):
            raise DriftgateError(f"{where}: {value} names nothing in the flow", nearest(".".join(parsed.path), known))
    return parsed


def _own_hash(bound: BindingConfig, code: OwnCode) -> str:
    module, colon, _ = bound.evaluator.partition(":")
    return hash_of(code, module_sources(code, module)) if colon and module != PREFIX else ""


def _make(bound: BindingConfig, where: str, context: EvaluatorContext, code: OwnCode) -> Callable[..., Any]:
    module, colon, attribute = bound.evaluator.partition(":")
    try:
        with naming_extras(f"the evaluator '{bound.evaluator}'"):
            check_keys(bound.settings)
            if ours := built_in(bound.evaluator, bound.settings):
                return EVALUATORS.get(ours)(**of_our_own(bound.settings, context))
            if not colon:
                factory = EVALUATORS.get(bound.evaluator)
                wants = "context" in inspect.signature(factory).parameters
                return factory(**bound.settings, **({"context": context} if wants else {}))
            if module == PREFIX:
                return make_flow(attribute, context, bound.settings)
            target = code.load(bound.evaluator)
            if asks_judge(target, bound.settings, context):
                return make_judged(bound.evaluator, target, bound.settings, context, _own_hash(bound, code))
            if module.startswith(AZURE):
                take_turns_from_templates()
            made: Callable[..., Any] = target(**bound.settings) if inspect.isclass(target) or bound.settings else target
        if not callable(made):
            raise TypeError(f"it is {type(made).__name__}, which cannot be called")
        return made
    except DriftgateError as problem:
        raise DriftgateError(f"{where}: {problem.message}", problem.remedy) from problem
    except BaseException as problem:  # importing and constructing someone else's class may raise anything
        if not is_its_own(problem):
            raise
        raise DriftgateError(
            f"{where}: cannot make evaluator '{bound.evaluator}': {described(problem)}", "correct it"
        ) from problem
