"""Node ``retrieve``: the passages the answer is to be drawn from."""

from promptflow.core import tool

from flows.line import search


@tool
async def retrieve(question: str, source: str) -> list:
    """Search the suite's documents, or nothing at all where ``source`` is ``none``."""
    if source == "none":
        return []
    return [
        {"id": passage.id, "document": passage.document, "text": passage.text, "score": passage.score}
        for passage in await search(question)
    ]
