"""Stored cells of every outcome, with their replies, to be scored anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.signature import format_signature
from driftgate.flows.engines import NodeResult
from driftgate.ledger import CellRow, Ledger, Record, cells_of, record

REPLIES = {"answered": "정답은 A입니다", "unparsed": "알 수 없습니다", "truncated": "문제를 살펴보면"}
OUTCOMES = ("answered", "answered", "unparsed", "truncated", "filtered", "failed", None, "answered")
SIGNED = {
    "dataset": "demo:123456",
    "n": 8,
    "flow": "multiple_choice:123456",
    "prompt": "123456",
    "shots": 0,
    "scoring": "text",
    "extract": "old-rules:123456",
    "denominator": "asked",
}


@pytest.fixture
def make_cell(
    ledger: Ledger,
    samples: Callable[..., list[Sample]],
    add: Callable[..., Any],
    entry: Callable[..., Record],
) -> Callable[..., CellRow]:
    """``make_cell(outcomes, details, replies)``: a cell with a stored reply to every sample that got one.

    Every reply names A and puts the highest log-probability on B; question n is right with ``ABCD[n % 4]``.
    """

    def make(
        outcomes: Sequence[str | None] = OUTCOMES,
        *,
        details: dict[str, Any] | None = None,
        first_token: bool = True,
        replies: bool = True,
        prompt: str = "문제?\n정답：",
        said: str = REPLIES["answered"],
        signature: dict[str, Any] | None = None,
    ) -> CellRow:
        asked = samples(len(outcomes))
        signed = format_signature({**SIGNED, **(signature or {}), "n": len(asked)})
        row = {"signature": signed, "details": {"nodes": ["render", "ask", "extract"], **(details or {})}}
        run, cell_id, ids = add(ledger, asked, **row)
        records = []
        for place, (sample, outcome) in enumerate(zip(asked, outcomes, strict=True)):
            if outcome is None:
                continue
            text = said if outcome == "answered" else REPLIES.get(outcome)
            reply = {
                "text": text,
                "finish_reason": "length" if outcome == "truncated" else "stop",
                "first_token": {"A": -2.0, "B": -0.5} if first_token else None,
            }
            answered = outcome == "answered"
            records.append(
                entry(
                    cell_id,
                    ids[sample.id],
                    outcome=outcome,
                    answer="A" if answered else None,
                    correct=float(place % 4 == 0) if answered else None,
                    nodes=(
                        NodeResult("render", "completed", prompt, 0.1, ""),
                        *((NodeResult("ask", "completed", reply, 0.1, ""),) if text and replies else ()),
                    ),
                )
            )
        record(ledger, records)
        return cells_of(ledger, run.id)[0]

    return make
