"""Node ``retrieve``: the passages the answer is to be drawn from."""

from dataclasses import asdict

from driftgate.flows.line import search
from driftgate.flows.tool import tool


@tool
async def retrieve(question: str, source: str) -> dict:
    """Search the suite's documents, or nothing at all where ``source`` is ``none``."""
    found = [] if source == "none" else await search(question)
    return {"passages": [asdict(passage) for passage in found], "text": "\n".join(passage.text for passage in found)}
