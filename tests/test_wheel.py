"""What is installed: one top-level name, with all it needs, beside whatever else a user has of the old names."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from wheels import FOLDERS, PROJECT, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a copy of the project, with leftovers lying around."""
    return build_wheel(tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as pip would leave it, beside other distributions with packages of the names that once were ours."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('another {name}')\n", encoding="utf-8")
    return folder


@pytest.fixture
def space(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A user's workspace that has what collided before."""
    endpoint.default = Answer("B")
    config = {
        "version": 1,
        "include": ["benchmarks/*.yaml"],
        "models": {"m": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"}},
        "datasets": {"own": {"kind": "csv", "path": "own.csv", "columns": {"choices": ["A", "B"]}}},
    }
    suites = {"suites": {"own": {"models": ["m"], "datasets": ["own"], "flow": "ours"}}}
    gates = {"gates": {"own": {"suite": "own", "rules": [{"metric": "ask.mine.correct", "min": 0.5}]}}}
    evaluator = {"evaluator": "my_eval:grade", "inputs": {"said": "${nodes.ask.output}", "gold": "${data.answer}"}}
    dag = {
        "inputs": {"question": {"type": "string"}},
        "outputs": {"answer": {"type": "string", "reference": "${ask.output}"}},
        "nodes": [
            {
                "name": "ask",
                "type": "python",
                "source": {"type": "code", "path": "ask.py"},
                "inputs": {"question": "${inputs.question}"},
            }
        ],
    }
    tool = """
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model
from flows import SUFFIX

@tool
async def ask(question: str) -> str:
    return (await ask_model(question + SUFFIX)).text
"""
    rows = "question,A,B,answer\n" + "".join(f"문제 {n}번은?,가{n},나{n},B\n" for n in range(30))
    files = {
        "driftgate.yaml": yaml.safe_dump(config),
        "own.csv": rows,
        "benchmarks/__init__.py": "",
        "benchmarks/suites.yaml": yaml.safe_dump(suites),
        "benchmarks/gates.yaml": yaml.safe_dump(gates),
        "flows/__init__.py": "SUFFIX = '!'\n",
        "flows/ours/flow.dag.yaml": yaml.safe_dump(dag),
        "flows/ours/evaluators.yaml": yaml.safe_dump(
            {"primary": "ask.mine.correct", "nodes": {"ask": {"mine": evaluator}}}
        ),
        "flows/ours/ask.py": tool,
        "monitor.py": "FACTOR = 1.0\n",
        "yaml.py": "raise RuntimeError('not the library')\n",
        "my_eval.py": "import monitor, benchmarks\n\n\ndef grade(said, gold):\n"
        "    return {'correct': monitor.FACTOR * (said == gold)}\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def driftgate(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, called from inside ``folder``."""
    hidden = {"PYTHONSAFEPATH", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = "import runpy, sys; sys.argv[0] = 'driftgate'; import driftgate; print(driftgate.__file__); "
    command += "runpy.run_module('driftgate', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-P", "-c", command, *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_has_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = {name.partition("/")[0] for name in names} - {"driftgate"}
        assert about.startswith("driftgate-") and about.endswith(".dist-info")
        assert archive.read(f"{about}/top_level.txt").decode().split() == ["driftgate"]
        # What pip would remove, or let another distribution overwrite, is below these two names as well.
        record = archive.read(f"{about}/RECORD").decode().splitlines()
    assert {line.partition("/")[0] for line in record} == {"driftgate", about}


def test_the_wheel_has_every_file_of_the_project(wheel: Path) -> None:
    wanted = {f"driftgate/{path}" for path in files_of(PROJECT / "driftgate")} | {"driftgate/shipped/driftgate.yaml"}
    for folder in FOLDERS:
        found = {path for path in files_of(PROJECT / folder) if not path.startswith("perf/")}
        assert found
        wanted |= {f"driftgate/shipped/{folder}/{path}" for path in found}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == wanted


def files_of(folder: Path) -> set[str]:
    every = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix() for path in every if not any(part.startswith((".", "__pycache__")) for part in path.parts)}


def test_a_workspace_with_names_that_once_were_ours_runs(site: Path, space: Path, endpoint: ChatEndpoint) -> None:
    for arguments in (["bench", "own"], ["gate", "latest"]):
        done = driftgate(site, space, *arguments)
        assert done.stdout.startswith(str(site)), done.stdout
        assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(endpoint.asked) == sorted(f"문제 {n}번은?!" for n in range(30))


@pytest.mark.core
def test_a_new_workspace_is_made_from_what_is_installed(site: Path, tmp_path: Path) -> None:
    for arguments in (["init", "new"], ["init", "second", "--example", "rag"]):
        done = driftgate(site, tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
    new = tmp_path / "new"
    assert {path.name for path in new.iterdir() if path.is_dir()} == set(FOLDERS)
    done = driftgate(site, tmp_path, "doctor", "-w", "new")
    assert "good  workspace file" in done.stdout, done.stdout + done.stderr
    for file in ("driftgate.yaml", "benchmarks/suites.yaml", "benchmarks/gates.yaml", "monitor/monitors.yaml"):
        # The second line on is the project's own file; the first is for editors.
        assert (new / file).read_text("utf-8").partition("\n")[2] == (PROJECT / file).read_text("utf-8")
