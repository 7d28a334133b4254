"""One sample in one cell: what was asked, what every node made of it, and what evaluators said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.letters import LETTERS
from driftgate.ledger import asks_sample, samples_frame
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._runs import cell_named, cells_named, run_named
from driftgate.service.console._table import Column, Table, in_memory

_LONGEST = 20_000
"""Characters shown of one text."""
_ASKED = ("question", "choices", "answer", "passage", "query")


@dataclass(frozen=True)
class Choice:
    """One of the choices of a question."""

    letter: str
    text: str
    is_key: bool
    is_answer: bool


@dataclass(frozen=True)
class NodeFacts:
    """What a node did."""

    node: str
    status: str
    prompt: str
    """What it was asked with, where the node says so."""
    output: str
    error: str
    seconds: float | None


@dataclass(frozen=True)
class SampleFacts:
    """A sample with everything that became of it."""

    run: str
    cell: int
    cell_name: str
    sample_id: int
    key: str
    id: str
    question: str
    passage: str
    choices: Sequence[Choice]
    gold: str
    fields: Mapping[str, str]
    """What else the dataset says of it."""
    outcome: str
    answer: str
    correct: float | None
    told: Mapping[str, Any]
    """The rest of the outcome: tokens, cost, latency, what was served."""
    nodes: Sequence[NodeFacts]
    repeats: Sequence[Mapping[str, Any]]
    removed: str
    """When its texts were expired or forgotten; empty where they are there."""
    others: Sequence[int]
    """Places of other cells of the run that ask it."""


def _load(console: Console, asked: Asked) -> Content:
    run = run_named(console, asked.path["run"])
    cell = cell_named(console, run, asked.path["cell"])
    name = asked.path["sample"]
    ledger = console.workspace.ledger
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else -1
    of_cell = [one.ordinal for one in cells_named(console, run) if one.id != cell.id and one.dataset == cell.dataset]
    if number < 0 or not asks_sample(ledger, cell.id, number):
        raise Missing(f"the cell {cell.ordinal} of run {run.id} has no sample {name[:40]}", "see the run's samples")
    row = samples_frame(ledger, cell.id, [number])[0]
    data = row["data"] if isinstance(row["data"], dict) else {}
    gold, answer = _text(data.get("answer")), _text(row.get("answer"))
    raw = data.get("choices")
    choices = raw if isinstance(raw, list) and len(raw) <= len(LETTERS) else []
    shown = {
        "key",
        "id",
        "data",
        "outcome",
        "answer",
        "correct",
        "nodes",
        "evaluations",
        "repeats",
        "expired",
        "forgotten",
    }
    facts = SampleFacts(
        run=run.id,
        cell=cell.ordinal,
        cell_name=cell.name,
        sample_id=number,
        key=row["key"],
        id=row["id"],
        question=_text(data.get("question") or data.get("query")),
        passage=_text(data.get("passage")),
        choices=[
            Choice(letter, _text(text), letter == gold.strip().upper(), letter == answer.strip().upper())
            for letter, text in zip(LETTERS, choices, strict=False)
        ],
        gold=gold,
        fields={str(n): _text(v) for n, v in data.items() if n not in _ASKED and v not in ("", None, [], {})},
        outcome=row["outcome"],
        answer=answer,
        correct=row.get("correct"),
        told={name: value for name, value in row.items() if name not in shown and value not in ("", None)},
        nodes=[
            NodeFacts(n["node"], n["status"], *_prompt_and_output(n["output"]), _text(n["error"]), n["seconds"])
            for n in row["nodes"]
        ],
        repeats=row.get("repeats", []),
        removed=str(row.get("expired") or row.get("forgotten") or ""),
        others=of_cell,
    )
    columns = (
        Column("node"), Column("evaluator"), Column("metric"), Column("value", "number"),
        Column("label", "long"), Column("error", "long"),
    )  # fmt: skip
    return Content(facts, (Table("evaluations", columns, in_memory(row["evaluations"])),), row["id"])


def _prompt_and_output(output: Any) -> tuple[str, str]:
    """A node that hands on a reply may say with it what it asked."""
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        asked = output.get("prompt") or output.get("messages") or ""
        return _text(asked), _text(output["text"])
    return "", _text(output)


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


PAGE = Page("/runs/{run}/{cell}/{sample}", "sample", _load, section="runs")
