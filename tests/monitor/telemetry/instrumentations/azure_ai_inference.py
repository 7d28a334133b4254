from __future__ import annotations

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core.credentials import AzureKeyCredential
from azure.core.settings import settings
from sending import ENDPOINT, MODEL, QUESTIONS, REFUSED, SYSTEM, done, refused

settings.tracing_implementation = "opentelemetry"
AIInferenceInstrumentor().instrument()
client = ChatCompletionsClient(f"{ENDPOINT}/v1", AzureKeyCredential("none"), retry_total=0)
for question in QUESTIONS[:3]:
    client.complete(messages=[SystemMessage(SYSTEM), UserMessage(question)], model=MODEL)
refused(lambda: client.complete(messages=[SystemMessage(SYSTEM), UserMessage(REFUSED)], model=MODEL))
done(4, "azure-ai-inference")
