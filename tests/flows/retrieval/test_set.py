"""The set that the hybrid was measured on: whole, and found as often as the documentation says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftgate.flows.retrieval import open_retriever, parse_config

SET = Path(__file__).parents[3] / "benchmarks/perf/retrieval_set"
QUESTIONS = [json.loads(line) for line in (SET / "questions.jsonl").read_text("utf-8").splitlines()]


def test_every_question_names_documents_that_are_there() -> None:
    known = {path.relative_to(SET / "documents").with_suffix("").as_posix() for path in SET.rglob("*.md")}
    assert len(known) == 30 and len(QUESTIONS) == len({one["question"] for one in QUESTIONS}) == 100
    assert {name for one in QUESTIONS for name in one["relevant"]} <= known
    assert sum(not one["relevant"] for one in QUESTIONS) == 20


@pytest.mark.parametrize(("split", "first", "among_three"), [("dev", 0.66, 0.83), ("held", 0.74, 0.80)])
async def test_the_usual_retriever_finds_more_than_bm25_does(split: str, first: float, among_three: float) -> None:
    asked = [one for one in QUESTIONS if one["split"] == split and one["relevant"]]
    found: dict[str, list[float]] = {}
    for kind in ("hybrid", "bm25"):
        retriever = open_retriever("set", parse_config({"kind": kind, "folder": "documents", "count": 100}), SET)
        ranks = []
        for one in asked:
            documents = list(dict.fromkeys(passage.document for passage in await retriever.search(one["question"])))
            ranks.append(documents.index(one["relevant"][0]) if one["relevant"][0] in documents else 100)
        found[kind] = [sum(rank < depth for rank in ranks) / len(asked) for depth in (1, 3)]
    assert found["hybrid"][0] >= first and found["hybrid"][1] >= among_three
    assert found["hybrid"][0] > found["bm25"][0] and found["hybrid"][1] > found["bm25"][1]
