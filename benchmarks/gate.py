"""The gate: rules over scores, four verdicts, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmarks.ledger import Ledger, cells_of, find_run, latest_runs, outcome_frame
from benchmarks.metrics import METRICS, clusters_of, is_binary, right, settled
from benchmarks.scores import CellScores
from benchmarks.stats import Comparison, Interval, compare_means, compare_paired
from flows.errors import DriftgateError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Verdict = Literal["pass", "fail", "inconclusive", "unmeasurable"]
_GRAVITY: tuple[Verdict, ...] = ("pass", "inconclusive", "unmeasurable", "fail")
EXIT_CODES: dict[str, int] = {"pass": 0, "fail": 1, "inconclusive": 3, "unmeasurable": 4}
"""Exit code of ``driftgate gate`` by verdict; 2 is an error."""
_BOUNDED = {"accuracy": "accuracy_if_right"}
"""Metrics that count what was not answered as wrong, with the metric that counts it as right."""


class RuleConfig(BaseModel):
    """One rule of a gate; it holds for every cell that ``model``, ``variant`` and ``dataset`` leave."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    metric: str = "accuracy"
    """``accuracy``, ``accuracy_macro``, ``share.failed``, ``latency_p95``, ``cost`` … or an evaluator's
    ``node.evaluator.metric``."""
    slice: str = ""
    """A category or super-category; only for accuracy. Empty: everything asked for."""
    min: float | None = None
    """The metric must be at least this."""
    max: float | None = None
    """The metric must be at most this."""
    no_worse_than: str | None = None
    """``previous`` (the same cell in the last complete run of the suite), the name of another model of the run, or
    ``champion`` where a champion is challenged."""
    margin: float = Field(0.0, ge=0)
    """How much worse counts as no worse: 0.02 is two points of accuracy."""
    better_than: str | None = None
    """The name of another model of the run that must be beaten, or ``champion`` where a champion is challenged."""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """Of ``better_than``: the two-sided p-value of the paired comparison that must be undercut."""
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
        if self.opponent and self.metric != "accuracy":
            raise ValueError(f"{given[0]} compares accuracy sample by sample; found metric {self.metric}")
        return self

    @property
    def opponent(self) -> str | None:
        """What the rule compares with, if anything."""
        return self.no_worse_than or self.better_than

    @property
    def text(self) -> str:
        """The rule in one line."""
        metric = f"{self.metric}[{self.slice}]" if self.slice else self.metric
        if self.better_than is not None:
            return f"{metric} better than {self.better_than} (p < {self.alpha:g})"
        if self.no_worse_than is not None:
            return f"{metric} no more than {self.margin:g} below {self.no_worse_than}"
        return f"{metric} >= {self.min:g}" if self.min is not None else f"{metric} <= {self.max:g}"


class GateConfig(BaseModel):
    """A named gate of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    suite: str | None = None
    """The suite whose runs the gate judges; unset where only a recipe uses the gate."""
    rules: list[RuleConfig] = Field(min_length=1)
    """All of them must pass."""


@dataclass(frozen=True)
class RuleVerdict:
    """What a rule says of a cell."""

    rule: str
    cell: str
    verdict: Verdict
    reason: str
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class GateVerdict:
    """What a gate says of a run: the gravest of what its rules say."""

    gate: str
    run: str
    verdict: Verdict
    rules: tuple[RuleVerdict, ...]

    @property
    def exit_code(self) -> int:
        """Exit code of the command that prints the verdict."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON-serialisable values."""
        return asdict(self)


