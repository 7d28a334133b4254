"""Commands about jobs: what ``driftgate serve`` does, did and is to do."""

from __future__ import annotations

from typing import Annotated

import typer

from driftgate.cli._options import HERE, Workspace

jobs = typer.Typer(help="Jobs of driftgate serve: what runs, waits and ended.", invoke_without_command=True)

JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="A job's id, a part of it, or what is done, as nightly: the newest.")
]


@jobs.callback()
def listing(
    context: typer.Context,
    workspace: Workspace = HERE,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    name: Annotated[str, typer.Option(help="Only of this name, as nightly or look-MONITOR.")] = "",
    state: Annotated[
        list[str] | None, typer.Option(help="Only in this state: waiting, running, done, failed, cancelled, missed.")
    ] = None,
) -> None:
    """List jobs, those due last first: exit 1 where the newest of a name failed, 4 where no process serves."""
    if context.invoked_subcommand is None:
        from driftgate.cli.show.jobs import run_jobs

        raise typer.Exit(run_jobs(workspace, limit, name, state or []))


@jobs.command()
def show(job: JobId, workspace: Workspace = HERE) -> None:
    """Show a job, what happened to it, and what it printed: exit 0 done, 1 failed or not done, 3 not ended."""
    from driftgate.cli.show.jobs import run_show

    raise typer.Exit(run_show(workspace, job))


@jobs.command("run")
def run_now(
    name: Annotated[str, typer.Argument(help="A job of the workspace: nightly, look-MONITOR, mend.")],
    workspace: Workspace = HERE,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended, and exit as show does.")] = False,
) -> None:
    """Ask that a job be done now by the process that serves: exit 0 it will be, 4 none serves and it waits."""
    from driftgate.cli.show.jobs import run_run

    raise typer.Exit(run_run(workspace, name, wait=wait))


@jobs.command()
def cancel(job: JobId, workspace: Workspace = HERE) -> None:
    """Cancel a job that waits, or have one that runs stopped: exit 0 it is or will be, 2 it had ended."""
    from driftgate.cli.show.jobs import run_cancel

    raise typer.Exit(run_cancel(workspace, job))
