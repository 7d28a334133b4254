"""What the fixtures of the command line's tests are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftgate.cli import main


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]
"""``cli("bench", "small", ...)`` runs a command as the console script does."""
Change = Callable[[dict[str, Any]], Any]
Make = Callable[..., Path]
"""``make(count, change)`` writes a workspace and returns its folder."""


def command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in this process, for a fixture ``cli``."""
    monkeypatch.setenv("DRIFTGATE_DEBUG", "")  # so that whatever --debug sets is taken back

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["driftgate", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run
