"""Which node moved, and does a port do the same: on CLIcK, answered by a recorded model over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import DRIFTGATE, SHARED, Endpoint, replay

MODEL = "phi-3-5-moe-instruct"
PYTHON = os.environ.get("DRIFTGATE_AGENT_FRAMEWORK_PYTHON", "")
"""Interpreter of an environment with agent-framework-core, which cannot be installed beside prompt flow."""
TOOL = "from promptflow.core import tool\n\n\n@tool\n"
SOURCES = {
    "prepare.py": TOOL + "def prepare(question: str, passage: str) -> str:\n    return f'{passage}\\n\\n{question}'\n",
    "compose.jinja2": "# user:\n{{ text }}\n{% for choice in choices %}{{ 'ABCDE'[loop.index0] }}. {{ choice }}\n"
    "{% endfor %}정답:\n",
    "ask.py": "from promptflow.core import tool\n\nfrom driftgate.flows.line import ask as ask_model\n\n\n@tool\n"
    "async def ask(prompt: str) -> str:\n    return (await ask_model(prompt)).text\n",
    "extract.py": "from promptflow.core import tool\n\n"
    "from driftgate.flows.extraction import extract_choice\n\n\n@tool\n"
    "def extract(reply: str, choices: list) -> dict:\n    return {'answer': extract_choice(reply, choices).answer}\n",
}
CUT = SOURCES["compose.jinja2"].replace("{{ text }}", "{{ text[:90] }}")
OTHERWISE = SOURCES["prepare.py"].replace("\\n\\n", "\\n\\n\\n")


def write_flow(folder: Path, name: str, **sources: str) -> None:
    """prepare, compose, ask, extract; ``sources`` replace those of nodes."""
    flow = folder / "flows" / name
    flow.mkdir(parents=True)

    def node(name: str, file: str, **inputs: str) -> dict[str, Any]:
        kind = "prompt" if file.endswith("jinja2") else "python"
        return {"name": name, "type": kind, "source": {"type": "code", "path": file}, "inputs": inputs}

    dag = {
        "inputs": {
            "question": {"type": "string"},
            "choices": {"type": "list"},
            "passage": {"type": "string", "default": ""},
        },
        "outputs": {"answer": {"type": "string", "reference": "${extract.output.answer}"}},
        "nodes": [
            node("prepare", "prepare.py", question="${inputs.question}", passage="${inputs.passage}"),
            node("compose", "compose.jinja2", text="${prepare.output}", choices="${inputs.choices}"),
            node("ask", "ask.py", prompt="${compose.output}"),
            node("extract", "extract.py", reply="${ask.output}", choices="${inputs.choices}"),
        ],
    }
    evaluators = {
        "primary": "extract.choice.correct",
        "nodes": {
            "compose": {
                "prompt": {
                    "evaluator": "contains",
                    "inputs": {"text": "${nodes.compose.output}", "parts": "${data.choices}"},
                }
            },
            "extract": {
                "choice": {
                    "evaluator": "choice",
                    "inputs": {"answer": "${nodes.extract.output.answer}", "gold": "${data.answer}"},
                }
            },
        },
    }
    (flow / "flow.dag.yaml").write_text(yaml.safe_dump(dag, sort_keys=False), encoding="utf-8")
    (flow / "evaluators.yaml").write_text(yaml.safe_dump(evaluators), encoding="utf-8")
    for file, text in SOURCES.items():
        (flow / file).write_text(sources.get(file.partition(".")[0], text), encoding="utf-8")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with replay() as served:
        yield served


@pytest.fixture
def space(endpoint: Endpoint, tmp_path: Path) -> Path:
    suite = {"models": ["phi"], "datasets": ["click"], "limit": 400}
    workspace = {
        "version": 1,
        "models": {"phi": {"provider": "openai", "endpoint": f"{endpoint.address}/v1", "model": MODEL, "attempts": 1}},
        "allowed_roots": [str(SHARED)],
        "datasets": {"click": {"kind": "click", "path": str(SHARED / "data" / "click")}},
        "suites": {name: {**suite, "flow": name} for name in ("whole", "cut", "again")},
    }
    (tmp_path / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
    write_flow(tmp_path, "whole")
    write_flow(tmp_path, "cut", compose=CUT, prepare=OTHERWISE)
    write_flow(tmp_path, "again")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DRIFTGATE, *arguments], cwd=folder, capture_output=True, text=True, timeout=600)


def test_a_truncating_compose_node_is_named(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suite in ("whole", "cut", "again"):
        assert run(space, "bench", suite).returncode == 0
    done = run(space, "flow", "attribute", "whole", "cut", "--json", "out.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((space / "out.json").read_text(encoding="utf-8"))
    by_node = {c["player"]["nodes"][0]: c for c in found["contributions"]}
    assert set(by_node) == {"prepare", "compose"}
    assert by_node["compose"]["share"] >= 0.9
    assert by_node["compose"]["interval"]["high"] < 0
    alike = run(space, "flow", "attribute", "whole", "again", "--json", "out.json")
    nothing = json.loads((space / "out.json").read_text(encoding="utf-8"))
    assert alike.returncode == 0 and nothing["contributions"] == []
    with capsys.disabled():
        print("\n" + done.stdout + alike.stdout)


PORT = """
from driftgate.flows.extraction import extract_choice
from driftgate.flows.line import ask


