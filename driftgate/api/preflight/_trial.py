"""One sample taken through a flow and its evaluators as a run would take it, without asking anybody.

Whoever is asked on the way answers as a perfect model would, with the sample's right answer. So the templates are
rendered, the tools of the flow run and the evaluators grade, and nothing is paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.engines import Engine, LineResult, open_engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Evaluation
from driftgate.flows.line import Line
from driftgate.flows.models import Message, ModelMisconfigured, Reply, Usage
from driftgate.flows.reach import asks_elsewhere

_SURE = -0.01
"""Log-probability of the first token of a perfect model's reply."""


@dataclass
class _Perfect:
    """A model that knows the sample's right answer, and notes what it is asked."""

    text: str
    name: str = "perfect"
    identity: Mapping[str, Any] = field(default_factory=dict)
    heard: list[Sequence[Message]] = field(default_factory=list)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        self.heard.append(tuple(messages))
        return Reply(self.text, "stop", Usage(1, 1), 0.0, self.name, first_token={self.text: _SURE})

    async def aclose(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Trial:
    """What became of one sample."""

    cell: Cell = field(repr=False)  # of as many samples as its dataset has: asyncio writes what a task returns as text
    heard: Sequence[Sequence[Message]] = ()
    """What the model would have been asked."""
    result: LineResult | None = None
    """None where the flow was not run."""
    evaluations: Sequence[Evaluation] = ()
    untried: str = ""
    """Why the flow was not run."""
    problem: DriftgateError | None = None
    """The flow, or what it takes the place of, cannot be opened."""
    unsearched: DriftgateError | None = None
    """Why its retriever gave nothing: what a service does is not the flow's fault."""
    ungraded: DriftgateError | None = None
    """Its evaluators cannot grade."""
    place: int = 0
    """Of the sample that was taken, among the cell's."""
    others: Sequence[Trial] = ()
    """Further samples, taken where something was wrong with this one, which may be an odd one."""

    @property
    def sample(self) -> Sample:
        """The sample that was taken."""
        return self.cell.samples[self.place]

    @property
    def stopped(self) -> bool:
        """Whether the flow ended without an output."""
        return self.result is not None and self.result.output is None

    @property
    def failing(self) -> frozenset[str]:
        """The evaluators, ``node.evaluator``, that gave an error."""
        return frozenset(f"{one.node}.{one.evaluator}" for one in self.evaluations if one.error)


async def try_cell(cell: Cell, suite: SuiteConfig, models: Sequence[str]) -> Trial:
    """Take the first sample of a cell through its flow; where something is wrong with it, also two others.

    A flow that asks a service of its own is opened and not run: what such a request costs, nobody here knows.

    Parameters
    ----------
    models : sequence of str
        Names by which a tool may ask for one of the suite's models.
    """
    try:
        engine = open_engine(cell.flow, suite.engine, node_timeout=suite.node_timeout)
    except DriftgateError as problem:
        return Trial(cell, problem=problem)
    try:
        if untried := asks_elsewhere(cell.flow):
            return Trial(cell, untried=untried)
        first = await _try_sample(cell, engine, models, 0)
        if first.unsearched is not None or not (first.stopped or first.failing):
            return first
        further = sorted({len(cell.samples) // 2, len(cell.samples) - 1} - {0})
        return replace(first, others=[await _try_sample(cell, engine, models, place) for place in further])
    finally:
        await engine.aclose()
        if cell.retriever is not None:
            await cell.retriever.aclose()


async def _try_sample(cell: Cell, engine: Engine, models: Sequence[str], place: int) -> Trial:
    sample = cell.samples[place]
    perfect = _Perfect(right_answer(sample))
    line = Line(dict.fromkeys(("", *models), perfect), sample.id, cell.retriever)
    inputs = cell.line_inputs(sample)
    try:
        result = await engine.run_line(inputs, line)
    except DriftgateError as problem:
        return Trial(cell, perfect.heard, problem=problem, place=place)
    missed = [call.error for call in line.calls if not call.model and call.error is not None]
    if result.output is not None:  # the flow knew what to do without; a run ends of what every sample would meet
        missed = [error for error in missed if isinstance(error, ModelMisconfigured)]
    unsearched = missed[0] if missed else None
    tried = Trial(cell, perfect.heard, result, place=place, unsearched=unsearched)
    free = replace(cell.evaluators, bindings=tuple(b for b in cell.evaluators.bindings if not b.asks))
    try:
        return replace(tried, evaluations=await free.evaluate(sample.row, inputs, result, line.calls, 1.0))
    except DriftgateError as problem:
        return replace(tried, ungraded=problem)


def right_answer(sample: Sample) -> str:
    """A sample's right answer as a model would write it; ``A`` where the sample has none.

    Examples
    --------
    >>> from driftgate.benchmarks.datasets import make_sample
    >>> right_answer(make_sample("own", "test", 0, {"question": "?", "answer": ["B", "C"]}))
    'B'
    """
    answer = sample.data.get("answer")
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    return "A" if answer is None or answer == "" else str(answer)
