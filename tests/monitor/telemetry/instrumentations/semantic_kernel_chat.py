from __future__ import annotations

import asyncio
import logging

from openai import AsyncOpenAI
from opentelemetry.sdk._logs import LoggingHandler
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from sending import ENDPOINT, MODEL, QUESTIONS, REFUSED, SYSTEM, done, logs, refused

logging.getLogger().addHandler(LoggingHandler(logger_provider=logs))
logging.getLogger("semantic_kernel").setLevel(logging.INFO)


async def ask(question: str) -> None:
    client = AsyncOpenAI(base_url=f"{ENDPOINT}/v1", api_key="none", max_retries=0)
    history = ChatHistory(system_message=SYSTEM)
    history.add_user_message(question)
    service = OpenAIChatCompletion(ai_model_id=MODEL, async_client=client)
    await service.get_chat_message_contents(history, OpenAIChatPromptExecutionSettings())


for each in QUESTIONS[:3]:
    asyncio.run(ask(each))
refused(lambda: asyncio.run(ask(REFUSED)))
done(4, "semantic-kernel")
