"""Make a side of what the ledger holds and what is on disk, and see that the two belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from driftgate.benchmarks.attribution._configuration import MODEL, RETRIEVER, digest, node_configurations
from driftgate.benchmarks.attribution._replay import Side
from driftgate.benchmarks.cell import TOLD, Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.delivery import line_models
from driftgate.benchmarks.metrics import right
from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line
from driftgate.flows.models import AdaptiveLimit, Message, Model, Reply, RequestRejected, gave_up
from driftgate.flows.retrieval import Passage, Retriever
from driftgate.ledger import (
    CellRow,
    Ledger,
    LedgerReplies,
    check_asked_once,
    check_whole,
    metric_frame,
    node_results,
    outcome_frame,
)

PROBES = 5
"""Samples whose nodes are run again to see that they give what the ledger holds."""
_VOLATILE = ("in_flight", "timeout", "attempts", "threads", "prices", "api_key")


def check_unchanged(row: CellRow, cell: Cell) -> None:
    """See that a cell of the ledger can still be run as it was.

    Raises
    ------
    DriftgateError
        The flow, its evaluators, the model, the retriever or the data are not what they were.
    """
    was, now = dict(row.details), cell.describe()
    for details in (was, now):
        details["model_config"] = {k: v for k, v in details["model_config"].items() if k not in _VOLATILE}
        for name in (*TOLD, "dataset_licence", "variant"):
            details.pop(name, None)
    if changed := sorted(name for name in now if was.get(name) != now[name]):
        raise DriftgateError(
            f"the configuration of {row.name} in run {row.run_id} is no longer on disk: {', '.join(changed)} changed",
            "restore what changed, or keep both versions side by side (two variants, models or flow folders) "
            "and run both anew",
        )


def open_side(
    ledger: Ledger, row: CellRow, cell: Cell, models: Mapping[str, Model], *, metric: str, primary: bool, seed: int
) -> Side:
    """A side of an attribution: its engine, its models behind the ledger's replies, and its stored lines.

    Parameters
    ----------
    metric
        What is attributed; where a sample has no value of it, 0 counts.
    primary
        Whether it is the one by which samples are right or wrong.

    Raises
    ------
    DriftgateError
        The flow cannot be loaded.
    """
    check_asked_once(row, "an attribution")
    check_whole(row, "an attribution")
    frame = outcome_frame(ledger, row.id)
    if primary:
        values = right(frame)
    else:
        known = metric_frame(ledger, row.id).reindex(frame["sample_id"])
        values = known[metric].fillna(0.0).to_numpy(dtype=float) if metric in known else right(frame) * 0.0
    results = node_results(ledger, row.id)
    limit = AdaptiveLimit(cell.model_config.in_flight)
    engine: Any = ENGINES.get("native")(cell.flow)
    identities = {MODEL: digest(dict(models[cell.model].identity))}
    if cell.retriever is not None:
        identities[RETRIEVER] = digest(dict(cell.retriever.identity))
    return Side(
        cell=cell,
        engine=engine,
        models=line_models(models, cell, limit, LedgerReplies(ledger, row.run_id), seed=seed),
        nodes=node_configurations(cell.flow),
        identities=identities,
        stored={key: results.get(int(i), {}) for key, i in zip(frame["key"], frame["sample_id"], strict=True)},
        worths=dict(zip(frame["key"], map(float, values), strict=True)),
        silent=frozenset(frame["key"][frame["outcome"].eq("missing") | frame["error"].fillna("").map(gave_up)]),
    )


@dataclass
class _Listener:
    """A model that notes that it is asked, and declines."""

    name: str = "listener"
    identity: Mapping[str, Any] = field(default_factory=dict)
    heard: int = 0

    async def complete(self, messages: Sequence[Message]) -> Reply:
        self.heard += 1
        raise RequestRejected("nothing is asked while a node is looked at")

    async def aclose(self) -> None:
        """Nothing is held open."""


@dataclass
class _ListeningRetriever:
    """A retriever that notes that it is searched."""

    inner: Retriever
    heard: int = 0

    @property
    def identity(self) -> Mapping[str, Any]:
        return self.inner.identity

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        self.heard += 1
        return await self.inner.search(query, count)

    async def aclose(self) -> None:
        """The inner one is closed by who opened it."""


async def probed(side: Side, samples: Sequence[Sample], counts: Any) -> tuple[Side, list[str]]:
    """Run nodes that ask no model again on a few samples.

    Returns
    -------
    tuple
        The side, with what its nodes were seen to reach; and the nodes that gave something else on some of them.

    Raises
    ------
    DriftgateError
        A node gives something else on every one of them: what it reads is no longer what it was.
    """
    reaches = {name: set(node.reaches) for name, node in side.nodes.items()}
    tried: dict[str, list[bool]] = {}
    chosen = [sample for sample in samples if side.stored.get(sample.key)][:PROBES]
    for sample in chosen:
        results = side.stored[sample.key]
        for node in side.nodes:
            if node not in results or results[node].status != "completed":
                continue
            model = _Listener()
            retriever = _ListeningRetriever(side.cell.retriever) if side.cell.retriever else None
            line = Line(dict.fromkeys(side.models, model), sample.id, retriever)
            others = {name: results.get(name) for name in side.nodes if name != node}
            whole = await side.engine.run_line(side.cell.line_inputs(sample), line, given=others)
            found = whole.nodes.get(node)
            counts.ran += 1
            reaches[node] |= {MODEL} if model.heard else set()
            reaches[node] |= {RETRIEVER} if retriever is not None and retriever.heard else set()
            if not model.heard and found is not None:
                alike = found.status == "completed" and digest(found.output) == digest(results[node].output)
                tried.setdefault(node, []).append(alike)
    for node, same in tried.items():
        if len(same) > 1 and not any(same):
            raise DriftgateError(
                f"node '{node}' of {side.cell.name} no longer gives what the ledger holds ({len(same)} samples tried)",
                "what it reads has changed since, or it draws at random: restore it, or run both sides anew",
            )
    nodes = {name: replace(node, reaches=frozenset(reaches[name])) for name, node in side.nodes.items()}
    return replace(side, nodes=nodes), [node for node, same in tried.items() if not all(same)]
