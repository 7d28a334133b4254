from __future__ import annotations

from openinference.instrumentation.openai import OpenAIInstrumentor
from sending import calls_of_openai, done

OpenAIInstrumentor().instrument()
done(calls_of_openai(), "openinference-instrumentation-openai")
