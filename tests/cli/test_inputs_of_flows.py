"""What a flow declares is supplied, or the run does not begin."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

from driftgate.ledger import cells_of, find_run, open_ledger, outcome_frame

ASK = """
from promptflow.core import tool
from driftgate.flows.line import ask as ask_model

@tool
async def ask(prompt: str) -> str:
    return (await ask_model(prompt)).text
"""
DAG = """
inputs: {question: {type: string}, url: {type: string, default: "https://default.example"}, k: {type: int, default: 1}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- name: say
  type: prompt
  source: {type: code, path: say.jinja2}
  inputs: {question: "${inputs.question}", url: "${inputs.url}", k: "${inputs.k}"}
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {prompt: "${say.output}"}}
"""
SAY = "# user:\n{{ question }} {{ url }} {{ k }}\n"
JUDGED = """
primary: NODE.right.match
nodes:
  NODE:
    right: {evaluator: normalised_match, inputs: {response: "${nodes.NODE.output}", ground_truth: "${data.answer}"}}
"""
FLEX = "from driftgate.flows.line import ask\n\n"
FLEX += "async def main(question: str, url: str = 'https://default.example') -> str:\n"
FLEX += "    return (await ask(f'{question} {url}')).text\n"
PROMPTY = """---
name: asked
model: {api: chat, configuration: {type: openai, model: elsewhere}, parameters: {max_tokens: 5}}
inputs: {question: {type: string}, url: {type: string, default: "https://default.example"}}
---
user:
{{question}} {{url}}
"""
FLOWS = {
    "dag": {"flow.dag.yaml": DAG, "say.jinja2": SAY, "ask.py": ASK, "evaluators.yaml": JUDGED.replace("NODE", "ask")},
    "flex": {
        "flow.flex.yaml": "entry: main:main\n",
        "main.py": FLEX,
        "evaluators.yaml": JUDGED.replace("NODE", "flow"),
    },
    "prompty": {"asked.prompty": PROMPTY, "evaluators.yaml": JUDGED.replace("NODE", "ask")},
}
KINDS = [*FLOWS]
ROWS = [{"id": f"q{n}", "question": f"문제 {n}?", "answer": "A", "link": f"https://site{n}.example"} for n in range(4)]
Space = Callable[..., Path]


@pytest.fixture
def space(make: Make, endpoint: ChatEndpoint) -> Space:
    """``space(kind, rows, **suite)``: a workspace whose flow takes a url that the rows call a link."""
    endpoint.default = Answer("A")

    def build(kind: str = "dag", rows: Any = ROWS, files: Mapping[str, str] | None = None, **suite: Any) -> Path:
        flow = "flows/mine/asked.prompty" if kind == "prompty" else "mine"
        given: dict[str, Any] = {"defaults": ["k"], **suite} if kind == "dag" else suite

        def change(config: dict[str, Any]) -> None:
            config["datasets"]["own"] = {"kind": "jsonl", "path": "own.jsonl"}
            config["suites"]["small"] = {"models": ["tested"], "datasets": ["own"], "flow": flow, **given}

        folder = make(1, change)
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
        for name, text in {**FLOWS[kind], **(files or {})}.items():
            file = folder / name if "/" in name else folder / "flows/mine" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder

    return build


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_that_nobody_supplies_stops_the_run_before_it_begins(
    space: Space, cli: Cli, endpoint: ChatEndpoint, kind: str
) -> None:
    done = cli("bench", "small", "-w", space(kind))
    assert done.code == 2
    said = " ".join(done.err.split())
    assert "nobody supplies the input 'url'" in said
    assert "dataset 'own' has no column 'url' (it has answer, id, link, question)" in said
    assert "inputs: {url: '${data.COLUMN}'}" in said and "defaults: [url]" in said and "https://default.example" in said
    assert not endpoint.requests


@pytest.mark.parametrize("kind", KINDS)
def test_the_suite_says_where_it_comes_from(space: Space, cli: Cli, endpoint: ChatEndpoint, kind: str) -> None:
    done = cli("bench", "small", "-w", space(kind, inputs={"url": "${data.link}"}))
    assert done.code == 0, done.err
    asked = {request.prompt.split("\n")[-1] for request in endpoint.requests}
    assert {text.removesuffix(" 1") for text in asked} == {f"{row['question']} {row['link']}" for row in ROWS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("defaults", ["allowed", ["url", "k"]])
def test_the_suite_says_that_a_default_is_meant(
    space: Space, cli: Cli, endpoint: ChatEndpoint, kind: str, defaults: Any
) -> None:
    if kind != "dag" and defaults != "allowed":
        defaults = ["url"]
    done = cli("bench", "small", "-w", space(kind, defaults=defaults))
    assert done.code == 0, done.err
    assert endpoint.times_asked("https://default.example") == len(ROWS)


def test_a_column_of_the_input_s_name_supplies_it(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    rows = [{**row, "url": f"{row['link']}/own", "k": 7} for row in ROWS]
    done = cli("bench", "small", "-w", space(rows=rows, defaults=[]))
    assert done.code == 0, done.err
    assert endpoint.times_asked("/own 7") == len(ROWS)


def test_literals_and_inner_parts_are_given(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    rows = [{**row, "meta": {"links": [row["link"]]}} for row in ROWS]
    folder = space(rows=rows, inputs={"url": "${data.meta.links.0}", "k": 3}, defaults=[])
    assert cli("bench", "small", "-w", folder).code == 0
    assert endpoint.times_asked("문제 2? https://site2.example 3") == 1


@pytest.mark.parametrize("given", [{}, {"inputs": {"url": "${data.link}"}}])
def test_rows_without_a_value_are_counted(space: Space, cli: Cli, endpoint: ChatEndpoint, given: Any) -> None:
    name = "link" if given else "url"
    rows = [{**row, name: "https://here.example"} for row in ROWS]
    for row in rows[2:]:
        row.pop(name)
        row.pop("link", None)
    done = cli("bench", "small", "-w", space(rows=rows, **given))
    assert done.code == 2
    assert "2 of 4 samples of dataset 'own' have no value for it, the first is 'q2'" in " ".join(done.err.split())
    assert not endpoint.requests


def test_a_null_is_no_value_of_a_text(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    rows = [{**row, "url": row["link"]} for row in ROWS] + [{"id": "q9", "question": "또?", "answer": "A", "url": None}]
    done = cli("bench", "small", "-w", space(rows=rows))
    assert done.code == 2 and "1 of 5 samples of dataset 'own' have no value for it" in " ".join(done.err.split())
    assert cli("bench", "small", "-w", space(rows=rows, defaults="allowed")).code == 0
    assert endpoint.times_asked("None") == 0 and endpoint.times_asked("https://default.example") == 1


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        (
            {"inputs": {"url": "${data.lnk}"}},
            "has no column 'lnk' (it has answer, id, link, question) did you mean 'link'",
        ),
        ({"inputs": {"ulr": "${data.link}"}}, "speaks of the input 'ulr', which the flow 'mine' does not declare did"),
        ({"defaults": ["ulr"]}, "speaks of the input 'ulr'"),
        ({"inputs": {"url": "${run.outputs.link}"}}, "begins with 'run'; known: data"),
        ({"inputs": {"url": "https://x.example/${data.link}"}}, "holds a reference inside something else"),
        ({"inputs": {"url": ["${data.link}"]}}, "holds a reference inside something else"),
        ({"defaults": "all"}, "defaults"),
    ],
)
def test_a_mapping_that_supplies_nothing_is_refused(
    space: Space, cli: Cli, endpoint: ChatEndpoint, suite: Any, said: str
) -> None:
    done = cli("bench", "small", "-w", space(**suite))
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not endpoint.requests


def test_a_column_in_a_mapping_s_place_changes_the_signature_and_no_run_goes_on(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    signatures = []
    for column in ("link", "question"):
        folder = space(inputs={"url": f"${{data.{column}}}"})
        assert cli("bench", "small", "-w", folder).code == 0
        ledger = open_ledger(".driftgate/ledger.db", folder)
        (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
        signatures.append(cell.signature)
        ledger.close()
    assert signatures[0] != signatures[1] and all("|inputs:" in one for one in signatures)
    space(inputs={"url": "${data.answer}"})
    done = cli("bench", "small", "--resume", "--retry-failed", "-w", folder)
    assert done.code == 2 and "inputs changed since it began" in done.err


def test_what_a_flow_cannot_do_without_is_refused_even_where_defaults_are_meant(space: Space, cli: Cli) -> None:
    dag = DAG.replace('{type: string, default: "https://default.example"}', "{type: string}")
    done = cli("bench", "small", "-w", space(files={"flow.dag.yaml": dag}, defaults="allowed"))
    assert done.code == 2 and "nobody supplies the input 'url'" in done.err
    assert "defaults: [url]" not in done.err


EVALUATION = """
inputs: {groundtruth: {type: string, default: "A"}, prediction: {type: string, default: "A"}}
outputs: {right: {type: string, reference: "${grade.output}"}}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {groundtruth: "${inputs.groundtruth}", prediction: "${inputs.prediction}"}
- {name: total, type: python, aggregation: true, source: {type: code, path: total.py}, inputs: {all: "${grade.output}"}}
"""
GRADE = "from promptflow.core import tool\n\n@tool\ndef grade(groundtruth: str, prediction: str) -> int:\n"
GRADE += "    return int(groundtruth == prediction)\n"
TOTAL = "from promptflow.core import log_metric, tool\n\n@tool\ndef total(all: list) -> None:\n"
TOTAL += "    log_metric('accuracy', sum(all) / len(all))\n"
GRADED = {
    "evaluators/grade/flow.dag.yaml": EVALUATION,
    "evaluators/grade/grade.py": GRADE,
    "evaluators/grade/total.py": TOTAL,
}


def bound(evaluator: str, inputs: Mapping[str, Any], metric: str) -> str:
    one = {"evaluator": evaluator, "inputs": dict(inputs)}
    return yaml.safe_dump({"primary": f"ask.it.{metric}", "nodes": {"ask": {"it": one}}})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (
            {"groundtruth": "${data.answer}"},
            "the evaluation flow 'grade' takes 'prediction', which its binding does not give and would run on its "
            "default 'A' for every sample name each under inputs",
        ),
        (
            {"groundtruth": "${data.answer}", "predicton": "${nodes.ask.output}"},
            "takes no 'predicton' did you mean 'prediction'",
        ),
    ],
)
def test_an_evaluation_flow_does_not_grade_its_own_defaults(
    space: Space, cli: Cli, endpoint: ChatEndpoint, inputs: Any, said: str
) -> None:
    endpoint.default = Answer("wrong")
    files = {**GRADED, "evaluators.yaml": bound("flow:evaluators/grade", inputs, "right")}
    done = cli("bench", "small", "-w", space(files=files, defaults="allowed"))
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not endpoint.requests


def test_an_evaluation_flow_that_is_given_all_its_inputs_grades(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer("wrong")
    inputs = {"groundtruth": "${data.answer}", "prediction": "${nodes.ask.output}"}
    files = {**GRADED, "evaluators.yaml": bound("flow:evaluators/grade", inputs, "right")}
    done = cli("bench", "small", "-w", space(files=files, defaults="allowed"))
    assert done.code == 0, done.err
    assert "ask.it.aggregate.accuracy 0 (over 4 of 4 samples)" in done.out


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    code = "def same(response, ground_truth='A', **more):\n    return {'same': response == ground_truth}\n\n"
    code += "def strict(response, ground_truth):\n    return {'same': response == ground_truth}\n"
    (tmp_path / "own_grades.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_grades", None)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("evaluator", "inputs", "said"),
    [
        (
            "own_grades:same",
            {"response": "x", "ground_thruth": "B"},
            "takes 'ground_truth', which its binding does not",
        ),
        (
            "own_grades:strict",
            {"response": "x", "ground_thruth": "B"},
            "takes no 'ground_thruth' did you mean 'ground_t",
        ),
        ("own_grades:strict", {"response": "x"}, "takes 'ground_truth', which its binding does not give"),
        (
            "normalised_match",
            {"response": "x", "groundtruth": "B"},
            "takes no 'groundtruth' did you mean 'ground_truth",
        ),
    ],
)
def test_an_evaluator_does_not_grade_its_own_defaults(
    space: Space, cli: Cli, endpoint: ChatEndpoint, evaluator: str, inputs: Any, said: str
) -> None:
    files = {"evaluators.yaml": bound(evaluator, inputs, "same")}
    done = cli("bench", "small", "-w", space(files=files, defaults="allowed"))
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not endpoint.requests


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(config)
    file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


def test_canaries_are_asked_only_through_a_flow_that_is_supplied(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    folder = space()
    canaries: dict[str, Any] = {"dataset": "own", "flow": "mine"}

    def watch(config: dict[str, Any]) -> None:
        config["champions"] = {"live": "tested"}
        config["monitors"] = {"watch": {"champion": "live", "canaries": canaries}}

    edit(folder, watch)
    for command in (["monitor", "check", "watch"], ["monitor", "prompt-drift", "watch"]):
        done = cli(*command, "-w", folder)
        assert done.code in (2, 4) and "nobody supplies the input 'k'" in done.out + done.err
    assert not endpoint.requests
    canaries |= {"inputs": {"url": "${data.link}"}, "defaults": ["k"]}
    edit(folder, watch)
    assert cli("monitor", "check", "watch", "-w", folder).code == 0
    assert endpoint.times_asked("https://site1.example") == 1


def test_a_port_s_own_inputs_are_supplied_too(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    port = DAG.replace("url: {type", "site: {type").replace('url: "${inputs.url}"', 'url: "${inputs.site}"')
    files = {f"flows/port/{name}": text for name, text in FLOWS["dag"].items()} | {"flows/port/flow.dag.yaml": port}
    folder = space(files=files, inputs={"url": "${data.link}"})
    done = cli("flow", "parity", "mine", "port", "--suite", "small", "-w", folder)
    assert done.code == 2 and "nobody supplies the input 'site' of the flow 'port'" in done.err
    assert not endpoint.requests


def test_the_doctor_finds_it(space: Space, cli: Cli) -> None:
    done = cli("doctor", "-w", space())
    assert done.code == 2
    assert "suite small: nobody supplies the input 'url'" in done.out


def test_examples_of_the_flow_s_own_are_nobody_s_few_shots(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    dag = DAG.replace("k: {type: int, default: 1}", 'examples: {type: list, default: ["own"]}')
    dag = dag.replace('k: "${inputs.k}"', 'k: "${inputs.examples}"')
    files, given = {"flow.dag.yaml": dag}, {"url": "${data.link}"}
    done = cli("bench", "small", "-w", space(files=files, inputs=given, defaults=[]))
    assert done.code == 2 and "nobody supplies the input 'examples'" in done.err
    done = cli("bench", "small", "-w", space(files=files, inputs={**given, "examples": []}, defaults=[]))
    assert done.code == 0, done.err
    assert endpoint.times_asked("[]") == len(ROWS)


@pytest.mark.parametrize("flow", ["multiple_choice", "summarize", "chat"])
def test_the_flows_that_ship_run_untouched(space: Space, cli: Cli, endpoint: ChatEndpoint, flow: str) -> None:
    rows = [{**row, "choices": ["가", "나"], "article": "첫 문장이다. 둘째 문장이다.", "facts": ["첫"]} for row in ROWS]
    folder = space(rows=rows)
    edit(
        folder, lambda config: config["suites"].update(small={"models": ["tested"], "datasets": ["own"], "flow": flow})
    )
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) == len(ROWS)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    assert set(outcome_frame(ledger, cell.id)["outcome"]) == {"answered"}
    ledger.close()
