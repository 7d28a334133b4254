"""What evaluators say of a reply that is not there, and of one that is too long to be read."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint

from driftgate.flows.evaluators import EVALUATORS, Binding, Evaluation, EvaluatorContext
from driftgate.flows.models import parse_config

LONGEST = 50_000
PASSAGES = [{"id": "leave.md", "text": "연차는 15일이다."}]
BEFORE = [{"role": "user", "content": "연차는요?"}, {"role": "assistant", "content": "연차는 15일입니다."}]
ASKED = [*BEFORE, {"role": "user", "content": "병가는요?"}]
COMMA = [{"id": "punctuation:no_comma", "parameters": {}}]
WANTED = {"ground_truth": "연차는 15일입니다."}
BY_RULES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    # Settings, the input that is the reply, and the others.
    "abstention": ({}, "response", {**WANTED, "relevant": ["leave"]}),
    "addressing": ({}, "text", {}),
    "bleu": ({}, "response", WANTED),
    "choice": ({}, "answer", {"gold": "B"}),
    "chrf": ({}, "response", WANTED),
    "citations": ({}, "answer", {"passages": PASSAGES}),
    "contradiction": ({}, "response", {"turns": ASKED}),
    "f1": ({}, "response", WANTED),
    "honorifics": ({}, "response", {"turns": ASKED}),
    "instructions": ({}, "text", {"instructions": COMMA}),
    "language": ({}, "text", {}),
    "meteor": ({}, "response", WANTED),
    "normalised_match": ({}, "response", WANTED),
    "numeric": ({}, "response", {"ground_truth": "15"}),
    "quantity": ({}, "answer", {"gold": "15"}),
    "refusal": ({}, "text", {}),
    "rouge": ({}, "response", WANTED),
    "support": ({}, "answer", {"passages": PASSAGES}),
    "toxicity": ({}, "text", {}),
}
OTHERS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "contains": ({}, "text", {"parts": []}),
    "exact_match": ({}, "response", WANTED),
    "json_schema": ({}, "text", {}),
    "length": ({"longest": 20}, "text", {}),
    "regex": ({"pattern": "^[^,]*$"}, "text", {}),
}
NO_REPLY = {"budget", "ranking", "tool_calls"}
LOW_IS_GOOD = {
    *("toxic", "hits", "refused", "probability", "addressed", "contradictions", "breaks", "withheld", "errors"),
    *("numbers_missing", "numbers_wrong", "numbers_added"),
}
NO_VERDICT = {"characters", "latin", "han", "kana", "other", "turn"}
EMPTY = (None, "", " \n", "\u200b", "<think>연차는 15일이다.</think>")


async def bound(name: str, reply: object, settings: Mapping[str, Any] | None = None) -> list[Evaluation]:
    own, key, others = {**BY_RULES, **OTHERS}[name]
    call = EVALUATORS.get(name)(**{**own, **(settings or {})})
    return await Binding("reply", "said", call, {**others, key: reply}).evaluate({})


def test_every_evaluator_of_a_reply_is_held_to_it() -> None:
    asking = {"judge", "azure_ai_project"}
    own = {name for name in EVALUATORS.names() if not asking & set(inspect.signature(EVALUATORS.get(name)).parameters)}
    assert own == {*BY_RULES, *OTHERS, *NO_REPLY}


@pytest.mark.parametrize("empty", EMPTY, ids=["none", "empty", "white", "invisible", "thoughts"])
@pytest.mark.parametrize("name", sorted({*BY_RULES, *OTHERS}))
async def test_a_reply_that_is_not_there_is_good_news_to_no_metric(name: str, empty: str | None) -> None:
    found = await bound(name, empty)
    if found[0].error:
        assert "the reply is empty" in found[0].error
        return
    for one in found:
        if one.value is not None and one.metric not in NO_VERDICT:
            assert one.value > 0 if one.metric in LOW_IS_GOOD else one.value == 0, one


CRITERIA = {"criteria": "말투가 공손한가"}
JUDGED = {
    "coherence": {"query": "연차는?"},
    "fluency": {},
    "groundedness": {"context": "연차는 15일이다."},
    "intent_resolution": {"query": "연차는?"},
    "judge": {},
    "relevance": {"query": "연차는?"},
    "response_completeness": WANTED,
    "similarity": {"query": "연차는?", **WANTED},
}
SAFETY = [
    *("code_vulnerability", "hate_unfairness", "indirect_attack", "protected_material", "self_harm", "sexual"),
    *("ungrounded_attributes", "violence"),
]


def test_every_evaluator_that_asks_about_a_reply_is_held_to_it() -> None:
    taken = {name: set(inspect.signature(EVALUATORS.get(name)).parameters) for name in EVALUATORS.names()}
    assert {name for name, known in taken.items() if "judge" in known} == {*JUDGED, "retrieval"}  # which has no reply
    assert {name for name, known in taken.items() if "azure_ai_project" in known} == {*SAFETY}


@pytest.mark.parametrize("empty", [*EMPTY, []], ids=["none", "empty", "white", "invisible", "thoughts", "no turns"])
@pytest.mark.parametrize("name", [*JUDGED, *SAFETY])
async def test_nobody_is_asked_to_grade_a_reply_that_is_not_there(
    endpoint: ChatEndpoint, name: str, empty: object
) -> None:
    """A judge that finds no fault in nothing would give it the best grade, as a service would call it safe."""
    endpoint.default = Answer('{"score": 5, "reason": "흠이 없다"}')
    if name in JUDGED:
        config = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"}
        context = EvaluatorContext({"j": parse_config(config)})
        call = EVALUATORS.get(name)(judge="j", context=context, **(CRITERIA if name == "judge" else {}))
    else:
        call = EVALUATORS.get(name)(azure_ai_project=f"{endpoint.url}/api/projects/p")
    inputs = {**JUDGED.get(name, {"query": "?"}), "response": empty}
    (found,) = await Binding("reply", "said", call, inputs).evaluate({})
    assert found.value is None and "the reply is empty" in found.error
    assert not endpoint.requests


@pytest.mark.parametrize("empty", EMPTY, ids=["none", "empty", "white", "invisible", "thoughts"])
@pytest.mark.parametrize("name", ["bleu", "chrf", "exact_match", "f1", "meteor", "normalised_match", "rouge"])
@pytest.mark.parametrize("wanted", ["", " \n", ["", "서울"]], ids=["empty", "white", "one of two"])
async def test_a_reply_that_is_not_there_does_not_meet_an_empty_cell_of_the_data(
    name: str, empty: str | None, wanted: str | list[str]
) -> None:
    call = EVALUATORS.get(name)()
    found = await Binding("reply", "said", call, {"ground_truth": wanted, "response": empty}).evaluate({})
    scores = [one for one in found if not one.metric.startswith(("numbers", "negation", "errors"))]
    assert scores and all(one.value == 0 for one in scores), scores


@pytest.mark.parametrize("empty", EMPTY[1:4], ids=["empty", "white", "invisible"])
def test_a_part_that_is_not_there_stands_nowhere(empty: str) -> None:
    contains = EVALUATORS.get("contains")()
    assert contains(text="연차는 15일이다.", parts=[empty]) == {
        "share": 0.0,
        "complete": 0.0,
    }  # a claim of an empty reply
    assert contains(text="연차는 15일이다.", parts=empty) == {"share": 0.0, "complete": 0.0}  # an empty cell of a table
    assert contains(text="연차는 15일이다.", parts=["연차", empty])["share"] == 0.5


async def test_a_text_that_must_hold_nothing_is_not_measured() -> None:
    (found,) = await Binding("reply", "said", EVALUATORS.get("contains")(), {"text": "연차", "parts": []}).evaluate({})
    assert found.value is None and "parts is an empty list" in found.error and "unless_empty" in found.error


def test_a_text_in_the_place_of_several_parts_is_one_part() -> None:
    contains = EVALUATORS.get("contains")()
    assert contains(text="서로 다른 울타리", parts="서울")["share"] == 0.0  # not its letters, each by itself
    assert contains(text="서울은 크다", parts="서울")["share"] == 1.0


async def test_a_reply_that_is_not_there_is_of_no_script_that_a_rule_may_limit() -> None:
    for empty in EMPTY:
        (found,) = await bound("language", empty)
        assert "the reply is empty" in found.error
    assert {one.metric: one.value for one in await bound("language", "15")}["within"] == 0.0


async def test_a_wanted_refusal_is_not_met_by_silence() -> None:
    assert "the reply is empty" in (await bound("refusal", "", {"wanted": True}))[0].error


@pytest.mark.parametrize("name", ["contradiction", "honorifics"])
async def test_an_assistant_that_falls_silent_in_a_conversation_is_not_consistent(name: str) -> None:
    call = EVALUATORS.get(name)()
    silent = [*ASKED, {"role": "assistant", "content": ""}]
    (found,) = await Binding("reply", "said", call, {"turns": silent}).evaluate({})
    assert "the reply is empty" in found.error
    calling = [*BEFORE, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]
    assert call(turns=calling)["consistent"] == 1.0


@pytest.mark.parametrize("name", sorted(BY_RULES))
async def test_a_text_that_is_too_long_is_an_error_that_says_so(name: str) -> None:
    for unit in ("가", "[1]"):
        (found,) = await bound(name, unit * (900_000 // len(unit)))
        assert "has 900,000 characters, expected at most 50,000" in found.error


@pytest.mark.parametrize("unit", ["가", "[1]", "1만 "])
@pytest.mark.parametrize("name", sorted(BY_RULES))
async def test_the_longest_text_is_read_in_seconds(name: str, unit: str) -> None:
    text = (unit * LONGEST)[: LONGEST - 100]  # a conversation has other turns
    begun = time.process_time()
    found = await bound(name, text)
    assert time.process_time() - begun < 12  # linear; a reader that grows with the square takes minutes
    assert not any("characters" in one.error for one in found)


async def test_thoughts_do_not_make_a_text_too_long() -> None:
    (found,) = [
        one
        for one in await bound("language", f"<think>{'hm ' * 40_000}</think>연차는 15일입니다.")
        if one.metric == "within"
    ]
    assert found.value == 1.0


def test_a_long_conversation_of_many_statements_is_compared_in_seconds() -> None:
    names = [
        f"{one}{other}{third}" for one in "가나다라마바사" for other in "고노도로모보소" for third in "구누두루무부수"
    ]
    told = "".join(f"{name} 요금은 {number}원입니다. " for number, name in enumerate(names))
    turns = [{"role": "user", "content": told}, {"role": "assistant", "content": told}]
    begun = time.process_time()
    assert EVALUATORS.get("contradiction")()(turns=turns)["contradictions"] == 0.0
    assert time.process_time() - begun < 20
