"""A dataset whose fields do not suit the flow that asks it is named before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from maths_problems import problems, write_hrm8k

Space = Callable[..., Path]


@pytest.fixture
def space(tmp_path: Path, endpoint: ChatEndpoint) -> Space:
    """``space(dataset, rows, flow=...)`` writes a workspace of one suite, with ``own.jsonl`` where rows are given."""

    def write(dataset: dict[str, Any], rows: Sequence[dict[str, Any]] = (), **suite: Any) -> Path:
        folder = tmp_path / "space"
        folder.mkdir()
        if rows:
            lines = [json.dumps(row, ensure_ascii=False) for row in rows]
            (folder / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
        else:
            write_hrm8k(folder)
        model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
        config = {
            "version": 1,
            "models": {"tested": model},
            "datasets": {"asked": dataset},
            "suites": {"small": {"models": ["tested"], "datasets": ["asked"], **suite}},
        }
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        endpoint.default = Answer("12")
        return folder

    return write


HRM8K = {"kind": "hrm8k", "path": "."}
OWN = {"kind": "jsonl", "path": "own.jsonl"}
MATHS = {"flow": "maths", "variants": ["zero_shot"]}


def words(text: str) -> str:
    return " ".join(text.split())


def test_hrm8k_suits_the_maths_flow(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    by_question = {p.question: p for p in problems()}
    folder = space(HRM8K, **MATHS, limit=20)
    endpoint.default = lambda prompt: Answer(
        next((f"\\boxed{{{p.gold}}}" for q, p in by_question.items() if q in prompt), "2")
    )
    done = cli("doctor", "-w", folder)
    assert done.code == 0 and "warn" not in done.out and "mend" not in done.out, done.out
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert "100.0" in done.out or "1.000" in done.out, done.out


def test_hrm8k_does_not_suit_multiple_choice(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    folder = space(HRM8K, flow="multiple_choice", variants=["terse"])
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and not endpoint.requests
    assert "nobody supplies the input 'choices'" in words(done.err) and "such as 'maths'" in words(done.err)


def test_right_answers_that_are_all_no_quantity_are_refused(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    rows = [{"question": f"{n}번째 항은?", "answer": f"{n}x + y"} for n in range(5)]
    folder = space(OWN, rows, **MATHS)
    for command in (("doctor",), ("bench", "small")):
        done = cli(*command, "-w", folder)
        assert done.code == 2
        said = words(done.out + done.err)
        assert "can grade none of the 5 samples of dataset 'asked': the wanted value '0x + y' is no quantity" in said
    assert all("번째" not in request.prompt for request in endpoint.requests[1:])  # doctor asks its one question


def test_right_answers_of_which_some_are_no_quantity_are_counted(space: Space, cli: Cli) -> None:
    rows = [{"question": f"{n}번 물음", "answer": f"{n}x" if n in (3, 7) else str(n)} for n in range(10)]
    done = cli("doctor", "-w", space(OWN, rows, **MATHS))
    assert "can grade 8 of the 10 samples of dataset 'asked': the wanted value '3x' is no quantity" in words(done.out)
    assert words(done.out).count("is no quantity") == 1


def test_numeric_says_beforehand_what_it_cannot_grade(space: Space, cli: Cli) -> None:
    rows = [{"question": f"{n}번 물음", "answer": "서울" if n else "12"} for n in range(4)]
    inputs = {"response": "${nodes.ask.output.text}", "ground_truth": "${data.answer}"}
    evaluators = {"ask": {"number": {"evaluator": "numeric", "inputs": inputs}}}
    done = cli("doctor", "-w", space(OWN, rows, **MATHS, evaluators=evaluators, primary="ask.number.correct"))
    said = "can grade 1 of the 4 samples of dataset 'asked': the wanted value '서울' holds no number"
    assert f"the evaluator 'ask.number' {said}" in words(done.out)


@pytest.mark.parametrize(("column", "value"), [("choices", ["1", "2", "3"]), ("passage", "사과가 있다.")])
def test_a_part_of_the_question_that_the_flow_does_not_take_is_named(
    space: Space, cli: Cli, column: str, value: Any
) -> None:
    rows = [{"question": f"{n}번 물음", "answer": "2", column: value} for n in range(4)]
    done = cli("doctor", "-w", space(OWN, rows, **MATHS))
    assert f"the flow 'maths' takes no {column}, and 4 of 4 samples of dataset 'asked'" in words(done.out)
