"""The notebook's page is run cell by cell, where an event loop is running already."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Make

PAGE = Path(__file__).parents[2] / "docs/notebook.md"
WRONG = re.compile(r"문제 (?:3|7)번은")


def with_two_models(config: dict[str, Any]) -> None:
    tested = config["models"].pop("tested")
    config["models"] = {"large": {**tested, "model": "large"}, "small": {**tested, "model": "small"}}
    config["suites"] = {"release": {"models": ["large", "small"], "datasets": ["own"], "variants": ["terse"]}}
    config["gates"] = {"release": {"suite": "release", "rules": [{"metric": "accuracy", "min": 0.5}]}}
    config["nightly"] = {"suites": ["release"], "gates": ["release"]}


async def test_every_cell_runs_in_a_running_loop(
    make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(40, with_two_models).rename(tmp_path / "my-workspace")
    monkeypatch.chdir(tmp_path)
    good = endpoint.default
    assert callable(good)
    endpoint.default = lambda prompt: Answer("C") if WRONG.search(prompt) else good(prompt)
    notebook: dict[str, Any] = {}
    shown = []
    for cell in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        *before, last = cell.strip().split("\n")
        exec("\n".join(before), notebook)
        try:
            shown.append(eval(last, notebook))
        except SyntaxError:
            exec(last, notebook)
    assert asyncio.get_running_loop().is_running()
    run, scores, categories, evaluated, wrong, nodes, judged, difference, runs, page, _ = shown
    assert "large · terse · own" in run._repr_html_()
    assert list(scores["value"]) == [0.95, 0.95]
    assert list(scores["n"]) == [40, 40]
    assert categories["value"].max() < 1.0
    assert {"extract"} <= set(evaluated["node"]) and not evaluated["errors"].any()
    assert set(wrong["upstream_id"]) == {"q3", "q7"}
    assert {node["node"] for node in nodes} >= {"ask", "extract"}
    assert judged[0] == 0
    assert difference == (0.0, 1.0)
    assert len(runs) == 1
    assert page == f"{run.id}.html"
