"""Scores of a cell: every metric over everything asked for, and accuracy by category and super-category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from driftgate.benchmarks.costs import PRICE_LIST, REPLIED, at_most, cell_frame, known_costs, unpriced
from driftgate.benchmarks.evaluated import Evaluated, evaluated
from driftgate.benchmarks.judges import JudgeCheck, check_judges
from driftgate.benchmarks.metrics import MACRO, METRICS, SEQUENCES, SLICED
from driftgate.benchmarks.node_scores import EvaluatorMean, node_scores, score_row
from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.parse_rates import ParseRate, parse_rates
from driftgate.benchmarks.repeats import MAJORITY, UNSTEADY, repeat_scores
from driftgate.benchmarks.stats import Interval
from driftgate.benchmarks.trouble import failed_share, ungraded
from driftgate.ledger import (
    JUDGED,
    AggregationRow,
    CellRow,
    Ledger,
    ScoreRow,
    add_scores,
    brief_frame,
    cells_of,
    deployments_by_model,
    one_row_each,
    why_unasked,
)

if TYPE_CHECKING:
    import pandas as pd

SLICES = ("category", "super_category")
PREDICTED = "accuracy_predicted"
"""Of a subset: the accuracy that the whole dataset is expected to have."""


@dataclass(frozen=True)
class CellScores:
    """A cell with all that was measured of it."""

    cell: CellRow
    asks: pd.DataFrame
    """One row for every time that a sample is asked; see :func:`driftgate.ledger.ask_frame`."""
    rows: list[ScoreRow]
    judges: Mapping[str, JudgeCheck] = field(default_factory=dict)
    """What the anchors say of the judges, by ``node.evaluator``; empty where nothing is judged."""
    aggregations: Sequence[AggregationRow] = ()
    """What aggregation nodes made of all lines together."""
    evaluators: Sequence[EvaluatorMean] = ()
    """Every metric of the evaluators of every node."""
    unasked: str = ""
    """Why nothing of the model was measured: no line asked it. Its rows then have no values."""
    ends: date | None = None
    """The day on which the deployment of the model ends; None where that is not known."""

    @cached_property
    def evaluated(self) -> list[Evaluated]:
        """What became of every evaluator of every node, the worst first."""
        return evaluated(self.cell, self.evaluators, self.rows, self.judges)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row for every sample asked; see :func:`driftgate.ledger.outcome_frame`."""
        return one_row_each(self.asks) if "repeat" in self.asks else self.asks

    @property
    def primary(self) -> str:
        """The evaluator's metric that says what is correct, where the cell was told."""
        return str(self.cell.details.get("primary") or "")

    def get(self, metric: str, slice: str = "") -> ScoreRow | None:
        """A score by metric and slice name; the whole cell without one."""
        return next((r for r in self.rows if r.metric == metric and r.slice == slice), None)

    def of_kind(self, metric: str, slice_kind: str) -> list[ScoreRow]:
        """The scores of a metric over all slices of a kind."""
        return [r for r in self.rows if r.metric == metric and r.slice_kind == slice_kind]

    def doubt(self, metric: str) -> str:
        """Why a metric must not decide anything: its judge moved, agrees with people too little, or nobody knows.

        Empty if it may.

        A metric is judged where an AI judge gave it; accuracy is where a judged metric says what is correct.
        """
        asked = self.primary if metric == "correct" or metric.startswith("accuracy") else metric
        check = self.judges.get(asked.rpartition(".")[0])
        return check.reason if check is not None and check.doubtful else ""

    @cached_property
    def parse_rates(self) -> Mapping[str, ParseRate]:
        """How many of the judges' replies could be read, by ``node.evaluator``; empty where nothing is judged."""
        return parse_rates(self.judges, self.rows, {one.name: one.errors for one in self.evaluators})

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of samples by outcome, or of all their repeats; every outcome named."""
        counts = self.asks["outcome"].value_counts()
        return {outcome: int(counts.get(outcome, 0)) for outcome in OUTCOMES}

    def unjudged(self, metric: str) -> str:
        """Why a metric has no value though the model answered; empty where it has one."""
        asked = "accuracy" if metric == "correct" else metric
        if self.judged or not of_correctness(asked):
            return ""
        return "no evaluator says what a right answer is, so no accuracy was measured"

    @property
    def judged(self) -> bool:
        """Whether an evaluator says what a right answer is."""
        return self.cell.details.get(JUDGED) is not False

    @property
    def ungraded(self) -> int:
        """Answers of which nobody could say whether they are right."""
        return int(ungraded(self.asks).sum()) if self.judged else 0

    @property
    def failed_share(self) -> float:
        """See :func:`driftgate.benchmarks.trouble.failed_share`."""
        return failed_share(self.asks, judged=self.judged)

    @property
    def answered_nothing(self) -> bool:
        """Whether no sample at all got an answer: nothing of it could be read, whatever became of them."""
        return not bool((self.asks["outcome"] == "answered").any())

    @property
    def answered(self) -> str:
        """How many samples have no answer and what that leaves open, in words."""
        if self.unasked:
            return f"unmeasurable: {self.unasked}"
        if self.stopped:
            return f"{self._answered}; {self.stopped}"
        return self._answered

    @property
    def off_scale(self) -> str:
        """That what it calls accuracy is no share of right answers, in words; empty where it is."""
        if not self.judged or not len(self.asks):
            return ""
        least, most = self.asks["correct"].astype(float).min(), self.asks["correct"].astype(float).max()
        if not (least < 0.0 or most > 1.0):
            return ""
        what = f"'{self.primary}'" if self.primary else "the primary metric"
        return f"accuracy is the mean of {what}, which goes from {least:g} to {most:g}: no share of right answers"

    @property
    def stopped(self) -> str:
        """That a gate stopped it before all samples were asked, and what that does to its score; else empty."""
        if not self.cell.stopped:
            return ""
        return f"{self.cell.stopped}: its scores lean the way it was stopped, and are no estimate of the whole"

    @property
    def _answered(self) -> str:
        low, high = (row.value if (row := self.get(name)) else None for name in ("accuracy", "accuracy_if_right"))
        unit = "samples" if self.cell.repeats == 1 else "repeats"
        bounds = None if low is None or high is None else (low, high)
        reason = self.unjudged("accuracy")
        said = answered_words(self.outcomes, bounds, unit, self.ungraded)
        return "; ".join(filter(None, (said, reason, self.off_scale)))

    @property
    def repeated(self) -> str:
        """What the repeats of its samples show, in words; empty where each is asked once."""
        if self.cell.repeats == 1 or self.unasked:
            return ""
        said = [f"{row.metric} {row.value:.1%}" for row in self.rows if _of_repeats(row) and row.value is not None]
        unsteady = self.get(UNSTEADY)
        if unsteady is not None and unsteady.low is not None:
            said[-1] += f" ({unsteady.low:.1%} to {unsteady.high:.1%})"
        return f"each sample asked {self.cell.repeats} times: {', '.join(said)}"

    @property
    def unknown_cost(self) -> str:
        """Why it is not known what the cell cost, in two words; empty where it is."""
        cost, without = self.get("cost"), unpriced(self.cell.details)
        if cost is not None and cost.value is not None and (cost.value or not without):
            return ""
        return "no prices" if without else "unknown"

    @property
    def cost_words(self) -> str:
        """How to say what the cell cost before the amount: ``at most`` where that is an upper bound; else empty."""
        return "at most " if at_most(self.asks, self.cell.details).any() else ""

    @property
    def price_list(self) -> str:
        """Where the prices of its model stand, in words; empty where the workspace states them, or nobody."""
        from driftgate.flows.models import PriceList

        listed = self.cell.details.get(PRICE_LIST)
        return PriceList.model_validate(listed).words if listed else ""

    @property
    def tokens(self) -> str:
        """What the tokens were, in words: how many of the input were cached and of the output reasoning.

        Empty where no service said either. A sample without a reply says nothing of them, and is not counted.
        """
        told = []
        replied = self.asks[self.asks["outcome"].isin(REPLIED) | self.asks["input_tokens"].gt(0)]
        for whole, part, word in (
            ("input_tokens", "cached_tokens", "cached"),
            ("output_tokens", "reasoning_tokens", "reasoning"),
        ):
            known = replied[replied[part].notna()]
            if len(known):
                asks = "" if len(known) == len(replied) else f" of {len(known):,} replies that say so"
                told.append(
                    f"{known[whole].sum():,.0f} {whole.replace('_', ' ')}, {known[part].sum():,.0f} {word}{asks}"
                )
        return "; ".join(told)

    @property
    def currency(self) -> str:
        """Currency of the cell's cost."""
        prices: dict[str, Any] = (self.cell.details.get("model_config") or {}).get("prices") or {}
        return str(prices.get("currency", "USD"))


