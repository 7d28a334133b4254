"""The list of slow tests names tests that are there."""

from __future__ import annotations

import ast

from slow_tests import LIST, ROOT, slow_tests


def test_what_is_listed_is_there() -> None:
    listed = slow_tests(LIST.read_text(encoding="utf-8"))
    assert listed
    for file, names in listed.items():
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert names <= there, f"{file} has no {sorted(names - there)}: take them out of {LIST.name}"
