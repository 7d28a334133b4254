"""Node ``select``: the sentences that say most of what the article says."""

from promptflow.core import tool

from driftgate.flows.salience import salient


@tool
def select(article: str, count: int) -> dict:
    """Choose ``count`` sentences, in the article's order."""
    chosen = salient(article, count)
    return {"sentences": chosen, "text": " ".join(chosen)}
