"""What was decided about a span is decided of the next that looks the same, and of no other; memory is bounded."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from driftgate.monitor.telemetry import ModelCall, Span, to_arrow
from driftgate.monitor.telemetry._span import EPOCH
from driftgate.monitor.telemetry.dialects._decided import Decisions

NAMES = ("kind", "model", "system", "n")
VALUES = st.sampled_from(["llm", "tool", "", "1", "True", "x" * 300]) | st.sampled_from([None, 1, True, 0.5])
spans = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(NAMES), VALUES | st.lists(VALUES, max_size=2), max_size=4),
        st.sampled_from(["", "scope"]),
        st.sampled_from(["", "span", "kind"]),
    ),
    min_size=1,
    max_size=12,
)


def span_of(attributes: dict[str, Any], scope: str = "", name: str = "") -> Span:
    return Span("5b" * 16, "ee" * 8, EPOCH, None, attributes, name=name, scope=scope)


def decided(span: Span) -> tuple[Any, ...]:
    """Looks at one value, and by that at another one or at the names."""
    kind = span.attributes.get("kind")
    if kind == "llm":
        return "llm", repr(span.attributes.get("model"))
    if kind:
        return "other", repr(span.attributes["kind"]), tuple(sorted(span.attributes)), span.scope
    return "none", "system" in span.attributes, span.name


@given(spans)
def test_memory_changes_no_decision(listed: list[tuple[dict[str, Any], str, str]]) -> None:
    decisions = Decisions(decided)
    for attributes, scope, name in (*listed, *listed):
        assert decisions.on(span_of(attributes, scope, name)) == decided(span_of(attributes, scope, name))


def test_who_decides_is_asked_once_about_those_that_look_the_same() -> None:
    asked: list[str] = []
    decisions = Decisions(lambda span: asked.append(span.attributes["kind"]))
    for n in range(100):
        decisions.on(span_of({"kind": "llm" if n % 2 else "tool", "n": n}))
    assert sorted(asked) == ["llm", "tool"]


def test_who_decides_is_shown_nothing_but_scope_name_and_attributes() -> None:
    shown: list[Span] = []
    whole = span_of({"kind": "llm"}, "scope", "name")._replace(failed=True, events=[("event", {})], parent_id="ab" * 8)
    Decisions(shown.append).on(whole)
    assert shown == [span_of(shown[0].attributes, "scope", "name")._replace(trace_id="", span_id="")]  # type: ignore[arg-type]


def test_neither_many_nor_long_names_fill_the_memory() -> None:
    decisions = Decisions(decided)
    tracemalloc.start()
    try:
        for n in range(10_000):
            decisions.on(span_of({"kind": "llm", "model": f"{n}"}, name=f"{n}"))
            if n % 50 == 0:
                decisions.on(span_of({"kind": "llm", f"{n}" * 50_000: "x", "model": "y" * 100_000}))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 16 * 2**20


def test_a_column_of_one_value_is_as_one_of_several() -> None:
    full = ModelCall(
        EPOCH, "5b" * 16, "ee" * 8, slice="of kim@example.kr", error=None, latency=0.5, refused=True, weight=3,
        input_text="010-1234-5678", evaluations=('{"name": "kim@example.kr"}',), input_ngrams=(-2, 65537),
        parent_id="of kim@example.kr",
    )  # fmt: skip
    (alone,) = to_arrow([full]).to_pylist()
    assert (alone["slice"], alone["parent_id"], alone["input_text"]) == (
        "of <EMAIL_ADDRESS>",
        "of <EMAIL_ADDRESS>",
        "<PHONE_MOBILE>",
    )
    assert alone["evaluations"] == ['{"name": "<EMAIL_ADDRESS>"}']
    other = ModelCall(EPOCH, "5c" * 16, "ef" * 8)
    assert to_arrow([full, full]).to_pylist() == [alone, alone]
    assert to_arrow([full, other, full]).to_pylist() == [alone, *to_arrow([other]).to_pylist(), alone]
