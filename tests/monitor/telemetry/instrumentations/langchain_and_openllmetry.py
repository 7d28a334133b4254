from __future__ import annotations

from langchain_azure import run
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from sending import done

OpenAIInstrumentor().instrument()
done(run(), "langchain-azure-ai", "opentelemetry-instrumentation-openai")
