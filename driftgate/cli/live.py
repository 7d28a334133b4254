"""Commands about what is live: champions, their canaries, alerts, remediations and the service."""

from __future__ import annotations

import getpass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

import driftgate
from driftgate.api.champions import champion, gates_for, promote_model
from driftgate.cli import night
from driftgate.cli._console import console
from driftgate.finetune.remediation import events_of, find_remediation, remediations
from driftgate.ledger import champion_history, rollback
from driftgate.monitor.watch import alerts_of


def run_nightly(folder: Path) -> int:
    """Do everything the workspace names under nightly."""
    with driftgate.open(folder) as ws:
        return night.run_night(ws.files, ws.ledger)


def run_look(folder: Path, name: str) -> int:
    """Look at what a monitor watches; the exit code is the graver result's, of canaries and of traffic."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        looked = night.look(workspace, ledger, name)
        night.send(workspace, ledger)
        return looked.exit_code


def run_mend(folder: Path) -> int:
    """Take every open remediation as far as it goes."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        if not night.mend(workspace, ledger):
            console.print("no remediation is open")
        return 0


def run_alerts(folder: Path, limit: int) -> int:
    """List alerts, the newest first."""
    with driftgate.open(folder) as ws:
        ledger = ws.ledger
        found = alerts_of(ledger, limit=limit)
        for row in found:
            when = f"{row.at.astimezone():%Y-%m-%d %H:%M %Z}"
            console.print(f"{when} [bold]{escape(row.monitor)}[/] {escape(row.alert.summary)}", soft_wrap=True)
            for hint in row.alert.hints:
                console.print(f"    {hint.cause}: {escape(hint.text)}", soft_wrap=True)
        if not found:
            console.print("no alert")
        return 0


def run_champions(folder: Path) -> int:
    """Say who is champion of each slot, and how it came to be."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        table = Table(header_style="bold")
        for column in ("slot", "model", "how", "when", "by", "why"):
            table.add_column(column, overflow="fold")
        for slot in workspace.config.champions:
            champion(workspace, ledger, slot)
            for row in champion_history(ledger, slot)[:5]:
                when = f"{row.at.astimezone():%Y-%m-%d %H:%M}"
                table.add_row(slot, escape(row.model), row.action, when, escape(row.who), escape(row.reason))
        console.print(table)
        return 0


def run_rollback(folder: Path, slot: str, reason: str) -> int:
    """Move a slot back to the champion before."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        champion(workspace, ledger, slot)
        model = rollback(ledger, slot, reason=reason, who=getpass.getuser())
        console.print(f"{escape(slot)} is served by [bold]{escape(model)}[/] again")
        return 0


def run_promote(folder: Path, slot: str, model: str, run: str, reason: str) -> int:
    """Make a model the champion of a slot, if the gates passed it."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        gates = gates_for(workspace, ledger, slot, run)
        moved = promote_model(workspace, ledger, slot, model, run, gates, reason)
        if moved:
            console.print(f"{escape(slot)} is served by [bold]{escape(model)}[/] now: {', '.join(gates)} passed it")
            console.print(f"to take it back: driftgate champion rollback {escape(slot)} --reason WHY", soft_wrap=True)
        else:
            console.print(f"{escape(model)} is the champion of {escape(slot)} already")
        return 0


def run_remediations(folder: Path, name: str) -> int:
    """List remediations, or show how one went."""
    with driftgate.open(folder) as ws:
        ledger = ws.ledger
        if name:
            one = find_remediation(ledger, name)
            console.print(f"{one.id} · {escape(one.slot)} · {escape(one.cause)} · [bold]{one.state}[/]")
            for event in events_of(ledger, one.id):
                console.print(f"  {event.at:%Y-%m-%d %H:%M:%S} {event.step} {event.status} {escape(event.message)}")
            return 0
        found = remediations(ledger)
        for row in found:
            console.print(f"{row.id} {row.state} {escape(row.slot)}: {escape(row.cause)}")
        if not found:
            console.print("no remediation")
        return 0


def run_approve(folder: Path, name: str) -> int:
    """Agree to the promotion that a remediation waits for; refused unless it waits for that."""
    from driftgate.api.repair import approve_repair

    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        one = find_remediation(ledger, name)
        given = approve_repair(workspace, ledger, one, getpass.getuser())
        when = f"{given.at.astimezone():%Y-%m-%d %H:%M}"
        console.print(f"approved {one.id} ({escape(given.who)}, {when}); the next nightly run goes on with it")
        return 0


def run_serve(folder: Path) -> int:
    """Serve until stopped."""
    import uvicorn

    from driftgate.service._make import make_service

    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        service = workspace.config.service
        app = make_service(workspace, ledger)
        console.print(f"driftgate serves {escape(workspace.config.name)} on http://{service.host}:{service.port}")
        uvicorn.run(app, host=service.host, port=service.port, log_level="warning", access_log=False)
        return 0
