"""One call as each dialect tells of it, as the instrumentations were seen to send it, with what it must become."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

SYSTEM, QUESTION, ANSWER = "Answer with a letter.", "환불은 며칠 걸리나요?", "B"
REQUEST = {
    "model": "m",
    "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
    "user": "kim-7",
}
REPLY = {
    "model": "m-1",
    "system_fingerprint": "fp_1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
PARTS = {
    "gen_ai.input.messages": json.dumps(
        [{"role": m["role"], "parts": [{"type": "text", "content": m["content"]}]} for m in REQUEST["messages"]]  # type: ignore[index]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}]
    ),
}
OF_EVENTS = [
    ("gen_ai.system.message", {"gen_ai.event.content": json.dumps({"role": "system", "content": SYSTEM})}),
    ("gen_ai.user.message", {"gen_ai.event.content": json.dumps({"role": "user", "content": QUESTION})}),
    (
        "gen_ai.choice",
        {"gen_ai.event.content": json.dumps({"message": {"content": ANSWER}, "finish_reason": "stop", "index": 0})},
    ),
]
USAGE = {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 3}
MODELS = {"gen_ai.request.model": "m", "gen_ai.response.model": "m-1"}
TOLD = {
    "request_model": "m",
    "response_model": "m-1",
    "input_tokens": 20,
    "output_tokens": 3,
    "finish_reason": "stop",
    "provider": "openai",
    "operation": "chat",
}


@dataclass(frozen=True)
class Example:
    """A span of a dialect and the record it becomes."""

    attributes: dict[str, Any]
    told: dict[str, Any]
    others: list[dict[str, Any]]
    """Attributes, in the place of the span's own, that make it something else than a call."""
    scope: str = ""
    name: str = "span"
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    content: bool = True
    """Whether the span tells what was asked and answered."""


