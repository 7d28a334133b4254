"""A limit on cost is refused where an evaluator asks a service and nobody counts what that costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from bench import Bench
from chat_endpoint import ChatEndpoint
from question_flow import write_question_flow

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.spending import check_budget
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger

DAG = """
inputs: {response: {type: string}}
outputs: {grade: {type: string, reference: "${grade.output}"}}
nodes:
- {name: grade, type: python, source: {type: code, path: grade.py}, inputs: {response: "${inputs.response}"}}
"""


@pytest.fixture
def location() -> str:
    """One database will do: nothing here is of the database."""
    return "ledger.db"


@pytest.mark.parametrize(("client", "refused"), [("import httpx\n", True), ("", False)])
def test_an_evaluation_flow_that_may_ask_is_refused_beside_a_limit(
    endpoint: ChatEndpoint,
    ledger: Ledger,
    tmp_path: Path,
    samples: Callable[..., list[Sample]],
    client: str,
    refused: bool,
) -> None:
    asked, graded = tmp_path / "flows/asked", tmp_path / "evals/graded"
    for folder in (asked, graded):
        folder.mkdir(parents=True)
    write_question_flow(asked)
    (graded / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
    (graded / "grade.py").write_text(
        f"{client}from promptflow.core import tool\n\n\n@tool\ndef grade(response: str) -> str:\n    return '1'\n"
    )
    bound = {"evaluator": "flow:evals/graded", "inputs": {"response": "${nodes.ask.output}"}}
    config = {"primary": "ask.it.grade", "nodes": {"ask": {"it": bound}}}
    (asked / "evaluators.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    suite = {"flow": "asked", "variants": [], "max_cost": 1.0}
    bench = Bench(endpoint, ledger, tmp_path, samples(2), suite, model={"prices": {"input": 1.0, "output": 1.0}})
    planned, cells = bench.cells()
    if not refused:
        check_budget(planned, cells)
        return
    with pytest.raises(DriftgateError, match=r"the evaluator 'ask\.it' asks a service, and nobody counts"):
        check_budget(planned, cells)
