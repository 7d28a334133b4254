"""What the page says of a run, of each gate's verdict and of each cell; no markup here, and no plots."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.cell import DOCUMENTS
from driftgate.benchmarks.report._keys import guessing, key_frame
from driftgate.benchmarks.report._marks import Mark, mark
from driftgate.benchmarks.scores import PREDICTED, CellScores
from driftgate.benchmarks.trouble import Trouble, commonest
from driftgate.ledger import Ledger, ScoreRow, VerdictRow, ends_on

if TYPE_CHECKING:
    import pandas as pd

_GRAVITY = ("pass", "inconclusive", "unmeasurable", "fail")
SIGNS = {"pass": "✓", "fail": "✕", "inconclusive": "?", "unmeasurable": "∅", "none": "·"}
_UNMEASURED = ScoreRow("", "all", "", None, None, None, 0)
_UNSAID = {"says": ""}
"""What rules of verdicts that earlier versions kept do not say."""


@dataclass(frozen=True)
class VerdictView:
    """A gate's verdict with its sentence and its rules."""

    gate: str
    verdict: str
    sentence: str
    rules: Sequence[Mapping[str, Any]]
    drift: Sequence[str] = ()
    """How far each cell is from the gate's anchor, in a sentence."""

    @property
    def sign(self) -> str:
        """The verdict as one character, for those who cannot tell its colour."""
        return SIGNS.get(self.verdict, "?")

    @property
    def worst_first(self) -> list[Mapping[str, Any]]:
        """The rules, the gravest verdicts first."""
        return sorted(self.rules, key=lambda rule: -gravity(rule["verdict"]))


def verdict_views(verdicts: Sequence[VerdictRow]) -> list[VerdictView]:
    """The newest verdict of every gate, the gravest first."""
    newest: dict[str, VerdictRow] = {}
    for row in sorted(verdicts, key=lambda row: row.created_at, reverse=True):
        newest.setdefault(row.gate, row)
    views = [
        VerdictView(
            row.gate,
            row.verdict,
            _sentence(row),
            [_UNSAID | rule for rule in row.details.get("rules", ())],
            [f"{since['cell']}: {since['told']}" for since in row.details.get("drift", ())],
        )
        for row in newest.values()
    ]
    return sorted(views, key=lambda view: -gravity(view.verdict))


def gravity(verdict: str) -> int:
    """How bad a verdict is, from 0; one that is not known is the worst."""
    return _GRAVITY.index(verdict) if verdict in _GRAVITY else len(_GRAVITY)


def _sentence(row: VerdictRow) -> str:
    counts = Counter(rule["verdict"] for rule in row.details.get("rules", ()))
    total, n = counts.total(), counts[row.verdict]
    if row.verdict == "pass":
        return f"All {total} checks hold." if total != 1 else "The one check holds."
    means = {
        "fail": "does not hold" if n == 1 else "do not hold",
        "unmeasurable": "cannot be decided, because samples without an answer would decide",
        "inconclusive": "cannot be decided on so little data",
    }
    rest = [f"{counts[v]} {'holds' if counts[v] == 1 else 'hold'}" for v in ("pass",) if counts[v]]
    rest += [f"{counts[v]} {v}" for v in _GRAVITY[1:] if counts[v] and v != row.verdict]
    also = f" ({', '.join(rest)})" if rest else ""
    return f"{n} of {total} checks {means.get(row.verdict, row.verdict)}{also}."


@dataclass(frozen=True)
class EvaluatorView:
    """One metric of an evaluator, or of an aggregation node; without a metric one that failed throughout."""

    node: str
    evaluator: str
    metric: str
    mean: float | None
    low: float | None
    high: float | None
    n: int
    errors: int
    doubt: str = ""

    @property
    def name(self) -> str:
        """``node.evaluator.metric``."""
        return ".".join(filter(None, (self.node, self.evaluator, self.metric)))


