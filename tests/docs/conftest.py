"""The command line in this process."""

from __future__ import annotations

import pytest
from command_line import Cli, command_line


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("bench", "small", ...)`` runs the command as the console script does."""
    return command_line(capsys, monkeypatch)
