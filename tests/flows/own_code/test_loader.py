"""A workspace's own code: imported from its folder, and met by nobody else."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.flows.own_code import own_code

Write = Callable[..., Path]


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
