"""The list of slow tests names tests that are there."""

from __future__ import annotations

from slow_tests import LIST, gone, slow_tests


def test_what_is_listed_is_there() -> None:
    listed = slow_tests(LIST.read_text(encoding="utf-8"))
    assert listed
    assert not gone(listed), f"python tests/support/slow_tests.py takes what is gone out of {LIST.name}"


def test_what_is_not_there_is_gone() -> None:
    here = frozenset({"test_what_is_listed_is_there", "test_of_yesterday"})
    assert gone({"tests/test_slow_tests.py": here, "tests/no_such.py": here}) == {
        "tests/test_slow_tests.py": {"test_of_yesterday"},
        "tests/no_such.py": here,
    }
