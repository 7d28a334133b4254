"""Evaluation flows with aggregation nodes as evaluators, through the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, Step
from command_line import Cli, Make

from driftgate.benchmarks.scores import CellScores, score_cell, score_run
from driftgate.ledger import aggregations_of, cells_of, evaluation_means, find_run, latest_runs, open_ledger, run_hash

DAG = """
inputs: {question: {type: string}, choices: {type: list}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: say, type: prompt, source: {type: code, path: say.jinja2}, inputs: {question: "${inputs.question}"}}
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {prompt: "${say.output}"}}
"""
ASK = """
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model

@tool
async def ask(prompt: str) -> str:
    return (await ask_model(prompt)).text
"""
EVALUATORS = """
primary: ask.choice.correct
nodes:
  ask:
    choice: {evaluator: choice, inputs: {answer: "${nodes.ask.output}", gold: "${data.answer}"}}
    grades:
      evaluator: flow:evaluators/grades
      inputs: {question: "${data.question}", answer: "${nodes.ask.output}", truth: "${data.answer}"}
"""
GRADES_DAG = """
inputs: {question: {type: string}, answer: {type: string}, truth: {type: string}}
outputs: {grade: {type: string, reference: "${grade.output.grade}"}}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {question: "${inputs.question}", answer: "${inputs.answer}", truth: "${inputs.truth}"}
- name: late
  type: python
  source: {type: code, path: late.py}
  inputs: {answer: "${inputs.answer}"}
  activate: {when: "${grade.output.grade}", is: "0"}
- name: accuracy
  type: python
  aggregation: true
  source: {type: code, path: accuracy.py}
  inputs: {grades: "${grade.output.grade}", truths: "${flow.truth}", late: "${late.output}"}
"""
GRADE = """
from promptflow.core import tool

@tool
def grade(question: str, answer: str, truth: str) -> dict:
    if "failing" in answer:
        raise ValueError("this answer cannot be graded")
    return {"grade": "1" if answer == truth else "0", "text": question * 50}
"""
LATE = """
from promptflow.core import tool

@tool
def late(answer: str) -> str:
    return answer.lower()
"""
ACCURACY = """
from typing import List
from promptflow.core import log_metric, tool

@tool
def accuracy(grades: List[str], truths: List[str], late: List[str]) -> float:
    right = sum(grade == "1" for grade in grades)
    log_metric("accuracy", right / len(grades))
    log_metric("first", "ABCD".index(truths[0]))
    log_metric("second", "ABCD".index(truths[1]))
    log_metric("bypassed", late.count(None))
    return right
"""
FILES = {
    "flows/mine/flow.dag.yaml": DAG,
    "flows/mine/say.jinja2": "# user:\n{{ question }}\n",
    "flows/mine/ask.py": ASK,
    "flows/mine/evaluators.yaml": EVALUATORS,
    "evaluators/grades/flow.dag.yaml": GRADES_DAG,
    "evaluators/grades/grade.py": GRADE,
    "evaluators/grades/late.py": LATE,
    "evaluators/grades/accuracy.py": ACCURACY,
}
PREFIX = "ask.grades.aggregate"


def number(prompt: str) -> int:
    return int(re.findall(r"문제 (\d+)번은", prompt)[-1])


def mostly_right(prompt: str) -> Step:
    """Every third answer is wrong."""
    n = number(prompt)
    return Answer("ABCD"[(n + (n % 3 == 2)) % 4])


@pytest.fixture
def space(make: Make, endpoint: ChatEndpoint) -> Callable[..., Path]:
    """``space(count, rules)``: a workspace whose flow is graded by an evaluation flow."""

    def build(count: int, rules: Any = (), files: Any = (), **model: Any) -> Path:
        def change(config: dict[str, Any]) -> None:
            config["models"]["tested"] |= model
            config["suites"]["small"] |= {"flow": "mine", "variants": []}
            if rules:
                config["gates"]["small"]["rules"] = list(rules)

        folder: Path = make(count, change)
        for name, text in {**FILES, **dict(files)}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        endpoint.default = mostly_right
        return folder

    return build


def scored(folder: Path) -> CellScores:
    """The newest run's only cell."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, latest_runs(ledger, 1)[0].id)
    scores = score_cell(ledger, cell)
    ledger.close()
    return scores


def logged(scores: CellScores) -> dict[str, tuple[float | None, int]]:
    return {row.metric: (row.value, row.n) for row in scores.rows if row.metric.startswith(PREFIX)}


