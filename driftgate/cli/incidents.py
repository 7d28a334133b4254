"""Commands about incidents: what is to be handled, who handles it, and how people are told."""

from __future__ import annotations

from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, Workspace, group

incidents = typer.Typer(help="Incidents: what is wrong, since when, and who is on it.", invoke_without_command=True)
notify = group("Notifications: how people are told of incidents.")

Name = Annotated[str, typer.Argument(metavar="INCIDENT", help="An incident's id, a part of it, or latest.")]
Note = Annotated[str, typer.Option(help="What else is to be known; it is recorded, with your name.")]


@incidents.callback()
def listing(
    context: typer.Context,
    workspace: Workspace = HERE,
    every: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    monitor: Annotated[str | None, typer.Option(help="Only of this monitor.")] = None,
    severity: Annotated[str, typer.Option(help="Only as grave, or graver: low, medium, high, critical.")] = "low",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    json_file: JsonFile = None,
) -> None:
    """List incidents: exit 1 where one is open and not silenced, 4 where a monitor cannot tell or nobody is told."""
    if context.invoked_subcommand is None:
        from driftgate.cli.show.incidents import run_incidents

        raise typer.Exit(run_incidents(workspace, every, monitor, severity, limit, json_file))


@incidents.command()
def show(name: Name, workspace: Workspace = HERE, json_file: JsonFile = None) -> None:
    """Show an incident: what is wrong, since when, what to do, and all that happened to it."""
    from driftgate.cli.show.incidents import run_show

    run_show(workspace, name, json_file)


@incidents.command()
def ack(name: Name, note: Note = "", workspace: Workspace = HERE) -> None:
    """Say that you have taken an incident on: it is not told of again until it gets worse, or is over."""
    import driftgate
    from driftgate.cli.show.incidents import print_brief

    with driftgate.open(workspace) as ws:
        print_brief(ws.acknowledge(name, note))


@incidents.command()
def silence(
    name: Name,
    until: Annotated[str, typer.Option(help="A moment: 2026-12-01T09:00, in local time where it names none.")] = "",
    lasting: Annotated[str, typer.Option("--for", help="How long: 90m, 8h, 3d, 2w.")] = "",
    note: Note = "",
    workspace: Workspace = HERE,
) -> None:
    """Tell nobody of an incident for a while; looks go on to add to it, and it stays listed."""
    import driftgate
    from driftgate.cli.show.incidents import moment, print_brief

    with driftgate.open(workspace) as ws:
        print_brief(ws.silence(name, moment(until, lasting), note))


@incidents.command()
def resolve(name: Name, note: Note = "", workspace: Workspace = HERE) -> None:
    """End an incident; where it is not over, the next look reopens it."""
    import driftgate
    from driftgate.cli.show.incidents import print_brief

    with driftgate.open(workspace) as ws:
        print_brief(ws.resolve(name, note))


@incidents.command()
def reopen(name: Name, note: Note = "", workspace: Workspace = HERE) -> None:
    """Take back that an incident is resolved."""
    import driftgate
    from driftgate.cli.show.incidents import print_brief

    with driftgate.open(workspace) as ws:
        print_brief(ws.reopen(name, note))


@notify.command("test")
def send_test(
    channel: Annotated[str, typer.Argument(metavar="[CHANNEL]", help="A channel of the workspace; else each.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Send a test message: exit 0 it was taken, 1 a channel did not take it."""
    from driftgate.cli.show.incidents import run_test

    raise typer.Exit(run_test(workspace, channel))


@notify.command()
def status(workspace: Workspace = HERE) -> None:
    """Say how each channel does: what it took last, what waits for it: exit 1 where one fails."""
    from driftgate.cli.show.incidents import run_status

    raise typer.Exit(run_status(workspace))
