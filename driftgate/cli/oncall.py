"""Commands of whoever is on call: what is watched, who is champion, and the service."""

from __future__ import annotations

from typing import Annotated

import typer

from driftgate.cli._options import HERE, Workspace, group

monitor = group("Monitors: what is watched, and what moved.")
champion = group("Champions: which model is live in each place.")

MonitorName = Annotated[str, typer.Argument(metavar="MONITOR", help="A monitor of the workspace.")]
Slot = Annotated[str, typer.Argument(help="The place in production.")]


def nightly(workspace: Workspace = HERE) -> None:
    """Suites, gates and reports; looks at what is live; repairs where they are called for."""
    from driftgate.cli.live import run_nightly

    raise typer.Exit(run_nightly(workspace))


def serve(workspace: Workspace = HERE) -> None:
    """Serve the schedule and the HTTP interface until stopped."""
    from driftgate.cli.live import run_serve

    raise typer.Exit(run_serve(workspace))


def view(
    workspace: Workspace = HERE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0: a free one.")] = 0,
) -> None:
    """Show runs, monitors and everything else in a browser on this machine, read-only."""
    from driftgate.cli.live import run_view

    raise typer.Exit(run_view(workspace, port))


@monitor.command()
def check(name: MonitorName, workspace: Workspace = HERE) -> None:
    """Look at a monitor's canaries and traffic: exit 0 quiet, 1 moved, 3 inconclusive, 4 unmeasurable."""
    from driftgate.cli.live import run_look

    raise typer.Exit(run_look(workspace, name))


@monitor.command()
def rereference(
    name: MonitorName,
    reason: Annotated[str, typer.Option(help="Why; it is recorded, with your name.")],
    workspace: Workspace = HERE,
) -> None:
    """Compare a monitor's canaries with its next looks from now on; what was found before stays as it is."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console

    with driftgate.open(workspace) as ws:
        done = ws.rereference(name, reason=reason)
        looks = ws.files.config.monitors[name].reference_looks
    told = (
        f"{name}: the next {looks} looks at {done.champion} are its reference; recorded for {done.who}: {done.reason}"
    )
    console.print(escape(told), soft_wrap=True)


@monitor.command()
def explain(
    alert: Annotated[str, typer.Argument(help="An alert's key, a part of it, or latest.")] = "latest",
    workspace: Workspace = HERE,
) -> None:
    """Say of an alert what moved, since when, by how much and where, and what speaks for and against each suspect."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.explain import print_explanation

    with driftgate.open(workspace) as ws:
        print_explanation(console, ws.explain(alert))


@monitor.command("choose-canaries")
def choose_canaries(
    run: Annotated[str, typer.Argument(help="A run of the model that is to be watched: RUN, or RUN/PART.")],
    workspace: Workspace = HERE,
    n: Annotated[int, typer.Option("--n", min=1, help="How many canaries.")] = 50,
    others: Annotated[str, typer.Option(help="Runs of other models on the same dataset, A,B.")] = "",
    name: Annotated[str, typer.Option(help="They are written to data/NAME.jsonl.")] = "canaries",
    seed: Annotated[int, typer.Option(help="Decides between canaries that tell as much.")] = 0,
    probe: Annotated[
        bool, typer.Option("--probe", help="For a probe: samples that are answered now and then otherwise.")
    ] = False,
) -> None:
    """Choose the canaries that tell most of a change, by a run with repeats, by runs of other models, or by both."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli import _console

    console = _console.console
    with driftgate.open(workspace) as ws:
        found = ws.choose_canaries(run, others=_console.names(others), n=n, name=name, seed=seed, probe=probe)
    told = f"{len(found.chosen)} of {len(found.every):,} samples"
    if found.tokens is not None:
        told += f": about {found.tokens[0]:,.0f} tokens a look, {found.tokens[1]:,.0f} of as many drawn at random"
    console.print(told, soft_wrap=True)
    written = escape(_console.shown(found.path.resolve()))
    console.print(f"wrote {written}; use it as a dataset of driftgate.yaml:", soft_wrap=True)
    line = f"  {name}: {{kind: subset, of: {found.dataset}, path: data/{name}.jsonl}}"
    console.print(line, soft_wrap=True, markup=False)
    limit = f"probe: true, {found.probe_limits}" if probe else "limit: null"
    console.print(f"and as a monitor's canaries: {{dataset: {name}, {limit}}}", soft_wrap=True, markup=False)


@monitor.command("prompt-drift")
def prompt_drift(
    name: MonitorName,
    workspace: Workspace = HERE,
    repeats: Annotated[
        int | None, typer.Option(min=2, max=10, help="How often each prompt is asked as it stands; else the monitor's.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="How many canaries; else the monitor's.")] = None,
) -> None:
    """Ask the live model again and in other forms: exit 0 quiet, 1 moved, 3 inconclusive, 4 unmeasurable."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.night import NightOnTerminal
    from driftgate.cli.show.prompt_drift import print_prompt_look
    from driftgate.monitor.looks import EXIT_CODES

    with driftgate.open(workspace) as ws:
        found = ws.prompt_drift(name, NightOnTerminal(console, ws.files, ws.ledger), repeats=repeats, limit=limit)
        print_prompt_look(console, found)
        raise typer.Exit(EXIT_CODES[found.watched.conclusion.result])


