"""Arguments that many commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HERE = Path()
Workspace = Annotated[Path, typer.Option("--workspace", "-w", help="Folder with driftgate.yaml.", show_default=False)]
RunName = Annotated[str, typer.Argument(help="A run, a part of its id, latest or latest:SUITE.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write everything to this file.")]


def group(help: str) -> typer.Typer:
    """A group of commands about one thing."""
    return typer.Typer(no_args_is_help=True, help=help)
