"""What a user sees where every reply comes in a service's own way."""

from __future__ import annotations

from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, reasoning
from command_line import Cli, Make


def completion(content: Any, finish: str = "stop", **message: Any) -> Status:
    usage = message.pop("usage", {"prompt_tokens": 20, "completion_tokens": 1})
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return Status(200, {"object": "chat.completion", "model": "gpt-test", "choices": [choice], "usage": usage})


THOUGHT = {"prompt_tokens": 20, "completion_tokens": 512, "completion_tokens_details": {"reasoning_tokens": 512}}


@pytest.mark.parametrize(
    ("step", "outcome", "words"),
    [
        (completion([{"type": "text", "text": "A"}]), "answered", ""),
        (completion([{"type": "thinking", "thinking": "B?"}, {"type": "text", "text": "A"}]), "answered", ""),
        (completion("A", reasoning_content="B? 아니, A."), "answered", ""),
        (completion("", "content_filter: PROHIBITED_CONTENT"), "filtered", "PROHIBITED_CONTENT"),
        (completion("", "SAFETY"), "filtered", "SAFETY"),
        (completion(None, refusal="답할 수 없습니다."), "filtered", "the model refused: 답할 수 없습니다."),
        (completion("가나다라", "MAX_TOKENS"), "truncated", ""),
        (completion("가나다라", "max_tokens"), "truncated", ""),
        (completion("", "length", usage=THOUGHT), "truncated", "reasoning used up the limit on tokens (512 of 512)"),
        (Status(400, {"error": {"message": "flagged", "code": "invalid_prompt"}}), "filtered", "flagged"),
    ],
)
def test_the_outcome_of_a_reply_whatever_service_sent_it(
    cli: Cli, make: Make, endpoint: ChatEndpoint, step: Status, outcome: str, words: str
) -> None:
    folder = make(12)
    endpoint.default = step
    done = cli("bench", "-w", folder)
    assert done.code == (0 if outcome == "answered" else 4), done.err
    assert f"{outcome} 12" in done.out
    assert words in done.out
    assert "0.250" in done.out if outcome == "answered" else "0.000" in done.out


def by_letters(config: dict[str, Any]) -> None:
    config["models"]["tested"]["scoring"] = "logprobs"


def test_scoring_by_log_probabilities_asks_for_them(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(12, by_letters)
    endpoint.default = Answer("A", top_logprobs={"A": -0.1, "B": -2.5})
    done = cli("bench", "-w", folder)
    assert done.code == 0, done.err
    assert {(r.body["logprobs"], r.body["top_logprobs"]) for r in endpoint.requests} == {(True, 20)}
    assert "answered 12" in done.out and "extract:letter-logprobs-0.1" in done.out


def test_what_the_user_asks_of_log_probabilities_is_sent(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def own(config: dict[str, Any]) -> None:
        by_letters(config)
        config["models"]["tested"]["parameters"] = {"top_logprobs": 5, "max_tokens": 1}

    folder = make(12, own)
    endpoint.default = Answer("A", "length", top_logprobs={"A": -0.1, "B": -2.5})
    assert cli("bench", "-w", folder).code == 0
    sent = [{n: v for n, v in r.body.items() if n not in ("messages", "model")} for r in endpoint.requests]
    assert sent == [{"logprobs": True, "top_logprobs": 5, "max_tokens": 1}] * 12


@pytest.mark.parametrize(
    ("first_token", "outcome"),
    [
        ({"\n": -0.0001, "B": -9.2, "A": -9.4}, "unparsed"),  # the reply says A
        ({"\n": -0.0001}, "unparsed"),
        ({"정답": -0.02, "A": -4.0, " A": -5.0}, "unparsed"),
        ({"\n": -0.4, "A": -1.5, " A": -2.5}, "answered"),
        ({"A": -0.2, "B": -3.0}, "answered"),
    ],
)
def test_letters_that_hold_next_to_nothing_of_the_probability_are_no_answer(
    cli: Cli, make: Make, endpoint: ChatEndpoint, first_token: dict[str, float], outcome: str
) -> None:
    folder = make(12, by_letters)
    endpoint.default = Answer("\nA", top_logprobs=first_token)
    done = cli("bench", "-w", folder)
    assert f"{outcome} 12" in done.out


def test_replies_without_log_probabilities_stop_the_run(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(60, by_letters)
    endpoint.default = Answer("A")
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2 and len(endpoint.requests) == 20
    assert "the reply holds no log-probabilities" in stopped.err and "scoring: text" in stopped.err


def test_a_few_replies_without_log_probabilities_fail_and_keep_their_cost(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    def priced(config: dict[str, Any]) -> None:
        by_letters(config)
        config["models"]["tested"]["prices"] = {"input": 100_000.0, "output": 0.0}

    folder = make(12, priced)
    good = Answer("A", top_logprobs={"A": -0.1})
    endpoint.default = lambda prompt: Answer("A") if "문제 3번은" in prompt else good
    done = cli("bench", "-w", folder)
    assert "answered 11" in done.out and "failed 1" in done.out
    assert "24.0000 USD" in done.out  # 12 replies of 20 tokens, 2 each
    shown = cli("runs", "show", "latest", "q3", "-w", folder)
    assert "holds no log-probabilities" in shown.out


def test_a_service_that_refuses_log_probabilities_says_what_to_change(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = reasoning
    stopped = cli("bench", "-w", make(60, by_letters))
    assert stopped.code == 2 and len(endpoint.requests) <= 20
    assert "'logprobs' of model 'tested', which scoring: logprobs needs" in stopped.err
    assert "set scoring: text" in stopped.err


def test_doctor_says_that_reasoning_uses_up_the_limit(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(12)
    endpoint.default = completion("", "length", usage=THOUGHT)
    assert "reasoning used up its limit of tokens (512) before it said anything" in cli("doctor", "-w", folder).out