def judge(
    ledger: Ledger,
    name: str,
    gate: GateConfig,
    run_id: str,
    scored: Sequence[CellScores],
    *,
    champion: str | None = None,
) -> GateVerdict:
    """Apply every rule to every cell it is about.

    Parameters
    ----------
    champion : str, optional
        The model that rules mean by ``champion``.

    Raises
    ------
    DriftgateError
        A rule fits no cell, or names a metric or baseline that does not exist.
    """
    found: list[RuleVerdict] = []
    for rule in (_challenging(rule, champion) for rule in gate.rules):
        cells = [s for s in scored if _fits(rule, s)]
        if not cells:
            known = sorted({s.cell.name for s in scored})
            raise DriftgateError(
                f"gate '{name}': the rule '{rule.text}' fits no cell of run {run_id}", f"cells: {known}"
            )
        for scores in cells:
            if rule.opponent is None:
                found.append(_absolute(rule, scores))
            elif (baseline := _baseline(ledger, rule, scores, scored, gate.suite)) is None:
                reason = "there is no earlier complete run to compare with; this run becomes the first"
                found.append(RuleVerdict(rule.text, scores.cell.name, "pass", reason, None, None, None, 0))
            elif rule.better_than is not None:
                found.append(_better(rule, scores, baseline))
            else:
                found.append(_no_worse(rule, scores, baseline))
    verdict = max((r.verdict for r in found), key=_GRAVITY.index)
    return GateVerdict(name, run_id, verdict, tuple(found))


def _challenging(rule: RuleConfig, champion: str | None) -> RuleConfig:
    if rule.opponent != "champion" or champion is None:
        return rule
    return rule.model_copy(update={"better_than" if rule.better_than else "no_worse_than": champion})


def decide(interval: Interval, *, minimum: float | None = None, maximum: float | None = None) -> Verdict:
    """Compare an interval with a threshold: it must lie wholly on one side to pass or fail.

    Examples
    --------
    >>> from benchmarks.stats import wilson_interval
    >>> decide(wilson_interval(80, 100), minimum=0.7)
    'pass'
    >>> decide(wilson_interval(72, 100), minimum=0.7)
    'inconclusive'
    >>> decide(wilson_interval(55, 100), minimum=0.7)
    'fail'
    """
    if interval.low is None or interval.high is None:
        return "inconclusive"
    if minimum is not None:
        return "pass" if interval.low >= minimum else "fail" if interval.high < minimum else "inconclusive"
    assert maximum is not None
    return "pass" if interval.high <= maximum else "fail" if interval.low > maximum else "inconclusive"


def _absolute(rule: RuleConfig, scores: CellScores) -> RuleVerdict:
    interval = _measure(rule.metric, rule, scores)
    verdict = decide(interval, minimum=rule.min, maximum=rule.max)
    bound = rule.min if rule.min is not None else rule.max
    reason = _says(interval, verdict, bound)
    if verdict != "pass" and rule.metric in _BOUNDED:
        # Not answered counts as wrong. If counting it as right would not fail as well, the missing answers decide.
        other = decide(_measure(_BOUNDED[rule.metric], rule, scores), minimum=rule.min, maximum=rule.max)
        lost = int((~settled(_slice(rule, scores))).sum())
        if verdict == "fail" and other != "fail":
            verdict = "unmeasurable"
            reason = _depends(lost, interval.n)
    return RuleVerdict(
        rule.text, scores.cell.name, verdict, reason, interval.estimate, interval.low, interval.high, interval.n
    )


def _no_worse(rule: RuleConfig, scores: CellScores, baseline: pd.DataFrame) -> RuleVerdict:
    both = _slice(rule, scores).merge(baseline, on="key", suffixes=("", "_base"))
    if both.empty:
        reason = "the baseline was asked none of these samples"
        return RuleVerdict(rule.text, scores.cell.name, "unmeasurable", reason, None, None, None, 0)
    compared = _compare(both, right(both))
    interval = compared.interval
    verdict = decide(interval, minimum=-rule.margin)
    reason = _says(interval, verdict, -rule.margin)
    lost = int((~settled(both)).sum())
    if verdict == "fail" and lost:
        others_right = right(both.assign(correct=both["correct"].where(settled(both), 1.0)))
        if decide(_compare(both, others_right).interval, minimum=-rule.margin) != "fail":
            verdict = "unmeasurable"
            reason = _depends(lost, len(both))
    if compared.minimum_detectable_effect is not None:
        reason += f"; detectable: {compared.minimum_detectable_effect:.3f}"
    return RuleVerdict(
        rule.text, scores.cell.name, verdict, reason, compared.difference, interval.low, interval.high, compared.n
    )