def prompt(question, choices, passage, most=None):
    text = f"{passage}\\n\\n{question}"[:most]
    options = "".join(f"{letter}. {choice}\\n" for letter, choice in zip("ABCDE", choices))
    return f"# user:\\n{text}\\n{options}정답:"


async def faithful(question, choices, passage):
    composed = prompt(question, choices, passage)
    reply = await ask(composed)
    return {"answer": extract_choice(reply.text, choices).answer, "compose": composed}


async def changed(question, choices, passage):
    composed = prompt(question, choices, passage, most=90)
    reply = await ask(composed)
    return {"answer": extract_choice(reply.text, choices).answer, "compose": composed}
"""

WORKFLOW = '''
"""The flow as a workflow of Agent Framework, with an HTTP client of its own."""

import asyncio
import json
import os
import re
import urllib.request

from agent_framework import WorkflowBuilder, WorkflowContext, executor


@executor(id="compose")
async def compose(message: dict, ctx: WorkflowContext[str]) -> None:
    text = message["passage"] + "\\n\\n" + message["question"]
    options = "".join(f"{letter}. {choice}\\n" for letter, choice in zip("ABCDE", message["choices"]))
    await ctx.send_message(f"# user:\\n{text}\\n{options}정답:")


def post(prompt: str) -> str:
    body = {"model": "MODEL", "messages": [{"role": "user", "content": prompt.removeprefix("# user:\\n")}]}
    request = urllib.request.Request(
        os.environ["PORT_ENDPOINT"], json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["choices"][0]["message"]["content"]


@executor(id="ask")
async def ask(prompt: str, ctx: WorkflowContext[str]) -> None:
    await ctx.send_message(await asyncio.to_thread(post, prompt))


@executor(id="extract")
async def extract(reply: str, ctx: WorkflowContext[None, dict]) -> None:
    letters = re.findall(r"(?<![A-Za-z])[A-E](?![A-Za-z])", reply)
    await ctx.yield_output({"answer": letters[0] if letters else None})


def workflow():
    """A new one for every sample: a workflow refuses a second run while one is under way."""
    builder = WorkflowBuilder(start_executor=compose, output_from=[extract])
    return builder.add_edge(compose, ask).add_edge(ask, extract).build()
'''


def parity(space: Path, port: str, *options: str) -> tuple[int, dict[str, Any], str]:
    (space / "ported.py").write_text(PORT, encoding="utf-8")
    done = run(space, "flow", "parity", "whole", port, "--suite", "whole", "--json", "out.json", *options)
    assert done.returncode in (0, 1, 3, 4), done.stdout + done.stderr
    (comparison,) = json.loads((space / "out.json").read_text(encoding="utf-8"))["comparisons"]
    return done.returncode, comparison, done.stdout


def test_ports_are_told_apart(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, same, said = parity(space, "ported:faithful")
    assert (code, same["verdict"], same["samples"]) == (0, "equivalent", [])
    wrong, other, complaint = parity(space, "ported:changed")
    assert (wrong, other["verdict"]) == (1, "different")
    assert {s["first_node"] for s in other["samples"] if s["first_node"]} == {"compose"}
    few, unknown, shrug = parity(space, "ported:faithful", "--limit", "60")
    assert (few, unknown["verdict"]) == (3, "inconclusive")
    with capsys.disabled():
        print("\n" + said + complaint + shrug)


@pytest.mark.skipif(
    not PYTHON, reason="DRIFTGATE_AGENT_FRAMEWORK_PYTHON names no environment with agent-framework-core"
)
def test_a_workflow_of_agent_framework(
    space: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT_ENDPOINT", f"{endpoint.address}/v1/chat/completions")
    (space / "agents.py").write_text(WORKFLOW.replace("MODEL", MODEL), encoding="utf-8")
    code, found, said = parity(space, "agents:workflow", "--python", PYTHON)
    with capsys.disabled():
        print("\n" + said)
    assert (code, found["verdict"]) == (0, "equivalent")
    assert [n["node"] for n in found["nodes"]] == ["compose", "ask", "extract"]
