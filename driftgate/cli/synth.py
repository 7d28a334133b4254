"""Commands of whoever makes training data: see what it is about, make it, look at it, judge it, hand it over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, Workspace, group

synth = group("Synthetic training data: what it covers, making it, looking at it, judging it, handing it over.")
Name = Annotated[
    str, typer.Argument(help="Under synthesis: or recipes: of the workspace; may be left out where there is one.")
]


@synth.command()
def coverage(
    name: Name = "",
    workspace: Workspace = HERE,
    as_json: JsonFile = None,
) -> None:
    """Say what the material is about, and how many items each part of it is to have; no model is asked."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import coverage_data, print_coverage

    _console.check_writable(as_json)
    with driftgate.open(workspace) as ws:
        found = ws.material(name)
    print_coverage(_console.console, found)
    if as_json is not None:
        _console.write_json(as_json, coverage_data(found))


@synth.command()
def persona(
    name: Name = "",
    workspace: Workspace = HERE,
    write: Annotated[bool, typer.Option("--write", help="Have the synthesis's model write them out.")] = False,
    to: Annotated[Path | None, typer.Option(help="Also write them to this file, as YAML for 'personas:'.")] = None,
) -> None:
    """Show the ways of writing of a synthesis, and how different they are."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import personas_yaml, print_personas
    from driftgate.flows.private_text import write_text

    _console.check_writable(to)
    with driftgate.open(workspace) as ws:
        made = ws.personas(name, write=write, tell=_console.remark)
    print_personas(_console.console, made)
    if to is not None:
        write_text(to, personas_yaml(made))


@synth.command()
def make(name: Name = "", workspace: Workspace = HERE) -> None:
    """Make a set, or go on making it after it was stopped: what was answered is not asked, nor paid, again.

    Exit 0: fit to be trained on by its figures; 1: not; 3: too little to say; 4: it cannot be measured; 2: it was not
    made. driftgate synth check looks into its items too.
    """
    import driftgate
    from driftgate.benchmarks.gate import EXIT_CODES
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_set

    words = "stopped; replies so far are kept: give the same command again to go on"
    with driftgate.open(workspace) as ws, _console.stops(words):
        with _console.bar("asking") as advance:
            made = ws.synthesise(name, advance=advance, tell=_console.remark)
        print_set(_console.console, made)
    raise typer.Exit(EXIT_CODES[made.judgement.verdict])


@synth.command()
def evolve(
    seeds: Annotated[Path, typer.Argument(help="JSON Lines with 'prompt'.")],
    to: Annotated[Path, typer.Argument(help="The file that is written, for a source of the kind prompts.")],
    name: Annotated[str, typer.Option(help="The synthesis whose model is asked.")] = "",
    workspace: Workspace = HERE,
    rounds: Annotated[int, typer.Option(help="How often each prompt is evolved.", min=1, max=10)] = 1,
) -> None:
    """Have a model make harder, narrower or neighbouring prompts of seeds."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_evolved

    _console.check_writable(to)
    with driftgate.open(workspace) as ws, _console.stops("stopped; give the same command again to go on"):
        made = ws.evolve(seeds, to, name, rounds=rounds, tell=_console.remark)
    print_evolved(_console.console, made, to)


@synth.command()
def report(name: Name = "", workspace: Workspace = HERE, as_json: JsonFile = None) -> None:
    """Yield, what was dropped and why, diversity, and what of the material a set covers."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_report, report_data

    _console.check_writable(as_json)
    with driftgate.open(workspace) as ws:
        made = ws.synthetic_set(name)
    print_report(_console.console, made)
    if as_json is not None:
        _console.write_json(as_json, report_data(made))


@synth.command()
def check(name: Name = "", workspace: Workspace = HERE, as_json: JsonFile = None) -> None:
    """Judge a set. Exit 0: fit to be trained on; 1: not; 3: too little to say; 4: it cannot be measured."""
    from rich.markup import escape

    import driftgate
    from driftgate.benchmarks.gate import EXIT_CODES
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_judgement, report_data
    from driftgate.flows.errors import DriftgateError
    from driftgate.flows.plain import one_line

    _console.check_writable(as_json)
    with driftgate.open(workspace) as ws:
        ws.synthesis_named(name)  # a name that is none is the command's fault, and nothing about a set
        try:
            made = ws.check_synthesis(name)
        except DriftgateError as problem:
            _console.console.print(f"[yellow]unmeasurable[/]: {escape(one_line(str(problem)))}", soft_wrap=True)
            raise typer.Exit(4) from problem
    print_judgement(_console.console, made)
    if as_json is not None:
        _console.write_json(as_json, report_data(made))
    raise typer.Exit(EXIT_CODES[made.judgement.verdict])


@synth.command()
def show(
    name: Name = "",
    workspace: Workspace = HERE,
    count: Annotated[int, typer.Option("--count", "-n", help="So many.", min=1, max=1000)] = 5,
    rejects: Annotated[bool, typer.Option("--rejects", help="What was dropped, in place of items.")] = False,
    kind: Annotated[str, typer.Option(help="Only rejects of this kind, such as refusal or near_duplicate.")] = "",
    cluster: Annotated[str, typer.Option(help="Only of this cluster.")] = "",
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
) -> None:
    """Look at items of a set, or at what was dropped, drawn at random."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_items, print_rejects

    with driftgate.open(workspace) as ws:
        made = ws.synthetic_set(name)
    if rejects or kind:
        print_rejects(_console.console, made, count, seed, kind=kind, cluster=cluster)
    else:
        print_items(_console.console, made, count, seed, cluster=cluster)


@synth.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Gets train.jsonl, validation.jsonl and card.md.")],
    name: Annotated[str, typer.Option(help="The synthesis.")] = "",
    workspace: Workspace = HERE,
    form: Annotated[
        str, typer.Option(help="openai (also Azure OpenAI and Foundry), azure_ml, preference, pairs.")
    ] = "openai",
    flow: Annotated[str, typer.Option(help="Renders prompts and targets; by default the recipe's.")] = "",
    variant: Annotated[str, typer.Option(help="Of the flow.")] = "",
    model: Annotated[str, typer.Option(help="The workspace model that is to be trained.")] = "",
    validation: Annotated[float, typer.Option(help="Part held out, whole sources at a time.", min=0, max=0.9)] = 0.1,
) -> None:
    """Render a set that passes its check through a flow, and write it for a trainer."""
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.synthesis import print_handed

    with driftgate.open(workspace) as ws:
        handed = ws.export_synthesis(
            folder, name, form=form, flow=flow, variant=variant, model=model, validation=validation
        )
    print_handed(_console.console, handed)
