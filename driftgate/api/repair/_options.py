"""The table of a repair's options: what each was measured to be worth, on the same questions as the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from driftgate.api.made_suites import Way
from driftgate.benchmarks.compare import Entry, compare_pair, standings
from driftgate.benchmarks.costs import REPLIED, at_most, states_prices
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.metrics import right
from driftgate.benchmarks.scores import CellScores
from driftgate.benchmarks.stats import Interval
from driftgate.finetune.choice import Figure, Measured, Option
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, ScoreRow


def measured_option(
    way: Way, scored: Sequence[CellScores], base: Sequence[CellScores], *, whole: bool = True
) -> Option:
    """An option as it was measured.

    Parameters
    ----------
    scored : sequence of CellScores
        Its cells, one for each dataset; at least one.
    base : sequence of CellScores
        Those of the champion as it is on the same datasets, in the same order; the very same for the champion itself.
    whole : bool
        Whether they are all that was to be asked. Of a part, neither quality nor cost is known.
    """
    frames = [scores.frame for scores in scored]
    cell = scored[0].cell
    known = whole and all(_quality(one).value is not None for one in scored)
    asked = sum(len(frame) for frame in frames)
    return Option(
        kind=way.kind,
        name=way.name,
        model=way.model,
        flow=cell.flow,
        variant=cell.variant,
        retriever=way.suite.retriever or "",
        run=cell.run_id,
        measured=[_measured(one, other) for one, other in zip(scored, base, strict=True)],
        quality=sum(float(right(frame).sum()) for frame in frames) / asked if known and asked else None,
        cost=cost_of_a_thousand(frames, priced=all(states_prices(one.cell.details) for one in scored))
        if whole
        else None,
        currency=scored[0].currency,
        at_most=any(bool(at_most(one.frame, one.cell.details).any()) for one in scored),
    )


def cost_of_a_thousand(frames: Sequence[pd.DataFrame], *, priced: bool) -> float | None:
    """The mean cost of 1,000 samples, by which options are ranked.

    None unless every sample was replied to and its cost is known: what was not answered makes nothing cheaper. What
    came from a store after a kill was paid before, and is left out of the mean.

    Parameters
    ----------
    priced : bool
        Whether somebody stated what the model takes; else a cost of 0 is none.

    Examples
    --------
    >>> frame = pd.DataFrame({"outcome": "answered", "cached": False, "cost": [0.002, 0.004]})
    >>> cost_of_a_thousand([frame], priced=True)
    3.0
    >>> cost_of_a_thousand([frame.assign(outcome=["answered", "failed"])], priced=True) is None
    True
    >>> cost_of_a_thousand([frame.assign(cost=0.0)], priced=False) is None
    True
    """
    if not all(frame["outcome"].isin(REPLIED).all() for frame in frames):
        return None
    costs = [frame.loc[frame["cached"].eq(False), "cost"].to_numpy(dtype=np.float64) for frame in frames]
    paid = np.concatenate(costs) if costs else np.empty(0)
    if not paid.size or np.isnan(paid).any() or (paid < 0).any() or not (paid.any() or priced):
        return None
    return 1000.0 * float(paid.mean())


def judged_option(
    ledger: Ledger,
    name: str,
    gate: GateConfig,
    option: Option,
    scored: Sequence[CellScores],
    base: Sequence[CellScores],
    champion: str,
) -> Option:
    """An option with what the recipe's gate says of it beside the champion, as it would of a trained candidate.

    A prompt or a flow of the champion stands in the place that a candidate would have: under a name of its own, and as
    if it were asked like the champion.
    """
    shown = [
        replace(one, cell=replace(one.cell, model=_stand_in(option), variant=other.cell.variant, flow=other.cell.flow))
        for one, other in zip(scored, base, strict=True)
    ]
    try:
        verdict = judge(ledger, name, gate, scored[0].cell.run_id, [*base, *shown], champion=champion)
    except DriftgateError as problem:  # a metric that only the recipe's own flow has
        return option.model_copy(update={"verdict": "unmeasurable", "why": str(problem)})
    about = [rule for rule in verdict.worst_first if rule.model == _stand_in(option)]
    if not any(rule.value is not None for rule in about):  # only of the champion itself: no word about the option
        why = f"no rule of the gate '{name}' measures it"
        return option.model_copy(update={"verdict": "unmeasurable", "why": why})
    said = [rule for rule in verdict.worst_first if rule.verdict != "pass"] or verdict.worst_first
    why = "; ".join(f"{rule.verdict}: {rule.cell}: {rule.rule}: {rule.told}" for rule in said)
    return option.model_copy(update={"verdict": verdict.verdict, "why": why})


def _stand_in(option: Option) -> str:
    return option.model if option.kind in ("model", "tuned") else f"{option.model}, {option.name}"


def _measured(scores: CellScores, base: CellScores) -> Measured:
    here, there = Entry("option", scores), Entry("base", base)
    outcomes = scores.outcomes
    if scores.cell.id == base.cell.id:
        standing, difference = standings([here], [])[0][0], Figure()
    else:
        pair = compare_pair(here, there, sliced=False)
        standing = standings([there, here], [pair])[0][1]
        difference = Figure()
        if all(_quality(one).value is not None for one in (scores, base)):
            found = pair.overall.comparison
            difference = Figure(value=found.difference, low=found.interval.low, high=found.interval.high)
    return Measured(
        dataset=scores.cell.dataset,
        n=len(scores.frame),
        unanswered={name: count for name, count in outcomes.items() if count and name != "answered"},
        quality=_quality(scores),
        difference=difference,
        cost=_interval(standing.cost),
        latency_p50=_figure(scores.get("latency_p50")),
        latency_p95=_figure(scores.get("latency_p95")),
    )


def _quality(scores: CellScores) -> Figure:
    """Not known where nothing at all was answered: that is no answer of 0%."""
    return Figure() if scores.answered_nothing else _figure(scores.get("accuracy"))


def _figure(row: ScoreRow | None) -> Figure:
    return Figure() if row is None else Figure(value=row.value, low=row.low, high=row.high)


def _interval(found: Interval | None) -> Figure:
    return Figure() if found is None else Figure(value=found.estimate, low=found.low, high=found.high)
