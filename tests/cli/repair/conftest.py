"""A workspace with a repair that is cheap to play."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from repairs import (
    change,
    make_workspace,
    opened,
    right,
    state,
    wrong,
)

from driftgate.finetune.remediation import _hold


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, plugin: str) -> Path:
    """A workspace with a recipe that asks for no approval; the champion is bad and what is trained is good."""
    endpoint.default, candidate.default = wrong, right
    return make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process held is had soon."""
    monkeypatch.setattr(_hold, "SECONDS", 0.6)


@pytest.fixture
def needs_approval(folder: Path, cli) -> str:
    """A remediation that waits for a person; its id."""
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 3
    assert "waits for: driftgate remediation approve" in state(folder)[2]
    return name
