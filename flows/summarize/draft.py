"""Node ``draft``: the model puts the chosen sentences into one."""

from driftgate.flows.line import ask
from driftgate.flows.tool import tool


@tool
async def draft(prompt: str) -> dict:
    """Return the model's words as they are."""
    reply = await ask(prompt)
    return {"text": reply.text.strip(), "finish_reason": reply.finish_reason}
