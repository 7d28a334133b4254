"""Every service's words for the end of a reply, in one vocabulary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.finish import finish_reason


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        ("stop", ["stop", "STOP", "end_turn", "stop_sequence", "COMPLETE", "eos_token", "completed", "STOP_SEQUENCE"]),
        (
            "length",
            ["length", "MAX_TOKENS", "max_tokens", "max_output_tokens", "model_length", "FinishReason.MAX_TOKENS"],
        ),
        (
            "length",
            ["model_context_window_exceeded", {"type": "length", "length": 16}, {"reason": "max_output_tokens"}],
        ),
        ("content_filter", ["content_filter", "SAFETY", "refusal", "content_filter: PROHIBITED_CONTENT", "RECITATION"]),
        (
            "content_filter",
            ["guardrail_intervened", "content_filtered", "ERROR_TOXIC", "FinishReason.SAFETY", "Content-Filter"],
        ),
        ("tool_calls", ["tool_calls", "tool_use", "TOOL_CALL", "function_call"]),
        ("error", ["error", "abort", "ERROR", "insufficient_system_resource"]),
        ("", [None, "", "  ", 3, [], {}, {"type": 5}, True]),
    ],
)
def test_words_of_one_meaning(meaning: str, words: list[Any]) -> None:
    assert [finish_reason(word) for word in words] == [meaning] * len(words)


def test_a_word_that_nobody_knows_is_kept() -> None:
    assert finish_reason("Brand_New") == "brand_new"
    assert finish_reason("nonstop") == "nonstop"  # holds a known word, and is none


@given(st.text() | st.none() | st.integers() | st.dictionaries(st.text(), st.text()))
def test_what_was_read_once_reads_the_same_again(told: Any) -> None:
    assert finish_reason(finish_reason(told)) == finish_reason(told)
