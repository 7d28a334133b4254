"""Node ``answer``: ask the model of this line and read what it says."""

from driftgate.flows.extraction import extract_choice, nearest_choice
from driftgate.flows.letters import likeliest_letter
from driftgate.flows.line import ask
from driftgate.flows.tool import tool


@tool
async def answer(prompt: str, choices: list, scoring: str) -> dict:
    """Return the answer's first line and, where there are choices, the letter of the one it means."""
    reply = await ask(prompt)
    text = next((line.strip() for line in reply.text.splitlines() if line.strip()), "")
    said = {"text": text, "claims": [text.rstrip(" .。")], "finish_reason": reply.finish_reason}
    if not choices:
        return {**said, "answer": text.rstrip(" .。") or None, "rule": "text"}
    if scoring == "logprobs":
        return {**said, "answer": likeliest_letter(reply.first_token, len(choices)), "rule": "logprobs"}
    found = extract_choice(reply.text, choices)
    if found.answer is None:
        found = nearest_choice(text, choices)
    # Words that mean none of the choices are an answer as well, and a wrong one.
    return {**said, "answer": found.answer or text or None, "rule": found.rule}
