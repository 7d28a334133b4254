"""Run a flow with each node taken from one of two sides, from what the ledger holds as far as it reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.benchmarks.attribution._configuration import NodeConfiguration, Player, digest
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.flows import mapping
from driftgate.flows.engines import NodeResult, ReplayingEngine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Binding
from driftgate.flows.line import Call, Line
from driftgate.flows.models import Model, ModelMisconfigured, Unavailable
from driftgate.flows.port import flow_outputs

Results = Mapping[str, NodeResult]
_BYPASSED = "bypassed"
_UNKNOWN = "what cannot be put together"


@dataclass(frozen=True)
class Side:
    """One of the two configurations, with what the ledger holds of it."""

    cell: Cell
    engine: ReplayingEngine
    models: Mapping[str, Model]
    """As a line has them: by name, the empty one the cell's own."""
    nodes: Mapping[str, NodeConfiguration]
    identities: Mapping[str, str]
    """Digest of what it reaches, by ``model`` and ``retriever``."""
    stored: Mapping[str, Results]
    """What each node did, by sample key."""
    worths: Mapping[str, float]
    """The score of each sample, by its key."""
    silent: frozenset[str] = frozenset()
    """Keys of the samples to which a model gave no reply, which says nothing of the configuration."""

    def configuration(self, node: str) -> tuple[str, ...]:
        """What decides a node's output beside its inputs."""
        found = self.nodes[node]
        return found.settings, found.source, *(self.identities.get(name, "") for name in sorted(found.reaches))

    def line(self, sample: Sample) -> Line:
        """A new line for a sample."""
        return Line(self.models, sample.id, self.cell.retriever)


class NotReplayed(Exception):
    """A model gave no reply, which says nothing of the configuration."""


@dataclass
class Counts:
    """What a replay took."""

    asked: int = 0
    """Calls made to a model."""
    replies: int = 0
    """Calls answered by a reply that an earlier attribution left in the ledger."""
    ran: int = 0
    """Nodes that were run."""
    reused: int = 0
    """Nodes whose output was there already."""
    evaluated: int = 0
    """Evaluations made."""


@dataclass
class _Draws:
    """What a node gave for one configuration and input, on either side's run and here."""

    stored: dict[int, NodeResult] = field(default_factory=dict)
    made: asyncio.Future[NodeResult] | None = None