EXAMPLES = {
    "otel_genai": Example(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.cache_read.input_tokens": 8,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "gen_ai.conversation.id": "thread_9",
            "gen_ai.prompt.name": "refund-v3",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.05,
            **MODELS,
            **USAGE,
            **PARTS,
        },
        TOLD
        | {
            "conversation": "thread_9",
            "prompt_name": "refund-v3",
            "cached_tokens": 8,
            "reasoning_tokens": 2,
            "time_to_first_token": 0.05,
        },
        [
            {"gen_ai.operation.name": "invoke_agent"},
            {"gen_ai.operation.name": "execute_tool"},
            {"gen_ai.operation.name": "embeddings"},
        ],
    ),
    "openai_v2": Example(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.response.finish_reasons": ["stop"],
            **MODELS,
            **USAGE,
        },
        TOLD,
        [{"gen_ai.operation.name": "embeddings"}],
        scope="opentelemetry.instrumentation.openai_v2",
        content=False,
    ),
    "azure_ai_inference": Example(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "az.ai.inference",
            "gen_ai.response.finish_reasons": ["stop"],
            **MODELS,
            **USAGE,
        },
        TOLD | {"provider": "azure.ai.inference"},
        [
            {"gen_ai.operation.name": "embeddings"},
            {"gen_ai.system": "az.ai.agents", "gen_ai.operation.name": "start_thread_run"},
        ],
        events=OF_EVENTS,
    ),
    "langchain_azure": Example(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "metadata.ls_provider": "openai",
            "metadata.thread_id": "t-1",
            "gen_ai.response.finish_reasons": ["stop"],
            **MODELS,
            **USAGE,
            **PARTS,
        },
        TOLD | {"conversation": "t-1"},
        [{"gen_ai.operation.name": "invoke_agent"}, {"gen_ai.operation.name": "execute_tool"}],
    ),
    "openllmetry": Example(
        {
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": SYSTEM,
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
            "gen_ai.completion.0.finish_reason": "stop",
            "gen_ai.usage.prompt_tokens": 20,
            "gen_ai.usage.completion_tokens": 3,
            "gen_ai.usage.cache_read_input_tokens": 8,
            "traceloop.association.properties.session_id": "s-1",
            "traceloop.association.properties.user_id": "kim-7",
            "traceloop.prompt.key": "refund",
            "traceloop.prompt.version": 3,
            **MODELS,
        },
        TOLD
        | {
            "provider": "OpenAI",
            "conversation": "s-1",
            "user": "of kim-7",
            "prompt_name": "refund",
            "prompt_version": "3",
            "cached_tokens": 8,
        },
        [{"llm.request.type": "embedding"}, {"traceloop.span.kind": "workflow"}, {"traceloop.span.kind": "tool"}],
        scope="opentelemetry.instrumentation.openai.v1",
    ),
    "openinference": Example(
        {
            "openinference.span.kind": "LLM",
            "llm.system": "openai",
            "llm.model_name": "m-1",
            "llm.invocation_parameters": json.dumps({"model": "m", "user": "kim-7"}),
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": SYSTEM,
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": ANSWER,
            "llm.token_count.prompt": 20,
            "llm.token_count.completion": 3,
            "llm.token_count.prompt_details.cache_read": 8,
            "llm.token_count.completion_details.reasoning": 2,
            "output.value": json.dumps(REPLY),
            "session.id": "s-1",
        },
        TOLD
        | {
            "conversation": "s-1",
            "user": "of kim-7",
            "fingerprint": "fp_1",
            "cached_tokens": 8,
            "reasoning_tokens": 2,
        },
        [{"openinference.span.kind": kind} for kind in ("CHAIN", "TOOL", "AGENT", "EMBEDDING", "RETRIEVER")],
    ),
    "litellm": Example(
        {
            "gen_ai.operation.name": "acompletion",
            "llm.request.type": "acompletion",
            "litellm.call_id": "fccc032d",
            "gen_ai.system": "openai",
            "gen_ai.response.finish_reasons": json.dumps(["stop"]),
            "metadata.user_api_key_end_user_id": "kim-7",
            "metadata.user_api_key_team_id": "team-2",
            **MODELS,
            **USAGE,
            **PARTS,
        },
        TOLD | {"user": "of kim-7", "tenant": "team-2"},
        [
            {"gen_ai.operation.name": "aembedding", "llm.request.type": "aembedding"},
            {"gen_ai.operation.name": "aimage_generation"},
        ],
        name="litellm_request",
    ),
    "semantic_kernel": Example(
        {
            "gen_ai.operation.name": "text_completions",
            "gen_ai.system": "openai",
            "gen_ai.response.finish_reason": "FinishReason.STOP",
            **MODELS,
            **USAGE,
        },
        TOLD | {"operation": "text_completion"},
        [{"gen_ai.operation.name": "execute_tool"}, {"gen_ai.operation.name": "invoke_agent"}],
        scope="semantic_kernel.utils.telemetry.model_diagnostics.decorators",
        content=False,
    ),
    "prompt_flow": Example(
        {
            "framework": "promptflow",
            "span_type": "LLM",
            "inputs": json.dumps(REQUEST),
            "output": json.dumps(REPLY),
            "llm.generated_message": json.dumps({"role": "assistant", "content": ANSWER, "tool_calls": None}),
            "llm.response.model": "m-1",
            "llm.usage.prompt_tokens": 20,
            "llm.usage.completion_tokens": 3,
        },
        TOLD | {"user": "of kim-7", "fingerprint": "fp_1", "cached_tokens": 8, "reasoning_tokens": 2},
        [{"span_type": kind} for kind in ("Function", "Flow", "Tool", "Embedding", "Retrieval")],
    ),
    "vllm": Example(
        {
            "gen_ai.request.id": "cmpl-1",
            "gen_ai.response.model": "m-1",
            "gen_ai.usage.prompt_tokens": 20,
            "gen_ai.usage.completion_tokens": 3,
            "gen_ai.latency.time_to_first_token": 0.05,
            "gen_ai.latency.e2e": 0.8,
        },
        TOLD | {"request_model": "m-1", "provider": "vllm", "time_to_first_token": 0.05, "finish_reason": ""},
        [{"gen_ai.operation.name": "embeddings"}],
        name="llm_request",
        content=False,
    ),
    "langfuse": Example(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "m",
            "langfuse.observation.input": json.dumps(REQUEST["messages"]),
            "langfuse.observation.output": json.dumps({"role": "assistant", "content": ANSWER}),
            "langfuse.observation.usage_details": json.dumps({"input": 20, "output": 3, "total": 23}),
            "langfuse.observation.completion_start_time": "2026-03-01T12:00:01.050Z",
            "langfuse.observation.prompt.name": "refund",
            "langfuse.observation.prompt.version": 3,
            "user.id": "kim-7",
            "session.id": "s-1",
        },
        TOLD
        | {
            "response_model": "",
            "provider": "",
            "finish_reason": "",
            "user": "of kim-7",
            "conversation": "s-1",
            "prompt_name": "refund",
            "prompt_version": "3",
            "time_to_first_token": 0.05,
        },
        [{"langfuse.observation.type": kind} for kind in ("span", "agent", "tool", "embedding", "chain")],
    ),
    "quarkus": Example(
        {
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.id": "x",
            "gen_ai.response.finish_reasons": "STOP",
            "gen_ai.usage.prompt_tokens": 20,
            "gen_ai.usage.completion_tokens": 3,
            "gen_ai.client.estimated_cost": "0.1",
            "gen_ai.prompt": json.dumps(REQUEST["messages"]),
            "gen_ai.completion": ANSWER,
            **MODELS,
        },
        TOLD | {"provider": ""},
        [{"gen_ai.operation.name": "execute_tool"}],
        name="completion m",
        scope="io.quarkiverse.langchain4j",
    ),
    "responses": Example(
        {
            "gen_ai.operation.name": "responses",
            "gen_ai.provider.name": "openai",
            "openai.request": json.dumps({"model": "m", "instructions": SYSTEM, "input": QUESTION}),
            "openai.response": json.dumps(
                {
                    "model": "m-1",
                    "status": "completed",
                    "output": [
                        {"type": "reasoning", "summary": []},
                        {
                            "type": "message",
                            "role": "assistant",
                            "content": [{"type": "output_text", "text": ANSWER}],
                        },
                    ],
                    "usage": {
                        "input_tokens": 20,
                        "output_tokens": 3,
                        "input_tokens_details": {"cached_tokens": 8},
                        "output_tokens_details": {"reasoning_tokens": 2},
                    },
                }
            ),
        },
        TOLD | {"cached_tokens": 8, "reasoning_tokens": 2},
        [{"gen_ai.operation.name": "embeddings"}],
    ),
    "fallback": Example(
        {"llm.model": "m", "llm.response.model": "m-1", "llm.vendor": "openai", **USAGE},
        TOLD | {"finish_reason": ""},
        [
            {"gen_ai.tool.name": "search"},
            {"span.kind": "agent"},
            {"llm.request.type": "embedding"},
        ],
        content=False,
    ),
}
