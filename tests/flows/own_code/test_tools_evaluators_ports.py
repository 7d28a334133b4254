"""A workspace's own code as tools, evaluators and ports, and in their hashes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import open_engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext, load_evaluators
from driftgate.flows.line import Line
from driftgate.flows.port import Port

Write = Callable[..., Path]


DAG = """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
"""
TOOL = "from promptflow.core import tool\n{imports}\n\n@tool\ndef ask(question: str) -> str:\n{body}\n"
EVALUATORS = """
primary: ask.mine.correct
nodes:
  ask: {mine: {evaluator: "my_eval:grade", inputs: {said: "${nodes.ask.output}"}}}
"""
GRADE = "import helpers\n\ndef grade(said):\n    return {'correct': helpers.right(said)}\n"


def space_of(write: Write, name: str, word: str, **files: str) -> Path:
    return write(
        name,
        {
            "flows/mine/flow.dag.yaml": DAG,
            "flows/mine/evaluators.yaml": EVALUATORS,
            "flows/mine/ask.py": TOOL.format(
                imports="from words import WORD", body="    import late\n    return f'{WORD} {late.V}'"
            ),
            "flows/mine/words.py": f"WORD = '{word}'\n",
            "late.py": f"V = 'late {word}'\n",
            "my_eval.py": GRADE,
            "helpers.py": f"def right(said):\n    return said.startswith('{word}')\n",
            **{path.replace("__", "/") + ".py": text for path, text in files.items()},
        },
    )


@pytest.mark.parametrize("engine", ["native", "promptflow"])
async def test_tools_of_two_workspaces_import_their_own_modules(write: Write, engine: str) -> None:
    engines = {
        word: open_engine(load_flow("mine", space_of(write, f"space-{word}", word)), engine) for word in ("one", "two")
    }
    for word, made in engines.items():
        result = await made.run_line({"question": "?"}, Line({}))
        assert result.output == {"answer": f"{word} late {word}"}, result.error
    for made in engines.values():
        await made.aclose()


@pytest.mark.parametrize("engine", ["native", "promptflow"])
async def test_a_flow_s_folder_may_hold_files_called_as_libraries(write: Write, engine: str) -> None:
    names = ("json", "yaml", "select", "queue", "statistics", "promptflow", "logging")
    space = space_of(
        write, "space", "word", **{f"flows__mine__{name}": "raise RuntimeError('not for you')" for name in names}
    )
    (space / "flows/mine/promptflow.py").unlink()  # a tool needs the real one for its decorator
    flow = load_flow("mine", space)
    made = open_engine(flow, engine)
    assert (await made.run_line({"question": "?"}, Line({}))).output == {"answer": "word late word"}
    await made.aclose()
    assert str(flow.folder) not in sys.path


async def test_a_tool_s_file_runs_anew_for_each_engine_and_its_neighbours_once(write: Write) -> None:
    tool = TOOL.format(
        imports="import words\nSEEN = []", body="    SEEN.append(1)\n    return f'{len(SEEN)} {id(words)}'"
    )
    flow = load_flow("mine", space_of(write, "space", "word", flows__mine__ask=tool))
    said = []
    for _ in range(2):
        made = open_engine(flow, "native")
        result = await made.run_line({"question": "?"}, Line({}))
        assert result.output is not None, result.error
        said.append(result.output["answer"].split())
        await made.aclose()
    assert [count for count, _ in said] == ["1", "1"]
    assert said[0][1] == said[1][1]


async def test_included_files_are_the_flow_s_own(write: Write) -> None:
    space = space_of(write, "space", "word", lib__extra="V = 'included'\n")
    write(
        "space",
        {
            "flows/mine/flow.dag.yaml": DAG + "additional_includes: [../../lib/extra.py]\n",
            "flows/mine/ask.py": TOOL.format(imports="", body="    import extra, late\n    return extra.V + late.V"),
        },
    )
    made = open_engine(load_flow("mine", space), "native")
    assert (await made.run_line({"question": "?"}, Line({}))).output == {"answer": "includedlate word"}
    await made.aclose()


async def test_a_tool_that_cannot_be_imported_is_said_with_file_and_line(write: Write) -> None:
    space = space_of(write, "space", "word", flows__mine__words="\nWORD = missing\n")
    for engine in ("native", "promptflow"):
        with pytest.raises(DriftgateError, match=r"flow 'mine': flows/mine/words\.py, line 2.*NameError.*'missing'"):
            open_engine(load_flow("mine", space), engine)


def bound(space: Path) -> Any:
    return load_evaluators(load_flow("mine", space), EvaluatorContext({}, space))


def test_an_evaluator_beside_the_flow_goes_before_one_of_the_workspace(write: Write) -> None:
    space = space_of(
        write, "space", "word", flows__mine__my_eval="def grade(said):\n    return {'correct': 'beside'}\n"
    )
    (binding,) = bound(space).bindings
    assert binding.call("word") == {"correct": "beside"}


CHANGES = {
    "my_eval.py": True,
    "helpers.py": True,
    "checks/late.py": True,
    "checks/__init__.py": True,
    "unrelated.py": False,
    "flows/mine/words.py": False,
}


@pytest.mark.parametrize("changed", CHANGES)
def test_an_evaluator_s_hash_covers_what_it_imports(write: Write, changed: str) -> None:
    files = {
        "helpers": "def right(said):\n    from checks import late\n    return late.V\n",
        "checks__late": "V = 1\n",
        "unrelated": "V = 1\n",
    }
    space = space_of(write, "space", "word", **files)
    write("space", {"checks/__init__.py": ""})
    before = bound(space).own
    assert bound(space).own == before and list(before) == ["ask.mine"]
    file = space / changed
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert (bound(space).own != before) == CHANGES[changed]


@pytest.mark.parametrize(
    ("changed", "counts"),
    [("flows/mine/ask.py", True), ("flows/mine/words.py", True), ("late.py", True), ("my_eval.py", False)],
)
def test_a_flow_s_hash_covers_what_its_tools_import(write: Write, changed: str, counts: bool) -> None:
    space = space_of(write, "space", "word")
    before = load_flow("mine", space).content_hash()
    assert load_flow("mine", space).content_hash() == before
    file = space / changed
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert (load_flow("mine", space).content_hash() != before) == counts


def test_a_hash_is_the_same_wherever_the_workspace_lies(write: Write) -> None:
    hashes = set()
    for name in ("here", "there"):
        space = space_of(write, name, "word")
        hashes.add((load_flow("mine", space).content_hash(), *bound(space).own.values()))
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import parts.one", {"parts/__init__", "parts/one"}),
        ("from parts import one, NAME", {"parts/__init__", "parts/one"}),
        ("from parts import *", {"parts/__init__", "parts/one", "parts/two"}),
        ("def f():\n    from parts.one import V", {"parts/__init__", "parts/one"}),
        ("import importlib\nimportlib.import_module('parts.two')", {"parts/__init__", "parts/two"}),
        ("import chain", {"chain", "parts/__init__", "parts/one", "parts/two"}),
        ("import json, os.path", set()),
        ("from . import chain", {"chain", "parts/__init__", "parts/one", "parts/two"}),
    ],
)
def test_every_form_of_import_counts(write: Write, source: str, imported: set[str]) -> None:
    files = {
        "parts/__init__.py": "NAME = 1\n",
        "parts/one.py": "V = 1\n",
        "parts/two.py": "from .one import V\n",
        "chain.py": "import parts.two\n",
    }
    space = write("space", {**files, "port.py": source})
    before = Port("port:run", space).source_hash
    changing = set()
    for path, text in files.items():
        (space / path).write_text(text + "# changed\n", encoding="utf-8")
        if Port("port:run", space).source_hash != before:
            changing.add(path.removesuffix(".py"))
        (space / path).write_text(text, encoding="utf-8")
    assert changing >= imported
    assert not (changing - imported) - {"parts/one"}  # two imports one


@pytest.mark.parametrize("python", [None, Path(sys.executable)])
async def test_a_port_imports_the_workspace_s_modules(write: Write, python: Path | None) -> None:
    space = space_of(
        write,
        "space",
        "word",
        my_port="import helpers, json, promptflow\n\n\ndef port(question):\n    import late\n"
        "    return f'{json.NAME} {late.V} {len(promptflow.__path__) > 0}'\n",
        json="NAME = 'own json'\n",
    )
    flow = load_flow("mine", space).ported(Port("my_port:port", space, python))
    made = open_engine(flow, "native")
    result = await made.run_line({"question": "?"}, Line({}))
    await made.aclose()
    assert result.output == {"answer": "own json late word True"}, result.error


async def test_a_port_in_another_process_may_start_processes_itself(write: Write) -> None:
    source = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import helpers

def work(question):
    return str(helpers.right(question))

def port(question):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, question).result(60)
"""
    space = space_of(write, "space", "word", my_port=source)
    flow = load_flow("mine", space).ported(Port("my_port:port", space, Path(sys.executable)))
    made = open_engine(flow, "native")
    result = await made.run_line({"question": "word"}, Line({}))
    await made.aclose()
    assert result.output == {"answer": "True"}, result.error


@pytest.mark.parametrize("python", [None, Path(sys.executable)])
async def test_a_port_that_cannot_be_imported_is_said_with_file_and_line(write: Write, python: Path | None) -> None:
    space = space_of(write, "space", "word", my_port="\nimport no_such_library\n")
    with pytest.raises(DriftgateError, match=r"my_port\.py, line 2 imports 'no_such_library'.*; install it"):
        made = open_engine(load_flow("mine", space).ported(Port("my_port:port", space, python)), "native")
        try:
            await made.run_line({"question": "?"}, Line({}))
        finally:
            await made.aclose()