def score_cell(ledger: Ledger, cell: CellRow) -> CellScores:
    """Measure a cell from what the ledger holds; no model is asked."""
    asks = cell_frame(ledger, cell)
    rows = score_frame(asks)
    if cell.details.get(JUDGED) is False:
        rows = [_unknown(row) if of_correctness(row.metric) else row for row in rows]
    known = deployments_by_model(ledger).get(cell.model)
    ends = known.ends if known is not None else None
    if unasked := why_unasked(ledger, cell.id):
        none = [replace(_unknown(row), n=0) for row in rows]
        return CellScores(cell, asks, none, check_judges(ledger, cell), unasked=unasked, ends=ends)
    if cell.details.get(JUDGED) is not False and nothing_graded(
        asks
    ):  # a share of nothing: neither 0 nor 1, nor anything between them
        unknown = {*(name for name in METRICS if name.startswith("accuracy")), *repeat_scores(asks)}
        rows = [replace(row, value=None, low=None, high=None, n=0) if row.metric in unknown else row for row in rows]
    elif stands_for := cell.details.get("stands_for"):
        from driftgate.benchmarks.subset import predict_full

        whole = CellScores(cell, asks, rows).frame
        rows.append(score_row(PREDICTED, "all", "", predict_full(stands_for, whole)))
    if cell.stopped:
        rows = [_stopped(row, asks) for row in rows]
    said = node_scores(ledger, cell)
    rows += said.rows
    return CellScores(cell, asks, rows, check_judges(ledger, cell), said.aggregations, said.means, ends=ends)


