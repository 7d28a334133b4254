"""What the fixtures of the command line's tests are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
