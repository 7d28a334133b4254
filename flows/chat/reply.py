"""Node ``reply``: the model answers in the conversation."""

from driftgate.flows.line import ask
from driftgate.flows.tool import tool


@tool
async def reply(prompt: str) -> str:
    """Return the reply's text."""
    return (await ask(prompt)).text.strip()
