"""Compare the two cells of a parity run: every metric that both have, the answers, and node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftgate.benchmarks.metrics import clusters_of, right
from driftgate.benchmarks.parity._quantity import Quantity, Values, Verdict, churn_quantity, decided, score_quantity
from driftgate.benchmarks.parity._samples import DifferingSample, ordered, same
from driftgate.flows.engines import NodeResult
from driftgate.flows.models import gave_up
from driftgate.flows.port import flow_outputs
from driftgate.ledger import Ledger, metric_frame, node_results, outcome_frame

if TYPE_CHECKING:
    import pandas as pd

EXIT_CODES: Mapping[str, int] = {"equivalent": 0, "different": 1, "inconclusive": 3, "unmeasurable": 4}
"""Of ``driftgate flow parity``: those of a gate that passes, fails, is inconclusive or unmeasurable."""
ANSWERED, ANSWERS = "answered", "answers"


@dataclass(frozen=True)
class CellPair:
    """The cell of the flow and the cell of its port, and what is to be compared."""

    reference: int
    port: int
    """Ids of the cells."""
    dag: Mapping[str, Any]
    """The flow's DAG."""
    node_names: Sequence[str]
    primary: str
    """``node.evaluator.metric`` that says whether a sample was answered correctly."""
    questions: Mapping[str, str]
    """By sample key."""


@dataclass(frozen=True)
class NodeDifference:
    """A node that both sides have."""

    node: str
    compared: int
    """Samples on which it gave something on both sides."""
    differing: int
    """Samples on which it gave something else."""