def test_what_an_evaluation_flow_logs_is_a_score(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    rules = [{"metric": f"{PREFIX}.accuracy", "min": 0.6}, {"metric": f"{PREFIX}.accuracy", "max": 0.6}]
    folder = space(9, rules)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    scores = scored(folder)
    assert logged(scores) == {
        f"{PREFIX}.accuracy": (pytest.approx(6 / 9), 9),
        f"{PREFIX}.first": (0.0, 9),
        f"{PREFIX}.second": (1.0, 9),
        f"{PREFIX}.bypassed": (6.0, 9),
    }
    row = scores.get(f"{PREFIX}.accuracy")
    assert row is not None and (row.low, row.high) == (None, None)
    assert f"{PREFIX}.accuracy 0.6667" in done.out
    asked = len(endpoint.requests)
    assert cli("runs", "rescore", "latest", "--as", "published-ko", "-w", folder).code == 0
    gate = cli("gate", "latest", "-w", folder, "--json", tmp_path / "gate.json")
    assert gate.code == 1
    holds, broken = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))[0]["rules"]
    assert (holds["verdict"], broken["verdict"]) == ("pass", "fail")
    assert "one number that an aggregation node logged over 9 lines" in holds["reason"]
    assert cli("report", "latest", "-w", folder).code == 0
    (page,) = folder.rglob("*.html")
    assert "aggregate.accuracy" in page.read_text(encoding="utf-8")
    assert len(endpoint.requests) == asked


def test_only_what_the_aggregation_reads_is_kept(space: Callable[..., Path], cli: Cli) -> None:
    from driftgate.ledger import evaluated_lines_of

    folder = space(3)
    assert cli("bench", "small", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    lines = evaluated_lines_of(ledger, cell.id, "ask", "grades")
    ledger.close()
    assert len(lines) == 3
    for line in lines.values():
        assert set(line.outputs) == {"${grade.output.grade}", "${late.output}"}
        assert line.inputs["question"] == line.inputs["answer"] == ""
        assert line.inputs["truth"] in "ABCD"


def test_a_line_whose_evaluation_fails_is_left_out_and_decides_no_gate(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = space(9, [{"metric": f"{PREFIX}.accuracy", "min": 0.1}])
    endpoint.script("문제 1번", Answer("failing"))  # its evaluation fails
    endpoint.script("문제 2번", Status(500, {"error": {"message": "boom"}}))  # its line fails
    assert cli("bench", "small", "-w", folder).code == 0
    scores = scored(folder)
    assert logged(scores)[f"{PREFIX}.accuracy"] == (pytest.approx(5 / 7), 7)
    assert logged(scores)[f"{PREFIX}.second"] == (3.0, 7)  # the second line that is left is the fourth question
    ledger = open_ledger(".driftgate/ledger.db", folder)
    errors = [m["errors"] for m in evaluation_means(ledger, scores.cell.id) if m["evaluator"] == "grades"]
    ledger.close()
    assert sum(errors) == 1
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 4
    assert "2 of 9 samples are not among the lines that were aggregated" in gate.out


@pytest.mark.parametrize(
    ("files", "answer", "said"),
    [
        ({"evaluators/grades/accuracy.py": ACCURACY.replace("    right =", "    1 / 0\n    right =")}, "A", "by zero"),
        ({}, "failing", "no line was evaluated"),
    ],
)
def test_an_aggregation_that_fails_costs_no_sample_and_decides_no_gate(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint, files: Any, answer: str, said: str
) -> None:
    folder = space(4, [{"metric": f"{PREFIX}.accuracy", "min": 0.1}], files)
    endpoint.default = Answer(answer)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert said in done.out and not logged(scored(folder))
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 4
    assert f"the aggregation failed: {'division by zero' if 'zero' in said else said}" in gate.out


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": f"{PREFIX}.acuracy", "min": 0.1}, f"did you mean '{PREFIX}.accuracy'"),
        ({"metric": f"{PREFIX}.accuracy", "no_worse_than": "previous"}, "one number for all lines"),
        ({"metric": f"{PREFIX}.accuracy", "min": 0.1, "slices": "category"}, "one number for all lines"),
    ],
)
def test_rules_that_cannot_be_about_an_aggregation(space: Callable[..., Path], cli: Cli, rule: Any, said: str) -> None:
    folder = space(4, [rule])
    assert cli("bench", "small", "-w", folder).code == 0
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 2
    assert said in gate.err


