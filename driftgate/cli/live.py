"""Commands about what is live: champions, their canaries, alerts, remediations and the service."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

import driftgate
from driftgate.api.bench import gravest
from driftgate.api.champions import champion, gates_for, promote_model
from driftgate.api.deployments import ending
from driftgate.api.repair import switched_off
from driftgate.api.watching import Sight, sights
from driftgate.cli._console import console
from driftgate.cli.show.night import NightOnTerminal
from driftgate.finetune.remediation import RUN_CODES, Found, Trained, events_of, find_remediation, remediations
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, champion_history, ends_soon, standing_promotions, traffic_of
from driftgate.monitor.looks import EXIT_CODES
from driftgate.monitor.watch import alerts_of

TRAFFIC_LEFT = 1
"""Exit code where the champion moved and an endpoint's traffic, which a rollout had moved before, did not."""


def run_nightly(folder: Path) -> int:
    """Do everything the workspace names under nightly."""
    with driftgate.open(folder) as ws:
        return ws.nightly(NightOnTerminal(console, ws.files, ws.ledger))


def run_look(folder: Path, name: str) -> int:
    """Look at what a monitor watches; the exit code is the graver result's, of canaries and of traffic."""
    with driftgate.open(folder) as ws:
        return ws.check(name, NightOnTerminal(console, ws.files, ws.ledger)).exit_code


def run_mend(folder: Path) -> int:
    """Take every open remediation as far as it goes; see :data:`driftgate.finetune.remediation.RUN_CODES`."""
    with driftgate.open(folder) as ws:
        were_open = remediations(ws.ledger, 1000, state="open")
        went = ws.mend(NightOnTerminal(console, ws.files, ws.ledger))
        if not went and not were_open:
            console.print("no remediation is open")
        if were_open and switched_off(ws.files, ws.ledger):
            return EXIT_CODES["unmeasurable"]
        now = [find_remediation(ws.ledger, one.id) for one in were_open]
        last = {one.slot: one for one in (*now, *went)}  # of several attempts the last counts
        return gravest([RUN_CODES[one.state] for one in last.values()])


def run_alerts(folder: Path, limit: int) -> int:
    """List alerts, the newest first, and what every monitor saw last; exit 4 where one cannot tell or never looked."""
    with driftgate.open(folder) as ws:
        found = alerts_of(ws.ledger, limit=limit)
        for row in found:
            when = f"{row.at.astimezone():%Y-%m-%d %H:%M %Z}"
            console.print(f"{when} [bold]{escape(row.monitor)}[/] {escape(row.alert.summary)}", soft_wrap=True)
            for hint in row.alert.hints:
                console.print(f"    {escape(hint.cause)}: {escape(hint.text)}", soft_wrap=True)
            console.print(f"    why: driftgate monitor explain {row.alert.key}", soft_wrap=True)
        if not found:
            console.print("no alert")
        blind = False
        for sight in sights(ws.files, ws.ledger):
            console.print(_seen(sight), soft_wrap=True)
            blind = blind or sight.blind
        return EXIT_CODES["unmeasurable"] if blind else 0


def _seen(sight: Sight) -> str:
    """What a monitor saw last, and when it last saw anything."""
    about = f"[bold]{escape(sight.monitor)}[/] {sight.of}: "
    unended = ""
    if sight.unended is not None:
        run = sight.unended
        unended = f"; the look begun at {_when(run.created_at)} has not ended (driftgate runs show {run.id})"
    if sight.newest is None:
        return f"{about}nothing has looked{unended or f'; driftgate monitor check {escape(sight.monitor)} does'}"
    told = sight.newest.conclusion
    result = f"{told.result}: {escape(told.why)}" if told and told.why else told.result if told else "looked"
    good = ""
    if sight.good is None:
        good = "; no look could tell yet"
    elif sight.good.id != sight.newest.id:
        good = f"; the last look that could tell was at {_when(sight.good.at)}, {_ago(sight.good.at)}"
    if sight.due is not None:
        good += f"; [bold red]nothing has looked since[/], and a look was due at {_when(sight.due)}"
    anew = ""
    if sight.rereference is not None:
        one = sight.rereference
        anew = f"; reference begun anew at {_when(one.at)} by {escape(one.who)}: {escape(one.reason)}"
    return f"{_when(sight.newest.at)} {about}{result} ({_ago(sight.newest.at)}){good}{unended}{anew}"


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"


def _ago(at: datetime) -> str:
    minutes = max(0.0, (datetime.now(UTC) - at).total_seconds() / 60)
    for unit, size in (("days", 60 * 24), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes / size:.0f} {unit} ago"
    return f"{minutes:.0f} minutes ago"


def run_champions(folder: Path) -> int:
    """Say who is champion of each slot, and how it came to be."""
    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        table = Table(header_style="bold")
        for column in ("slot", "model", "how", "when", "by", "why"):
            table.add_column(column, overflow="fold")
        live = {slot: champion(workspace, ledger, slot) for slot in workspace.config.champions}
        for slot in live:
            for row in champion_history(ledger, slot)[:5]:
                when = f"{row.at.astimezone():%Y-%m-%d %H:%M}"
                table.add_row(slot, escape(row.model), row.action, when, escape(row.who), escape(row.reason))
        console.print(table)
        days = ending(workspace, ledger, live.values())
        for slot, model in live.items():
            if model in days:
                console.print(f"{escape(slot)}: {escape(model)}: [yellow]{ends_soon(days[model])}[/]", soft_wrap=True)
        return 0


