"""What became of every node evaluator of a cell: its means, how often it failed, and why; the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from driftgate.benchmarks.judges import JudgeCheck, check_judges
from driftgate.benchmarks.node_scores import EVALUATORS, EvaluatorMean, node_scores
from driftgate.ledger import CellRow, Ledger, ScoreRow, why_unasked


@dataclass(frozen=True)
class Measured:
    """One metric of an evaluator."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def told(self) -> str:
        """Name, mean and interval in a few words.

        Examples
        --------
        >>> Measured("match", 0.5, 0.4, 0.6, 90).told, Measured("cost", 0.01234, None, None, 3).told
        ('match 0.500 (0.400–0.600)', 'cost 0.012')
        """
        limits = "" if self.low is None or self.high is None else f" ({self.low:.3f}–{self.high:.3f})"
        return f"{self.metric} {'-' if self.value is None else f'{self.value:.3f}'}{limits}"


@dataclass(frozen=True)
class Evaluated:
    """One evaluator of one node."""

    node: str
    evaluator: str
    metrics: Sequence[Measured]
    n: int
    """Samples, or repeats, of which it gave a number; 0 where it gives words alone."""
    errors: int
    """Those on which it failed."""
    error: str
    """One of its errors; why it never ran, where it did not."""
    decides: bool
    """Whether it says what is correct."""
    doubt: str
    """Why its scores decide nothing: what the anchors say of its judge."""

    @property
    def key(self) -> str:
        """``node.evaluator``."""
        return f"{self.node}.{self.evaluator}"

    @property
    def failed(self) -> bool:
        """Whether it failed anywhere, or its node never completed."""
        return bool(self.errors or self.error)

    @property
    def trouble(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        if not self.errors:
            return self.error or self.doubt
        nothing = "" if self.metrics else ", no value"
        return f"({self.errors:,} error{'s' if self.errors > 1 else ''}{nothing}: {self.error})"

    def as_json(self) -> dict[str, Any]:
        """JSON-serialisable values."""
        return {"key": self.key, "failed": self.failed, **asdict(self)}


def evaluated_in(ledger: Ledger, cell: CellRow) -> list[Evaluated]:
    """The same as :func:`evaluated` for a page that shows no other scores: the cell's answers are not read."""
    if why_unasked(ledger, cell.id):
        return []
    said = node_scores(ledger, cell)
    return evaluated(cell, said.means, said.rows, check_judges(ledger, cell))


def evaluated(
    cell: CellRow, means: Iterable[EvaluatorMean], rows: Iterable[ScoreRow], judges: Mapping[str, JudgeCheck]
) -> list[Evaluated]:
    """The evaluators of a cell: those that failed first, then those in doubt, what decides, and the others by node."""
    named: dict[tuple[str, str], list[EvaluatorMean]] = {}
    for mean in means:
        named.setdefault((mean.node, mean.evaluator), []).append(mean)
    told = cell.details.get(EVALUATORS) or {}
    primary = str(cell.details.get("primary") or told.get("primary") or "")
    values = {row.metric: row for row in rows if row.slice_kind == "all"}
    found = []
    for (node, name), own in named.items():
        key = f"{node}.{name}"
        known = [(one.metric, values.get(one.name)) for one in own if one.metric and one.n]
        metrics = [Measured(metric, row.value, row.low, row.high, row.n) for metric, row in known if row is not None]
        whole = sum(one.errors for one in own if not one.metric)
        parts = max((one.errors for one in own if one.metric), default=0)
        check = judges.get(key)
        found.append(
            Evaluated(
                node=node,
                evaluator=name,
                metrics=metrics,
                n=max((one.n for one in metrics), default=0),
                errors=whole + parts,
                error=next((one.error for one in own if one.error), ""),
                decides=primary.rpartition(".")[0] == key,
                doubt=check.reason if metrics and check is not None and check.doubtful else "",
            )
        )
    nodes = list(cell.details.get("nodes") or [])
    return sorted(found, key=lambda one: (*_gravity(one), nodes.index(one.node) if one.node in nodes else len(nodes)))


def _gravity(one: Evaluated) -> tuple[float, bool, bool]:
    """The worst first: by the share of samples on which it failed."""
    share = one.errors / (one.errors + one.n) if one.errors else float(one.failed)
    return -share, not one.doubt, not one.decides
