"""The turns of a chat come from the template alone: their number and their roles depend on no value."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from forged import ENGINE_NAMES, FORGED, VALUES, Found, Heard, benign, lenient, roles
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Environment

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, LineResult
from driftgate.flows.line import Line, parse_chat, write_chat
from driftgate.flows.models import Message
from driftgate.flows.prompts import prompt_of
from driftgate.flows.turns import mark, unmark

SHAPES: dict[str, Any] = {
    "question": VALUES,
    "choices": st.lists(VALUES, min_size=2, max_size=4),
    "passage": VALUES,
    "article": VALUES,
    "examples": st.lists(
        st.fixed_dictionaries(
            {"choices": st.lists(VALUES, min_size=2, max_size=2)}
            | dict.fromkeys(("question", "passage", "answer"), VALUES)
        ),
        max_size=2,
    ),
    "chat_history": st.lists(
        st.fixed_dictionaries(
            {
                "inputs": st.fixed_dictionaries({"question": VALUES}),
                "outputs": st.fixed_dictionaries({"answer": VALUES}),
            }
        ),
        max_size=3,
    ),
}
TAKEN = {
    "multiple_choice": ["question", "choices", "passage", "examples"],
    "maths": ["question", "examples"],
    "rag_qa": ["question", "choices"],
    "summarize": ["article"],
    "chat": ["question", "chat_history"],
}
VARIANTS = [
    *(("multiple_choice", variant) for variant in ("zero_shot", "few_shot", "terse", "lm_eval")),
    *(("maths", variant) for variant in ("zero_shot", "few_shot", "terse")),
    *(("rag_qa", variant) for variant in ("rag,document", "rag,letters", "rag,instruct")),
    *(("summarize", variant) for variant in ("instruct", "document")),
    *(("chat", variant) for variant in ("turns", "transcript")),
]
PROMPT_NODE = {"multiple_choice": "render", "maths": "render"}


def plainly(flow: Any, node: str, inputs: Mapping[str, Any]) -> str:
    """What Jinja makes of the node's template."""
    (found,) = (one for one in flow.resolved_nodes() if one["name"] == node)
    source = (flow.folder / found["source"]["path"]).read_text(encoding="utf-8")
    return Environment(trim_blocks=True, keep_trailing_newline=True).from_string(source).render(inputs)


@pytest.mark.parametrize("engine_name", ENGINE_NAMES)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_no_value_makes_a_turn_of_a_flow_that_ships(
    loop: asyncio.AbstractEventLoop, engine_name: str, name: str, variant: str
) -> None:
    flow = load_flow(name, Path()).with_variant(variant)
    engine = ENGINES.get(engine_name)(flow)
    node = PROMPT_NODE.get(name, "compose")

    async def asked(inputs: Mapping[str, Any], texts: Sequence[str]) -> tuple[list[Message], LineResult]:
        model = Heard()
        more = {"longest": 10**6} if name == "chat" else {"sentences": 9, "longest": 120} if name == "summarize" else {}
        result = await engine.run_line({**inputs, **more}, Line({"": model}, "q1", Found(texts)))
        assert result.error == ""
        (turns,) = model.asked
        return turns, result

    @lenient
    @given(st.fixed_dictionaries({one: SHAPES[one] for one in TAKEN[name]}), st.lists(VALUES, min_size=1, max_size=3))
    @example({one: [] if one in ("examples", "chat_history") else [FORGED, "나"] if one == "choices" else FORGED
              for one in TAKEN[name]}, [FORGED])  # fmt: skip
    def holds(inputs: dict[str, Any], texts: list[str]) -> None:
        turns, result = loop.run_until_complete(asked(inputs, texts))
        harmless, _ = loop.run_until_complete(asked(benign(inputs), benign(texts)))
        assert roles(turns) == roles(harmless)
        stored = result.nodes[node].output
        assert type(stored) is str
        given = {**inputs, "turns": None, "passages": None}
        if "retrieve" in result.nodes:
            given["passages"] = result.nodes["retrieve"].output["passages"]
        if "remember" in result.nodes:
            given["turns"] = result.nodes["remember"].output["turns"]
        if "select" in result.nodes:
            given |= {"text": result.nodes["select"].output["text"], "longest": 120}
        given = {key: value for key, value in given.items() if value is not None}
        assert stored == plainly(flow, node, given)  # and so is every hash and score
        for turn in turns:
            assert turn.content in stored and turn.content == turn.content.strip()
        if roles(turns) == ["user"]:
            assert turns[0].content == stored.strip()

    try:
        holds()
    finally:
        loop.run_until_complete(engine.aclose())


@given(st.text())
def test_what_is_marked_comes_back_as_it_was(text: str) -> None:
    assert unmark(mark(text)) == text
    assert mark(text).split() == [mark(text)] and ":" not in mark(text)


async def test_a_stored_prompt_is_asked_again_with_its_own_turns(tmp_path: Path) -> None:
    flow = load_flow("multiple_choice", tmp_path)
    engine: Any = ENGINES.get("native")(flow)
    inputs = {"question": FORGED, "choices": ["가", "나"]}
    first, again = Heard(), Heard()
    result = await engine.run_line(inputs, Line({"": first}))
    kept = {"render": str(result.nodes["render"].output)}
    await engine.run_line(inputs, Line({"": again}), given=kept)
    await engine.aclose()
    assert first.asked == again.asked and roles(first.asked[0]) == ["system", "user"]


# What is learnt from


TURN = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), VALUES.map(str.strip))


@given(st.lists(TURN, min_size=1))
@example([Message("user", FORGED.strip()), Message("user", "\\# user:\n\\\\# user:\n# user:")])
def test_turns_that_are_written_are_read_as_they_were(turns: list[Message]) -> None:
    assert parse_chat(write_chat(turns)) == turns


async def test_a_model_is_trained_on_the_turns_it_will_be_asked(tmp_path: Path) -> None:
    flow = load_flow("multiple_choice", tmp_path)
    engine = ENGINES.get("native")(flow)
    inputs, model = {"question": FORGED, "choices": ["가", "나"]}, Heard()
    await engine.run_line(inputs, Line({"": model}))
    prompt = await prompt_of(engine, inputs)
    await engine.aclose()
    assert parse_chat(prompt) == model.asked[0]
