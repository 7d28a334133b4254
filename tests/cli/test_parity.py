"""``driftgate flow parity``: ports that do the same, ports that do not, and ports of which too little is known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make

from driftgate.shipped import shipped

FAITHFUL = '''
from driftgate.flows.line import ask
from driftgate.flows.extraction import extract_choice


def prompt(question, choices):
    options = "".join(f"{letter}. {choice}\\n" for letter, choice in zip("ABCDEFGHIJ", choices))
    return f"{question}\\n{options}답:"


async def port(question, choices):
    reply = await ask(prompt(question, choices))
    return {"answer": extract_choice(reply.text, choices).answer}


async def telling(question, choices):
    rendered = prompt(question, choices)
    reply = await ask(rendered)
    return {"answer": extract_choice(reply.text, choices).answer, "render": rendered}


async def changed(question, choices):
    rendered = prompt(question, choices[:3])
    reply = await ask(rendered)
    return {"answer": extract_choice(reply.text, choices).answer, "render": rendered}


def bare(question):
    return "A"


def broken(question):
    raise RuntimeError("no such thing")


def wants(colour):
    return "A"


class Result(list):
    def get_outputs(self):
        return [event.data[0] for event in self[-1:]]


class Event:
    type = "executor_completed"

    def __init__(self, executor_id, data):
        self.executor_id, self.data = executor_id, [data]


class Workflow:
    """Has the form of Agent Framework's: it is run on one message and refuses a second run meanwhile."""

    running = False

    async def run(self, message):
        if self.running:
            raise RuntimeError("Workflow is already running")
        self.running = True
        try:
            rendered = prompt(message["question"], message["choices"])
            reply = await ask(rendered)
            answer = {"answer": extract_choice(reply.text, message["choices"]).answer}
            return Result([Event("render", rendered), Event("extract", answer)])
        finally:
            self.running = False


workflow = Workflow()


def anew():
    return Workflow()
