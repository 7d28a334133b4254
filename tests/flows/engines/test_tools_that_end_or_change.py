"""A tool that wants to end the process fails its line, in both engines; one that changes its input, no record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, Engine
from driftgate.flows.line import Line

DAG = """
inputs: {text: {type: string}}
outputs: {answer: {type: string, reference: "${last.output}"}}
nodes:
- {name: first, type: python, source: {type: code, path: first.py}, inputs: {text: "${inputs.text}"}}
- {name: last, type: python, source: {type: code, path: last.py}, inputs: {said: "${first.output}"}}
"""
FIRST = "from promptflow.core import tool\n\n\n@tool\ndef first(text: str) -> list:\n    return [text, 'b']\n"
LAST = (
    "import asyncio, sys\nfrom promptflow.core import tool\n\n\n@tool\n{kind}def last(said: list) -> str:\n    {does}\n"
)
ENDS = {
    "exit": ("sys.exit(0)", "SystemExit"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "cancel": ("raise asyncio.CancelledError", "Cancelled"),
}
Make = Callable[..., Engine]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(engine: str, does: str, kind: str = "") -> Engine:
        folder = tmp_path / "flows/small"
        folder.mkdir(parents=True)
        files = {"flow.dag.yaml": DAG, "first.py": FIRST, "last.py": LAST.format(does=does, kind=kind)}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return ENGINES.get(engine)(load_flow("small", tmp_path))

    return build


@pytest.mark.parametrize("engine", ["native", "promptflow"])
@pytest.mark.parametrize("kind", ["", "async "])
@pytest.mark.parametrize("end", ENDS)
def test_a_tool_that_ends_the_process_fails_its_line(make: Make, engine: str, kind: str, end: str) -> None:
    does, named = ENDS[end]
    opened = make(engine, f"if said[0] == 'go':\n        {does}\n    return 'fine'", kind)

    async def lines() -> tuple[object, str, object]:
        failed = await opened.run_line({"text": "go"}, Line({}))
        after = await opened.run_line({"text": "on"}, Line({}))
        return failed.output, f"{failed.error} {failed.error_type}", after.output

    output, said, after = asyncio.run(lines())
    assert (output, after) == (None, {"answer": "fine"})
    assert named in said


async def test_what_a_tool_changes_in_its_input_stays_recorded_as_it_was_given(make: Make) -> None:
    opened = make("native", "said.clear()\n    return 'fine'")
    result = await opened.run_line({"text": "a"}, Line({}))
    assert (result.output, result.nodes["first"].output) == ({"answer": "fine"}, ["a", "b"])
