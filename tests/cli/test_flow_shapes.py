"""What flows may give, take and be called, through the command line and in both engines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from example import JUDGE, reply
from example_flows import WEB
from own_flows import ASK, TOOL, Space, flow, measured, outputs_of

ENGINES = ["native", "promptflow"]
READ = "- {name: read, type: python, source: {type: code, path: read.py}, inputs: {text: '${ask.output}'}}\n"
GIVES: dict[str, tuple[str, str | None]] = {
    "dict": ("{'가': [1, None]}", '{"가": [1, null]}'),
    "list": ("['가', 2]", '["가", 2]'),
    "none": ("None", None),
    "number": ("0", "0"),
    "truth": ("False", "False"),
    "empty": ("''", None),
    "stream": ("(part for part in ['가', '나'])", "가나"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", GIVES)
def test_whatever_a_tool_gives_is_the_answer(space: Space, cli: Cli, engine: str, kind: str) -> None:
    expression, answer = GIVES[kind]
    source = f"from typing import Any\n{TOOL}def read(text: str) -> Any:\n    return {expression}\n"
    dag = flow('{seen: {type: object, reference: "${read.output}"}}', READ)
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source}, {"engine": engine})
    assert cli("bench", "it", "-w", folder).code in (0, 4)
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == [answer] * 3
        assert set(scores.frame["outcome"]) == {"unparsed" if answer is None else "answered"}


FLEX = {
    "dataclass": """
@dataclass
class Said:
    label: str
    n: int

async def main(page: str, **more) -> Said:
    return Said((await ask(page)).text, len(more))
""",
    "typed dict": """
class Said(TypedDict):
    label: str
    n: int

async def main(page: str, **more) -> Said:
    return {"label": (await ask(page)).text, "n": len(more)}
""",
    "mapping": """
async def main(page: str, more: str = "x") -> dict:
    return {"label": (await ask(page)).text, "n": 0}
