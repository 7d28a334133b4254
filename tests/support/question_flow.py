"""The flow of one node ``ask``, which gives a question to the model of the line."""

from pathlib import Path

DAG = """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
"""
TOOL = """
from driftgate.flows.line import ask as ask_model
from driftgate.flows.tool import tool

@tool
async def ask(question: str) -> str:
    return (await ask_model(question)).text
"""


def write_question_flow(folder: Path) -> None:
    """Write the flow into its folder; its evaluators are the test's."""
    (folder / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
    (folder / "ask.py").write_text(TOOL, encoding="utf-8")
