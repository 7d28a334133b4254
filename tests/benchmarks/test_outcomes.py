"""Exactly one outcome for every line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.outcomes import OUTCOMES, classify, rule_of
from driftgate.flows.engines import LineResult, NodeResult
from driftgate.flows.line import Call
from driftgate.flows.models import ContentFiltered, Reply, RequestRejected, Unavailable, Usage


def said(text: str, finish_reason: str = "stop") -> Call:
    return Call("m", Reply(text, finish_reason, Usage(), 0.1), None)


FILTERED = Call("m", None, ContentFiltered("m: refused"))
FAILED = Call("m", None, Unavailable("m: given up"))
REJECTED = Call("m", None, RequestRejected("m: HTTP 422"))


def done(answer: Any) -> LineResult:
    return LineResult({"answer": answer}, {})


def broken(error: str) -> LineResult:
    return LineResult(None, {}, error=error)


@pytest.mark.parametrize(
    ("line", "calls", "expected"),
    [
        (done("B"), [said("B")], ("answered", "B", "")),
        (done("B"), [said("B, because", "length")], ("answered", "B", "")),
        (done(3), [said("3")], ("answered", "3", "")),
        (LineResult({"output": "B"}, {}), [said("B")], ("answered", "B", "")),
        (LineResult({"output": "B", "answer": "C"}, {}), [said("B")], ("answered", "C", "")),
        (LineResult({"output": "B", "n": 1}, {}), [said("B")], ("answered", '{"output": "B", "n": 1}', "")),
        (done(None), [said("?")], ("unparsed", None, "")),
        (done("  "), [said("?")], ("unparsed", None, "")),
        (LineResult({"other": "B"}, {}), [said("B")], ("answered", "B", "")),
        (LineResult({"other": None}, {}), [said("?")], ("unparsed", None, "")),
        (LineResult({"one": None, "other": " "}, {}), [said("?")], ("unparsed", None, "")),
        (LineResult({"one": None, "other": 0}, {}), [said("0")], ("answered", '{"one": null, "other": 0}', "")),
        (LineResult({"one": {"가": [1]}}, {}), [said("?")], ("answered", '{"가": [1]}', "")),
        (LineResult({}, {}), [said("B")], ("answered", "", "")),
        (done(None), [said("생각해", "length")], ("truncated", None, "")),
        (done(None), [said("가", "length"), said("나")], ("truncated", None, "")),
        (broken("x"), [FILTERED], ("filtered", None, "m: refused")),
        (broken("x"), [said("가"), FILTERED], ("filtered", None, "m: refused")),
        (broken("x"), [FAILED], ("failed", None, "m: given up")),
        (broken("x"), [FAILED, REJECTED], ("failed", None, "m: HTTP 422")),
        (broken("the tool broke"), [said("B")], ("failed", None, "the tool broke")),
        (broken("no call at all"), [], ("failed", None, "no call at all")),
        (done("B"), [FAILED, said("B")], ("answered", "B", "")),
        (done("B"), [FILTERED, said("B")], ("answered", "B", "")),
    ],
)
def test_by_hand(line: LineResult, calls: list[Call], expected: tuple[str, str | None, str]) -> None:
    assert classify(line, calls) == expected


LINES = st.one_of(
    st.builds(broken, st.text(min_size=1, max_size=10)),
    st.builds(done, st.none() | st.text(max_size=5) | st.integers()),
)
CALLS = st.lists(
    st.one_of(
        st.builds(said, st.text(max_size=5), st.sampled_from(["stop", "length"])), st.just(FILTERED), st.just(FAILED)
    )
)


@given(LINES, CALLS)
def test_always_one_and_never_missing(line: LineResult, calls: list[Call]) -> None:
    outcome, answer, error = classify(line, calls)
    assert outcome in set(OUTCOMES) - {"missing"}
    assert (answer is not None) == (outcome == "answered")
    assert bool(error) == (outcome in ("filtered", "failed")) or (error and outcome == "truncated")


def thought(reasoning: int | None, text: str = "") -> Call:
    return Call("m", Reply(text, "length", Usage(40, 512, reasoning), 0.1), None)


def test_a_limit_that_reasoning_used_up_is_said() -> None:
    outcome, answer, error = classify(done(None), [thought(512)])
    assert (outcome, answer) == ("truncated", None)
    assert "reasoning used up the limit on tokens (512 of 512)" in error and "reasoning_effort" in error
    assert (
        classify(done(None), [thought(None)])[2] == "the reply was cut at the limit on tokens before it said anything"
    )
    assert classify(done(None), [thought(500, "차근차근")]) == ("truncated", None, "")
    assert classify(done("B"), [thought(500, "B")]) == ("answered", "B", "")


def test_the_rule_is_the_last_node_s_that_gives_one() -> None:
    def node(name: str, output: Any) -> NodeResult:
        return NodeResult(name, "completed", output, 0.0)

    nodes = [node("a", {"rule": "first"}), node("b", "text"), node("c", {"rule": "last"}), node("d", {"answer": "B"})]
    assert rule_of({n.node: n for n in nodes}) == "last"
    assert rule_of({}) == ""
