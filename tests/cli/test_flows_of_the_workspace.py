"""Flows of a workspace through the command line: what is wrong costs its sample, and the run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Hang, Status, limited
from command_line import Cli, Make

from driftgate.benchmarks.scores import score_cell
from driftgate.ledger import Ledger, cells_of, find_run, open_ledger, outcome_frame

DAG = """
inputs: {question: {type: string}, choices: {type: list}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: say, type: prompt, source: {type: code, path: say.jinja2}, inputs: {question: "${inputs.question}"}}
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {prompt: "${say.output}"}}
"""
SAY = "# user:\n{{ question }}\n"
ASK = """
import asyncio, time
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model

@tool
async def ask(prompt: str) -> str:
    return (await ask_model(prompt)).text
"""

JUDGED = """
primary: ask.choice.correct
nodes:
  ask:
    choice: {evaluator: choice, inputs: {answer: "${nodes.ask.output}", gold: "${data.answer}"}}
"""


@pytest.fixture
def bench(cli: Cli, make: Make) -> Iterator[Any]:
    """``bench(files, **suite)``: run a suite over a flow of these files; the ledger and its only cell."""
    opened: list[Ledger] = []

    def run(
        files: Mapping[str, str], code: int = 0, without: Sequence[str] = (), attempts: int = 1, **suite: Any
    ) -> Any:
        def change(config: dict[str, Any]) -> None:
            config["models"]["tested"]["attempts"] = attempts
            config["suites"]["small"] = {
                "models": ["tested"],
                "datasets": ["own"],
                "flow": "mine",
                "max_failed": 1.0,
                **suite,
            }

        folder: Path = make(6, change)
        for name, text in {
            "flow.dag.yaml": DAG,
            "say.jinja2": SAY,
            "ask.py": ASK,
            "evaluators.yaml": JUDGED,
            **files,
        }.items():
            if name in without:
                continue
            file = folder / "flows/mine" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        done = cli("bench", "small", "-w", folder)
        assert done.code == code, done.err
        if code:
            return done
        ledger = open_ledger(".driftgate/ledger.db", folder)
        opened.append(ledger)
        (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
        return ledger, cell

    yield run
    for ledger in opened:
        ledger.close()


@pytest.mark.parametrize("engine", ["native", "promptflow"])
@pytest.mark.parametrize("wait", ["await asyncio.Event().wait()", "time.sleep(600)"])
def test_a_tool_that_hangs_costs_its_sample(bench: Any, engine: str, wait: str) -> None:
    tool = ASK.replace("    return (", f"    if '문제 3번' in prompt:\n        {wait}\n    return (")
    files = {"ask.py": tool}
    if "sleep" in wait:  # a tool that blocks is a sync one
        ask = DAG.splitlines()[-1].replace("name: ask", "name: late").replace("say.output", "ask.output")
        dag = DAG.replace("${ask.output}", "${late.output}") + ask.replace("ask.py", "late.py") + "\n"
        tool = tool.replace("async def", "def").replace("(await ask_model(prompt)).text", "prompt")
        files = {"flow.dag.yaml": dag, "ask.py": tool, "late.py": ASK.replace("def ask(", "def late(")}
    ledger, cell = bench(files, engine=engine, node_timeout=0.5)
    frame = outcome_frame(ledger, cell.id)
    assert frame["outcome"].value_counts().to_dict() == {"answered": 5, "failed": 1}
    (error,) = frame[frame["outcome"] == "failed"]["error"]
    assert error.startswith("node 'ask' did not end within 0.5 s")


@pytest.mark.parametrize("engine", ["native", "promptflow"])
@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Status(503, {"error": {"message": "no capacity"}}), "heard of it is: tested: HTTP 503 no capacity"),
        (limited(300.0), "heard of it is: tested: HTTP 429 Rate limit is exceeded."),
        (Hang(), "model 'tested' had not answered"),
    ],
)
def test_a_node_that_waits_for_its_model_in_vain_says_what_the_model_said(
    bench: Any, endpoint: ChatEndpoint, engine: str, step: Any, words: str
) -> None:
    endpoint.script("문제 3번", step)
    ledger, cell = bench({}, engine=engine, node_timeout=1.0, attempts=100)
    frame = outcome_frame(ledger, cell.id)
    (error,) = frame[frame["outcome"] == "failed"]["error"]
    assert error.startswith("node 'ask' did not end within 1 s: model 'tested' had not answered") and words in error
    assert "mend the tool" not in error


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_template_with_an_undefined_variable_costs_the_samples_that_print_it(
    bench: Any, engine: str, endpoint: ChatEndpoint
) -> None:
    say = "{% if '2번' in question %}{{ quetsion }}{% endif %}" + SAY
    ledger, cell = bench({"say.jinja2": say}, engine=engine)
    frame = outcome_frame(ledger, cell.id)
    assert frame["outcome"].value_counts().to_dict() == {"answered": 5, "failed": 1}
    (error,) = frame[frame["outcome"] == "failed"]["error"]
    assert "'quetsion' is undefined" in error
    assert len(endpoint.requests) == 5


def test_a_cycle_is_refused_before_anything_is_asked(bench: Any, endpoint: ChatEndpoint) -> None:
    done = bench({"flow.dag.yaml": DAG.replace("${inputs.question}", "${ask.output}")}, code=2)
    assert "circular" in done.err
    assert not endpoint.requests


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_aggregation_nodes_run_over_the_cell_s_lines(bench: Any, engine: str) -> None:
    total = (
        "- {name: total, type: python, aggregation: true, source: {type: code, path: total.py}, "
        'inputs: {said: "${ask.output}"}}\n'
    )
    tool = (
        "from promptflow.core import log_metric, tool\n"
        "@tool\n"
        "def total(said: list) -> int:\n"
        "    log_metric('letters', len(set(said)))\n"
        "    return len(said)\n"
    )
    ledger, cell = bench({"flow.dag.yaml": DAG + total, "total.py": tool}, engine=engine)
    score = score_cell(ledger, cell).get("aggregate.letters")
    assert score is not None
    assert (score.value, score.n) == (4.0, 6)


FLEX = """
entry: main:Main
outputs: {output: {type: string}}
"""
MAIN = """
from driftgate.flows.line import ask

