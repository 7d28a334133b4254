"""An evaluator of the workspace may end, return or change whatever it likes: a run says so and is never green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make

import driftgate
from driftgate.ledger import latest_runs

PROMPT = "{{ question }} {{ choices | join(' / ') }}"
INPUTS = {"said": "${nodes.reply.output}", "wanted": "${data.answer}", "choices": "${data.choices}"}
COUNTED = """
n = [0]


def f(said, wanted, choices):
    n[0] += 1
    if n[0] > 5:
        {}
    return {{'right': said == wanted}}
"""


def of(**changes: Any) -> Any:
    def edit(config: dict[str, Any]) -> None:
        bound = {"reply": {"e": {"evaluator": "my_eval:f", "inputs": INPUTS}}}
        suite = {"models": ["tested"], "datasets": ["own"], "prompt": PROMPT, "evaluators": bound}
        config["suites"]["small"] = suite | {"primary": "reply.e.right"} | changes
        config["suites"]["other"] = {"models": ["tested"], "datasets": ["own"], "variants": ["terse"]}
        config["gates"] = {}
        config["nightly"] = {"suites": ["small", "other"]}

    return edit


def returning(make: Make, expression: str, before: str = "", **changes: Any) -> Path:
    """A workspace whose evaluator returns this for the primary metric."""
    folder = make(12, of(**changes))
    code = f"{before}\n\n\ndef f(said, wanted, choices):\n    return {{'right': {expression}}}\n"
    (folder / "my_eval.py").write_text(code, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "ends",
    [
        "import sys; sys.exit(0)",
        "raise KeyboardInterrupt",
        "import asyncio; raise asyncio.CancelledError",
        "raise type('Odd', (BaseException,), {})('odd')",
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})",
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_an_evaluator_that_wants_to_end_the_process_ends_its_sample(
    cli: Cli, make: Make, ends: str, late: bool
) -> None:
    folder = make(12, of())
    code = COUNTED.format(ends) if late else COUNTED.format(ends).replace("> 5", "> 0")
    (folder / "my_eval.py").write_text(code, encoding="utf-8")
    done = cli("bench", "small", "-w", folder)
    if not late and any(kind in ends for kind in ("exit", "Keyboard", "Cancelled")):
        assert (done.code, "gives no value on sample" in done.err) == (2, True)
        return
    assert done.code == 4, done.out + done.err
    assert "could not be graded" in done.out
    with driftgate.open(folder) as ws:
        (scores,) = ws.run().scored
        assert (ws.run().status, scores.ungraded) == ("complete", 8 if late else 12)


def test_a_night_goes_on_after_such_an_evaluator(cli: Cli, make: Make) -> None:
    folder = returning(make, "sys.exit(0) if len(n) > 4 or n.append(0) else 1", "import sys\n\nn = []")
    done = cli("nightly", "-w", folder)
    assert done.code == 4, done.out + done.err
    with driftgate.open(folder) as ws:
        assert {run.suite: run.status for run in latest_runs(ws.ledger)} == {"small": "complete", "other": "complete"}


def test_a_class_that_exits_when_it_is_made_is_refused(cli: Cli, make: Make) -> None:
    folder = make(12, of())
    (folder / "my_eval.py").write_text(
        "import sys\n\n\nclass f:\n    def __init__(self):\n        sys.exit(0)\n", encoding="utf-8"
    )
    for command in (("doctor",), ("bench", "small")):
        done = cli(*command, "-w", folder)
        assert (done.code, "SystemExit: 0" in " ".join((done.out + done.err).split())) == (2, True), done


def test_nobody_else_s_exit_ends_a_command_well(cli: Cli, make: Make) -> None:
    """Where an exit comes from a place that nobody looks after, the command still says that it was not done."""
    folder = returning(make, "said == wanted")
    code = "import sys\n\n\nclass f:\n    def __call__(self, said, wanted, choices):\n        return {'right': 1}\n\n"
    code += "    def unfit(self, name, value):\n        sys.exit(0)\n"
    (folder / "my_eval.py").write_text(code, encoding="utf-8")
    done = cli("doctor", "-w", folder)
    assert (done.code, "sys.exit(0)" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("before", "expression"),
    [
        ("import numpy as np", "np.bool_(said == wanted)"),
        ("import numpy as np", "np.int64(said == wanted)"),
        ("import numpy as np", "np.float32(said == wanted)"),
        ("import numpy as np", "np.array(said == wanted)"),
        ("from decimal import Decimal", "Decimal(said == wanted)"),
        ("from fractions import Fraction", "Fraction(said == wanted)"),
    ],
)
def test_numbers_of_other_libraries_are_numbers(cli: Cli, make: Make, before: str, expression: str) -> None:
    folder = returning(make, expression, before)
    assert cli("bench", "small", "-w", folder).code == 0
    with driftgate.open(folder) as ws:
        assert ws.run().scores("accuracy")["value"].tolist() == [1.0]


WITHOUT = ["'1'", "None", "float('nan')", "float('inf')", "10**400", "object()"]


@pytest.mark.parametrize("expression", WITHOUT)
def test_a_primary_metric_without_a_value_is_refused_beforehand(
    cli: Cli, make: Make, endpoint: ChatEndpoint, expression: str
) -> None:
    folder = returning(make, expression)
    done = cli("bench", "small", "-w", folder)
    assert (done.code, endpoint.requests) == (2, [])
    assert "reply.e" in done.err


@pytest.mark.parametrize("expression", [*WITHOUT, "type('S', (), {'__str__': None})()"])
def test_and_in_a_run_it_is_an_error_of_its_sample(cli: Cli, make: Make, expression: str) -> None:
    """The first samples, which are tried beforehand, are graded; the others are not."""
    folder = returning(make, f"(n.append(0), {expression} if len(n) > 4 else said == wanted)[1]", "n = []")
    done = cli("bench", "small", "-w", folder)
    assert done.code == 4, done.out + done.err
    assert "9 of 12 answers could not be graded" in done.out
    assert "(9 errors: " in done.out
    assert "could not be graded; the suite allows 10% (max_failed)" in done.out
    with driftgate.open(folder) as ws:
        (scores,) = ws.run().scored
        low, high = (scores.get(name) for name in ("accuracy", "accuracy_if_right"))
        assert (low and low.value, high and high.value) == (0.25, 1.0)
        assert "9 of 12 answers could not be graded" in scores.answered


def test_where_no_answer_was_graded_there_is_no_accuracy(cli: Cli, make: Make) -> None:
    folder = returning(make, "(n.append(0), None if len(n) > 1 else said == wanted)[1]", "n = []")
    file = folder / "driftgate.yaml"
    gate = "gates: {small: {suite: small, rules: [{metric: accuracy, min: 0.0001}]}}"
    file.write_text(file.read_text("utf-8").replace("gates: {}", gate), "utf-8")
    for command in (("bench", "small"), ("gate",), ("runs", "show")):
        done = cli(*command, "-w", folder)
        assert (done.code, "defect" in done.err) == (0 if command[0] == "runs" else 4, False), done.out + done.err
    with driftgate.open(folder) as ws:
        assert ws.run().scores("accuracy")["value"].isna().all()


@pytest.mark.parametrize("grade", ["100", "-1", "5"])
def test_a_grade_that_is_no_share_is_said(cli: Cli, make: Make, grade: str) -> None:
    folder = returning(make, f"{grade} if said == wanted else 0")
    assert f"is {grade} on sample" in cli("doctor", "-w", folder).out


def test_a_mean_of_grades_is_written_as_no_share_wherever_it_stands(cli: Cli, make: Make) -> None:
    folder = returning(make, "2")
    file = folder / "driftgate.yaml"
    gate = "gates: {small: {suite: small, rules: [{metric: accuracy, min: 0.5}]}}"
    file.write_text(file.read_text("utf-8").replace("gates: {}", gate), "utf-8")
    run = cli("bench", "small", "-w", folder)
    assert "goes from 2 to 2: no share of right answers" in run.out
    shown = [run.out, cli("gate", "-w", folder).out]
    shown += [page.read_text("utf-8") for page in (folder / "reports").glob("*/*.*") if page.suffix in (".md", ".html")]
    assert len(shown) == 4
    for text in shown:
        assert "200%" not in text and "200.0%" not in text


@pytest.mark.parametrize(
    "returns", ["V(right=1)", "{V(): 1, 'right': 1}", "{'right': 1, 'odd': V()}", "{5: 1, '5': 2}"]
)
def test_whatever_is_returned_is_read_or_said(cli: Cli, make: Make, returns: str) -> None:
    folder = make(12, of(max_failed=1.0))
    code = "class V(dict):\n    def items(self):\n        raise RuntimeError('boo')\n\n    def __str__(self):\n"
    code += "        raise RuntimeError('boo')\n\n    __hash__ = object.__hash__\n\n\nn = []\n\n\n"
    code += f"def f(said, wanted, choices):\n    n.append(0)\n    return {returns} if len(n) > 1 else {{'right': 1}}\n"
    (folder / "my_eval.py").write_text(code, encoding="utf-8")
    done = cli("bench", "small", "-w", folder)
    assert "defect of driftgate" not in done.err
    assert ("boo" if "V" in returns else "returned '5' twice") in done.out, done.out + done.err


TOUCHES = {
    "data": ("${data.choices}", "x.sort(reverse=True)"),
    "literal": (["b", "a"], "assert x == ['b', 'a']; x.sort()"),
    "nested": ("${data.choices}", "x.append({}); x[0] += '!'"),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_an_evaluator_changes_is_its_own(cli: Cli, make: Make, endpoint: ChatEndpoint, touch: str) -> None:
    given, does = TOUCHES[touch]
    inputs = {"said": "${nodes.reply.output}", "wanted": "${data.answer}", "x": given}
    bound = {"reply": {"e": {"evaluator": "my_eval:f", "inputs": inputs}}}

    def edit(config: dict[str, Any]) -> None:
        config["models"]["second"] = config["models"]["tested"] | {"model": "gpt-other"}
        of(evaluators=bound, models=["tested", "second"])(config)

    folder = make(12, edit)
    (folder / "my_eval.py").write_text(
        f"def f(said, wanted, x):\n    {does}\n    return {{'right': said == wanted}}\n", encoding="utf-8"
    )
    done = cli("bench", "small", "-w", folder)
    assert (done.code, " errors" in done.out) == (0, False), done.out
    asked = [request.body["messages"][-1]["content"] for request in endpoint.requests]
    assert sorted(asked) == sorted([f"문제 {n}번은? 가{n} / 나{n} / 다{n} / 라{n}" for n in range(12)] * 2)
