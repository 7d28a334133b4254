"""Evaluation flows' aggregation nodes on both databases: over all samples of a cell, whoever asked them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.spending import LimitReached
from driftgate.ledger import Ledger, aggregations_of, cells_of, run_hash

FILES = {
    "flows/mine/flow.dag.yaml": """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
""",
    "flows/mine/ask.py": """
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model

@tool
async def ask(question: str) -> str:
    return (await ask_model(question)).text
""",
    "flows/mine/evaluators.yaml": """
primary: ask.grades.grade
nodes:
  ask:
    grades:
      evaluator: flow:grades
      inputs: {answer: "${nodes.ask.output}", truth: "${data.answer}"}
""",
    "grades/flow.dag.yaml": """
inputs: {answer: {type: string}, truth: {type: string}}
outputs: {grade: {type: string, reference: "${grade.output}"}}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {answer: "${inputs.answer}", truth: "${inputs.truth}"}
- name: total
  type: python
  aggregation: true
  source: {type: code, path: total.py}
  inputs: {grades: "${grade.output}"}
""",
    "grades/grade.py": """
from promptflow.core import tool

@tool
def grade(answer: str, truth: str) -> float:
    return float(answer == truth)
""",
    "grades/total.py": """
from promptflow.core import log_metric, tool

@tool
def total(grades: list) -> float:
    log_metric("accuracy", sum(grades) / len(grades))
    return 0.0
""",
}


@pytest.fixture
def bench(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]) -> Bench:
    """Eight questions, each answered A: two are right."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    endpoint.default = Answer("A", tokens=(1_000_000, 0))
    model = {"in_flight": 1, "prices": {"input": 1.0, "output": 0.0}}
    return Bench(endpoint, ledger, tmp_path, samples(8), {"flow": "mine", "variants": []}, model)


async def test_a_run_that_stopped_and_went_on_aggregates_all_its_samples(bench: Bench, endpoint: ChatEndpoint) -> None:
    bench.suite["max_cost"] = 3.0
    with pytest.raises(LimitReached):
        await bench.run()
    run = bench.newest()
    (cell,) = cells_of(bench.ledger, run.id)
    assert aggregations_of(bench.ledger, cell.id) == []
    part = run_hash(bench.ledger, run.id)
    bench.suite["max_cost"] = 100.0
    await bench.run(run)
    (made,) = aggregations_of(bench.ledger, cell.id)
    assert (made.n, made.metrics, made.error) == (8, {"accuracy": 0.25}, "")
    whole = run_hash(bench.ledger, run.id)
    await bench.run(run)  # there is nothing left to ask, and nothing becomes another
    assert aggregations_of(bench.ledger, cell.id) == [made]
    assert part != whole == run_hash(bench.ledger, run.id)
    assert len(endpoint.requests) == 8