class Main:
    async def __call__(self, question: str, choices: list) -> str:
        if "3번" in question:
            raise ValueError("no third question")
        return (await ask(f"# user:\\n{question}")).text

    def __aggregate__(self, line_results: list):
        return {"lines": len(line_results)}
"""


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_flex_flow_is_benchmarked(bench: Any, engine: str, endpoint: ChatEndpoint) -> None:
    judged = JUDGED.replace("ask", "flow")
    ledger, cell = bench(
        {"flow.flex.yaml": FLEX, "main.py": MAIN, "evaluators.yaml": judged}, engine=engine, without=["flow.dag.yaml"]
    )
    frame = outcome_frame(ledger, cell.id)
    assert frame["outcome"].value_counts().to_dict() == {"answered": 5, "failed": 1}
    (error,) = frame[frame["outcome"] == "failed"]["error"]
    assert "no third question" in error
    assert len(endpoint.requests) == 5
    scores = score_cell(ledger, cell)
    lines, correct = scores.get("aggregate.lines"), scores.get("flow.choice.correct")
    assert lines is not None and correct is not None
    assert (lines.value, correct.n) == (5.0, 5)


ASKED = """---
name: asked
model:
  api: chat
  configuration: {type: azure_openai, azure_deployment: elsewhere}
  parameters: {max_tokens: 1}
inputs: {question: {type: string}}
---
system:
한 글자로.
user:
{{question}}
"""


def test_a_prompty_is_benchmarked(bench: Any, endpoint: ChatEndpoint) -> None:
    ledger, cell = bench({"asked.prompty": ASKED, "asked.evaluators.yaml": JUDGED}, flow="flows/mine/asked.prompty")
    frame = outcome_frame(ledger, cell.id)
    assert frame["outcome"].value_counts().to_dict() == {"answered": 6}
    correct = score_cell(ledger, cell).get("ask.choice.correct")
    assert correct is not None
    assert correct.n == 6
    assert [turn["role"] for turn in endpoint.requests[0].body["messages"]] == ["system", "user"]


def test_a_prompty_needs_the_native_engine(bench: Any, endpoint: ChatEndpoint) -> None:
    done = bench({"asked.prompty": ASKED}, code=2, flow="flows/mine/asked.prompty", engine="promptflow")
    assert "set engine: native" in done.err
    assert not endpoint.requests
