"""Node ``reply``: the model answers in the conversation."""

from promptflow.core import tool

from driftgate.flows.line import ask


@tool
async def reply(prompt: str) -> str:
    """Return the reply's text."""
    return (await ask(prompt)).text.strip()
