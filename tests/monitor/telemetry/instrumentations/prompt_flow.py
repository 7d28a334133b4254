from __future__ import annotations

import openai
from promptflow.tracing import trace
from promptflow.tracing._integrations._openai_injector import inject_openai_api
from sending import ENDPOINT, MODEL, QUESTIONS, REFUSED, done, messages, refused

inject_openai_api()
client = openai.OpenAI(base_url=f"{ENDPOINT}/v1", api_key="none", max_retries=0)


@trace
def answer(question: str) -> str | None:
    return client.chat.completions.create(model=MODEL, messages=messages(question)).choices[0].message.content


for each in QUESTIONS[:3]:
    answer(each)
refused(lambda: client.chat.completions.create(model=MODEL, messages=messages(REFUSED)))
done(4, "promptflow-tracing")