def score_briefly(ledger: Ledger, cell: CellRow, like: pd.DataFrame | None = None) -> CellScores:
    """What a comparison of many needs of a cell that asks each sample once: the outcomes and accuracy, no slices.

    Parameters
    ----------
    like
        The frame of a cell that may ask the same samples; what they are is then not read again.
    """
    asks = known_costs(brief_frame(ledger, cell.id, like), cell)
    rows = [score_row(name, "all", "", METRICS[name](asks)) for name in SLICED]
    if cell.details.get(JUDGED) is False or nothing_graded(asks):
        rows = [_unknown(row) for row in rows]
    return CellScores(cell, asks, rows)


def _stopped(row: ScoreRow, asks: pd.DataFrame) -> ScoreRow:
    """A score of a cell that its gate stopped: only limits that hold wherever one stops are stated."""
    if row.value is None or row.metric in ("cost", "input_tokens", "output_tokens"):
        return row
    metric, frame = row.metric, asks if row.slice_kind == "all" else asks[asks[row.slice_kind] == row.slice]
    if metric not in SEQUENCES:
        return replace(row, low=None, high=None)
    found = SEQUENCES[metric](frame)
    return replace(row, low=found.low, high=found.high)


def of_correctness(metric: str) -> bool:
    """Whether a metric of the whole cell says how many answers are right.

    Examples
    --------
    >>> of_correctness("accuracy_macro"), of_correctness("pass@3"), of_correctness("latency_p95")
    (True, True, False)
    """
    return metric.startswith(("accuracy", "pass@")) or metric in (MAJORITY, UNSTEADY)


def _unknown(row: ScoreRow) -> ScoreRow:
    return replace(row, value=None, low=None, high=None)


