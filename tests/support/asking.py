"""Flows of a team that ask a model, another one or none, in a workspace with two models and a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chat_endpoint import ChatEndpoint
from command_line import Make

INPUTS = 'inputs: {question: {type: string}}\noutputs: {answer: {type: string, reference: "${NODE.output}"}}\nnodes:\n'
TOOL = '- {name: NAME, type: python, source: {type: code, path: NAME.py}, inputs: {question: "${inputs.question}"}}\n'
LLM = """- name: NAME
  type: llm
  source: {type: code, path: say.jinja2}
  inputs: {question: "${inputs.question}"MORE}
  api: chat
"""
SAY = "# user:\n{{ question }}\n"
JUDGED = """
primary: NODE.right.correct
nodes:
  NODE:
    right: {evaluator: choice, inputs: {answer: "${nodes.NODE.output}", gold: "${data.answer}"}}
"""
GUESS = "from promptflow.core import tool\nIMPORTS\n@tool\ndef guess(question: str) -> str:\n"
GUESS += "    return 'ABCD'[int(question.split()[1].rstrip('번은?')) % 4]\n"
ASKING = "from promptflow.core import tool\nfrom driftgate.flows.line import ask\n\n@tool\n"
ASKING += "async def guess(question: str) -> str:\n    return (await ask(question, MODEL)).text if WHEN else 'A'\n"
PROMPTY = "---\nname: asked\nmodel: {api: chat, configuration: CONFIGURATION, parameters: {max_tokens: 5}}\n"
PROMPTY += "inputs: {question: {type: string}}\n---\nuser:\n{{question}}\n"
Space = Callable[..., Path]


def tool(node: str = "guess") -> str:
    return INPUTS.replace("NODE", node) + TOOL.replace("NAME", node)


def llm(name: str, connection: str = "", more: str = "") -> str:
    found = LLM.replace("NAME", name).replace("MORE", more)
    return found + (f"  connection: {connection}\n" if connection else "")


def space_with(make: Make, endpoint: ChatEndpoint) -> Space:
    """``space(files, judged, **suite)``: a workspace with a flow of these files, two models and a connection."""

    def build(files: Mapping[str, str], judged: str = "guess", count: int = 8, **suite: Any) -> Path:
        def change(config: dict[str, Any]) -> None:
            config["models"] |= {"other": config["models"]["tested"], "outside": config["models"]["tested"]}
            service = {"type": "open_ai", "configs": {"base_url": f"{endpoint.url}/v1"}}
            config["connections"] = {"service": {**service, "secrets": {"api_key": "${env:SERVICE_KEY}"}}}
            config["suites"]["small"] = {"models": ["tested", "other"], "datasets": ["own"], "flow": "mine", **suite}

        folder = make(count, change)
        for name, content in {"evaluators.yaml": JUDGED.replace("NODE", judged), **files}.items():
            file = folder / name if "/" in name else folder / "flows/mine" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return folder

    return build


def said(done: Any) -> str:
    return " ".join(done.err.split())
