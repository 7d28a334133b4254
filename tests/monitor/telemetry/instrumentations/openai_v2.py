from __future__ import annotations

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from sending import calls_of_openai, done

OpenAIInstrumentor().instrument()
done(calls_of_openai(), "opentelemetry-instrumentation-openai-v2")
