"""The flow ``chat``: history goes into the prompt as turns, the oldest are dropped first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.scores import score_run
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.line import Line
from driftgate.flows.prompts import prompt_of
from driftgate.ledger import open_ledger


@pytest.fixture
def made(endpoint: ChatEndpoint, tmp_path: Path):
    ledger = open_ledger("ledger.db", tmp_path)
    dataset = load_dataset("d", parse_config({"kind": "dialogues"}), tmp_path)
    yield Bench(endpoint, ledger, tmp_path, dataset.samples, {"flow": "chat", "variants": ["turns", "transcript"]})
    ledger.close()


async def test_history_reaches_the_model_as_turns(made: Bench, endpoint: ChatEndpoint) -> None:
    await made.run()
    body = next(r.body for r in endpoint.requests if "예약 번호를 다시" in r.prompt)
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][2]["content"] == "네, 5381번 예약을 찾았습니다."


async def test_a_model_that_recalls_is_right_and_every_node_is_scored(made: Bench, endpoint: ChatEndpoint) -> None:
    answers = {s.data["question"]: s.data["answer"] for s in made.samples}
    endpoint.default = lambda prompt: Answer(
        next((f"{a}입니다." for q, a in answers.items() if q in prompt), "모릅니다.") if "5381" in prompt else "네."
    )
    run = await made.run()
    turns, transcript = score_run(made.ledger, run.id)
    for cell in (turns, transcript):
        accuracy, held = cell.get("accuracy"), cell.get("remember.holds_answer.complete")
        assert accuracy is not None and accuracy.value == pytest.approx(1 / 12)
        assert held is not None and held.value == 1.0


async def test_the_oldest_turns_give_way(tmp_path: Path) -> None:
    history = [{"inputs": {"question": f"질문 {n} " + "가" * 50}, "outputs": {"answer": f"답 {n}"}} for n in range(5)]
    engine = ENGINES.get("promptflow")(load_flow("chat", tmp_path))
    prompt = await prompt_of(engine, {"chat_history": history, "question": "그래서?", "longest": 130})
    assert "질문 4" in prompt and "질문 3" in prompt and "질문 2" not in prompt
    assert prompt.rstrip().endswith("그래서?")


async def test_without_history_the_question_stands_alone(tmp_path: Path, made: Bench) -> None:
    engine = ENGINES.get("promptflow")(load_flow("chat", tmp_path))
    prompt = await prompt_of(engine, {"question": "안녕?"})
    assert "# assistant" not in prompt


async def test_a_turn_that_is_none_fails_its_sample_alone(tmp_path: Path) -> None:
    engine = ENGINES.get("promptflow")(load_flow("chat", tmp_path))
    result = await engine.run_line({"chat_history": [{"inputs": {}}], "question": "?"}, Line({}))
    assert result.output is None and "question" in json.dumps(result.error)
