from __future__ import annotations

from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from sending import calls_of_openai, done

OpenAIInstrumentor().instrument()
done(calls_of_openai(), "opentelemetry-instrumentation-openai")