@dataclass
class Replay:
    """Values coalitions of one sample after another.

    A node of one configuration with one input is run once. Where both runs hold an output of it, and another, a
    model did not repeat itself; whose run such outputs are taken from is a player of its own.
    """

    sides: tuple[Side, Side]
    order: Sequence[str]
    players: Sequence[Player]
    binding: Binding
    """The evaluator that gives the score."""
    metric: str
    """``node.evaluator.metric``."""
    counts: Counts = field(default_factory=Counts)
    conflicts: int = 0
    """Nodes and inputs that both runs hold, with different outputs."""
    _draws: dict[tuple[Any, ...], _Draws] = field(default_factory=dict)
    _scores: dict[str, dict[int, float]] = field(default_factory=dict)
    _place: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._place = {node: place for place, player in enumerate(self.players) for node in player.nodes}

    def learn(self, sample: Sample) -> None:
        """Take in what both runs hold of a sample."""
        seen: dict[tuple[Any, ...], dict[int, NodeResult]] = {}
        for ordinal, side in enumerate(self.sides):
            results = side.stored.get(sample.key, {})
            for node in self.order:
                if node not in results or node not in side.nodes or results[node].status == _BYPASSED:
                    continue
                key, _ = self._key(side, sample, node, results)
                if key is not None:
                    self._draws.setdefault(key, _Draws()).stored[ordinal] = results[node]
                    seen.setdefault(key, {})[ordinal] = results[node]
            if (scored := self._score_key(side, sample, results)) is not None:
                self._scores.setdefault(scored, {})[ordinal] = side.worths[sample.key]
        self.conflicts += sum(len(draws) == 2 and not _same(draws[0], draws[1]) for draws in seen.values())

    async def worth(self, sample: Sample, coalition: int) -> float:
        """The score of a sample where the players of a coalition are taken from the second side.

        The bit after the last player's says whose outputs are taken where the runs hold two.

        Raises
        ------
        NotReplayed
            A model gave no reply.
        DriftgateError
            A model is misconfigured.
        """
        everyone = (1 << len(self.players)) - 1
        drawn = coalition >> len(self.players)
        members = coalition & everyone
        if members in (0, everyone) and (members == everyone) == bool(drawn):
            return self.sides[drawn].worths[sample.key]
        results: dict[str, NodeResult] = {}
        for node in self.order:
            side = self.sides[members >> self._place[node] & 1 if node in self._place else drawn]
            if node not in side.nodes:
                continue
            results[node] = await self._result(side, sample, node, results, drawn)
            if results[node].status == "failed":
                break
        return await self._score(sample, results, drawn)

    async def _result(self, side: Side, sample: Sample, node: str, results: Results, drawn: int) -> NodeResult:
        key, inputs = self._key(side, sample, node, results)
        if key is None:
            failed = inputs is not None
            return NodeResult(node, "failed" if failed else "bypassed", None, 0.0, _UNKNOWN if failed else "")
        draws = self._draws.setdefault(key, _Draws())
        if draws.stored:
            self.counts.reused += 1
            return draws.stored.get(drawn) or next(iter(draws.stored.values()))
        if draws.made is not None:
            self.counts.reused += 1
            return await asyncio.shield(draws.made)
        draws.made = asyncio.get_running_loop().create_future()
        try:
            result = await self._run(side, sample, node, results)
        except BaseException as problem:
            draws.made.set_exception(problem if isinstance(problem, Exception) else NotReplayed("stopped"))
            draws.made.exception()  # whoever waits hears it; nobody may
            draws.made = None
            raise
        draws.made.set_result(result)
        return result

    async def _run(self, side: Side, sample: Sample, node: str, results: Results) -> NodeResult:
        line = side.line(sample)
        others = {name: results.get(name) for name in side.nodes if name != node}
        found = await side.engine.run_line(side.cell.line_inputs(sample), line, given=others)
        self.counts.ran += 1
        self._count(line.calls)
        unlike = self.sides[0].identities != self.sides[1].identities
        if unlike and line.calls and not side.nodes[node].reaches:
            raise DriftgateError(
                f"node '{node}' asks a model on some samples, and its source does not say so",
                "import ask from driftgate.flows.line in it",
            )
        return found.nodes.get(node) or NodeResult(node, "failed", None, 0.0, found.error)

    def _count(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if isinstance(call.error, ModelMisconfigured):
                raise call.error
            if isinstance(call.error, Unavailable):
                raise NotReplayed(str(call.error))
            cached = call.reply is not None and call.reply.cached
            self.counts.replies += cached
            self.counts.asked += not cached

    def _key(self, side: Side, sample: Sample, node: str, results: Results) -> tuple[tuple[Any, ...] | None, Any]:
        """What a node's output depends on; None where it is bypassed (then None) or cannot be run (then why)."""
        try:
            inputs = side.engine.node_inputs(node, side.cell.line_inputs(sample), results)
        except Exception as problem:  # a reference into what is not there
            return None, problem
        if inputs is None:
            return None, None
        return (node, *side.configuration(node), digest(dict(inputs))), inputs

    def _scope(self, side: Side, sample: Sample, results: Results) -> dict[str, Any]:
        completed = {name: {"output": r.output} for name, r in results.items() if r.status == "completed"}
        outputs = flow_outputs(side.cell.flow.dag, results)
        return {"data": sample.row, "inputs": side.cell.line_inputs(sample), "nodes": completed, "outputs": outputs}

    def _score_key(self, side: Side, sample: Sample, results: Results) -> str | None:
        if self.binding.node not in results or results[self.binding.node].status != "completed":
            return None
        arguments = mapping.apply(self.binding.inputs, self._scope(side, sample, results))
        return digest([sample.key, {name: repr(v) if v is mapping.MISSING else v for name, v in arguments.items()}])

    async def _score(self, sample: Sample, results: Results, drawn: int) -> float:
        """The score of what the nodes gave: 0 where the evaluated node gave nothing."""
        side = self.sides[drawn]
        key = self._score_key(side, sample, results)
        if key is None:
            return 0.0
        known = self._scores.setdefault(key, {})
        if known:
            return known.get(drawn, next(iter(known.values())))
        self.counts.evaluated += 1
        made = await self.binding.evaluate(self._scope(side, sample, results))
        score = next((e.value for e in made if e.key == self.metric and e.value is not None), 0.0)
        known[drawn] = score
        return score


def _same(first: NodeResult, second: NodeResult) -> bool:
    return first.status == second.status and digest(first.output) == digest(second.output)
