"""A flow is run as its team has it: its own outputs, its own folder, its own rows, with or without evaluators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from own_flows import ASK, TOOL, Space, flow, measured, outputs_of

from driftgate.benchmarks.signature import parse_signature
from driftgate.ledger import samples_frame

ENGINES = ["native", "promptflow"]


TWO = flow('{category: {type: string, reference: "${ask.output}"}, page: {type: string, reference: "${inputs.page}"}}')


@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_that_completed_is_answered_without_evaluators_question_or_answer(
    space: Space, cli: Cli, engine: str
) -> None:
    gates = {"g": {"suite": "it", "rules": [{"metric": "accuracy", "min": 0.1}]}}
    folder = space({"flow.dag.yaml": TWO, "ask.py": ASK}, {"engine": engine}, gates=gates)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert "no evaluator judges the flow 'mine': its accuracy will be unmeasurable" in " ".join(done.out.split())
    with measured(folder) as (_, scores):
        assert scores.outcomes["answered"] == 3 and "no evaluator says what a right answer is" in scores.answered
        assert json.loads(scores.frame["answer"][1]) == {"category": "A", "page": "1쪽"}
        accuracy = scores.get("accuracy")
        assert accuracy is not None and accuracy.value is None
        assert parse_signature(scores.cell.signature)["engine"] == engine
        assert parse_signature(scores.cell.signature)["extract"] == "none"
    gate = cli("gate", "--gate", "g", "-w", folder)
    assert gate.code == 4
    assert "no evaluator says what a right answer is" in " ".join((gate.out + gate.err).split())
    for command in (["compare", "latest"], ["runs", "rescore", "latest", "--as", "macro"]):
        refused = cli(*command, "-w", folder)
        assert refused.code == 2 and "no evaluator says what a right answer is" in " ".join(refused.err.split())
    assert "no evaluator judges the flow 'mine'" in " ".join(cli("doctor", "-w", folder).out.split())


@pytest.mark.parametrize("where", ["suite", "evaluators.yaml"])
def test_the_output_that_is_judged_is_named(space: Space, cli: Cli, endpoint: ChatEndpoint, where: str) -> None:
    named = "${outputs.category}"
    judged = {"ask": {"same": {"evaluator": "exact_match", "inputs": {"response": named, "ground_truth": "A"}}}}
    files = {"flow.dag.yaml": TWO, "ask.py": ASK}
    if where == "suite":
        folder = space(files, {"answer": named})
    else:
        content = {"primary": "ask.same.match", "answer": named, "nodes": judged}
        folder = space({**files, "evaluators.yaml": yaml.safe_dump(content)})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A"] * 3
        assert parse_signature(scores.cell.signature)["answer"] == "category"
    asked = len(endpoint.requests)
    refused = cli("bench", "it", "-w", space(files, {"answer": "${outputs.categoy}"}))
    assert refused.code == 2 and "has no output 'categoy' did you mean 'category'" in " ".join(refused.err.split())
    assert len(endpoint.requests) == asked


def test_a_judged_node_that_is_bypassed_leaves_its_sample_open(space: Space, cli: Cli) -> None:
    more = "- {name: look, type: python, source: {type: code, path: look.py}, inputs: {text: '${ask.output}'}, "
    more += "activate: {when: '${inputs.page}', is: 0쪽}}\n"
    dag = flow('{seen: {type: string, reference: "${look.output}"}}', more)
    judged = {"look": {"same": {"evaluator": "normalised_match", "inputs": {"response": "A", "ground_truth": "A"}}}}
    gates = {"g": {"suite": "it", "rules": [{"metric": "accuracy", "min": 0.5}]}}
    files = {"flow.dag.yaml": dag, "ask.py": ASK, "look.py": f"{TOOL}def look(text: str) -> str:\n    return text\n"}
    folder = space(files, {"evaluators": judged, "primary": "look.same.match"}, gates=gates)
    assert cli("bench", "it", "-w", folder).code == 0
    with measured(folder) as (_, scores):
        assert list(scores.frame["outcome"]) == ["answered", "unparsed", "unparsed"]
        low, high = (scores.get(name) for name in ("accuracy", "accuracy_if_right"))
        assert low is not None and high is not None and (low.value, high.value) == (pytest.approx(1 / 3), 1.0)
    assert cli("gate", "--gate", "g", "-w", folder).code == 4


def test_a_column_that_is_mapped_keeps_its_own_name(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    rows = [{"물음": f"{n}쪽", "정답": "A"} for n in range(2)]
    datasets = {"rows": {"kind": "jsonl", "path": "rows.jsonl", "columns": {"question": "물음", "answer": "정답"}}}
    inputs = {"response": "${nodes.ask.output}", "ground_truth": "${data.정답}"}
    judged = {"ask": {"same": {"evaluator": "normalised_match", "inputs": inputs}}}
    suite = {"inputs": {"page": "${data.물음}"}, "evaluators": judged, "primary": "ask.same.match"}
    folder = space({"flow.dag.yaml": TWO, "ask.py": ASK}, suite, rows, datasets=datasets)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        accuracy = scores.get("accuracy")
        assert accuracy is not None and accuracy.value == 1.0
    assert endpoint.times_asked("1쪽") == 1


READS = {
    "sync": "def read(text: str) -> str:\n    return open('note.txt', encoding='utf-8').read() + text\n",
    "async": "async def read(text: str) -> str:\n    await asyncio.sleep(0.01)\n"
    "    return open('note.txt', encoding='utf-8').read() + text\n",
    "task": "async def read(text: str) -> str:\n    async def inner():\n        await asyncio.sleep(0.01)\n"
    "        return open('note.txt', encoding='utf-8').read()\n"
    "    return (await asyncio.gather(inner(), inner()))[1] + text\n",
}
READ = "- {name: read, type: python, source: {type: code, path: read.py}, inputs: {text: '${ask.output}'}}\n"


@pytest.mark.parametrize("threads", ["own", "shared"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", READS)
def test_a_flow_works_in_its_own_folder(
    space: Space, cli: Cli, engine: str, kind: str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if threads == "shared":  # as on a system whose threads have no folders of their own
        monkeypatch.setattr("driftgate.flows.engines._place._own_folder", lambda: False)
    grade = "inputs: {said: {type: string}}\noutputs:\n  grade: {type: string, reference: '${read.output}'}\n"
    grade += "  kept: {type: int, reference: '${kept.output}'}\nnodes:\n"
    grade += "- {name: kept, type: python, source: {type: code, path: kept.py}, inputs: {text: '${read.output}'}}\n"
    grade += "- {name: read, type: python, source: {type: code, path: read.py}, inputs: {text: '${inputs.said}'}}\n"
    source = f"import asyncio\n{TOOL}{READS[kind]}"
    files = {
        "flow.dag.yaml": flow('{seen: {type: string, reference: "${read.output}"}}', READ),
        "ask.py": ASK,
        "read.py": source,
        "note.txt": "둘째",
        "evals/one/flow.dag.yaml": grade,
        "evals/one/read.py": source,
        "evals/one/note.txt": "첫째",
        "evals/one/kept.py": f"{TOOL}def kept(text: str) -> int:\n    return int(text == '첫째둘째A')\n",
    }
    judged = {"read": {"one": {"evaluator": "flow:evals/one", "inputs": {"said": "${nodes.read.output}"}}}}
    rows = [{"page": f"{n}쪽"} for n in range(8)]
    folder = space(files, {"engine": engine, "evaluators": judged, "primary": "read.one.kept"}, rows)
    monkeypatch.chdir(folder.parent)
    done = cli("bench", "it", "-w", "space")
    assert done.code == 0, done.err
    assert Path.cwd() == folder.parent
    assert outputs_of(folder, "read") == ["둘째A"] * 8
    with measured(folder) as (ledger, scores):
        shown = samples_frame(ledger, scores.cell.id, list(scores.frame["sample_id"]))
        assert {one["label"] for row in shown for one in row["evaluations"]} == {"첫째둘째A", ""}
        assert scores.frame["correct"].eq(1.0).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_flow_writes_beside_itself_and_prints(space: Space, cli: Cli, engine: str) -> None:
    source = f"{TOOL}def read(text: str) -> str:\n    print('한 줄')\n"
    source += "    open('log.txt', 'a').write(text)\n    return text\n"
    dag = flow('{seen: {type: string, reference: "${read.output}"}}', READ)
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source}, {"engine": engine})
    assert cli("bench", "it", "-w", folder).code == 0
    written = (folder / "flows/mine/log.txt").read_text(encoding="utf-8")
    assert set(written) == {"A"} and len(written) >= 3
    assert not (Path.cwd() / "log.txt").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_streams_inside_an_output_are_drained(space: Space, cli: Cli, engine: str) -> None:
    source = f"{TOOL}def read(text: str) -> dict:\n"
    source += "    return {'parts': (text + str(n) for n in range(2)), 'deep': [{'x': iter(['가', '나'])}]}\n"
    more = READ + "- {name: last, type: python, source: {type: code, path: last.py}, inputs: {of: '${read.output}'}}\n"
    dag = flow('{seen: {type: object, reference: "${read.output}"}}', more)
    last = f"{TOOL}def last(of: dict) -> list:\n    return [list(of['parts']), list(of['deep'][0]['x'])]\n"
    files = {"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source, "last.py": last}
    folder = space(files, {"engine": engine, "answer": "${outputs.seen.parts}"})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A0A1"] * 3
    assert outputs_of(folder, "read")[0] == {"parts": "A0A1", "deep": [{"x": "가나"}]}
    assert outputs_of(folder, "last")[0] == [["A0", "A1"], ["가", "나"]]


KEEPS = """
from dataclasses import dataclass

