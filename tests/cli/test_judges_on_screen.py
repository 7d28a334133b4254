"""What a person sees of a judge: its one grade in `doctor`, and how many of its replies could be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, Step
from command_line import Cli, Make

CRITERIA = "답변이 한 글자인가"


@pytest.fixture
def judged(make: Make, judge_endpoint: ChatEndpoint) -> Callable[..., Path]:
    """``judged(count, **settings)``: a workspace whose answers a judge grades by criteria in Korean."""

    def build(count: int = 4, **settings: Any) -> Path:
        def change(config: dict[str, Any]) -> None:
            config["models"]["j"] = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1"}
            grade = {
                "evaluator": "judge",
                "inputs": {"response": "${nodes.ask.output}", "query": "${data.question}"},
                "settings": {"judge": "j", "criteria": CRITERIA, **settings},
            }
            right = {
                "evaluator": "choice",
                "inputs": {"answer": "${nodes.extract.output.answer}", "gold": "${data.answer}"},
            }
            config["suites"]["small"]["evaluators"] = {"ask": {"tone": grade}, "extract": {"right": right}}
            config["suites"]["small"]["primary"] = "extract.right.correct"

        return make(count, change)

    return build


def test_doctor_asks_each_judge_for_one_grade(
    cli: Cli, judged: Callable[..., Path], judge_endpoint: ChatEndpoint
) -> None:
    judge_endpoint.default = Answer('{"score": 4, "reason": "짧다"}')
    folder = judged()
    done = cli("doctor", "-w", folder)
    assert "the judge 'j' of ask.tone gives 4 of 1 to 5, read at once" in done.out, done.out
    assert sum(CRITERIA in request.prompt for request in judge_endpoint.requests) == 1


def test_doctor_says_the_words_of_a_judge_that_cannot_be_read(
    cli: Cli, judged: Callable[..., Path], judge_endpoint: ChatEndpoint
) -> None:
    judge_endpoint.default = Answer("저는 평가하지 않습니다.")
    done = cli("doctor", "-w", judged())
    assert done.code != 0
    said = " ".join((done.out + done.err).split())
    assert 'the judge wrote no grade, expected one from 1 to 5, asked twice; it said: "저는 평가하지 않습니다."' in said


def test_doctor_keeps_what_a_judge_does_not_take(
    cli: Cli, judged: Callable[..., Path], judge_endpoint: ChatEndpoint
) -> None:
    def refuse(body: Any) -> Step | None:
        return Status(400, {"error": {"message": "json mode is not supported"}}) if "response_format" in body else None

    judge_endpoint.default, judge_endpoint.refuses = Answer("4점"), refuse
    folder = judged()
    assert "gives 4 of 1 to 5" in cli("doctor", "-w", folder).out
    judge_endpoint.forget()
    cli("bench", "-w", folder)
    assert judge_endpoint.requests and not any("response_format" in one.body for one in judge_endpoint.requests)


def test_the_parse_rate_stands_in_terminal_show_and_report(
    cli: Cli, judged: Callable[..., Path], judge_endpoint: ChatEndpoint
) -> None:
    judge_endpoint.default = Answer('{"score": 4}')
    judge_endpoint.script("문제 1번은", Answer("글쎄"), Answer("3점"))
    judge_endpoint.script("문제 2번은", Answer("평가 불가"))
    judge_endpoint.script("문제 3번은", Status(401, {"error": {"message": "bad key"}}))
    folder = judged(8)
    rate = "ask.tone: of 8 grades asked, 5 read at once, 1 when asked again, 1 not read, 1 without a reply (75.0% read)"
    done = cli("bench", "-w", folder)
    assert rate in done.out, done.out
    assert rate in cli("runs", "show", "latest", "-w", folder).out
    assert cli("report", "-w", folder).code == 0
    (page,), (summary,) = list(folder.rglob("*.html")), list(folder.rglob("*.md"))
    assert rate.split(": ")[1] in page.read_text("utf-8") and rate.split(": ")[1] in summary.read_text("utf-8")
