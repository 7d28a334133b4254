"""Nobody answers in the place of whom a node names: an unknown connection is refused, and each is asked as named."""

from __future__ import annotations

import pytest
import yaml
from asking import INPUTS, PROMPTY, SAY, Space, llm, said, space_with
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make


@pytest.fixture
def space(make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setenv("SERVICE_KEY", "k-service")
    return space_with(make, endpoint)


def with_judge(connection: str, more: str = "") -> dict[str, str]:
    dag = INPUTS.replace("NODE", "answer") + llm("answer") + llm("judge", connection, more)
    return {"flow.dag.yaml": dag, "say.jinja2": SAY}


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_judge_with_a_slip_in_its_connection_is_refused(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    done = cli("bench", "small", "-w", space(with_judge("servise"), "answer", engine=engine))
    assert done.code == 2
    assert "node 'judge' of the flow 'mine' names the connection 'servise', which the workspace does not" in said(done)
    assert "did you mean 'service'" in said(done) and "take it out of the node" in said(done)
    assert not endpoint.requests


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_judge_with_its_own_connection_and_a_node_without_one_are_answered_by_whom_they_name(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    done = cli("bench", "small", "-w", space(with_judge("service", ", model: gpt-judge"), "answer", engine=engine))
    assert done.code == 0, done.err
    models = [request.body["model"] for request in endpoint.requests]
    assert (models.count("gpt-test"), models.count("gpt-judge")) == (16, 16)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        (", model: outside", "names the model 'outside', which is not among the suite's"),
        (", model: othr", "did you mean 'other'?"),
        (", deployment_name: outsid", "did you mean 'outside'?"),
    ],
)
def test_a_judge_that_names_a_model_the_suite_does_not_ask_is_refused(
    space: Space, cli: Cli, endpoint: ChatEndpoint, more: str, refused: str
) -> None:
    done = cli("bench", "small", "-w", space(with_judge("", more), "answer"))
    assert done.code == 2 and refused in said(done)
    assert not endpoint.requests


def test_a_deployment_of_prompt_flow_s_is_stood_in_for(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    done = cli("bench", "small", "-w", space(with_judge("", ", deployment_name: gpt-35-turbo"), "answer"))
    assert done.code == 0, done.err
    assert len(endpoint.requests) == 32


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_model_that_a_line_names_and_nobody_knows_fails_it(
    space: Space, cli: Cli, endpoint: ChatEndpoint, engine: str
) -> None:
    files = with_judge("", ', model: "${inputs.judge}"')
    files["flow.dag.yaml"] = files["flow.dag.yaml"].replace(
        "inputs: {question", "inputs: {judge: {type: string}, question"
    )
    folder = space(files, "answer", engine=engine, inputs={"judge": "jugde"})
    done = cli("bench", "small", "-w", folder)
    assert done.out.count("8 of 8 failed") == 2
    assert cli("gate", "latest", "-w", folder).code in (1, 4)


def test_a_variant_s_connection_is_looked_at_where_it_is_chosen(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    variants = "- {name: answer, use_variants: true}\nnode_variants:\n  answer:\n    default_variant_id: own\n"
    variants += "    variants:\n"
    for name, connection in (("own", ""), ("far", ", connection: servise")):
        node = "type: llm, source: {type: code, path: say.jinja2}, api: chat" + connection
        variants += f"      {name}: {{node: {{{node}, inputs: {{question: '${{inputs.question}}'}}}}}}\n"
    files = {"flow.dag.yaml": INPUTS.replace("NODE", "answer") + variants, "say.jinja2": SAY}
    done = cli("bench", "small", "-w", space(files, "answer", variants=["own", "far"]))
    assert done.code == 2 and "names the connection 'servise'" in said(done)
    assert not endpoint.requests
    assert cli("bench", "small", "-w", space(files, "answer", variants=["own"])).code == 0


def test_a_prompty_whose_connection_is_unknown_is_refused(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    files = {"asked.prompty": PROMPTY.replace("CONFIGURATION", "{type: openai, model: g, connection: servise}")}
    done = cli("bench", "small", "-w", space(files, "ask", flow="flows/mine/asked.prompty"))
    assert done.code == 2 and "names the connection 'servise'" in said(done)
    assert not endpoint.requests


GRADES = """
inputs: {answer: {type: string}}
outputs: {correct: {type: string, reference: "${grade.output}"}}
nodes:
- name: grade
  type: llm
  source: {type: code, path: grade.jinja2}
  inputs: {model: gpt-judge, answer: "${inputs.answer}"}
  api: chat
"""


@pytest.mark.parametrize(
    ("connection", "refused"),
    [("servise", "names the connection 'servise'"), ("", "an llm node 'grade' that names no connection")],
)
def test_an_evaluation_flow_s_judge_is_one_that_the_workspace_defines(
    space: Space, cli: Cli, endpoint: ChatEndpoint, connection: str, refused: str
) -> None:
    bound = {"evaluator": "flow:grades", "inputs": {"answer": "${nodes.answer.output}"}}
    evaluators = yaml.safe_dump({"primary": "answer.it.correct", "nodes": {"answer": {"it": bound}}})
    files = {
        "flow.dag.yaml": INPUTS.replace("NODE", "answer") + llm("answer"),
        "say.jinja2": SAY,
        "evaluators.yaml": evaluators,
        "grades/flow.dag.yaml": GRADES + (f"  connection: {connection}\n" if connection else ""),
        "grades/grade.jinja2": "# user:\n점수를 매기시오: {{ answer }}\n",
    }
    done = cli("bench", "small", "-w", space(files))
    assert done.code == 2 and refused in said(done)
    assert not endpoint.requests
    files["grades/flow.dag.yaml"] = GRADES + "  connection: service\n"
    endpoint.script("점수를", Answer("1"))
    done = cli("bench", "small", "-w", space(files))
    assert done.code == 0, done.err
    assert [r.body["model"] for r in endpoint.requests].count("gpt-judge") == 16