from promptflow.core import tool


@dataclass
class Seen:
    by_year: dict
    share: float


@tool
def read(text: str) -> Seen:
    return Seen({2026: (1, None)}, float("nan"))
"""
COUNTS = """
import math

from promptflow.core import log_metric, tool


@tool
def total(seen: list, pages: list) -> None:
    log_metric("live", sum(one.by_year[2026] == (1, None) and math.isnan(one.share) for one in seen))
    log_metric("named", sum(type(one).__name__ == "Seen" and one == one for one in seen))
    log_metric("pages", len(set(pages)))
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stopped", [False, True])
def test_aggregation_gets_what_the_nodes_gave(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str, stopped: bool
) -> None:
    more = READ + "- {name: total, type: python, aggregation: true, source: {type: code, path: total.py}, "
    more += "inputs: {seen: '${read.output}', pages: '${inputs.page}'}}\n"
    dag = flow('{answer: {type: string, reference: "${ask.output}"}}', more)
    models = {
        "tested": {
            "provider": "openai",
            "endpoint": f"{endpoint.url}/v1",
            "model": "gpt-test",
            "in_flight": 1,
            "prices": {"input": 1e6, "output": 0},
        }
    }
    suite = {"engine": engine, **({"max_cost": 21} if stopped else {})}
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "read.py": KEEPS, "total.py": COUNTS}, suite, models=models)
    done = cli("bench", "it", "-w", folder)
    if stopped:
        assert done.code == 2 and "go on with" in done.err
        space({}, {"engine": engine}, models=models)
        done = cli("bench", "it", "--resume", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) == 3
    with measured(folder) as (_, scores):
        (made,) = scores.aggregations
        assert (made.error, made.metrics) == ("", {"live": 3.0, "named": 3.0, "pages": 3.0})