@monitor.command()
def backtest(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="The run that was good (RUN or RUN/PART), a monitor whose stored calls are replayed, or a file.",
        ),
    ],
    after: Annotated[str, typer.Argument(help="The run that is watched, where WHAT is one.")] = "",
    workspace: Workspace = HERE,
    mapping: Annotated[str, typer.Option("--map", help="The file's columns, as time=ts,latency=seconds.")] = "",
    sides: Annotated[
        tuple[str, str] | None, typer.Option("--sides", help="Of a file of answers: two models, or two times.")
    ] = None,
    reads: Annotated[
        str, typer.Option(help="Of a file of answers: a pattern whose last match in a reply is its answer.")
    ] = "",
    settings: Annotated[str, typer.Option("--monitor", help="Of a file of calls: the monitor that looks.")] = "",
    signals: Annotated[str, typer.Option(help="Signals that are changed in copies of calls: latency,…")] = "",
    sizes: Annotated[str, typer.Option(help="By how much: 0.25,0.5; of shares 0.05 are five points.")] = "",
    starts: Annotated[int, typer.Option(min=1, max=100, help="On how many days each change begins.")] = 6,
    by: Annotated[str, typer.Option(help="Of runs: the column whose values are slices.")] = "category",
    orders: Annotated[int, typer.Option(min=1, max=10_000, help="How many shuffles of the pairs.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides the shuffles, and which calls are changed.")] = 0,
) -> None:
    """Replay what is past as if it were live: how often would it alarm, and how soon see a change?

    Of two runs, or of a file of answers of two models, pairs of answers are sent through a stream of canaries. Of a
    monitor's stored calls, or of a file of calls, every day is looked at with what came before it.
    """
    from driftgate.cli.replaying import Past, run_backtest

    run_backtest(
        workspace, what, after, Past(mapping, sides, reads, settings, signals, sizes, starts, by, orders, seed)
    )


@monitor.command()
def collect(workspace: Workspace = HERE) -> None:
    """Bring what the telemetry sources have come up with into the workspace; exit 4 where one cannot be read."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console
    from driftgate.monitor.telemetry import in_words, removed_in_words

    with driftgate.open(workspace) as ws:
        gone = removed_in_words(ws.removed_telemetry())
        found, lost = ws.collect(), {reason: count for reason, count in ws.not_kept().items() if reason.lost}
    if not found:
        console.print("the workspace names no telemetry source; add one under telemetry")
    if lost:
        console.print(f"driftgate serve, in the newest 7 days, not kept: {escape(in_words(lost))}", soft_wrap=True)
    if gone:
        console.print(f"past their retention: {gone}", soft_wrap=True)
    for one in found:
        said = f"[bold magenta]unreadable[/]: {escape(one.problem)}" if one.problem else f"{one.calls:,} calls"
        noted = f"; {escape(one.note)}" if one.note else ""
        console.print(f"{escape(one.source)}: {said}{noted}", soft_wrap=True)
    raise typer.Exit(4 if any(one.problem for one in found) else 0)


@monitor.command()
def alerts(
    workspace: Workspace = HERE, limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20
) -> None:
    """List what moved, and what every monitor saw last; exit 4 where one cannot tell or never looked."""
    from driftgate.cli.live import run_alerts

    raise typer.Exit(run_alerts(workspace, limit))


@champion.command("list")
def list_champions(workspace: Workspace = HERE) -> None:
    """Say which model is live in each place, and how it came to be."""
    from driftgate.cli.live import run_champions

    raise typer.Exit(run_champions(workspace))


@champion.command()
def promote(
    slot: Slot,
    model: Annotated[str, typer.Argument(help="The model that is to take it.")],
    run: Annotated[
        str, typer.Option("--run", help="The run whose gates passed: its id, a part of it, latest or latest:SUITE.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "the gates passed",
    workspace: Workspace = HERE,
) -> None:
    """Make a model champion; only on a stored pass of every gate of the run, which must not have changed since."""
    from driftgate.cli.live import run_promote

    raise typer.Exit(run_promote(workspace, slot, model, run, reason))


@champion.command()
def retire(slot: Slot, workspace: Workspace = HERE) -> None:
    """Delete the deployments that served before a rollout and serve nobody now: nobody goes back to them then."""
    from driftgate.cli.live import run_retire

    raise typer.Exit(run_retire(workspace, slot))


@champion.command()
def rollback(
    slot: Slot,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    workspace: Workspace = HERE,
    without_traffic: Annotated[
        bool,
        typer.Option("--without-traffic", help="Leave an endpoint's traffic as it is; exit 1 if a rollout moved it."),
    ] = False,
) -> None:
    """Put the champion before back into its place, and give it back the traffic that a rollout took from it."""
    from driftgate.cli.live import run_rollback

    raise typer.Exit(run_rollback(workspace, slot, reason, traffic=not without_traffic))
