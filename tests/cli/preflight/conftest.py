"""The workspace that faults are planted in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from planting import EVALUATORS, GRADING, Plant, config_of, questions

from driftgate.flows.definition import load_flow


@pytest.fixture
def plant(tmp_path: Path, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``plant(fault)`` writes a workspace that is in order but for the fault."""
    monkeypatch.setenv("TUNING_KEY", "none-that-anybody-takes-1")
    endpoint.default = Answer("A")

    def write(fault: Plant = lambda config, folder: None) -> Path:
        folder = tmp_path / "space"
        for name, (start, count) in {"own": (0, 40), "sealed": (100, 40), "material": (200, 60)}.items():
            questions(folder / f"data/{name}.jsonl", start, count)
        shutil.copytree(load_flow("multiple_choice", folder).folder, folder / "flows/mine")
        (folder / "flows/mine/evaluators.yaml").write_text(EVALUATORS, encoding="utf-8")
        (folder / "grading.py").write_text(GRADING, encoding="utf-8")
        config = config_of(endpoint)
        fault(config, folder)
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        return folder

    return write