FLEX = """
from driftgate.flows.line import ask


class Main:
    def __init__(self, suffix: str = "!") -> None:
        self.suffix = suffix

    async def __call__(self, page: str) -> str:
        return (await ask(page)).text + self.suffix
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", ["flow.flex.yaml", "flow.dag.yaml", "anything.yaml"])
def test_the_class_of_a_flex_flow_is_made_with_what_the_suite_says_whatever_its_file_is_called(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str, file: str
) -> None:
    files = {file: "entry: main:Main\ninit: {suffix: {type: string, default: '!'}}\n", "main.py": FLEX}
    suite = {"flow": f"flows/mine/{file}", "engine": engine, "init": {"suffix": "?"}}
    folder = space(files, suite)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    signatures = []
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A?"] * 3
        signatures.append(parse_signature(scores.cell.signature)["flow"])
    assert cli("bench", "it", "-w", space(files, {**suite, "init": {}})).code == 0
    with measured(folder) as (_, scores):
        assert list(scores.frame["answer"]) == ["A!"] * 3
        signatures.append(parse_signature(scores.cell.signature)["flow"])
    assert signatures[0] != signatures[1]
    asked = len(endpoint.requests)
    done = cli("bench", "it", "-w", space(files, {**suite, "init": {"sufix": "?"}}))
    assert done.code == 2 and "does not take did you mean 'suffix'" in " ".join(done.err.split())
    assert len(endpoint.requests) == asked


def test_a_dag_of_any_name_runs(space: Space, cli: Cli) -> None:
    folder = space({"main.yaml": TWO, "ask.py": ASK}, {"flow": "flows/mine/main.yaml"})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    with measured(folder) as (_, scores):
        assert scores.cell.flow == "mine/main"


PROMPTY = "---\nname: asks\nmodel:\n  api: chat\n{configuration}  parameters: {{max_tokens: 9}}\n{rest}---\n"
PROMPTY += "system:\n짧게.\nuser:\n{{{{page}}}}\n"
OF_OPENAI = "  configuration: {type: openai, model: elsewhere}\n"


@pytest.mark.parametrize("file", ["ask.prompty", "ask.md"])
def test_a_prompty_declares_its_inputs_by_a_sample(space: Space, cli: Cli, endpoint: ChatEndpoint, file: str) -> None:
    text = PROMPTY.format(configuration=OF_OPENAI, rest="sample: {page: 견본}\n")
    folder = space({file: text}, {"flow": f"flows/mine/{file}"})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert endpoint.times_asked("쪽") == 3 and not endpoint.times_asked("견본")


def test_a_prompty_without_a_configuration_says_what_to_write(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    text = PROMPTY.format(configuration="", rest="inputs: {page: {type: string}}\n")
    done = cli("bench", "it", "-w", space({"ask.prompty": text}, {"flow": "flows/mine/ask.prompty"}))
    said = " ".join(done.err.split())
    assert done.code == 2 and "has no model.configuration" in said
    assert "write model: {api: chat, configuration: {type: openai, model: NAME}, parameters: {}}" in said
    assert not endpoint.requests


@pytest.mark.parametrize("engine", ENGINES)
def test_prompt_flow_s_own_code_sees_the_connections_of_the_workspace(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    source = (
        "from promptflow.core import OpenAIModelConfiguration, Prompty, tool\n\n\n@tool\ndef read(text: str) -> str:\n"
    )
    source += "    configuration = OpenAIModelConfiguration(connection='own', model='elsewhere')\n"
    source += "    return Prompty.load('grade.prompty', model={'configuration': configuration})(page=text)\n"
    files = {
        "flow.dag.yaml": flow('{answer: {type: string, reference: "${read.output}"}}', READ),
        "ask.py": ASK,
        "read.py": source,
        "grade.prompty": PROMPTY.format(configuration=OF_OPENAI, rest="inputs: {page: {type: string}}\n"),
    }
    folder = space(files, {"engine": engine})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert sorted(request.body["model"] for request in endpoint.requests) == ["elsewhere"] * 3 + ["gpt-test"] * 3


CONNECTIONS = {
    "azure_ai_services": ({"endpoint": "https://x.example"}, "endpoint"),
    "azure_content_safety": ({"endpoint": "https://x.example"}, "endpoint"),
    "form_recognizer": ({"endpoint": "https://x.example"}, "endpoint"),
    "serp": ({}, "api_key"),
    "cognitive_search": ({"api_base": "https://x.example"}, "api_base"),
}


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_every_type_of_connection_that_prompt_flow_knows_is_given(
    space: Space, cli: Cli, endpoint: ChatEndpoint, kind: str
) -> None:
    configs, key = CONNECTIONS[kind]
    name = "".join(part.title() for part in kind.split("_")).replace("Ai", "AI") + "Connection"
    source = f"from promptflow.connections import {name}\n{TOOL}"
    source += f"def read(text: str, service: {name}) -> str:\n    return str(getattr(service, '{key}'))\n"
    read = READ.replace("}}\n", ", service: it}}\n")
    dag = flow('{answer: {type: string, reference: "${read.output}"}}', read)
    connections: dict[str, Any] = {"it": {"type": kind, "configs": configs, "secrets": {"api_key": "${env:OWN_KEY}"}}}
    folder = space({"flow.dag.yaml": dag, "ask.py": ASK, "read.py": source}, connections=connections)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert outputs_of(folder, "read")[0] == configs.get(key, "k")
    asked = len(endpoint.requests)
    connections["it"] = {"type": kind}
    done = cli("bench", "it", "-w", space({}, connections=connections))
    assert done.code == 2 and "the connection 'it' is no" in " ".join(done.err.split())
    assert len(endpoint.requests) == asked


@pytest.mark.parametrize("engine", ENGINES)
def test_nodes_that_the_suite_lists_ask_its_models_and_no_others_do(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    node = "- {{name: {0}, type: llm, source: {{type: code, path: say.jinja2}}, connection: own, api: chat, "
    node += "inputs: {{model: theirs, page: '{1}'}}}}\n"
    dag = "inputs: {page: {type: string}}\noutputs: {answer: {type: string, reference: '${judge.output}'}}\nnodes:\n"
    dag += node.format("draft", "${inputs.page}") + node.format("judge", "${draft.output}")
    files = {"flow.dag.yaml": dag, "say.jinja2": "user:\n{{page}}\n"}
    folder = space(files, {"tested": ["draft"], "engine": engine})
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert sorted(request.body["model"] for request in endpoint.requests) == ["gpt-test"] * 3 + ["theirs"] * 3
    asked = len(endpoint.requests)
    for tested, said in (
        (["draf"], "lists 'draf' as tested, which is no llm node of the flow 'mine' did you mean 'draft'"),
        ([], "no node of the flow 'mine' can ask the model under test"),
    ):
        done = cli("bench", "it", "-w", space(files, {"tested": tested, "engine": engine}))
        assert done.code == 2 and said in " ".join(done.err.split())
    assert len(endpoint.requests) == asked


def test_choice_reads_the_letter_of_a_reply_and_the_signature_says_by_which_rules(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    endpoint.default = Answer("A: 서울입니다.")
    inputs = {"answer": "${nodes.ask.output}", "gold": "A"}
    judged = {"ask": {"right": {"evaluator": "choice", "inputs": inputs}}}
    folder = space({"flow.dag.yaml": TWO, "ask.py": ASK}, {"evaluators": judged, "primary": "ask.right.correct"})
    assert cli("bench", "it", "-w", folder).code == 0
    with measured(folder) as (_, scores):
        accuracy = scores.get("accuracy")
        assert accuracy is not None and accuracy.value == 1.0
        assert parse_signature(scores.cell.signature)["extract"].startswith("ko-v3")


def test_an_evaluation_flow_that_asks_by_its_own_code_asks_nobody_beforehand(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    grade = "inputs: {said: {type: string}}\noutputs: {grade: {type: string, reference: '${read.output}'}}\nnodes:\n"
    grade += "- {name: read, type: python, source: {type: code, path: read.py}, inputs: {text: '${inputs.said}'}}\n"
    asks = "import os\nimport urllib.request\n" + TOOL
    asks += 'def read(text: str) -> str:\n    body = b\'{"model": "theirs", "messages": []}\'\n'
    asks += "    url = os.environ['OWN_URL'] + '/chat/completions'\n"
    asks += "    urllib.request.urlopen(urllib.request.Request(url, body, {'Content-Type': 'application/json'}))\n"
    asks += "    return '1'\n"
    files = {"flow.dag.yaml": TWO, "ask.py": ASK, "evals/one/flow.dag.yaml": grade, "evals/one/read.py": asks}
    judged = {"ask": {"one": {"evaluator": "flow:evals/one", "inputs": {"said": "${nodes.ask.output}"}}}}
    folder = space(files, {"evaluators": judged, "primary": "ask.one.grade"})
    assert "made ready and not called" in " ".join(cli("doctor", "-w", folder).out.split())
    assert not [request for request in endpoint.requests if request.body["model"] == "theirs"]
    endpoint.forget()
    assert cli("bench", "it", "-w", folder).code == 0
    assert len(endpoint.requests) == 6
