"""Workspaces on disk, and the command line in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Change, Cli, Make, command_line
from own_flows import Space
from repairs import installed


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("bench", "small", ...)`` runs the command as the console script does."""
    return command_line(capsys, monkeypatch)


def right(prompt: str) -> Answer:
    """The correct letter of the questions that ``write_questions`` writes."""
    number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
    return Answer("ABCD"[number % 4])


def write_questions(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["id,question,A,B,C,D,answer,category"]
    lines += [f"q{n},문제 {n}번은?,가{n},나{n},다{n},라{n},{'ABCD'[n % 4]},범주 {n % 3}" for n in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def base_config(endpoint: ChatEndpoint) -> dict[str, Any]:
    return {
        "version": 1,
        "models": {
            "tested": {
                "provider": "openai",
                "endpoint": f"{endpoint.url}/v1",
                "model": "gpt-test",
                "in_flight": 8,
                "timeout": 5.0,
                "attempts": 1,
            }
        },
        "datasets": {"own": {"kind": "csv", "path": "data/own.csv", "columns": {"choices": ["A", "B", "C", "D"]}}},
        "suites": {"small": {"models": ["tested"], "datasets": ["own"], "variants": ["terse"], "max_failed": 1.0}},
        "gates": {"small": {"suite": "small", "rules": [{"metric": "accuracy", "min": 0.5}]}},
        "nightly": {"suites": ["small"], "gates": ["small"]},
    }


@pytest.fixture
def make(endpoint: ChatEndpoint, tmp_path: Path) -> Make:
    """``make(count, change)``: a workspace with so many questions; ``change`` edits its file's content."""
    endpoint.default = right

    def build(count: int = 12, change: Change = lambda config: None) -> Path:
        config = base_config(endpoint)
        change(config)
        folder = tmp_path / "space"
        write_questions(folder / "data/own.csv", count)
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        return folder

    return build


@pytest.fixture
def space(endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    """``space(files, rows, suite, **config)``: a workspace with these files below ``flows/mine``, or where they say."""
    endpoint.default = Answer("A")
    monkeypatch.setenv("OWN_URL", f"{endpoint.url}/v1")
    monkeypatch.setenv("OWN_KEY", "k")

    def build(
        files: Mapping[str, str], suite: Mapping[str, Any] | None = None, rows: Any = None, **config: Any
    ) -> Path:
        folder = tmp_path / "space"
        for name, text in files.items():
            file = folder / name if name.startswith(("flows/", "evals/", "/")) else folder / "flows/mine" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        given = [{"page": f"{n}쪽"} for n in range(3)] if rows is None else rows
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in given)
        (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
        whole = {
            "version": 1,
            "models": {"tested": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"}},
            "connections": {
                "own": {
                    "type": "open_ai",
                    "configs": {"base_url": "${env:OWN_URL}"},
                    "secrets": {"api_key": "${env:OWN_KEY}"},
                }
            },
            "datasets": {"rows": {"kind": "jsonl", "path": "rows.jsonl"}},
            "suites": {"it": {"models": ["tested"], "datasets": ["rows"], "flow": "mine", **(suite or {})}},
            **config,
        }
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "utf-8")
        return folder

    return build


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A trainer of another distribution, found through its entry point."""
    with installed(tmp_path / "site", monkeypatch) as name:
        yield name


@pytest.fixture
def candidate() -> Iterator[ChatEndpoint]:
    """Where a trained model is served."""
    served = ChatEndpoint()
    served.start()
    yield served
    served.stop()
