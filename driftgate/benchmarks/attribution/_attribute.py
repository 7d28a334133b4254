"""Split the difference between two cells over the nodes whose configuration differs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.attribution._coalitions import Coalition, Together, coalition_table, found_together
from driftgate.benchmarks.attribution._configuration import Player, common_order, players
from driftgate.benchmarks.attribution._contributions import (
    REPEAT,
    Contribution,
    SampleShare,
    contributions,
    mean_within,
    scale_width,
)
from driftgate.benchmarks.attribution._replay import Counts, NotReplayed, Replay, Side
from driftgate.benchmarks.attribution._shapley import plan_design
from driftgate.benchmarks.attribution._sides import probed
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.inputs import EXAMPLES_INPUT, SCORING_INPUT
from driftgate.benchmarks.metrics import clusters_of, is_binary
from driftgate.benchmarks.stats import Comparison, compare_means, compare_paired
from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Attribution:
    """The difference between two cells, split."""

    metric: str
    n: int
    silent: int
    """Samples left out because a model gave no reply in one of the runs."""
    not_replayed: int
    """Samples left out because a model gives no reply now, to a question that the ledger holds no answer of."""
    scores: tuple[float, float]
    difference: Comparison
    """Second less first, on the samples that were replayed."""
    contributions: Sequence[Contribution]
    """The largest first."""
    table: Sequence[Coalition]
    """Every coalition of up to three nodes, small ones first; empty where there are more."""
    together: Sequence[Together]
    """Of up to three nodes those that move the score only together."""
    coalitions: int
    """That were valued for a sample, at most."""
    exact: bool
    """Whether all coalitions were valued, or those along sampled orders."""
    seed: int
    counts: Counts
    unsteady: Sequence[str]
    """Nodes that ask no model and did not give on every sample tried what the ledger holds."""

    def as_json(self) -> dict[str, Any]:
        """For the JSON report."""
        return asdict(self)


async def attribute(
    sides: tuple[Side, Side],
    frame: pd.DataFrame,
    samples: Sequence[Sample],
    metric: str,
    *,
    seed: int = 0,
    in_flight: int = 8,
    advance: Callable[[int, int], None] = lambda done, asked: None,
) -> Attribution:
    """Split the difference of a metric between two cells of one flow over its nodes.

    Each sample is a game whose players are the nodes that differ; what a coalition is worth is the score of the flow
    with these nodes as the second side has them and all others as the first side has them. A player's contribution
    is its Shapley value, so that contributions sum to the sample's difference. What depends only on nodes of one side
    is in the ledger; what mixes the two is computed, and models are asked where a node that asks one comes after.

    Parameters
    ----------
    frame
        Of the samples, in their order: ``cluster`` and ``sample_id`` as :func:`driftgate.ledger.outcome_frame` has
        them.
    seed
        Of sampled orders, where there are too many players for all coalitions.
    in_flight
        Samples under way at once.

    Raises
    ------
    DriftgateError
        The two flows cannot be mixed, a side is no longer what it was, or a model is misconfigured.

    References
    ----------
    .. [1] Shapley (1953). A value for n-person games. Contributions to the Theory of Games II, 307-317.
    .. [2] Strumbelj, Kononenko (2014). Explaining prediction models and individual predictions with feature
       contributions. Knowledge and Information Systems 41, 647-665.
    """
    _check(sides)
    asked = len(samples)
    chosen = [p for p, s in enumerate(samples) if all(s.key not in side.silent for side in sides)]
    samples, frame = [samples[p] for p in chosen], frame.iloc[chosen]
    counts = Counts()
    (first, unsteady), (second, also) = [await probed(side, samples, counts) for side in sides]
    found = players(first.nodes, second.nodes, _changed_inputs(first, second), _changed_reach(first, second))
    evaluators = first.cell.evaluators
    evaluators.open()
    binding = next((b for b in evaluators.bindings if metric.startswith(f"{b.node}.{b.name}.")), None)
    if binding is None:
        raise DriftgateError(f"the flow has no evaluator of '{metric}'", "give node.evaluator.metric")
    if binding.of_line:
        raise DriftgateError(
            f"'{metric}' is measured on the run itself (seconds, tokens, calls), and a replay spends others",
            "attribute a metric of what the nodes gave",
        )
    order = common_order(first.nodes, second.nodes)
    replay = Replay((first, second), order, found, binding, metric, counts)
    for sample in samples:
        replay.learn(sample)
    everyone = [*found, Player((REPEAT,), ())] if replay.conflicts else found
    design = plan_design(len(everyone), len(samples), seed=seed)
    worths = await _all_worths(replay, samples, design.coalitions, in_flight, advance)
    kept = [place for place, worth in enumerate(worths) if worth is not None]
    if not kept:
        raise DriftgateError(
            "no sample is left: a model gave no reply in one of the runs, or gives none now",
            "ask again with: driftgate bench --resume --retry-failed",
        )
    # A sample that is left out has any worths here, and no row in the table.
    whole = [worth or dict.fromkeys(design.coalitions(place), 0.0) for place, worth in enumerate(worths)]
    table = design.contributions(whole)[kept]
    clusters = clusters_of(frame.iloc[kept])
    values = [np.array([side.worths[samples[p].key] for p in kept]) for side in (second, first)]
    compare = compare_paired if is_binary(values[0]) and is_binary(values[1]) else compare_means
    difference = compare(values[0], values[1], clusters=clusters)
    judge = evaluators.judged.get(binding.key)
    graded = judge is not None and metric == f"{binding.key}.{judge.kind.key}"
    valued = [whole[place] for place in kept]
    width = scale_width(valued, (judge.kind.lowest, judge.kind.highest) if judge is not None and graded else None)
    if not difference.interval.known:  # all samples, or all passages, agree: their variance cannot be estimated
        interval, p_value = mean_within(values[0] - values[1], width, clusters)
        difference = replace(difference, interval=interval, p_value=p_value)
    shares = [_share(samples[p], (first, second), everyone, row) for p, row in zip(kept, table, strict=True)]
    return Attribution(
        metric=metric,
        n=len(kept),
        silent=asked - len(samples),
        not_replayed=len(samples) - len(kept),
        scores=(float(values[1].mean()), float(values[0].mean())),
        difference=difference,
        contributions=contributions(everyone, table, width, clusters, difference, shares),
        table=coalition_table(everyone, valued, width, clusters),
        together=found_together(everyone, valued, width, clusters),
        coalitions=max((len(design.coalitions(p)) for p in kept), default=0),
        exact=design.exact,
        seed=seed,
        counts=counts,
        unsteady=list(dict.fromkeys([*unsteady, *also])),
    )


async def _all_worths(
    replay: Replay,
    samples: Sequence[Sample],
    coalitions: Callable[[int], list[int]],
    in_flight: int,
    advance: Callable[[int, int], None],
) -> list[dict[int, float] | None]:
    worths: list[dict[int, float] | None] = [None] * len(samples)
    pending = iter(range(len(samples)))
    done = 0

    async def work() -> None:
        nonlocal done
        for place in pending:
            try:
                worths[place] = {c: await replay.worth(samples[place], c) for c in coalitions(place)}
            except NotReplayed:
                worths[place] = None
            done += 1
            advance(done, len(samples))

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(in_flight, len(samples))):
                workers.create_task(work())
    except* DriftgateError as group:
        problem: BaseException = group
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        raise problem from None
    return worths


def _check(sides: tuple[Side, Side]) -> None:
    first, second = (side.cell for side in sides)
    if first.evaluators_hash() != second.evaluators_hash():
        raise DriftgateError(
            "the two sides are judged by different evaluators, so their scores are not of one kind",
            "give both flows the same evaluators.yaml and run them anew",
        )
    if first.flow.dag.get("outputs") != second.flow.dag.get("outputs"):
        raise DriftgateError(
            "the two flows take their outputs from different places", "compare two configurations of one flow"
        )
    if first.flow.dag.get("environment_variables") != second.flow.dag.get("environment_variables"):
        raise DriftgateError(
            "the two flows set other environment variables, which a process has only once",
            "make them inputs of the nodes that read them",
        )


def _changed_inputs(first: Side, second: Side) -> frozenset[str]:
    """Inputs of the flow that the two sides give their nodes differently."""
    one, other = first.cell, second.cell
    declared = [side.flow.dag.get("inputs") or {} for side in (one, other)]
    found = {name for name in {*declared[0], *declared[1]} if declared[0].get(name) != declared[1].get(name)}
    mapped = [side.inputs.inputs for side in (one, other)]
    found |= {name for name in {*mapped[0], *mapped[1]} if mapped[0].get(name) != mapped[1].get(name)}
    if one.model_config.scoring != other.model_config.scoring:
        found.add(SCORING_INPUT)
    if one.shots and other.shots and one.shots != other.shots:
        found.add(EXAMPLES_INPUT)
    return frozenset(found)


def _changed_reach(first: Side, second: Side) -> frozenset[str]:
    names = {*first.identities, *second.identities}
    return frozenset(name for name in names if first.identities.get(name) != second.identities.get(name))


def _share(
    sample: Sample, sides: tuple[Side, Side], everyone: Sequence[Player], row: NDArray[np.float64]
) -> SampleShare:
    lines = [side.stored.get(sample.key, {}) for side in sides]
    outputs = {}
    for node in {node: None for player in everyone for node in player.nodes if node != REPEAT}:
        outputs[node] = tuple(line[node].output if node in line else None for line in lines)
    return SampleShare(
        key=sample.key,
        id=sample.id,
        category=sample.category,
        question=str(sample.data.get("question", "")),
        scores=(sides[0].worths[sample.key], sides[1].worths[sample.key]),
        contributions={player.name: float(value) for player, value in zip(everyone, row, strict=True)},
        outputs=outputs,  # type: ignore[arg-type]
    )
