"""Gates and their rules, as the workspace file has them."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftgate.benchmarks.metrics import METRICS
from driftgate.flows.errors import nearest

CHAMPION = "champion"
"""What a rule calls the model that is live in the gate's slot."""
PREVIOUS = "previous"
"""What a rule calls the same cell in the last complete run of the suite."""
ANCHOR = "anchor"
"""What a rule calls the same cell in the gate's anchor."""
BASELINE = "baseline:"
"""What the name of an imported baseline begins with in a rule."""
COUNTED = ("cost", "cost_per_sample", "input_tokens", "output_tokens")
"""Metrics that are counted of the run itself; relative rules about them have a margin that is a share."""
LATENCIES = {"latency_p50": 0.50, "latency_p95": 0.95}
"""Quantiles of the latency, whose relative rules have a margin that is a share."""
_ONLY_ABSOLUTE = ("accuracy_macro", "accuracy_if_right", "accuracy_answered")


class RuleConfig(BaseModel):
    """One rule of a gate; it holds for every cell that ``model``, ``variant`` and ``dataset`` leave."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    metric: str = "accuracy"
    """``accuracy``, ``accuracy_macro``, ``share.filtered``, ``latency_p95``, ``cost``, ``cost_per_sample`` … or an
    evaluator's ``node.evaluator.metric``; ``aggregate.name`` or ``node.evaluator.aggregate.name`` of what an
    aggregation node logged."""
    slice: str = ""
    """A category or super-category. Empty: everything asked for."""
    slices: Literal["category", "super_category"] | None = None
    """Every category, or every super-category: the rule must hold in each."""
    correction: Literal["benjamini-hochberg", "holm"] = "benjamini-hochberg"
    """Of ``slices``: how the p-values against the slices are corrected before one is named as failing."""
    min: float | None = None
    """The metric must be at least this."""
    max: float | None = None
    """The metric must be at most this."""
    no_worse_than: str | None = None
    """``previous`` (the same cell in the last complete run of the suite), ``champion`` (the model that is live in the
    gate's slot: in this run, else in its newest complete run of the suite), ``anchor`` (the same cell in the gate's
    anchor), the name of another model of the run, or ``baseline:NAME`` (the same cell in a baseline that was
    imported)."""
    margin: float = Field(0.0, ge=0)
    """Of ``no_worse_than``: how much worse counts as no worse. 0.02 is two points of accuracy; of latency, cost and
    tokens it is two per cent."""
    better_than: str | None = None
    """As ``no_worse_than``, but to be beaten."""
    pass_rate: float | None = Field(None, gt=0, le=1)
    """Of a suite with ``repeats``: a sample passes if at least this share of its repeats is right, and the metric is
    the share of the samples that pass. With 5 repeats, 0.2 lets a sample pass that is right once, 0.6 one that mostly
    is. A repeat without an answer counts as wrong. The metric's values must lie between 0 and 1."""
    lower_is_better: bool = False
    """Of an evaluator's metric in a rule that compares, such as a defect rate."""
    scale: tuple[float, float] | None = None
    """Of an evaluator's grade: the least and the greatest value that it can have, such as ``[1, 5]``. Unset: 0 to 1
    where all values lie there, and what driftgate's own judges declare."""
    corrected: bool = False
    """Of a judge's ``node.evaluator.passed`` with ``min`` or ``max``: the pass rate that people would give, from the
    judge's word on all samples and people's on some, which ``driftgate calibrate`` reads."""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """One-sided level: how often a model exactly at the limit may pass, and how often one there may fail."""
    model: str | None = None
    """Only cells of this model."""
    variant: str | None = None
    """Only cells of this variant."""
    dataset: str | None = None
    """Only cells of this dataset."""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        conditions = ("min", "max", "no_worse_than", "better_than")
        given = [name for name in conditions if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"a rule needs exactly one of min, max, no_worse_than and better_than; found {found}")
        if self.opponent == BASELINE:
            raise ValueError(f"{given[0]} is '{BASELINE}' without a name; write {BASELINE}NAME")
        if self.slice and self.slices:
            raise ValueError("a rule is about one slice or about all slices of a kind; found slice and slices")
        if self.margin and self.no_worse_than is None:
            raise ValueError(f"margin belongs to no_worse_than; found it with {given[0]}")
        if self.opponent and self.metric in _ONLY_ABSOLUTE:
            raise ValueError(f"{given[0]} cannot compare {self.metric}; use accuracy")
        if self.scale is not None:
            low, high = self.scale
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(f"scale is {low:g} to {high:g}; expected the least and the greatest possible value")
            if self.metric in METRICS and not self.metric.startswith("accuracy"):
                raise ValueError(f"scale belongs to grades; {self.metric} has none")
        if self.pass_rate is not None and self.metric in METRICS and self.metric != "accuracy":
            raise ValueError(f"pass_rate is about answers that are right or wrong; {self.metric} is not, use accuracy")
        if (self.slice or self.slices) and self.metric == "accuracy_macro":
            raise ValueError("accuracy_macro is a mean over slices already; use accuracy with slice or slices")
        if self.corrected and (
            self.opponent
            or self.slice
            or self.slices
            or self.pass_rate is not None
            or self.metric in METRICS
            or not self.metric.endswith(".passed")
        ):
            raise ValueError(
                f"corrected is about a judge's pass rate in a whole cell; found {self.text}, expected a metric "
                "node.evaluator.passed with min or max, and no slice or pass_rate"
            )
        if self.metric.startswith("pass@") or self.metric in ("pass_rate", "majority", "unsteady"):
            raise ValueError(
                f"{self.metric} is printed and not judged; give a rule about accuracy or an evaluator's metric a "
                "pass_rate: the share of its repeats that lets a sample pass"
            )
        if self.metric not in METRICS and self.metric.count(".") < 2 and not self.metric.startswith("aggregate."):
            known = [*METRICS, "node.evaluator.metric"]
            raise ValueError(f"there is no metric '{self.metric}'; {nearest(self.metric, known)}")
        return self

    @property
    def opponent(self) -> str | None:
        """What the rule compares with, if anything."""
        return self.no_worse_than or self.better_than

    @property
    def by_ratio(self) -> bool:
        """Whether a comparison is of shares of the opponent's value, not of differences."""
        return self.metric in COUNTED or self.metric in LATENCIES

    @property
    def less_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        if self.metric.startswith("share."):
            return self.metric != "share.answered"
        return self.by_ratio or self.lower_is_better

    @property
    def side(self) -> Literal["above", "below"]:
        """On which side of its limit the metric must lie; of a comparison, the difference or the ratio."""
        if self.opponent is None:
            return "above" if self.min is not None else "below"
        return "below" if self.less_is_better else "above"

    @property
    def text(self) -> str:
        """The rule in one line."""
        inside = self.slice or (f"every {self.slices}" if self.slices else "")
        metric = f"{self.metric}[{inside}]" if inside else self.metric
        if self.corrected:
            metric += " corrected"
        if self.pass_rate is not None:
            metric += f" with pass_rate {self.pass_rate:g}"
        if self.better_than is not None:
            return f"{metric} better than {self.better_than} (p < {self.alpha:g})"
        if self.no_worse_than is not None:
            margin = f"{100 * self.margin:g}%" if self.by_ratio else f"{self.margin:g}"
            return f"{metric} no more than {margin} {'above' if self.less_is_better else 'below'} {self.no_worse_than}"
        return f"{metric} >= {self.min:g}" if self.min is not None else f"{metric} <= {self.max:g}"


