"""Workspaces with code of their own, which leave nothing behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("space", {path: text})`` writes files below a folder and returns it."""

    def into(name: str, files: Mapping[str, str]) -> Path:
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / name

    return into


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Any:
    path, names = list(sys.path), {name for name in sys.modules if "own_code" not in name}
    yield
    assert sys.path == path
    shadowed = {"helpers", "monitor", "benchmarks", "my_eval", "checks", "ask", "common"}
    assert not ({name for name in sys.modules if "own_code" not in name} - names) & shadowed
