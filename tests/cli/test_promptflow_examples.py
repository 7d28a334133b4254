"""The flows that prompt flow's documentation teaches are run by a ``driftgate.yaml`` alone; a slip costs no request."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import ChatEndpoint
from command_line import Cli
from example import JUDGE, Example, Fault, reply
from example_flows import EXAMPLES

from driftgate.benchmarks.scores import score_cell
from driftgate.ledger import cells_of, find_run, open_ledger

Place = Callable[..., Path]
FAULTS = [(example, fault) for example in EXAMPLES for fault in example.faults]


@pytest.fixture
def place(endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """``place(example, fault)``: the example's workspace, and nothing beside it."""
    endpoint.default = reply
    monkeypatch.setenv("JUDGE_URL", f"{endpoint.url}/v1")
    monkeypatch.setenv("JUDGE_KEY", "k")
    monkeypatch.setenv("SOME_ENDPOINT", endpoint.url)

    def build(example: Example, fault: Fault | None = None, **changes: Any) -> Path:
        folder = tmp_path / "space"
        for name, text in example.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            old, new = fault.texts.get(name, ("", "")) if fault else ("", "")
            assert old in text
            file.write_text(text.replace(old, new) if old else text, encoding="utf-8")
        if fault is not None:
            (folder / "evals/accuracy").mkdir(parents=True, exist_ok=True)
            (folder / "evals/accuracy/say.jinja2").write_text("user:\nx\n", encoding="utf-8")
        rows = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in example.rows)
        (folder / "rows.jsonl").write_text(rows, encoding="utf-8")
        model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"}
        config = {
            "version": 1,
            "models": {"tested": dict(example.model) or model},
            "connections": {"judge": JUDGE, "web_service": JUDGE},
            "datasets": {"rows": {"kind": "jsonl", "path": "rows.jsonl"}},
            "suites": {"it": suite_of(example, {**(fault.suite if fault else {}), **changes})},
        }
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        return folder

    return build


def suite_of(example: Example, changes: Mapping[str, Any]) -> dict[str, Any]:
    suite: dict[str, Any] = {"models": ["tested"], "datasets": ["rows"], **copy.deepcopy(dict(example.suite))}
    for where, value in changes.items():
        *path, last = where.split(".")
        inner = suite
        for part in path:
            inner = inner[part]
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return suite


@pytest.mark.parametrize("engine", ["native", "promptflow"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_it_runs(place: Place, cli: Cli, endpoint: ChatEndpoint, example: Example, engine: str) -> None:
    if engine == "promptflow" and str(example.suite.get("flow", "")).endswith(".prompty"):
        pytest.skip("prompt flow's executor cannot ask a model of the workspace with a prompty")
    folder = place(example, engine=engine)
    done = cli("bench", "it", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) == example.asked
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    scores = score_cell(ledger, cell)
    ledger.close()
    assert list(scores.frame["answer"]) == list(example.answers)
    assert set(scores.frame["outcome"]) == {"answered"}
    accuracy = scores.get("accuracy")
    assert accuracy is not None and accuracy.value == example.correct
    logged = {row.metric: row.value for row in scores.rows if ".aggregate." in row.metric}
    assert logged == dict(example.aggregates)


@pytest.mark.parametrize(
    ("example", "fault"), FAULTS, ids=[f"{example.name}: {fault.kind}" for example, fault in FAULTS]
)
def test_a_slip_is_refused_before_anybody_is_asked(
    place: Place, cli: Cli, endpoint: ChatEndpoint, example: Example, fault: Fault
) -> None:
    done = cli("bench", "it", "-w", place(example, fault))
    assert done.code == 2
    said = " ".join(done.err.split())
    assert fault.says in said.replace("\n", " "), said
    assert not endpoint.requests


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_kind_of_slip_is_planted(example: Example) -> None:
    assert [fault.kind for fault in example.faults] == [
        "missing input",
        "mistyped connection",
        "unused model",
        "misnamed output",
    ]