'''


@pytest.fixture
def space(make: Make) -> Path:
    folder = make(200)
    (folder / "ported.py").write_text(FAITHFUL, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _fresh_modules() -> Any:
    yield
    for name in ("ported", "elsewhere"):
        sys.modules.pop(name, None)


def found(path: Path) -> dict[str, Any]:
    (comparison,) = json.loads(path.read_text(encoding="utf-8"))["comparisons"]
    return dict(comparison)


def quantity(comparison: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(q) for q in comparison["quantities"] if q["name"] == name)


@pytest.mark.parametrize("name", ["port", "telling", "workflow", "anew"])
def test_a_faithful_port_is_equivalent(cli: Cli, space: Path, tmp_path: Path, name: str) -> None:
    out, page = tmp_path / "parity.json", tmp_path / "parity.html"
    arguments = ("--suite", "small", "--json", out, "--html", page, "-w", space)
    done = cli("flow", "parity", "multiple_choice", f"ported:{name}", *arguments)
    assert done.code == 0, done.out + done.err
    comparison = found(out)
    assert comparison["verdict"] == "equivalent"
    assert comparison["samples"] == []
    assert quantity(comparison, "extract.choice.correct")["p_equivalent"] < 0.05
    tells = name != "port"
    assert ("render.prompt.complete" in [q["name"] for q in comparison["quantities"]]) == tells
    assert ("render.prompt.complete" in comparison["not_compared"]) != tells
    assert "equivalent" in page.read_text(encoding="utf-8")


def test_a_changed_template_is_named_with_the_samples(
    cli: Cli, space: Path, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    out = tmp_path / "parity.json"
    whole = endpoint.default

    def needs_all_options(prompt: str) -> Any:
        assert callable(whole)
        answer = whole(prompt)
        return answer if "\nD. " in prompt or answer.text != "D" else type(answer)("A")

    endpoint.default = needs_all_options
    done = cli("flow", "parity", "multiple_choice", "ported:changed", "--suite", "small", "--json", out, "-w", space)
    assert done.code == 1, done.out + done.err
    comparison = found(out)
    assert comparison["verdict"] == "different"
    other = {s["id"] for s in comparison["samples"] if s["outputs_differ"]}
    assert other == {f"q{n}" for n in range(200) if "ABCD"[n % 4] == "D"}
    assert {s["first_node"] for s in comparison["samples"]} == {"render"}
    assert {n["node"]: n["differing"] for n in comparison["nodes"]} == {"render": 200, "extract": 50}
    assert quantity(comparison, "extract.choice.correct")["verdict"] == "different"
    assert quantity(comparison, "answers")["differing"] == 50
    assert "q3 (first at render)" in done.out


def test_too_few_samples_are_inconclusive_and_say_how_many_would_decide(cli: Cli, space: Path, tmp_path: Path) -> None:
    out = tmp_path / "parity.json"
    arguments = ("--suite", "small", "--limit", "30", "--json", out, "-w", space)
    done = cli("flow", "parity", "multiple_choice", "ported:port", *arguments)
    assert done.code == 3, done.out + done.err
    needed = quantity(found(out), "extract.choice.correct")["needed"]
    assert needed == 149  # 0.98 ** 149 is just below 0.05
    again = cli("flow", "parity", "multiple_choice", "ported:port", "--suite", "small", "--limit", needed, "-w", space)
    assert again.code == 0, again.out


def test_another_flow_is_judged_by_the_evaluators_of_the_first(cli: Cli, space: Path, tmp_path: Path) -> None:
    original = shipped("flows") / "multiple_choice"
    port = space / "flows" / "rewritten"
    port.mkdir(parents=True)
    for source in original.iterdir():
        if source.is_file() and source.name != "evaluators.yaml":
            (port / source.name).write_bytes(source.read_bytes())
    out = tmp_path / "parity.json"
    done = cli("flow", "parity", "multiple_choice", "rewritten", "--suite", "small", "--json", out, "-w", space)
    assert done.code == 0, done.out + done.err
    assert [n["differing"] for n in found(out)["nodes"]] == [0, 0, 0]


def test_a_flow_against_itself_tells_how_far_the_model_repeats_itself(
    cli: Cli, space: Path, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    from chat_endpoint import Answer

    out = tmp_path / "parity.json"
    endpoint.script("문제 9번은", Answer("B"), Answer("C"))
    arguments = ("--suite", "small", "--churn", "0.04", "--margin", "0.04", "--json", out, "-w", space)
    assert cli("flow", "parity", "multiple_choice", "multiple_choice", *arguments).code == 0
    (sample,) = found(out)["samples"]
    assert (sample["id"], sample["first_node"]) == ("q9", "ask")
    assert quantity(found(out), "answers")["differing"] == 1


def test_a_port_that_fails_is_different(cli: Cli, space: Path, tmp_path: Path) -> None:
    out = tmp_path / "parity.json"
    done = cli("flow", "parity", "multiple_choice", "ported:broken", "--suite", "small", "--json", out, "-w", space)
    assert done.code == 1, done.out + done.err
    assert quantity(found(out), "answered")["verdict"] == "different"


def test_where_nobody_answers_nothing_is_measured(cli: Cli, space: Path, endpoint: ChatEndpoint) -> None:
    from chat_endpoint import Status

    endpoint.default = Status(500, {"error": {"message": "boom"}})
    arguments = ("--suite", "small", "--limit", "5", "-w", space)
    assert cli("flow", "parity", "multiple_choice", "ported:port", *arguments).code == 4


def test_an_outage_is_not_the_ports_doing(cli: Cli, space: Path, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    from chat_endpoint import Answer, Status

    out = tmp_path / "parity.json"
    endpoint.script("문제 9번은", Answer("B"), Status(503, {"error": {"message": "down"}}))
    done = cli("flow", "parity", "multiple_choice", "ported:port", "--suite", "small", "--json", out, "-w", space)
    assert done.code == 0, done.out + done.err
    assert (found(out)["asked"], found(out)["silent"], found(out)["samples"]) == (200, 1, [])


def test_what_an_outage_left_out_must_not_be_more_than_the_margin(
    cli: Cli, space: Path, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    from chat_endpoint import Answer, Status

    out = tmp_path / "parity.json"
    for n in range(9, 15):
        endpoint.script(f"문제 {n}번은", Answer("ABCD"[n % 4]), Status(503, {"error": {"message": "down"}}))
    arguments = ("--suite", "small", "--margin", "0.025", "--json", out, "-w", space)
    done = cli("flow", "parity", "multiple_choice", "ported:port", *arguments)
    assert done.code == 4, done.out + done.err
    assert {q["verdict"] for q in found(out)["quantities"]} == {"equivalent"}
    assert found(out)["silent"] == 6
    assert "6 of 200 samples have no reply on one side" in found(out)["reason"]


def test_the_cache_gives_both_sides_the_same_replies(cli: Cli, space: Path, endpoint: ChatEndpoint) -> None:
    arguments = ("--suite", "small", "--limit", "20", "--cache", "-w", space)
    cli("flow", "parity", "multiple_choice", "ported:port", *arguments)
    assert sorted(endpoint.asked.values()) == [1] * 20


def test_a_stopped_comparison_goes_on(cli: Cli, space: Path, endpoint: ChatEndpoint) -> None:
    from chat_endpoint import Status

    good = endpoint.default
    endpoint.default = Status(401)
    arguments = ("flow", "parity", "multiple_choice", "ported:port", "--suite", "small", "--limit", "20", "-w", space)
    assert cli(*arguments).code == 2
    endpoint.default = good
    endpoint.forget()
    assert cli(*arguments).code == 3
    assert len(cli("runs", "list", "-w", space).out.split("complete")) == 2


def test_a_port_in_an_environment_of_its_own(cli: Cli, space: Path, tmp_path: Path) -> None:
    (space / "elsewhere.py").write_text(
        "import re\n\nprint('this must not come between the replies')\n\n\n"
        "def port(question):\n    return {'answer': 'ABCD'[int(re.findall(r'\\d+', question)[0]) % 4]}\n",
        encoding="utf-8",
    )
    arguments = ("--suite", "small", "--python", sys.executable, "-w", space)
    done = cli("flow", "parity", "multiple_choice", "elsewhere:port", *arguments)
    assert done.code == 0, done.out + done.err


ELSEWHERE = {
    "import nothing_of_that_name\n": "cannot be imported",
    "def port(colour):\n    return 'A'\n": "needs 'colour', which is no input of the flow",
    "import os\n\n\ndef port(question):\n    os._exit(3)\n": "the process of the port 'elsewhere:port' ended with 3",
}


@pytest.mark.parametrize("source", ELSEWHERE)
def test_a_port_elsewhere_that_cannot_go_on_says_why(cli: Cli, space: Path, source: str) -> None:
    (space / "elsewhere.py").write_text(source, encoding="utf-8")
    arguments = ("--suite", "small", "--limit", "5", "--python", sys.executable, "-w", space)
    done = cli("flow", "parity", "multiple_choice", "elsewhere:port", *arguments)
    assert done.code == 2
    assert ELSEWHERE[source] in done.err


REFUSED = {
    ("multiple_choice", "ported:nothing"): "cannot be imported",
    ("multiple_choice", "ported:wants"): "needs 'colour', which is no input of the flow",
    ("multiple_choice", "nowhere:port"): "cannot be imported",
    ("multiple_choice", "no_such_flow"): "there is no flow 'no_such_flow'",
}


@pytest.mark.parametrize(("flow", "port"), REFUSED)
def test_what_cannot_be_compared_is_refused(cli: Cli, space: Path, flow: str, port: str) -> None:
    done = cli("flow", "parity", flow, port, "--suite", "small", "-w", space)
    assert done.code == 2
    assert REFUSED[flow, port] in done.err


def test_bad_options_are_refused(cli: Cli, space: Path) -> None:
    assert (
        "the margin is 2" in cli("flow", "parity", "multiple_choice", "ported:port", "--margin", "2", "-w", space).err
    )
    done = cli("flow", "parity", "multiple_choice", "ported:port", "--dataset", "owm", "-w", space)
    assert "did you mean 'own'?" in done.err