def run_rollback(folder: Path, slot: str, reason: str, *, traffic: bool = True) -> int:
    """Put the champion before back into its place; exit 1 where its traffic was left as it is."""
    from driftgate.api.rolling_back import roll_back_champion

    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        done = roll_back_champion(workspace, ledger, slot, reason=reason, who=getpass.getuser(), traffic=traffic)
        if done.move is not None and not done.restored:
            console.print(
                f"[bold red]the traffic was not restored[/]: {escape(slot)} has the champion {escape(done.model)} "
                f"again, and a rollout had given {escape(done.move.given)}; before, {escape(done.move.as_before)}",
                soft_wrap=True,
            )
            return TRAFFIC_LEFT
        console.print(f"{escape(slot)} is served by [bold]{escape(done.model)}[/] again")
        if done.move is None:
            words = f"no traffic was moved: no rollout had brought {done.undone} into its place"
        else:
            words = f"{done.move.as_before} again; {done.move.left}"
        console.print(escape(words), soft_wrap=True)
        return 0


def run_retire(folder: Path, slot: str) -> int:
    """Delete what a rollout replaced."""
    from driftgate.api.rolling_back import retire_replaced

    with driftgate.open(folder) as ws:
        endpoint, retired = retire_replaced(ws.files, ws.ledger, slot, who=getpass.getuser())
        console.print(escape(f"endpoint {endpoint}: {retired.told}"), soft_wrap=True)
        return 0


def run_promote(folder: Path, slot: str, model: str, run: str, reason: str) -> int:
    """Make a model the champion of a slot, if the gates passed it; exit 1 where an endpoint's traffic stays behind."""
    from driftgate.finetune.deploy import read_move

    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        _refuse_candidate(ledger, slot, model)
        champion(workspace, ledger, slot)
        brought = traffic_of(ledger, standing_promotions(ledger, slot)[-1])
        gates = gates_for(workspace, ledger, slot, run)
        if not promote_model(workspace, ledger, slot, model, run, gates, reason):
            console.print(f"{escape(model)} is the champion of {escape(slot)} already")
            return 0
        passed = f"{', '.join(gates)} passed it"
        if brought is None:
            console.print(f"{escape(slot)} is served by [bold]{escape(model)}[/] now: {passed}")
        else:
            move = read_move(brought)
            console.print(
                f"[bold red]no traffic was moved[/]: {escape(slot)} has the champion {escape(model)} now ({passed}), "
                f"and a rollout had given {escape(move.given)}, which answers until you move it",
                soft_wrap=True,
            )
        console.print(f"to take it back: driftgate champion rollback {escape(slot)} --reason WHY", soft_wrap=True)
        return 0 if brought is None else TRAFFIC_LEFT


def _refuse_candidate(ledger: Ledger, slot: str, model: str) -> None:
    """A remediation's candidate takes its place by the remediation, with its approval and its rollout."""
    for one in remediations(ledger, state="open"):
        found = Found.of(one.id, events_of(ledger, one.id))
        if one.slot == slot and model in (found.chosen, found.get(Trained).model if found.has(Trained) else ""):
            raise DriftgateError(
                f"{model} is the candidate of remediation {one.id}, which is still open",
                f"let it go on: driftgate remediation run, or, where it waits: driftgate remediation approve {one.id}",
            )


def run_serve(folder: Path) -> int:
    """Serve until stopped."""
    from driftgate.api.preflight import prepare_service
    from driftgate.service._make import make_service
    from driftgate.service._server import exposed_in_words, listening, serve_until_stopped

    with driftgate.open(folder) as ws:
        workspace, ledger = ws.files, ws.ledger
        service = workspace.config.service
        scheme = "https" if service.tls_cert else "http"
        with listening(service) as sockets:
            where = f"{scheme}://{service.host}:{sockets[0].getsockname()[1]}"
            prepare_service(workspace, ledger)
            app = make_service(workspace, ledger)
            for words in exposed_in_words(service):
                console.print(words, soft_wrap=True)
            told = f"driftgate serves {escape(workspace.config.name)} on {where}"
            serve_until_stopped(app, service, workspace.folder, sockets, started=lambda: console.print(told))
        return 0


def run_view(folder: Path, port: int) -> int:
    """Show the pages on this machine until stopped; nothing is scheduled, received or changed."""
    import socket

    import uvicorn

    from driftgate.service.console import make_view

    with driftgate.open(folder) as ws, socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as problem:
            raise DriftgateError(
                f"port {port} cannot be listened on: {problem.strerror}", "leave out --port, or name another one"
            ) from problem
        chosen = listening.getsockname()[1]
        app, entrance = make_view(ws, chosen)
        console.print(f"driftgate shows {escape(ws.name)}, read-only, until Ctrl-C; open once:", soft_wrap=True)
        console.print(f"http://127.0.0.1:{chosen}{entrance}", soft_wrap=True, markup=False, highlight=False)
        settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        uvicorn.Server(settings).run(sockets=[listening])
        return 0
