"""Tool calls of a model's reply reach the evaluators of a flow, from the service and from the cache alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status, responses_only
from command_line import Cli

import driftgate

Space = Callable[..., Path]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "refund",
            "parameters": {
                "type": "object",
                "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
                "required": ["order", "amount"],
            },
        },
    }
]
DAG = """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
"""
ASK = """
from promptflow.core import tool

from driftgate.flows.line import ask as ask_model


@tool
async def ask(question: str) -> str:
    reply = await ask_model(question)
    return reply.text or "처리했습니다."
"""
EVALUATORS = """
primary: ask.calls.correct
nodes:
  ask:
    calls:
      evaluator: tool_calls
      inputs: {calls: "${line.tool_calls}", expected: "${data.expected}", tools: "${data.tools}"}
"""
ROWS = [
    {
        "id": f"r{n}",
        "question": f"주문 A-{n}을 환불해 줘",
        "expected": [{"name": "refund", "arguments": {"order": f"A-{n}", "amount": 25000}}],
        "tools": TOOLS,
    }
    for n in range(4)
]


def chat(*calls: tuple[str, Any]) -> Status:
    told = [
        {"id": f"c{place}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for place, (name, arguments) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": told}
    usage = {"prompt_tokens": 20, "completion_tokens": 9}
    return Status(200, {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": usage})


def responses(*calls: tuple[str, Any]) -> Status:
    output = [
        {"type": "function_call", "call_id": f"c{place}", "name": name, "arguments": json.dumps(arguments)}
        for place, (name, arguments) in enumerate(calls)
    ]
    return Status(200, {"status": "completed", "output": output, "usage": {"input_tokens": 20, "output_tokens": 9}})


def before_tools(*calls: tuple[str, Any]) -> Status:
    name, arguments = calls[0]
    message = {"role": "assistant", "content": "", "function_call": {"name": name, "arguments": json.dumps(arguments)}}
    return Status(200, {"choices": [{"message": message, "finish_reason": "function_call"}]})


@pytest.fixture
def refunds(space: Space, endpoint: ChatEndpoint) -> Callable[..., Path]:
    """A workspace whose model calls ``refund`` for every question, wrongly for the third and not for the fourth."""

    def build(reply: Callable[..., Status], **model: Any) -> Path:
        endpoint.default = lambda prompt: _answer(reply, prompt)
        config = {
            "provider": "openai",
            "endpoint": f"{endpoint.url}/v1",
            "model": "gpt-test",
            "parameters": {"tools": TOOLS},
            **model,
        }
        return space(
            {"flow.dag.yaml": DAG, "ask.py": ASK, "evaluators.yaml": EVALUATORS},
            rows=ROWS,
            models={"tested": config},
        )

    return build


def _answer(reply: Callable[..., Status], prompt: str) -> Status:
    number = prompt.split("A-")[1][0]
    amount: Any = {"2": "오천 원"}.get(number, 25000)
    made = ("refund", {"order": f"A-{number}", "amount": amount})
    return chat() if number == "3" else reply(made)


def scored(folder: Path) -> Sequence[float | None]:
    with driftgate.open(folder) as workspace:
        run = workspace.run()
        rows = run.scores()
        by_metric = dict(zip(rows["metric"], rows["value"], strict=True))
        return [by_metric[f"ask.calls.{name}"] for name in ("correct", "name", "adherence", "calls")]


@pytest.mark.parametrize("reply", [chat, before_tools])
def test_calls_of_a_reply_are_judged_and_are_in_its_cache(
    cli: Cli, refunds: Callable[..., Path], endpoint: ChatEndpoint, reply: Callable[..., Status]
) -> None:
    folder = refunds(reply)
    done = cli("bench", "it", "--cache", "-w", folder)
    assert done.code == 0, done.out + done.err
    first = scored(folder)
    assert first == pytest.approx([0.5, 0.75, 2 / 3, 0.75])
    asked = len(endpoint.requests)
    assert all(request.body["tools"] == TOOLS for request in endpoint.requests)
    assert cli("bench", "it", "--cache", "-w", folder).code == 0
    assert len(endpoint.requests) == asked and scored(folder) == first


def test_calls_of_the_responses_api_are_judged(cli: Cli, refunds: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    folder = refunds(responses)
    endpoint.refuses = responses_only
    endpoint.default = lambda prompt: responses(("refund", {"order": f"A-{prompt.split('A-')[1][0]}", "amount": 25000}))
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.out + done.err
    assert scored(folder) == pytest.approx([1.0, 1.0, 1.0, 1.0])
    sent = endpoint.requests[-1].body["tools"][0]
    assert sent["name"] == "refund" and "function" not in sent  # one level higher than on Chat Completions


def test_what_only_a_run_knows_is_not_attributed(cli: Cli, refunds: Callable[..., Path]) -> None:
    folder = refunds(chat)
    for _ in range(2):
        assert cli("bench", "it", "-w", folder).code == 0
    with driftgate.open(folder) as workspace:
        first, second = [run.id for run in workspace.runs()]
    done = cli("flow", "attribute", first, second, "-w", folder)
    assert done.code == 2 and "measured on the run itself" in done.err
