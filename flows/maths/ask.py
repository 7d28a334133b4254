"""Node ``ask``: put the rendered prompt to the model of this line."""

from driftgate.flows.line import ask as ask_model
from driftgate.flows.tool import tool


@tool
async def ask(prompt: str) -> dict:
    """Return the reply's text, finish reason and, where given, the first token's log-probabilities."""
    reply = await ask_model(prompt)
    return {"text": reply.text, "finish_reason": reply.finish_reason, "first_token": reply.first_token}
