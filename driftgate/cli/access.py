"""Commands of whoever says who may use the service: its keys, and who did what."""

from __future__ import annotations

from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, Workspace, group

keys = group("Keys of the HTTP interface: who may send telemetry, read or operate.")


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what uses it.")],
    scope: Annotated[list[str], typer.Option("--scope", help="ingest, read or operate; once for each.")],
    expires: Annotated[str, typer.Option(help="2027-06-30, or how long: 90d, 12h, 4w; else never.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Make a key and print it, once; of it only a hash is kept. Older ones of the name stay valid until revoked."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console

    with driftgate.open(workspace) as ws:
        made = ws.create_key(name, scope, expires=expires)
    until = f"{made.row.expires_at:%Y-%m-%d %H:%M} UTC" if made.row.expires_at else "it is revoked"
    scopes = ", ".join(sorted(made.row.scopes))
    console.print(f"key {made.row.id} of {escape(made.row.name)} ({scopes}), until {until}:", soft_wrap=True)
    typer.echo(made.secret)  # as it is, on a line of its own, for a pipe into a store of secrets


@keys.command("list")
def list_keys(workspace: Workspace = HERE, json_file: JsonFile = None) -> None:
    """List every key there ever was: its scopes, until when it is valid, and when it was used last."""
    from dataclasses import asdict

    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import check_writable, console, write_json

    check_writable(json_file)
    with driftgate.open(workspace) as ws:
        found = ws.keys()
    if json_file is not None:
        write_json(json_file, [asdict(row) | {"scopes": sorted(row.scopes), "state": row.state()} for row in found])
    if not found:
        console.print("no key; make one: driftgate keys create NAME --scope read")
        return
    for row in found:
        made, until, used = (
            f"{at:%Y-%m-%d %H:%M}" if at else "never" for at in (row.created_at, row.expires_at, row.last_used_at)
        )
        scopes = ", ".join(sorted(row.scopes))
        line = f"{escape(row.id)} [bold]{escape(row.name)}[/] ({escape(scopes)}): {row.state()}"
        told = f"made {made} by {escape(row.created_by)}, ends {until}, used last {used} (UTC)"
        console.print(f"{line}; {told}", soft_wrap=True)


@keys.command()
def revoke(
    name: Annotated[str, typer.Argument(help="A key's id, or a name: then every key of it.")],
    workspace: Workspace = HERE,
) -> None:
    """End a key at once, in every process on this ledger."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console

    with driftgate.open(workspace) as ws:
        for row in ws.revoke_key(name):
            console.print(f"revoked {escape(row.id)} of {escape(row.name)}", soft_wrap=True)


def audit(
    workspace: Workspace = HERE,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    action: Annotated[str, typer.Option(help="Only of this action, such as key.create, or thing, such as key.")] = "",
    who: Annotated[str, typer.Option(help="Only what this one did.")] = "",
    json_file: JsonFile = None,
) -> None:
    """Say who promoted, approved, silenced, made keys, signed in or was refused, the newest first."""
    from dataclasses import asdict

    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import check_writable, console, write_json

    check_writable(json_file)
    with driftgate.open(workspace) as ws:
        found = ws.audit(limit, action=action, who=who)
    if json_file is not None:
        write_json(json_file, [asdict(row) for row in found])
    for row in found:
        detail = f" ({escape(row.detail)})" if row.detail else ""
        line = f"{row.at:%Y-%m-%d %H:%M:%S} {escape(row.who)} [bold]{escape(row.action)}[/] {escape(row.subject)}"
        console.print(line + detail, soft_wrap=True)
    if not found:
        console.print("nothing is recorded")
