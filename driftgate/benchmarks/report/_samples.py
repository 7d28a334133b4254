"""Samples for a person to look at: those that went wrong, spread over outcomes and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.report._text import as_text, excerpt
from driftgate.benchmarks.report._views import CellView
from driftgate.flows.letters import LETTERS
from driftgate.ledger import Ledger, samples_frame

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 4000
"""Characters shown of one text; a page with every text this long is still readable and mailable."""
_NO_OUTCOME: Mapping[str, Any] = {
    "answer": None,
    "rule": "",
    "error": "",
    "finish_reason": "",
    "latency": None,
    "attempts": 1,
}
"""What is shown of an outcome, and what a sample without one shows instead."""
_SHOWN = {"question", "choices", "answer", "passage"}


@dataclass(frozen=True)
class ChoiceView:
    """One of the choices of a question."""

    letter: str
    text: str
    is_key: bool
    is_answer: bool


@dataclass(frozen=True)
class SampleView:
    """A sample with its content and everything that became of it."""

    key: str
    category: str
    outcome: str
    question: str
    choices: Sequence[ChoiceView]
    gold: str
    fields: Mapping[str, str]
    """What else the sample holds."""
    row: Mapping[str, Any]
    """The outcome's own columns."""
    nodes: Sequence[Mapping[str, Any]]
    evaluations: Sequence[Mapping[str, Any]]


def choose_samples(frame: pd.DataFrame, most: int, seed: int) -> list[int]:
    """Draw samples that were not answered right: outcomes take turns, and within an outcome its categories do.

    Returns
    -------
    list of int
        Sample ids, by outcome and category.
    """
    answered_right = (frame["outcome"] == "answered") & (frame["correct"].fillna(0.0).astype(float) >= 1)
    shuffled = frame[~answered_right].sample(frac=1, random_state=seed)
    by_category = shuffled.assign(turn=shuffled.groupby(["outcome", "category"]).cumcount())
    by_outcome = by_category.sort_values("turn", kind="stable")
    by_outcome = by_outcome.assign(turn=by_outcome.groupby("outcome").cumcount())
    chosen = by_outcome.sort_values("turn", kind="stable").head(most)
    order = chosen["outcome"].map({outcome: place for place, outcome in enumerate(OUTCOMES)})
    chosen = chosen.assign(order=order).sort_values(["order", "category", "sample_id"])
    return [int(i) for i in chosen["sample_id"]]


def sample_views(ledger: Ledger, cell: CellView, most: int, seed: int) -> list[SampleView]:
    """The samples of a cell that are worth a look, in full."""
    ids = choose_samples(cell.scores.frame, most, seed)
    categories = cell.scores.frame.set_index("sample_id")["category"]
    rows = samples_frame(ledger, cell.scores.cell.id, ids)
    return [_view(row, str(categories[i])) for i, row in zip(ids, rows, strict=True)]


def _view(row: Mapping[str, Any], category: str) -> SampleView:
    data: Mapping[str, Any] = row["data"]
    gold, answer = as_text(data.get("answer")), as_text(row.get("answer")).strip()
    raw = data.get("choices")
    choices = raw if isinstance(raw, list) and len(raw) <= len(LETTERS) else []
    others = {name: value for name, value in data.items() if name not in _SHOWN and value not in ("", None, [], {})}
    if raw and not choices:
        others["choices"] = raw
    if data.get("passage"):
        others = {"passage": data["passage"]} | others
    return SampleView(
        key=row["key"],
        category=category,
        outcome=row["outcome"],
        question=_cut(data.get("question")),
        choices=[
            ChoiceView(letter, _cut(text), letter == gold.strip().upper(), letter == answer.upper())
            for letter, text in zip(LETTERS, choices, strict=False)
        ],
        gold=_cut(gold),
        fields={str(name): _cut(value) for name, value in others.items()},
        row={name: _cut(v) if isinstance(v := row.get(name, none), str) else v for name, none in _NO_OUTCOME.items()},
        nodes=[node | {"output": _cut(node["output"]), "error": _cut(node["error"])} for node in row["nodes"]],
        evaluations=[e | {"label": _cut(e["label"]), "error": _cut(e["error"])} for e in row["evaluations"]],
    )


def _cut(value: Any) -> str:
    return excerpt(as_text(value), _LONGEST)
