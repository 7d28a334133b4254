"""Prompt flow's reference grammar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows import mapping
from driftgate.flows.errors import DriftgateError

ROOTS = frozenset({"data", "inputs", "nodes", "outputs"})
NAMES = st.text("abcdefgh_가나다0123456789", min_size=1, max_size=8)
LITERALS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.lists(st.integers(), max_size=3)


def nested(path: list[str], value: Any) -> dict[str, Any]:
    for step in reversed(path):
        value = {step: value}
    return value  # type: ignore[no-any-return]


@given(st.sampled_from(sorted(ROOTS)), st.lists(NAMES, max_size=4), LITERALS)
def test_a_reference_finds_what_lies_at_its_path(root: str, path: list[str], value: Any) -> None:
    parsed = mapping.parse("${" + ".".join([root, *path]) + "}", ROOTS)
    assert parsed == mapping.Reference(root, tuple(path))
    assert parsed.resolve({root: nested(path, value)}) == value


@given(st.sampled_from(sorted(ROOTS)), st.lists(NAMES, min_size=1, max_size=4), st.integers(0, 3))
def test_a_path_that_ends_early_is_missing_and_not_none(root: str, path: list[str], at: int) -> None:
    scope = {root: nested(path[: at % len(path)], {})}
    assert mapping.Reference(root, tuple(path)).resolve(scope) is mapping.MISSING
    assert mapping.Reference(root, tuple(path)).resolve({}) is mapping.MISSING
    assert mapping.Reference(root, tuple(path)).resolve({root: nested(path, None)}) is None


@given(LITERALS | st.text(max_size=30).filter(lambda text: "${" not in text))
def test_anything_else_is_a_literal(value: Any) -> None:
    assert mapping.parse(value, ROOTS) == value


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_raise_anything_else(text: str) -> None:
    try:
        mapping.parse(text, ROOTS)
    except DriftgateError as problem:
        assert text.strip() in problem.message


@given(NAMES.filter(lambda name: name not in ROOTS), NAMES)
def test_an_unknown_root_is_refused(root: str, step: str) -> None:
    with pytest.raises(DriftgateError, match="begins with"):
        mapping.parse("${" + f"{root}.{step}" + "}", ROOTS)


@given(st.lists(st.integers(), min_size=1, max_size=5), st.data())
def test_a_number_picks_from_a_list(values: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(values) + 2))
    found = mapping.Reference("data", ("rows", str(index))).resolve({"data": {"rows": values}})
    assert found == (values[index] if index < len(values) else mapping.MISSING)


@pytest.mark.parametrize("text", ["${data.answer} and more", "${data", "data.answer", "$ {data.answer}", "${}"])
def test_only_a_whole_reference_is_one(text: str) -> None:
    assert mapping.parse(text, ROOTS) == text


def test_the_nearest_root_is_named() -> None:
    with pytest.raises(DriftgateError, match="did you mean 'data'"):
        mapping.parse("${date.answer}", ROOTS)
