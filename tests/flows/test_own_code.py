"""A workspace's own code: imported from its folder, and met by nobody else."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import open_engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext, load_evaluators
from driftgate.flows.line import Line
from driftgate.flows.own_code import own_code
from driftgate.flows.port import Port

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("space", {path: text})`` writes files below a folder and returns it."""

    def into(name: str, files: Mapping[str, str]) -> Path:
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / name

    return into


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Any:
    path, names = list(sys.path), {name for name in sys.modules if "own_code" not in name}
    yield
    assert sys.path == path
    shadowed = {"helpers", "monitor", "benchmarks", "my_eval", "checks", "ask", "common"}
    assert not ({name for name in sys.modules if "own_code" not in name} - names) & shadowed


def test_modules_of_a_workspace_import_one_another(write: Write) -> None:
    folder = write(
        "space",
        {
            "my_eval.py": "import helpers\nfrom checks.words import WORD\nimport checks.deep.number as number\n\n"
            "def said():\n    from checks import late\n    return helpers.V, WORD, number.V, late.V\n",
            "helpers.py": "V = 'helper'\n",
            "checks/__init__.py": "",
            "checks/words.py": "from . import late\nfrom .deep.number import V\nWORD = f'word {V}'\n",
            "checks/late.py": "V = 'late'\n",
            "checks/deep/number.py": "V = 7\n",
        },
    )
    assert own_code(folder).load("my_eval:said")() == ("helper", "word 7", 7, "late")


def test_two_workspaces_of_one_process_have_modules_of_the_same_names(write: Write) -> None:
    files = {"my_eval.py": "import helpers\n\ndef said():\n    import late\n    return helpers.V, late.V\n"}
    one, other = (
        own_code(write(name, files | {"helpers.py": f"V = '{name}'", "late.py": f"V = 'late {name}'"})).load(
            "my_eval:said"
        )
        for name in ("one", "other")
    )
    assert (one(), other()) == (("one", "late one"), ("other", "late other"))


SHADOWS = (
    "json",
    "yaml",
    "asyncio",
    "typing",
    "pandas",
    "promptflow",
    "monitor",
    "flows/__init__",
    "benchmarks/__init__",
)


def test_files_called_as_libraries_are_seen_by_the_workspace_alone(write: Write) -> None:
    folder = write(
        "space",
        {f"{name}.py": f"NAME = '{name}'\n" for name in SHADOWS}
        | {"my_eval.py": "import json, yaml, flows\nimport statistics\nNAMES = json.NAME, yaml.NAME, flows.NAME\n"},
    )
    assert own_code(folder).load("my_eval:NAMES") == ("json", "yaml", "flows/__init__")
    import json

    import yaml

    assert yaml.safe_load("a: 1") == json.loads('{"a": 1}')


def test_a_folder_called_as_an_installed_package_hides_it_only_where_it_leads_to_a_module(write: Write) -> None:
    folder = write(
        "space",
        {
            "yaml/notes.txt": "",
            "azure/own.py": "V = 1\n",
            "my_eval.py": "import yaml\nfrom azure import own\nimport azure.identity\n"
            "V = yaml.safe_load('2') + own.V, azure.identity.__name__\n",
        },
    )
    assert own_code(folder).load("my_eval:V") == (3, "azure.identity")


def test_driftgate_itself_is_never_the_workspace_s(write: Write) -> None:
    folder = write(
        "space",
        {
            "driftgate/__init__.py": "raise RuntimeError('not ours')",
            "driftgate/flows/__init__.py": "",
            "my_eval.py": "from driftgate.flows.errors import DriftgateError\nE = DriftgateError\n",
        },
    )
    assert own_code(folder).load("my_eval:E") is DriftgateError


def test_what_is_not_in_the_workspace_is_what_is_installed(write: Write) -> None:
    import math

    folder = write("space", {"data/x.txt": ""})
    assert own_code(folder).load("math:sqrt") is math.sqrt


def test_what_changed_is_imported_anew_with_all_that_uses_it(write: Write) -> None:
    code = own_code(write("space", {"my_eval.py": "import helpers\nV = helpers.V\n", "helpers.py": "V = 1\n"}))
    assert code.load("my_eval:V") == 1
    write("space", {"helpers.py": "V = 2\n"})  # within the same second, of the same size
    assert code.load("my_eval:V") == 2
    write("space", {"my_eval.py": "V = 3\n"})
    assert code.load("my_eval:V") == 3


def test_what_did_not_change_is_imported_once(write: Write) -> None:
    code = own_code(write("space", {"my_eval.py": "MADE = object()\n"}))
    assert code.load("my_eval:MADE") is code.load("my_eval:MADE")


def test_a_module_that_came_later_goes_before_an_installed_one(write: Write) -> None:
    code = own_code(write("space", {"my_eval.py": "import json\nV = json.dumps(1)\n"}))
    assert code.load("my_eval:V") == "1"
    write("space", {"json.py": "dumps = str.upper\n", "my_eval.py": "import json\nV = json.dumps('a')\n"})
    assert code.load("my_eval:V") == "A"


def test_a_flow_imports_anew_what_changed_in_the_workspace_around_it(write: Write) -> None:
    space = write("space", {"common.py": "V = 1\n", "flows/mine/helpers.py": "from common import V\n"})
    flow, workspace = own_code(space / "flows/mine", space), own_code(space)
    assert flow.load("helpers:V") == workspace.load("common:V") == 1
    write("space", {"common.py": "V = 2\n"})
    assert workspace.load("common:V") == 2
    assert flow.load("helpers:V") == 2