def test_a_rule_about_what_the_cell_s_own_flow_logs(space: Callable[..., Path], cli: Cli) -> None:
    letters = """- name: letters
  type: python
  aggregation: true
  source: {type: code, path: letters.py}
  inputs: {said: "${ask.output}"}
"""
    tool = "from promptflow.core import log_metric, tool\n\n@tool\ndef letters(said: list) -> int:\n"
    tool += "    log_metric('letters', len(set(said)))\n    return 0\n"
    files = {"flows/mine/flow.dag.yaml": DAG + letters, "flows/mine/letters.py": tool}
    folder = space(8, [{"metric": "aggregate.letters", "min": 3}, {"metric": "aggregate.letters", "max": 4}], files)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert "aggregate.letters 4 (over 8 of 8 samples)" in done.out
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 0, gate.out


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_killed_and_resumed_run_aggregates_all_its_lines(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint
) -> None:
    folder = space(60, [{"metric": f"{PREFIX}.accuracy", "min": 0.1}], in_flight=4)
    assert cli("bench", "small", "-w", folder).code == 0
    undisturbed = logged(scored(folder))
    for path in (folder / ".driftgate").iterdir():
        path.unlink()
    endpoint.forget()
    endpoint.default = lambda prompt: Answer(mostly_right(prompt).text, seconds=0.04)  # type: ignore[union-attr]
    process = subprocess.Popen([sys.executable, "-m", "driftgate", "bench", "small", "-w", str(folder)])
    try:
        deadline = time.monotonic() + 60
        while len(endpoint.requests) < 25:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert not logged(scored(folder))
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 2 and "finish it with" in gate.err  # a part decides nothing
    done = cli("bench", "small", "--resume", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) < 2 * 60  # it went on, and did not begin anew
    assert logged(scored(folder)) == undisturbed
    assert undisturbed[f"{PREFIX}.accuracy"] == (pytest.approx(40 / 60), 60)


def test_failed_samples_that_are_asked_again_join_the_aggregation(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint
) -> None:
    folder = space(6)
    endpoint.script("문제 2번", Status(500, {"error": {"message": "boom"}}), Answer("C"))
    assert cli("bench", "small", "-w", folder).code == 0
    assert logged(scored(folder))[f"{PREFIX}.accuracy"] == (pytest.approx(4 / 5), 5)
    assert cli("bench", "small", "--resume", "--retry-failed", "-w", folder).code == 0
    assert logged(scored(folder))[f"{PREFIX}.accuracy"] == (pytest.approx(5 / 6), 6)


def test_it_is_what_prompt_flow_s_own_executor_aggregates(
    space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint
) -> None:
    folder = space(12)
    endpoint.script("문제 7번", Answer("failing"))
    assert cli("bench", "small", "-w", folder).code == 0
    ours = {name.removeprefix(f"{PREFIX}."): value for name, (value, _) in logged(scored(folder)).items()}

    from promptflow.executor import FlowExecutor

    executor = FlowExecutor.create(folder / "evaluators/grades/flow.dag.yaml", {}, raise_ex=False)
    given: dict[str, list[Any]] = {"question": [], "answer": [], "truth": []}
    taken: dict[str, list[Any]] = {}
    for n in range(12):
        prompt, text = f"문제 {n}번은?", "failing" if n == 7 else mostly_right(f"문제 {n}번은?").text  # type: ignore[union-attr]
        inputs = {"question": prompt, "answer": text, "truth": "ABCD"[n % 4]}
        result = executor.exec_line(inputs, index=n)
        if result.run_info.status.value == "Completed":
            for name, value in inputs.items():
                given[name].append(value)
            for name, value in result.aggregation_inputs.items():
                taken.setdefault(name, []).append(value)
    assert len(given["truth"]) == 11
    assert executor.exec_aggregation(given, taken).metrics == ours


def test_the_evaluation_flow_s_files_are_part_of_what_was_asked(space: Callable[..., Path], cli: Cli) -> None:
    folder = space(3)
    assert cli("bench", "small", "-w", folder).code == 0
    before = scored(folder).cell.details["evaluators_hash"]
    assert cli("bench", "small", "-w", folder).code == 0
    assert scored(folder).cell.details["evaluators_hash"] == before
    (folder / "evaluators/grades/accuracy.py").write_text(ACCURACY + "\n# another\n", encoding="utf-8")
    assert cli("bench", "small", "-w", folder).code == 0
    assert scored(folder).cell.details["evaluators_hash"] != before


def test_scoring_again_changes_nothing(space: Callable[..., Path], cli: Cli, endpoint: ChatEndpoint) -> None:
    folder = space(6)
    assert cli("bench", "small", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = find_run(ledger, "latest")
    content, asked = run_hash(ledger, run.id), len(endpoint.requests)
    (one,) = score_run(ledger, run.id)
    (other,) = score_run(ledger, run.id)
    assert one.rows == other.rows and logged(one)
    assert (run_hash(ledger, run.id), len(endpoint.requests)) == (content, asked)
    assert [made.n for made in aggregations_of(ledger, one.cell.id)] == [6]
    ledger.close()