@dataclass(frozen=True)
class CellView:
    """A cell for the page: its scores, what they are of, and what they depend on."""

    scores: CellScores
    ordinal: int
    keys: pd.DataFrame
    evaluators: Sequence[EvaluatorView]
    label: str = ""
    """Its name where model and variant do not tell it apart; empty where they do."""

    @property
    def mark(self) -> Mark:
        """Its mark in every plot and table."""
        return mark(self.ordinal)

    @property
    def name(self) -> str:
        """``model · variant · dataset``."""
        return self.scores.cell.name

    @property
    def short_name(self) -> str:
        """``model · variant``, where the dataset is plain, or the name that tells it apart."""
        return self.label or " · ".join(part for part in (self.scores.cell.model, self.scores.cell.variant) if part)

    @property
    def dataset(self) -> str:
        """Name of its dataset."""
        return self.scores.cell.dataset

    @property
    def stands_for(self) -> Mapping[str, Any] | None:
        """What a subset says of its whole; None of a dataset that is one."""
        found: Mapping[str, Any] | None = self.scores.cell.details.get("stands_for")
        return found

    @property
    def predicted(self) -> ScoreRow:
        """The accuracy that the whole of a subset is expected to have."""
        return self.metric(PREDICTED)

    @property
    def asked(self) -> int:
        """How many samples were asked for."""
        return len(self.scores.frame)

    def metric(self, name: str) -> ScoreRow:
        """A score of the whole cell, without a value if it was not measured."""
        return self.scores.get(name) or _UNMEASURED

    @cached_property
    def parts(self) -> dict[str, int]:
        """Number of samples by outcome, the answered ones by whether they were right; see :data:`PARTS`."""
        answered = self.scores.asks[self.scores.asks["outcome"] == "answered"]
        unmeasured = int(answered["correct"].isna().sum())
        right = int((answered["correct"] >= 1).sum())
        counts = {"right": right, "wrong": len(answered) - right - unmeasured, "unmeasured": unmeasured}
        return counts | {name: n for name, n in self.scores.outcomes.items() if name != "answered"}

    @cached_property
    def guessing(self) -> float | None:
        """Expected accuracy of choosing at random."""
        return guessing(self.keys)

    @cached_property
    def trouble(self) -> list[Trouble]:
        """The commonest reasons why samples have no answer."""
        return commonest(self.scores.asks)

    @property
    def cost(self) -> float | None:
        """What the cell cost; None where that is not known, see :attr:`CellScores.unknown_cost`."""
        return self.metric("cost").value

    @property
    def cost_per_thousand(self) -> float | None:
        """What a thousand samples cost, of those that were neither answered from the cache nor failed."""
        frame = self.scores.asks
        paid = int((frame["cached"].eq(False) & frame["outcome"].ne("failed")).sum())
        return None if self.cost is None or not paid else 1000 * self.cost / paid

    @property
    def provenance(self) -> dict[str, str]:
        """What the score depends on, by name; never a secret, an endpoint or a header."""
        details = self.scores.cell.details
        config: Mapping[str, Any] = details.get("model_config") or {}
        without = self.scores.cell.without
        parameters = {k: v for k, v in (config.get("parameters") or {}).items() if k not in without}
        facts = {
            "Signature": self.scores.cell.signature,
            "Answers": self.scores.answered,
            "Repeats": self.scores.repeated,
            "Provider": str(config.get("provider", "")),
            "Parameters": json.dumps(parameters, ensure_ascii=False) if parameters else "",
            "Refused by the service": ", ".join("Chat Completions" if name == "chat" else name for name in without),
            "Served as": self._served(),
            "Tokens": self.scores.tokens,
            "Prices": self.scores.price_list,
            "Deployment": "" if self.scores.ends is None else ends_on(self.scores.ends),
            "Flow": f"{self.scores.cell.flow} {details.get('flow_hash', '')}".strip(),
            "Examples": str(details.get("shots", "")),
            "Dataset": f"{self.dataset} {details.get('dataset_fingerprint', '')}".strip(),
            "Documents": self._documents(),
            "Source": str(details.get("dataset_source", "")),
            "Licence": str(details.get("dataset_licence", "")),
        }
        return {name: value for name, value in facts.items() if value}

    def _documents(self) -> str:
        """What became of the files that its flow searched; empty where it searched none."""
        told: Mapping[str, Any] = self.scores.cell.details.get(DOCUMENTS) or {}
        return ". ".join([str(told["summary"]), *map(str, told.get("doubts") or ())]) if told.get("summary") else ""

    def _served(self) -> str:
        frame = self.scores.asks
        served = frame[["served_model", "fingerprint"]].fillna("").agg(" ".join, axis=1).str.strip()
        counts = served[served != ""].value_counts()
        named = [f"{name} ({n:,})" for name, n in counts.head(4).items()]
        more = [f"and {len(counts) - 4} others"] if len(counts) > 4 else []
        return ", ".join(named + more)


def cell_views(ledger: Ledger, scored: Sequence[CellScores]) -> list[CellView]:
    """The cells of a run, in its order, with what the ledger knows beside their scores."""
    views = []
    keys: dict[tuple[str, str], pd.DataFrame] = {}
    for ordinal, scores in enumerate(scored):
        asked = (scores.cell.dataset, str(scores.cell.details.get("samples", scores.cell.id)))
        if asked not in keys:  # cells that were asked the same samples share their keys
            keys[asked] = key_frame(ledger, scores.cell.id)
        views.append(CellView(scores, ordinal, keys[asked], [*_evaluators(scores), *_aggregated(scores)]))
    return views


def _evaluators(scores: CellScores) -> Iterator[EvaluatorView]:
    """The means of evaluators; those that said nothing in numbers and did not fail have none."""
    for one in scores.evaluators:
        row = scores.get(one.name) or _UNMEASURED
        if one.n or one.errors:
            names, doubt = (one.node, one.evaluator, one.metric), scores.doubt(f"{one.key}.{one.metric}")
            yield EvaluatorView(*names, row.value, row.low, row.high, one.n, one.errors, doubt)


def _aggregated(scores: CellScores) -> Iterator[EvaluatorView]:
    """What aggregation nodes logged, as rows beside the evaluators' means; an error where one failed."""
    for made in scores.aggregations:
        named: Mapping[str, float | None] = made.metrics or ({"": None} if made.error else {})
        for name, value in named.items():
            metric = f"aggregate.{name}".rstrip(".")
            yield EvaluatorView(made.node, made.evaluator, metric, value, None, None, made.n, int(bool(made.error)))


def by_dataset(views: Sequence[CellView]) -> dict[str, list[CellView]]:
    """Cells by dataset: only those that were asked the same can be compared."""
    groups: dict[str, list[CellView]] = {}
    for view in views:
        groups.setdefault(view.dataset, []).append(view)
    return groups