def test_a_failed_import_is_tried_again(write: Write) -> None:
    code = own_code(write("space", {"my_eval.py": "import helpers\nV = helpers.V\n", "helpers.py": "V = 1 / 0\n"}))
    with pytest.raises(DriftgateError, match=r"helpers\.py, line 1.*ZeroDivisionError"):
        code.load("my_eval:V")
    write("space", {"helpers.py": "V = 1 / 1\n"})
    assert code.load("my_eval:V") == 1


def test_importlib_finds_what_import_statements_find(write: Write) -> None:
    source = (
        "import importlib\nfrom importlib import import_module\nimport importlib.util\n\n"
        "def said(name):\n    return importlib.import_module(name).V, import_module('helpers').V\n"
        "HAS = importlib.util.find_spec('math') is not None\n"
        "JOIN = import_module('os.path').join\n"
    )
    code = own_code(write("space", {"my_eval.py": source, "helpers.py": "V = 1\n"}))
    assert code.load("my_eval:said")("helpers") == (1, 1)
    assert code.load("my_eval:HAS") and code.load("my_eval:JOIN")


def test_objects_go_through_pickle_and_into_other_processes(write: Write) -> None:
    source = """
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
import multiprocessing
import helpers

@dataclass
class Grade:
    value: int

def double(grade):
    return Grade(grade.value * helpers.FACTOR)

def in_another_process(value):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(double, Grade(value)).result(60).value
"""
    code = own_code(write("a.space with 가", {"my_eval.py": source, "helpers.py": "FACTOR = 3\n"}))
    grade = code.load("my_eval:Grade")(2)
    assert pickle.loads(pickle.dumps(grade)) == grade
    assert code.load("my_eval:in_another_process")(4) == 12


def test_a_module_may_wait_for_a_thread_that_imports(write: Write) -> None:
    source = """
import threading
found = []
def work():
    import helpers
    found.append(helpers.V)
thread = threading.Thread(target=work)
thread.start()
thread.join(20)
V = found[0]
"""
    code = own_code(write("space", {"my_eval.py": source, "helpers.py": "V = 5\n"}))
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(code.load("my_eval:V")))
    thread.start()
    thread.join(30)
    assert done == [5]


BROKEN = {
    "my_evl:f": r"there is no module 'my_evl' in .*space, and none is installed; did you mean 'my_eval'\?",
    "my_eval.py:f": r"there is no module 'my_eval.py'.*did you mean 'my_eval'\?",
    "my_eval:grad": r"my_eval\.py has no 'grad'; did you mean 'grade'\?",
    "my_eval": r"'my_eval' is not module:name; write it as my_module:my_function",
    "my eval:grade": r"'my eval:grade' is not module:name",
    "..secrets:key": r"'\.\.secrets:key' is not module:name",
    "bad_syntax:f": r"bad_syntax\.py, line 2 is not Python: .*; correct it",
    "bad_bytes:f": r"bad_bytes\.py.* is not Python: .*utf-8.*; correct it; save it as UTF-8",
    "raises:f": r"raises\.py, line 3, when it is imported: ZeroDivisionError: division by zero; correct it",
    "deep:f": r"raises\.py, line 3, when it is imported: ZeroDivisionError",
    "exits:f": r"exits\.py, line 2, when it is imported: SystemExit: 3",
    "needs:f": r"needs\.py, line 2 imports 'no_such_library', which is neither in .*space nor installed; install it",
    "needs_own:f": r"needs_own\.py, line 1 imports 'parts\.absent'",
    "needs_name:f": r"needs_name\.py, line 1, when it is imported: .*cannot import name 'absent' from 'my_eval'",
    "parts.absent:f": r"there is no module 'parts\.absent' in .*space",
    "linked:f": r"linked\.py leads to .*outside\.py, outside the workspace; put the file itself into the workspace",
    "imports_linked:f": r"linked\.py leads to .*outside\.py, outside the workspace",
}


@pytest.mark.parametrize("target", BROKEN)
def test_what_cannot_be_imported_is_said_with_file_and_line(write: Write, target: str) -> None:
    outside = write("elsewhere", {"outside.py": "f = 1\n"}) / "outside.py"
    folder = write(
        "space",
        {
            "my_eval.py": "def grade():\n    return {}\n",
            "bad_syntax.py": "\nx = = 1\n",
            "raises.py": "\n\n1 / 0\n",
            "deep.py": "import raises\n",
            "exits.py": "import sys\nsys.exit(3)\n",
            "needs.py": "\nimport no_such_library\n",
            "needs_own.py": "from parts.absent import f\n",
            "needs_name.py": "from my_eval import absent\n",
            "parts/one.py": "",
            "imports_linked.py": "try:\n    import linked\nexcept ImportError:\n    f = 1\n",
        },
    )
    (folder / "bad_bytes.py").write_bytes("f = '한글'\n".encode("cp949"))
    (folder / "linked.py").symlink_to(outside)
    with pytest.raises(DriftgateError, match=BROKEN[target]) as refused:
        own_code(folder).load(target)
    assert "own_code" not in str(refused.value)
    assert refused.value.remedy


# The same code as evaluators, tools and ports.

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
