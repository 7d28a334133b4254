"""The variant ``lm_eval`` asks what lm-evaluation-harness asks (``lm_eval/tasks/kmmlu``), to the character."""

from __future__ import annotations

from pathlib import Path

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.prompts import prompt_of

EXAMPLE = {"question": "하나는?", "choices": ["1", "2", "3", "4"], "answer": "A"}


async def test_the_prompt_ends_where_the_letter_is_expected(tmp_path: Path) -> None:
    engine = ENGINES.get("promptflow")(load_flow("multiple_choice", tmp_path).with_variant("lm_eval"))
    inputs = {"question": " 둘은? ", "choices": ["1", "2", "3", "4"], "scoring": "logprobs"}
    try:
        plain = await prompt_of(engine, inputs)
        shown = await prompt_of(engine, inputs | {"examples": [EXAMPLE]})
    finally:
        await engine.aclose()
    asked = "둘은?\nA. 1\nB. 2\nC. 3\nD. 4\n정답："
    assert plain == f"# user:\n{asked}"
    assert shown == f"# user:\n하나는?\nA. 1\nB. 2\nC. 3\nD. 4\n정답： A\n\n{asked}"
