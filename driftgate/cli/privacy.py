"""Commands about the privacy of training data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, Workspace, group

privacy = group("The privacy of training data: measured, with a verdict.")


@privacy.command()
def check(
    items: Annotated[Path, typer.Argument(help="Training items, one JSON object a line.")],
    sources: Annotated[
        Path | None, typer.Option(help="What they were made from: a file or folder of texts, or JSON Lines.")
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Real records that nothing was made from, like the sources.")
    ] = None,
    canaries: Annotated[Path | None, typer.Option(help="Strings planted in the sources, one a line.")] = None,
    recipe: Annotated[str, typer.Option(help="The recipe whose limits count; else the defaults do.")] = "",
    seed: Annotated[int, typer.Option(help="Decides which records are drawn where one side has more.")] = 0,
    workspace: Workspace = HERE,
    json: JsonFile = None,
) -> None:
    """Measure the privacy of training items: exit 0 pass, 1 fail, 3 inconclusive, 4 unmeasurable."""
    from driftgate.cli.show.privacy import run_check

    raise typer.Exit(run_check(workspace, items, sources, held_out, canaries, recipe, seed, json))


@privacy.command()
def seal(
    dataset: Annotated[str, typer.Argument(help="A dataset of the workspace.")],
    workspace: Workspace = HERE,
) -> None:
    """Seal a hold-out: from now on no repair trains on it, nor while it is gone or changed. A seal is not lifted."""
    from driftgate.cli.show.privacy import run_seal

    run_seal(workspace, dataset)


@privacy.command("canaries")
def make(
    count: Annotated[int, typer.Argument(min=1, max=1000, help="How many.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same canaries.")] = 0,
) -> None:
    """Print canary sentences to plant in the sources before anything is made from them, one a line."""
    from driftgate.finetune.assurance import make_canaries

    for line in make_canaries(count, seed):
        typer.echo(line)