def _better(rule: RuleConfig, scores: CellScores, baseline: pd.DataFrame) -> RuleVerdict:
    both = _slice(rule, scores).merge(baseline, on="key", suffixes=("", "_base"))
    compared = _compare(both, right(both)) if len(both) else None
    if compared is None or compared.p_value is None or compared.difference is None:
        reason = "there are not enough shared samples to compare"
        return RuleVerdict(rule.text, scores.cell.name, "unmeasurable", reason, None, None, None, len(both))
    interval = compared.interval
    won = compared.difference > 0
    sure = compared.p_value < rule.alpha
    verdict: Verdict = ("pass" if won else "fail") if sure else "inconclusive"
    reason = f"{compared.gained} gained, {compared.lost} lost of {compared.n} pairs; p = {compared.p_value:.2g}"
    return RuleVerdict(
        rule.text, scores.cell.name, verdict, reason, compared.difference, interval.low, interval.high, compared.n
    )


def _compare(both: pd.DataFrame, ours: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Comparison:
    """Compare on shared samples, by cluster where samples share a passage."""
    theirs = right(both.assign(correct=both["correct_base"]))
    compare = compare_paired if is_binary(ours) and is_binary(theirs) else compare_means
    clusters = clusters_of(both)
    compared = compare(ours, theirs, clusters=clusters)
    if clusters is None or compared.interval.known:
        return compared
    # All clusters say exactly the same, so that their spread cannot be estimated: each then counts as one sample.
    first = list({cluster: place for place, cluster in reversed(list(enumerate(clusters)))}.values())
    return compare(ours[first], theirs[first])


def _baseline(
    ledger: Ledger, rule: RuleConfig, scores: CellScores, scored: Sequence[CellScores], suite: str | None
) -> pd.DataFrame | None:
    cell = scores.cell
    if rule.opponent == "previous":
        now = find_run(ledger, cell.run_id)
        for run in latest_runs(ledger, 50, suite=suite, status="complete", before=now.created_at):
            for old in cells_of(ledger, run.id):
                if (old.model, old.variant, old.dataset) == (cell.model, cell.variant, cell.dataset):
                    return outcome_frame(ledger, old.id)
        return None
    for other in scored:
        same = (other.cell.variant, other.cell.dataset) == (cell.variant, cell.dataset)
        if same and other.cell.model == rule.opponent:
            return other.frame
    models = {s.cell.model for s in scored}
    raise DriftgateError(
        f"a rule compares with '{rule.opponent}', which is not in the run",
        nearest(str(rule.opponent), ["previous", *models]),
    )


def _measure(metric: str, rule: RuleConfig, scores: CellScores) -> Interval:
    if metric in METRICS:
        return METRICS[metric](_slice(rule, scores))
    if rule.slice:
        raise DriftgateError(
            f"a rule is about '{metric}' of the slice '{rule.slice}'", "only driftgate's own metrics are known by slice"
        )
    row = scores.get(metric)
    if row is None:
        known = sorted({r.metric for r in scores.rows})
        raise DriftgateError(f"a rule is about the metric '{metric}', which was not measured", nearest(metric, known))
    return Interval(row.value, row.low, row.high, 0.95, "mean", row.n)


def _slice(rule: RuleConfig, scores: CellScores) -> pd.DataFrame:
    if not rule.slice:
        return scores.frame
    frame = scores.frame[(scores.frame["category"] == rule.slice) | (scores.frame["super_category"] == rule.slice)]
    if frame.empty:
        known = sorted({*scores.frame["category"], *scores.frame["super_category"]} - {""})
        raise DriftgateError(f"a rule is about the slice '{rule.slice}'", nearest(rule.slice, known))
    return frame


def _fits(rule: RuleConfig, scores: CellScores) -> bool:
    cell = scores.cell
    wanted = ((rule.model, cell.model), (rule.variant, cell.variant), (rule.dataset, cell.dataset))
    # A rule that compares with another model is not about that model itself.
    return all(want is None or want == have for want, have in wanted) and cell.model != rule.opponent


def _depends(lost: int, n: int) -> str:
    return f"{lost} of {n} samples have no answer to judge, and whether the rule holds depends on them"


def _says(interval: Interval, verdict: Verdict, bound: float | None) -> str:
    if interval.low is None or interval.high is None:
        return interval.reason or "there is no interval"
    side = {"pass": "is wholly on the right side of", "fail": "is wholly on the wrong side of"}
    where = side.get(verdict, "holds")
    return f"the 95% interval {interval.low:.4g} to {interval.high:.4g} {where} {bound:g}"