def score_frame(frame: pd.DataFrame, *, averaging: Literal["micro", "macro"] = "micro") -> list[ScoreRow]:
    """Every metric over the rows of a frame, and those of :data:`SLICED` by category and super-category.

    Parameters
    ----------
    averaging : {"micro", "macro"}
        What ``accuracy`` and ``accuracy_if_right`` mean: over samples, or over the categories' accuracies.
    """
    metrics = METRICS if averaging == "micro" else {**METRICS, **MACRO}
    rows = [score_row(name, "all", "", _of_samples(metric(frame), frame)) for name, metric in metrics.items()]
    rows += [score_row(name, "all", "", interval) for name, interval in repeat_scores(frame).items()]
    for kind in SLICES:
        for value, part in frame[frame[kind] != ""].groupby(kind):
            rows += [score_row(name, kind, str(value), _of_samples(metrics[name](part), part)) for name in SLICED]
    return rows


def _of_samples(interval: Interval, frame: pd.DataFrame) -> Interval:
    """An interval that counts samples, however often they are asked."""
    return replace(interval, n=min(interval.n, frame["sample_id"].nunique())) if "repeat" in frame else interval


def score_run(ledger: Ledger, run_id: str, *, store: bool = True) -> list[CellScores]:
    """Measure every cell of a run and, unless told otherwise, keep the scores in the ledger."""
    scored = [score_cell(ledger, cell) for cell in cells_of(ledger, run_id)]
    if store:
        for scores in scored:
            add_scores(ledger, scores.cell.id, scores.cell.signature, scores.rows)
    return scored


def nothing_graded(asks: pd.DataFrame) -> bool:
    """Whether samples were answered, and of no answer could anybody say whether it is right."""
    return bool(ungraded(asks).any()) and bool(asks["correct"].isna().all())


def answered_words(
    outcomes: Mapping[str, int], bounds: tuple[float, float] | None, unit: str = "samples", ungraded: int = 0
) -> str:
    """How many samples have no answer and what that leaves open, in words.

    Parameters
    ----------
    outcomes : Mapping
        Number of samples by outcome, every outcome named.
    bounds : tuple of float, optional
        Accuracy over everything asked for if what has no answer is wrong, and if it is right.
    unit : str
        What is counted.
    ungraded : int
        Answers of which nobody could say whether they are right.

    Examples
    --------
    >>> answered_words(dict.fromkeys(OUTCOMES, 0) | {"answered": 92, "failed": 8}, (0.7, 0.78)).split(": ")
    ['8 of 100 samples were never answered (8 failed)', 'accuracy over all asked lies between 70.00% and 78.00%']
    """
    asked = sum(outcomes.values())
    if bounds is None or (outcomes["answered"] == asked and not ungraded):
        said = f"{outcomes['answered']:,} of {asked:,} {unit} were answered"
        return said if not ungraded else f"{said}, and {ungraded:,} answers could not be graded"
    lost = {name: n for name in ("filtered", "failed", "missing") if (n := outcomes[name])}
    unread = {name: n for name in ("unparsed", "truncated") if (n := outcomes[name])}

    def listed(counts: Mapping[str, int]) -> str:
        return ", ".join(f"{n:,} {name}" for name, n in counts.items())

    parts = [f"{sum(lost.values()):,} of {asked:,} {unit} were never answered ({listed(lost)})"] if lost else []
    if unread:
        of = "" if lost else f" of {asked:,}"
        parts.append(f"{sum(unread.values()):,}{of} replies hold no answer ({listed(unread)})")
    if ungraded:
        parts.append(f"{ungraded:,} of {outcomes['answered']:,} answers could not be graded")
    low, high = bounds
    between = f"{low:.2%} and {high:.2%}" if low >= 0.0 and high <= 1.0 else f"{low:.3f} and {high:.3f}"
    return f"{', '.join(parts)}: accuracy over all asked lies between {between}"


def _of_repeats(row: ScoreRow) -> bool:
    return row.slice_kind == "all" and (row.metric.startswith("pass@") or row.metric in (MAJORITY, UNSTEADY))
