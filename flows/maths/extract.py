"""Node ``extract``: read the quantity that the reply settles on."""

from driftgate.flows.quantities import found_quantity
from driftgate.flows.tool import tool


@tool
async def extract(reply: dict) -> dict:
    """Return the quantity and the rule that found it; no quantity where there is none to be read."""
    found = found_quantity(reply["text"], finished=reply["finish_reason"] != "length")
    return {"answer": found.answer, "rule": found.rule}
