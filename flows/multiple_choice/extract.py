"""Node ``extract``: read the choice from the reply."""

from driftgate.flows.extraction import extract_choice
from driftgate.flows.letters import likeliest_letter
from driftgate.flows.tool import tool


@tool
async def extract(reply: dict, choices: list, scoring: str) -> dict:
    """Return the letter and the rule that found it; no letter where there is none to be read."""
    if scoring == "logprobs":
        return {"answer": likeliest_letter(reply["first_token"], len(choices)), "rule": "logprobs"}
    found = extract_choice(reply["text"], choices)
    return {"answer": found.answer, "rule": found.rule}
