"""Node ``remember``: the latest turns that fit, so that a long conversation does not crowd out the question."""

from driftgate.flows.tool import tool


@tool
def remember(chat_history: list, longest: int) -> dict:
    """Keep whole turns, the latest first, up to ``longest`` characters."""
    kept: list = []
    size = 0
    for turn in reversed(chat_history):
        said, heard = str(turn["inputs"]["question"]), str(turn["outputs"]["answer"])
        size += len(said) + len(heard)
        if size > longest:
            break
        kept.insert(0, {"user": said, "assistant": heard})
    return {"turns": kept, "text": "\n".join(f"{turn['user']}\n{turn['assistant']}" for turn in kept)}
