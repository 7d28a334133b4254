from __future__ import annotations

import asyncio
import time

import litellm
from sending import ENDPOINT, MODEL, QUESTIONS, REFUSED, done, messages, refused, spans

litellm.callbacks = ["otel"]
litellm.telemetry = False
TO = {"model": f"openai/{MODEL}", "api_base": f"{ENDPOINT}/v1", "api_key": "none", "num_retries": 0, "max_retries": 0}
for question in QUESTIONS[:2]:
    litellm.completion(messages=messages(question), user="kim-7", **TO)


async def several() -> None:
    for question in QUESTIONS[2:4]:
        await litellm.acompletion(messages=messages(question), **TO)
    await asyncio.sleep(3)  # its callbacks come later


asyncio.run(several())
refused(lambda: litellm.completion(messages=messages(REFUSED), **TO))
time.sleep(6)
for held in [spans, *(getattr(callback, "tracer_provider", None) for callback in litellm.callbacks)]:
    if held is not None:
        held.force_flush()
done(5, "litellm")