@dataclass(frozen=True)
class Parity:
    """What was found."""

    verdict: Verdict
    reason: str
    quantities: Sequence[Quantity]
    nodes: Sequence[NodeDifference]
    samples: Sequence[DifferingSample]
    """All that differ in an answer, an outcome or a metric."""
    not_compared: Sequence[str]
    """Metrics of the flow that the port has no value of, or that were left out."""
    asked: int
    silent: int
    """Samples left out because a model's service gave one side no reply, which says nothing of the port."""
    answered_by_neither: int

    @property
    def exit_code(self) -> int:
        """See :data:`EXIT_CODES`."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """For the JSON report."""
        return asdict(self)


def compare_cells(
    ledger: Ledger, pair: CellPair, *, margin: float, churn: float | None = None, ignored: Sequence[str] = ()
) -> Parity:
    """Compare a flow with its port on the samples that both were asked.

    Parameters
    ----------
    margin
        Largest difference that counts as none: of scores between 0 and 1 in their unit, of any other metric as a
        share of the flow's mean.
    churn
        Largest share of samples whose outputs may differ; the margin where it is not given.
    ignored
        Metrics, or beginnings of their names, that are left out.
    """
    joined = _joined(outcome_frame(ledger, pair.reference), outcome_frame(ledger, pair.port))
    replied = [~joined[name].fillna("").map(gave_up).astype(bool) for name in ("error", "error_base")]
    frame = joined[replied[0] & replied[1]].reset_index(drop=True)
    ours, theirs = (metric_frame(ledger, cell).reindex(frame["sample_id"]) for cell in (pair.port, pair.reference))
    both = [name for name in theirs.columns if name in ours.columns]
    compared = [name for name in both if not any(name.startswith(part) for part in ignored)]
    clusters = clusters_of(frame)
    if pair.primary in both:  # what was not answered is not right
        theirs[pair.primary] = right(frame.assign(correct=frame["correct_base"]))
        ours[pair.primary] = right(frame)
    given = [node_results(ledger, cell) for cell in (pair.reference, pair.port)]
    samples = _samples(frame, theirs[compared], ours[compared], given, pair)
    differing = {sample.key for sample in samples if sample.outputs_differ}

    quantities = []
    for name in sorted(compared, key=lambda name: (name != pair.primary, name)):
        quantities.append(score_quantity(name, _values(ours, name), _values(theirs, name), clusters, margin))
    answered = [np.asarray(frame[side] == "answered", dtype=np.float64) for side in ("outcome", "outcome_base")]
    quantities.append(score_quantity(ANSWERED, answered[0], answered[1], clusters, margin))
    lost = ("failed", "missing")
    usable = ~(frame["outcome"].isin(lost) & frame["outcome_base"].isin(lost)).to_numpy(dtype=bool)
    differs = frame["key"].isin(differing).to_numpy(dtype=bool)[usable]
    labels = None if clusters is None else clusters[usable]
    quantities.append(churn_quantity(ANSWERS, differs, labels, margin if churn is None else churn))

    judged = decided(quantities)
    silent = len(joined) - len(frame)
    verdict, reason = _verdict(judged, int(usable.sum()))
    if verdict == "equivalent" and silent > margin * len(joined):
        # They may have differed as nothing that was compared does, and would be more than the margin.
        verdict, reason = "unmeasurable", f"{silent:,} of {len(joined):,} samples have no reply on one side"
    left_out = [name for name in theirs.columns if name not in compared and theirs[name].notna().any()]
    return Parity(
        verdict=verdict,
        reason=reason,
        quantities=judged,
        nodes=_nodes(frame, given, pair),
        samples=ordered(samples, pair.primary),
        not_compared=left_out,
        asked=len(joined),
        silent=silent,
        answered_by_neither=int((~usable).sum()),
    )


def _values(frame: pd.DataFrame, name: str) -> Values:
    return np.asarray(frame[name].to_numpy(dtype=float), dtype=np.float64)


def _joined(reference: pd.DataFrame, port: pd.DataFrame) -> pd.DataFrame:
    return port.merge(reference[["sample_id", "outcome", "correct", "error"]], on="sample_id", suffixes=("", "_base"))


def _verdict(quantities: Sequence[Quantity], usable: int) -> tuple[Verdict, str]:
    if not usable:
        return "unmeasurable", "no sample was answered by either side"
    different = [q.name for q in quantities if q.verdict == "different"]
    if different:
        return "different", f"shown to differ by more than the margin: {', '.join(different)}"
    depending = [f"{q.name} ({q.one_sided:,})" for q in quantities if q.verdict == "unmeasurable"]
    if depending:
        return "unmeasurable", f"one side alone has a value, and the verdict depends on it: {', '.join(depending)}"
    missing = [q for q in quantities if q.verdict == "inconclusive"]
    if not missing:
        return "equivalent", f"all {len(quantities)} quantities are shown to differ by less than the margin"
    wanted = [q.needed for q in missing]
    known = [n for n in wanted if n is not None]
    more = f"; about {max(known):,} samples would decide" if known and len(known) == len(wanted) else ""
    return "inconclusive", f"not shown either way: {', '.join(q.name for q in missing)}{more}"


def _samples(
    frame: pd.DataFrame,
    theirs: pd.DataFrame,
    ours: pd.DataFrame,
    given: Sequence[Mapping[int, Mapping[str, NodeResult]]],
    pair: CellPair,
) -> list[DifferingSample]:
    unequal = (theirs.to_numpy() != ours.to_numpy()) & ~(np.isnan(theirs.to_numpy()) & np.isnan(ours.to_numpy()))
    found = []
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment, unused-ignore]
    for place, row in enumerate(rows):
        reference, port = (side.get(int(row["sample_id"]), {}) for side in given)
        outputs = flow_outputs(pair.dag, reference), flow_outputs(pair.dag, port)
        outputs_differ = not same(*outputs) or bool(row["outcome"] != row["outcome_base"])
        if not outputs_differ and not unequal[place].any():
            continue
        metrics = {
            str(name): (_number(theirs.iat[place, column]), _number(ours.iat[place, column]))
            for column, name in enumerate(theirs.columns)
            if unequal[place, column]
        }
        first = next((node for node in pair.node_names if _differs(reference, port, node)), "")
        found.append(
            DifferingSample(
                key=str(row["key"]),
                id=str(row["upstream_id"]),
                category=str(row["category"]),
                question=pair.questions.get(str(row["key"]), ""),
                reference_outcome=str(row["outcome_base"]),
                port_outcome=str(row["outcome"]),
                reference_outputs=outputs[0],
                port_outputs=outputs[1],
                outputs_differ=outputs_differ,
                first_node=first,
                reference_node=reference[first].output if first else None,
                port_node=port[first].output if first else None,
                metrics=metrics,
            )
        )
    return found


def _differs(reference: Mapping[str, NodeResult], port: Mapping[str, NodeResult], node: str) -> bool:
    return _both(reference, port, node) and not _agree(reference[node].output, port[node].output)


def _both(reference: Mapping[str, NodeResult], port: Mapping[str, NodeResult], node: str) -> bool:
    return all(node in side and side[node].status == "completed" for side in (reference, port))


def _agree(reference: Any, port: Any) -> bool:
    """Whether a node gave the same; of a port that shows only a part of the output, that part."""
    if isinstance(reference, Mapping) and isinstance(port, Mapping):
        return all(same(reference.get(name), value) for name, value in port.items())
    return same(reference, port)


def _nodes(
    frame: pd.DataFrame, given: Sequence[Mapping[int, Mapping[str, NodeResult]]], pair: CellPair
) -> list[NodeDifference]:
    found = []
    sides = [(given[0].get(int(i), {}), given[1].get(int(i), {})) for i in frame["sample_id"]]
    for node in pair.node_names:
        both = [(reference, port) for reference, port in sides if _both(reference, port, node)]
        if both:
            found.append(NodeDifference(node, len(both), sum(_differs(*side, node) for side in both)))
    return found


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