class GateConfig(BaseModel):
    """A named gate of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    suite: str | None = None
    """The suite whose runs the gate judges; unset where only a recipe uses the gate."""
    slot: str | None = None
    """The place in production whose champion the rules mean; unset where the workspace has only one."""
    first_run: Literal["inconclusive", "pass"] = "inconclusive"
    """What ``no_worse_than`` says where there is nothing to compare with yet, such as no earlier run. ``pass`` is for a
    build whose first run is to be green; ``better_than`` never passes so."""
    anchor: str | None = None
    """What stays until a person moves it: the id of a complete run, ``RUN/MODEL`` for the cell of another model in it,
    or ``baseline:NAME``. Rules may compare with it (``no_worse_than: anchor``), and beside every comparison with
    something that moves the gate says how far the cell has drifted from it."""
    recipe: str | None = None
    """The recipe that ``driftgate nightly`` begins where the gate fails the recipe's champion; unset: none."""
    rules: list[RuleConfig] = Field(min_length=1)
    """All of them must pass."""

    @model_validator(mode="after")
    def _stays(self) -> Self:
        if self.anchor is None and any(rule.opponent == ANCHOR for rule in self.rules):
            raise ValueError("a rule compares with the anchor, and the gate has none; name a run or baseline:NAME")
        if self.anchor is not None and (not self.anchor.strip() or self.anchor.startswith("latest")):
            raise ValueError(f"the anchor '{self.anchor}' moves; name a run by its id, or baseline:NAME")
        return self

    def content_hash(self) -> str:
        """What a verdict remembers of the rules that it was made by."""
        rules: list[Any] = [rule.model_dump(mode="json", exclude_defaults=True) for rule in self.rules]
        if self.first_run != "inconclusive":
            rules.append({"first_run": self.first_run})
        if self.anchor is not None:
            rules.append({"anchor": self.anchor})
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]
