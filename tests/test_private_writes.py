"""Nothing is written past :mod:`driftgate.flows.private_files`, but what a person edits or another system owns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import driftgate

ROOT = Path(driftgate.__path__[0])
_OTHERS = {
    "api/_init.py": "what a person edits",
    "api/_pipelines.py": "what a person edits",
    "cli/stories/telling.py": "the workspace of a demonstration, which a person edits",
    "cli/stories/tickets.py": "the same",
    "cli/pipelines.py": "files of the build system, which are appended to",
    "finetune/deploy/_endpoint.py": "in a temporary folder, which is private",
    "flows/engines/_promptflow.py": "a folder with a mode of its own",
    "flows/private_files.py": "the one place",
}
_WRITES = {"write_text", "write_bytes", "mkdir", "makedirs"}


def writes(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        modes = [word.value for word in node.args[:1] if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if node.func.attr in _WRITES or (node.func.attr == "open" and any(set("wax") & set(mode) for mode in modes)):
            yield node.lineno


@pytest.mark.core
def test_every_file_is_written_by_the_one_module() -> None:
    found = {
        str(path.relative_to(ROOT)): list(writes(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted(ROOT.rglob("*.py"))
    }
    assert {name: lines for name, lines in found.items() if lines and name not in _OTHERS} == {}
    assert [name for name in _OTHERS if not found.get(name)] == [], "a file that no longer writes is not to be excepted"
