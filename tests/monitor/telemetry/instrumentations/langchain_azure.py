from __future__ import annotations

import asyncio

from langchain_azure_ai.callbacks.tracers import AzureAIOpenTelemetryTracer
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from sending import ENDPOINT, MODEL, QUESTIONS, REFUSED, SYSTEM, done, refused


def run() -> int:
    """Three calls, one asynchronous, one that fails, one within a chain."""
    tracer = AzureAIOpenTelemetryTracer(enable_content_recording=True)
    model = ChatOpenAI(model=MODEL, base_url=f"{ENDPOINT}/v1", api_key="none", max_retries=0, callbacks=[tracer])
    for question in QUESTIONS[:3]:
        model.invoke([("system", SYSTEM), ("user", question)])
    asyncio.run(model.ainvoke([("system", SYSTEM), ("user", QUESTIONS[3])]))
    refused(lambda: model.invoke([("system", SYSTEM), ("user", REFUSED)]))
    chain = ChatPromptTemplate.from_messages([("system", SYSTEM), ("user", "{q}")]) | model
    chain.invoke({"q": QUESTIONS[4]}, config={"callbacks": [tracer]})
    return 6


if __name__ == "__main__":
    done(run(), "langchain-azure-ai")
