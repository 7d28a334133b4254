"""Commands about repairs of regressions."""

from __future__ import annotations

from typing import Annotated

import typer

from driftgate.cli._options import HERE, Workspace, group

remediation = group("Repairs of regressions.")

Name = Annotated[str, typer.Argument(help="A remediation's id or a part of it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with who says so.")]


@remediation.command("list")
def listing(
    workspace: Workspace = HERE,
    state: Annotated[str | None, typer.Option(help="Only in this state: open, promoted, rejected, ...")] = None,
    champion: Annotated[str | None, typer.Option(help="Only of this champion's place.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Only those that follow this recipe.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
) -> None:
    """List repairs, the newest first."""
    from driftgate.cli.show.remediation import run_list

    raise typer.Exit(run_list(workspace, state, champion, recipe, limit))


@remediation.command()
def show(name: Name, workspace: Workspace = HERE) -> None:
    """Show how a repair went, step by step, what it took, and what it would have a person agree to."""
    from driftgate.cli.show.remediation import run_show

    raise typer.Exit(run_show(workspace, name))


@remediation.command("run")
def run_open(workspace: Workspace = HERE) -> None:
    """Take every open remediation as far as it goes: exit 0 promoted, or none open; 1 rejected; 3 one waits, or a
    person is to put something in place; 4 abandoned, or repairs are stopped."""
    from driftgate.cli.live import run_mend

    raise typer.Exit(run_mend(workspace))


@remediation.command()
def approve(name: Name, workspace: Workspace = HERE) -> None:
    """Agree to the promotion that a remediation waits for, by the verdict it has now; refused unless it waits."""
    from driftgate.cli.show.remediation import run_approve

    raise typer.Exit(run_approve(workspace, name))


@remediation.command()
def reject(name: Name, reason: Reason, workspace: Workspace = HERE) -> None:
    """Refuse the promotion that a remediation waits for; it ends."""
    from driftgate.cli.show.remediation import run_reject

    raise typer.Exit(run_reject(workspace, name, reason))


@remediation.command()
def abandon(name: Name, reason: Reason, workspace: Workspace = HERE) -> None:
    """End a remediation, however far it is: exit 0 it has ended, 3 another process ends it in a moment."""
    from driftgate.cli.show.remediation import run_abandon

    raise typer.Exit(run_abandon(workspace, name, reason))


@remediation.command()
def stop(reason: Reason, workspace: Workspace = HERE) -> None:
    """Stop all repairs at once: none is opened and none goes on, in any process, until they are resumed."""
    from driftgate.cli.show.remediation import run_stop

    raise typer.Exit(run_stop(workspace, reason))


@remediation.command()
def resume(workspace: Workspace = HERE) -> None:
    """Let repairs go on that were stopped."""
    from driftgate.cli.show.remediation import run_resume

    raise typer.Exit(run_resume(workspace))
