"""A workspace with code of its own, through the command line, from wherever it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make

from driftgate.ledger import cells_of, latest_runs, open_ledger, outcome_frame

DAG = """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
"""
ASK = """
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model
from wording import worded

@tool
async def ask(question: str) -> str:
    return (await ask_model(worded(question))).text
"""
EVALUATORS = """
primary: ask.mine.correct
nodes:
  ask: {mine: {evaluator: "my_eval:grade", inputs: {said: "${nodes.ask.output}", gold: "${data.answer}"}}}
"""
MINE = "import helpers\n\n\ndef grade(said, gold):\n    return {'correct': helpers.same(said, gold)}\n"
# Names that driftgate, or something that it uses, once had on the path.
IN_THE_WAY = (
    "flows/__init__",
    "benchmarks/__init__",
    "finetune/__init__",
    "monitor",
    "ledger",
    "cli",
    "yaml",
    "json",
    "logging",
    "typing",
)


@pytest.fixture
def space(make: Make) -> Path:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["small"] |= {"flow": "mine", "variants": []}

    folder = make(12, change)
    files = {
        "flows/mine/flow.dag.yaml": DAG,
        "flows/mine/ask.py": ASK,
        "flows/mine/evaluators.yaml": EVALUATORS,
        "flows/mine/wording.py": "def worded(question):\n    return question\n",
        "my_eval.py": MINE,
        "helpers.py": "def same(said, gold):\n    return said == gold\n",
        **{f"{name}.py": "raise RuntimeError('this is nobody else\\'s')\n" for name in IN_THE_WAY},
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def details(folder: Path) -> dict[str, Any]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (cell,) = cells_of(ledger, latest_runs(ledger, 1)[0].id)
        frame = outcome_frame(ledger, cell.id)
        return {
            **cell.details,
            "signature": cell.signature,
            "outcomes": [*frame["outcome"]],
            "correct": [*frame["correct"]],
        }
    finally:
        ledger.close()


@pytest.mark.parametrize("inside", [True, False])
def test_it_just_works_in_a_process_of_its_own(space: Path, tmp_path: Path, inside: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    for command in ("doctor", "bench", "nightly"):
        done = subprocess.run(
            [sys.executable, "-m", "driftgate", command, "-w", "." if inside else str(space)],
            cwd=space if inside else tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert details(space)["outcomes"] == ["answered"] * 12
    assert details(space)["correct"] == [1.0] * 12
    assert not list(space.rglob("__pycache__"))  # what ran is what is there


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ("my_eval.py", "evaluators_hash"),
        ("helpers.py", "evaluators_hash"),
        ("flows/mine/wording.py", "flow_hash"),
    ],
)
def test_a_run_is_not_resumed_after_a_change_of_its_code(
    space: Path, cli: Cli, endpoint: ChatEndpoint, changed: str, what: str
) -> None:
    from chat_endpoint import Status

    good, endpoint.default = endpoint.default, Status(401)
    assert cli("bench", "small", "-w", space).code == 2
    endpoint.default = good
    before = details(space)
    file = space / changed
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "# another\n", encoding="utf-8")
    refused = cli("bench", "--resume", "-w", space)
    assert refused.code == 2 and f"{what} changed since it began" in refused.err
    file.write_text(text, encoding="utf-8")
    assert cli("bench", "--resume", "-w", space).code == 0
    file.write_text(text + "# another\n", encoding="utf-8")
    assert cli("bench", "small", "-w", space).code == 0
    after = details(space)
    assert after[what] != before[what]
    assert after["signature"] != before["signature"]


def test_a_changed_evaluator_is_used_by_the_next_run_of_the_same_process(space: Path, cli: Cli) -> None:
    assert cli("bench", "small", "-w", space).code == 0
    assert details(space)["correct"] == [1.0] * 12
    (space / "helpers.py").write_text("def same(said, gold):\n    return said != gold\n", encoding="utf-8")
    assert cli("bench", "small", "-w", space).code == 0
    assert details(space)["correct"] == [0.0] * 12


@pytest.mark.parametrize("command", ["doctor", "bench"])
@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "my_eval.py",
            "import helpers\n\n\ndef grad(said, gold):\n    return {}\n",
            "my_eval.py has no 'grade' did you mean 'grad'?",
        ),
        ("my_eval.py", MINE + "    +\n", "my_eval.py, line 6 is not Python"),
        ("my_eval.py", "import no_such\n", "my_eval.py, line 1 imports 'no_such', which is neither in"),
        ("helpers.py", "\n\n1 / 0\n", "helpers.py, line 3, when it is imported: ZeroDivisionError"),
        ("flows/mine/wording.py", "\n\n1 / 0\n", "flows/mine/wording.py, line 3, when it is imported: ZeroDivision"),
    ],
)
def test_what_cannot_be_imported_is_said_before_anything_is_asked(
    space: Path, cli: Cli, endpoint: ChatEndpoint, command: str, file: str, text: str, said: str
) -> None:
    (space / file).write_text(text, encoding="utf-8")
    done = cli(command, *(["small"] if command == "bench" else []), "-w", space)
    assert done.code == 2
    assert said in " ".join((done.out + done.err).split())
    assert "defect" not in done.err
    assert len(endpoint.requests) == (command == "doctor")  # which asks the model itself, and no sample
