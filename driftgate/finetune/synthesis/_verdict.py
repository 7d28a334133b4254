"""Is a set fit to be trained on? Rules over its figures, each with what was found and what is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from driftgate.finetune.synthesis._config import AcceptanceConfig
from driftgate.finetune.synthesis._coverage import CoverageDataset
from driftgate.finetune.synthesis._diversity import Diversity, diversity
from driftgate.finetune.synthesis._synthesize import ASKS

Said = Literal["pass", "fail", "inconclusive", "unmeasurable"]
_WORST: tuple[Said, ...] = ("fail", "unmeasurable", "inconclusive", "pass")
FEWEST = 10
"""Items that models wrote below which nothing is said of how much they repeat themselves."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One question that a set is asked."""

    name: str
    said: Said
    found: str
    """In words, with what is asked."""


@dataclass(frozen=True)
class Judgement:
    """What is said of a set."""

    verdict: Said
    rules: tuple[Rule, ...]
    written: Diversity
    """Of the items that models wrote."""
    whole: Diversity
    """Of all items."""


def judge_set(dataset: CoverageDataset, accept: AcceptanceConfig, more: Sequence[Rule] = ()) -> Judgement:
    """Judge a set by its figures.

    The worst rule decides: ``fail`` before ``unmeasurable`` before ``inconclusive``.

    Parameters
    ----------
    more : sequence of Rule
        What others found of it, such as that an item repeats a benchmark's.
    """
    written = diversity([item for item in dataset.items if item.generator in ASKS])
    rules = (
        _enough(dataset, accept),
        *_repeats(written, accept),
        *_kept(dataset, accept),
        *_covered(dataset, accept),
        *more,
    )
    verdict = next(said for said in _WORST if any(rule.said == said for rule in rules) or said == "pass")
    return Judgement(verdict, tuple(rules), written, diversity(dataset.items))


def _enough(dataset: CoverageDataset, accept: AcceptanceConfig) -> Rule:
    found = f"{len(dataset.items):,} items, {accept.items:,} are asked"
    if dataset.spent.unasked:
        found += f"; {dataset.spent.unasked:,} requests were not made: {dataset.spent.reached}"
    return Rule("items", "pass" if len(dataset.items) >= accept.items else "inconclusive", found)


def _repeats(written: Diversity, accept: AcceptanceConfig) -> list[Rule]:
    if not written.items:
        return []
    if written.items < FEWEST:
        return [
            Rule("distinct", "inconclusive", f"models wrote {written.items} items, {FEWEST} are needed to say more")
        ]
    share = written.distinct
    facts = f"{written.facts:,} different facts in {written.compared:,} items that models wrote ({share:.2f})"
    return [
        Rule("distinct", "pass" if share >= accept.distinct else "fail", f"{facts}, {accept.distinct:g} is asked"),
        Rule(
            "similarity",
            "pass" if written.likeness <= accept.similarity else "fail",
            f"an item is {written.likeness:.2f} like the one nearest to it, at most {accept.similarity:g} is asked",
        ),
    ]


def _kept(dataset: CoverageDataset, accept: AcceptanceConfig) -> list[Rule]:
    answered = dataset.generated - sum(reject.kind == "unasked" for reject in dataset.rejects)
    if answered <= 0:
        return [Rule("yield", "unmeasurable", "nothing was made of which something could be kept")]
    kept = len(dataset.items) + dataset.surplus
    why = Counter(reject.kind for reject in dataset.rejects if reject.kind != "unasked").most_common(3)
    told = ", ".join(f"{kind} {count:,}" for kind, count in why)
    found = f"{kept:,} of {answered:,} pass the filters ({kept / answered:.2f}), {accept.yielded:g} is asked"
    said: Said = "pass" if kept / answered >= accept.yielded else "fail"
    return [Rule("yield", said, found + (f"; dropped: {told}" if told else ""))]


def _covered(dataset: CoverageDataset, accept: AcceptanceConfig) -> list[Rule]:
    if dataset.coverage is None:
        return []
    if not dataset.items:
        return [Rule("covered", "unmeasurable", "there are no items that could cover a cluster")]
    wanted = [cluster.name for cluster in dataset.coverage.clusters if cluster.share > 0]
    there = Counter(item.cluster for item in dataset.items)
    without = [name for name in wanted if not there[name]]
    share = 1 - len(without) / len(wanted)
    found = f"{len(wanted) - len(without)} of {len(wanted)} clusters have an item, {accept.covered:g} of them is asked"
    if len(dataset.items) < len(wanted):
        return [
            Rule("covered", "inconclusive" if share < accept.covered else "pass", f"{found}; there are fewer items")
        ]
    said: Said = "pass" if share >= accept.covered else "fail"
    return [Rule("covered", said, found + (f"; none: {', '.join(without[:5])}" if without else ""))]