""",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", FLEX)
def test_an_entry_gives_a_dataclass_or_a_typed_mapping(space: Space, cli: Cli, engine: str, kind: str) -> None:
    head = "from dataclasses import dataclass\nfrom typing import TypedDict\n\nfrom driftgate.flows.line import ask\n\n"
    files = {"flow.flex.yaml": "entry: main:main\n", "main.py": head + FLEX[kind]}
    inputs = {"response": "${nodes.flow.output.label}", "ground_truth": "A"}
    judged = {"flow": {"right": {"evaluator": "normalised_match", "inputs": inputs}}}
    suite = {"engine": engine, "answer": "${outputs.label}", "evaluators": judged, "primary": "flow.right.match"}
    folder = space(files, {**suite, "defaults": "allowed"})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A"] * 3
        accuracy = scores.get("accuracy")
        assert accuracy is not None and accuracy.value == 1.0
    assert outputs_of(folder, "flow")[0] == {"label": "A", "n": 0}
    done = cli("bench", "it", "-w", space(files, {**suite, "defaults": "allowed", "answer": "${outputs.lable}"}))
    said = " ".join(done.err.split())
    assert done.code == 2 and "the answer is named ${outputs.lable}, and the flow 'mine' gives no such output" in said
    assert "did you mean 'label'" in said


@pytest.mark.parametrize("engine", ENGINES)
def test_names_may_be_korean_or_hold_spaces(space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str) -> None:
    dag = "inputs: {쪽: {type: string}, my page: {type: string}}\n"
    dag += "outputs: {답: {type: string, reference: '${ask.output}'}}\nnodes:\n"
    dag += "- {name: ask, type: python, source: {type: code, path: ask.py}, "
    dag += "inputs: {text: '${inputs.쪽}', other: '${inputs.my page}'}}\n"
    ask = f"{TOOL}async def ask(text: str, other: str) -> str:\n    return (await ask_model(text + other)).text\n"
    rows = [{"쪽": f"{n}쪽", "my column": "둘째"} for n in range(2)]
    suite = {"engine": engine, "inputs": {"my page": "${data.my column}"}, "answer": "${outputs.답}"}
    folder = space({"flow.dag.yaml": dag, "ask.py": ask}, suite, rows)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert endpoint.times_asked("쪽둘째") == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_additional_includes_lie_in_the_folder_a_flow_works_in(space: Space, cli: Cli, engine: str) -> None:
    dag = flow('{seen: {type: string, reference: "${read.output}"}}', READ)
    dag = "additional_includes: [../shared/note.txt]\nenvironment: {image: any}\n" + dag
    source = f"{TOOL}def read(text: str) -> str:\n    return open('note.txt', encoding='utf-8').read()\n"
    files = {"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source, "flows/shared/note.txt": "함께"}
    folder = space(files, {"engine": engine})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert outputs_of(folder, "read") == ["함께"] * 3


def test_a_prompty_of_json_answers_with_what_is_named(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer('{"city": "서울", "sure": true}')
    front = "---\nname: asks\nmodel:\n  api: chat\n  configuration: {type: openai, model: elsewhere}\n"
    front += "  parameters: {response_format: {type: json_object}}\ninputs: {page: {type: string}}\n"
    end = "---\nsystem:\nJSON으로.\nuser:\n{{page}}\n"
    for outputs, answer, wanted in (
        ("outputs: {city: {type: string}}\n", None, "서울"),
        ("", None, '{"city": "서울", "sure": true}'),
        ("", "${outputs.city}", "서울"),
    ):
        suite = {"flow": "flows/mine/ask.prompty", **({"answer": answer} if answer else {})}
        folder = space({"ask.prompty": front + outputs + end}, suite)
        done = cli("bench", "it", "-w", folder)
        assert done.code == 0, done.err
        with measured(folder) as (_, scores):
            assert [json.loads(a) if a.startswith("{") else a for a in scores.frame["answer"]] == [
                json.loads(wanted) if wanted.startswith("{") else wanted
            ] * 3


def test_variants_of_a_node_that_is_tested_ask_the_model(
    space: Space, cli: Cli, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.default = reply
    monkeypatch.setenv("JUDGE_URL", f"{endpoint.url}/v1")
    monkeypatch.setenv("JUDGE_KEY", "k")
    suite: dict[str, Any] = {**WEB.suite, "variants": ["plain", "polite"]}
    folder = space(WEB.files, suite, WEB.rows, connections={"web_service": JUDGE})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert {request.body["model"] for request in endpoint.requests} == {"gpt-test"}
    assert len(endpoint.requests) == 8 and endpoint.times_asked("Please say in one sentence") == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_that_holds_itself_is_handed_on(space: Space, cli: Cli, engine: str) -> None:
    source = (
        f"{TOOL}def read(text: str) -> dict:\n    one = {{'text': text}}\n    one['itself'] = one\n    return one\n"
    )
    dag = flow('{seen: {type: string, reference: "${read.output.itself.itself.text}"}}', READ)
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source}, {"engine": engine})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A"] * 3


@pytest.mark.parametrize("engine", ENGINES)
def test_an_aggregation_node_that_raises_is_told_of(space: Space, cli: Cli, engine: str) -> None:
    more = "- {name: total, type: python, aggregation: true, source: {type: code, path: total.py}, "
    more += "inputs: {said: '${ask.output}'}}\n"
    total = f"from promptflow.core import log_metric\n{TOOL}def total(said: list) -> None:\n"
    total += "    log_metric('n', len(said))\n    raise ValueError('더할 수 없다')\n"
    dag = flow('{answer: {type: string, reference: "${ask.output}"}}', more)
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "total.py": total}, {"engine": engine})
    assert cli("bench", "it", "-w", folder).code == 0
    with measured(folder) as (_, scores):
        (made,) = scores.aggregations
        assert "더할 수 없다" in made.error and made.metrics == {"n": 3.0}


PROMPTY = "---\nname: grade\nmodel:\n  api: chat\n  configuration: {type: openai, connection: own, model: theirs}\n"
PROMPTY += "  parameters: {max_tokens: 9}\ninputs: {page: {type: string}}\n---\nsystem:\n짧게.\nuser:\n{{page}}\n"


def test_a_prompty_with_a_connection_asks_it_or_where_it_is_tested_the_model(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    suite = {"flow": "flows/mine/grade.prompty"}
    done = cli("bench", "it", "-w", space({"grade.prompty": PROMPTY}, {**suite, "tested": ["ask"]}))
    assert done.code == 0, done.err
    assert [request.body["model"] for request in endpoint.requests] == ["gpt-test"] * 3
    done = cli("bench", "it", "-w", space({}, suite))
    assert done.code == 2 and "no node of the flow 'grade' can ask the model under test" in done.err


def test_a_prompty_is_an_evaluation_flow(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer("4")
    dag = flow('{answer: {type: string, reference: "${ask.output}"}}')
    bound = {"evaluator": "flow:evals/grade.prompty", "inputs": {"page": "${nodes.ask.output}"}}
    judged = {"ask": {"grade": bound}}
    files = {"flow.dag.yaml": dag, "ask.py": ASK, "evals/grade.prompty": PROMPTY}
    folder = space(files, {"evaluators": judged, "primary": "ask.grade.output"})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        grade = scores.get("ask.grade.output")
        assert grade is not None and (grade.value, grade.n) == (4.0, 3)
    assert sorted(request.body["model"] for request in endpoint.requests) == ["gpt-test"] * 3 + ["theirs"] * 3


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_stopped_run_cannot_give_back_is_said_and_not_made_up(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    more = READ + "- {name: total, type: python, aggregation: true, source: {type: code, path: total.py}, "
    more += "inputs: {seen: '${read.output}'}}\n"
    read = "class Odd:\n    n = 1\n\n\n" + f"{TOOL}def read(text: str) -> Odd:\n    return Odd()\n"
    total = f"from promptflow.core import log_metric\n{TOOL}def total(seen: list) -> None:\n"
    total += "    log_metric('n', sum(one.n for one in seen))\n"
    files = {
        "flow.dag.yaml": flow('{answer: {type: string, reference: "${ask.output}"}}', more),
        "ask.py": ASK,
        "read.py": read,
        "total.py": total,
    }
    prices = {"input": 1e6, "output": 0}
    models = {
        "tested": {
            **{"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"},
            **{"in_flight": 1, "prices": prices},
        }
    }
    folder = space(files, {"engine": engine}, models=models)
    assert cli("bench", "it", "-w", folder).code == 0
    with measured(folder) as (_, scores):
        assert [made.metrics for made in scores.aggregations] == [{"n": 3.0}]
    space({}, {"engine": engine, "max_cost": 21}, models=models)
    assert cli("bench", "it", "-w", folder).code == 2
    space({}, {"engine": engine}, models=models)
    assert cli("bench", "it", "--resume", "-w", folder).code == 0
    with measured(folder) as (_, scores):
        (made,) = scores.aggregations
        assert made.metrics == {} and "an output of the class 'Odd' was not kept when the run stopped" in made.error


def test_canaries_use_a_flow_as_a_suite_does(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    dag = "inputs: {page: {type: string}}\noutputs: {label: {type: string, reference: '${draft.output}'}, "
    dag += "page: {type: string, reference: '${inputs.page}'}}\nnodes:\n"
    dag += "- {name: draft, type: llm, source: {type: code, path: say.jinja2}, connection: own, api: chat, "
    dag += "inputs: {model: theirs, page: '${inputs.page}'}}\n"
    judged = "primary: draft.same.match\nnodes:\n  draft:\n    same: {evaluator: normalised_match, inputs: "
    judged += "{response: '${outputs.label}', ground_truth: A}}\n"
    files = {"flow.dag.yaml": dag, "say.jinja2": "user:\n{{page}}\n", "evaluators.yaml": judged}
    use = {"tested": ["draft"], "answer": "${outputs.label}"}
    canaries = {"dataset": "rows", "flow": "mine", **use}
    watched = {"champions": {"live": "tested"}, "monitors": {"watch": {"champion": "live", "canaries": canaries}}}
    done = cli("monitor", "check", "watch", "-w", space(files, use, **watched))
    assert done.code in (0, 4), done.err  # a first look has nothing to compare with
    assert [request.body["model"] for request in endpoint.requests] == ["gpt-test"] * 3
    del canaries["tested"]
    done = cli("monitor", "check", "watch", "-w", space({}, use, **watched))
    assert done.code == 2 and "no node of the flow 'mine' can ask the model under test" in " ".join(done.err.split())
    assert len(endpoint.requests) == 3
