"""Node ``select``: the sentences that say most of what the article says."""

from driftgate.flows.salience import salient
from driftgate.flows.tool import tool


@tool
def select(article: str, count: int) -> dict:
    """Choose ``count`` sentences, in the article's order."""
    chosen = salient(article, count)
    return {"sentences": chosen, "text": " ".join(chosen)}
