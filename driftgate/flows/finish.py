"""Why a model stopped, in one vocabulary: every service has words of its own for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

STOP: Final = "stop"
"""The model had said what it wanted to say."""
LENGTH: Final = "length"
"""It was cut, by a limit on tokens or by its context window."""
FILTERED: Final = "content_filter"
"""It, or the service, would not say it."""
TOOLS: Final = "tool_calls"
"""It calls a tool."""
FAILED: Final = "error"
"""The service broke off; the same request may be answered another time."""

_WORDS: Final = MappingProxyType(
    {
        word: meaning
        for meaning, words in {
            STOP: "stop end_turn stop_sequence completed complete finish finished eos eos_token end_token endoftext "
            "end_of_text word stop_before stop_criteria_met",
            LENGTH: "length max_tokens max_token max_output_tokens max_completion_tokens max_length max_new_tokens "
            "limit model_length token_limit context_length context_length_exceeded "
            "model_context_window_exceeded error_limit",
            FILTERED: "content_filter content_filtered content_filter_error contentfilter filtered safety refusal "
            "prohibited_content blocklist blocked recitation spii image_safety image_prohibited_content "
            "image_recitation guardrail_intervened guardrails error_toxic sensitive content_policy_violation "
            "responsibleaipolicyviolation",
            TOOLS: "tool_calls tool_call tool_use function_call",
            FAILED: "error failed abort aborted cancelled canceled user_cancel timeout network_error "
            "insufficient_system_resource malformed_function_call",
        }.items()
        for word in words.split()
    }
)
"""Words of OpenAI (Chat Completions, Responses), Azure, Anthropic, Google, Amazon Bedrock, Cohere, Mistral, DeepSeek,
Zhipu, HyperCLOVA X, text-generation-inference, vLLM, SGLang, Ollama and llama.cpp, in lower case."""
_GIVEN_UP: Final = frozenset({"abort", "aborted", "cancelled", "canceled", "user_cancel"})
"""Of these the words for a reply that whoever asked did not wait for."""
_PARTS: Final = re.compile(r"[^a-z0-9_]+")


def finish_reason(told: Any) -> str:
    """What a service's word for the end of a reply means.

    Parameters
    ----------
    told : object
        The service's word, whatever it is; of several words in one text, and of a mapping with a ``type`` (SGLang) or
        a ``reason`` (Responses API), the first that is known counts.

    Returns
    -------
    str
        :data:`STOP`, :data:`LENGTH`, :data:`FILTERED`, :data:`TOOLS` or :data:`FAILED`; a word that nobody knows, in
        lower case; empty where nothing was said.

    Examples
    --------
    >>> finish_reason("end_turn"), finish_reason("MAX_TOKENS"), finish_reason("FinishReason.SAFETY")
    ('stop', 'length', 'content_filter')
    >>> finish_reason("content_filter: PROHIBITED_CONTENT"), finish_reason({"type": "length", "length": 16})
    ('content_filter', 'length')
    >>> finish_reason("Something New"), finish_reason(None)
    ('something new', '')
    """
    if isinstance(told, Mapping):
        told = next((told[name] for name in ("type", "reason") if isinstance(told.get(name), str)), "")
    if not isinstance(told, str):
        return ""
    word = told.strip().lower()
    if (meaning := _WORDS.get(word)) is not None:
        return meaning
    known = (_WORDS.get(part) for part in _PARTS.split(word.replace("-", "_")))
    return next((meaning for meaning in known if meaning is not None), word)


def broke_off(told: Any) -> bool:
    """Whether a service's word for the end of a reply says that the call failed; one that was given up did not.

    Examples
    --------
    >>> broke_off("error"), broke_off("network_error"), broke_off("user_cancel"), broke_off("stop"), broke_off(None)
    (True, True, False, False, False)
    """
    return finish_reason(told) == FAILED and str(told).strip().lower() not in _GIVEN_UP
