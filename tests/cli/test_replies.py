"""What a user sees where every reply comes in a service's own way."""

from __future__ import annotations

from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status
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
    assert done.code == 0, done.err
    assert f"{outcome} 12" in done.out
    assert words in done.out
    assert "0.250" in done.out if outcome == "answered" else "0.000" in done.out
