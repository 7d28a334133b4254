"""Attribute names of OpenTelemetry's GenAI conventions that are both written and read.

References
----------
.. [1] OpenTelemetry, "Semantic conventions for generative client AI spans",
   https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FINGERPRINT: Final = "openai.response.system_fingerprint"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOOL: Final = "gen_ai.tool.name"
ERROR_TYPE: Final = "error.type"

# Content, opt-in.
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"

# What a flow adds of its own.
FLOW: Final = "driftgate.flow"
SAMPLE: Final = "driftgate.sample"
