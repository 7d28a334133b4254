"""Commands of the lead who picks between models: compare, plan, subset, port, attribute, import, rescore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, RunName, Workspace, group
from driftgate.cli.ci import runs

flow = group("Flows: whether a port does the same, and which node moved.")
dataset = group("Datasets: what they can show, and smaller ones that stand for them.")


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUNS]...", help="Runs: latest, latest:SUITE, an id or part of one; RUN/PART for a cell."
        ),
    ] = None,
    workspace: Workspace = HERE,
    models: Annotated[str, typer.Option(help="Without runs: cells of these models, asked the same way, A,B.")] = "",
    datasets: Annotated[str, typer.Option(help="Only on these datasets, A,B.")] = "",
    where: Annotated[
        str, typer.Option(help="Only cells whose signatures have these parts, shots:5,engine:native.")
    ] = "",
    pair: Annotated[
        list[str] | None,
        typer.Option(help="A,B: show this pair by category; may be repeated. Without: all, of up to six cells."),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page to this file.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write tables into this folder.")] = None,
    flips: Annotated[
        Path | None, typer.Option(help="Also write every sample that a pair answered differently to this CSV file.")
    ] = None,
    resamples: Annotated[int, typer.Option(help="Also paired bootstrap intervals, from so many resamples.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: JsonFile = None,
) -> None:
    """Compare runs or models from the ledger: differences, Pareto front, flipped samples, suspect keys."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.compare import print_comparisons

    console, listed = _console.console, _console.names
    for file in (html, flips, as_json):
        if file is None or csv is None or file.resolve().parent != csv.resolve():  # the folder of tables is made
            _console.check_writable(file)
    with driftgate.open(workspace) as ws:
        compared = ws.compare(
            names or [],
            models=listed(models),
            datasets=listed(datasets),
            where=listed(where),
            pairs=_pairs(pair or []),
            resamples=resamples,
            seed=seed,
        )
        print_comparisons(console, compared)
        if html is not None:
            from driftgate.benchmarks.report import write_comparison

            write_comparison(ws.ledger, compared, html)
            console.print(f"page: {escape(_console.shown(html.resolve()))}", soft_wrap=True)
        if csv is not None:
            from driftgate.benchmarks.report import write_comparison_csv

            write_comparison_csv(ws.ledger, compared, csv)
            console.print(f"CSV files: {escape(_console.shown(csv.resolve()))}", soft_wrap=True)
        if flips is not None:
            from driftgate.benchmarks.report import write_flips

            written = write_flips(ws.ledger, compared, flips)
            console.print(f"{written:,} flips: {escape(_console.shown(flips.resolve()))}", soft_wrap=True)
        if as_json is not None:
            _console.write_json(as_json, compared.as_json())


def _pairs(given: list[str]) -> list[tuple[str, str]]:
    """Two names from each ``A,B``.

    Raises
    ------
    DriftgateError
        There are not two.
    """
    from driftgate.flows.errors import DriftgateError

    found = []
    for text in given:
        one, comma, other = (part.strip() for part in text.partition(","))
        if not one or not comma or not other or "," in other:
            raise DriftgateError(f"--pair {text} names no two cells", "give two, --pair A,B, as the table names them")
        found.append((one, other))
    return found


@flow.command()
def parity(
    flow: Annotated[str, typer.Argument(help="A prompt flow: its folder in the workspace, or one that is shipped.")],
    port: Annotated[str, typer.Argument(help="What is to take its place: package.module:name, or another flow.")],
    workspace: Workspace = HERE,
    suite: Annotated[str, typer.Option(help="Take models, datasets and settings from this suite.")] = "",
    model: Annotated[list[str] | None, typer.Option(help="A model of the workspace; may be repeated.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="A dataset of the workspace; may be repeated.")] = None,
    variant: Annotated[str, typer.Option(help="The variant of the flow that was ported.")] = "",
    margin: Annotated[float, typer.Option(help="Largest difference that counts as none.")] = 0.02,
    churn: Annotated[float | None, typer.Option(help="Largest share of other answers; by default the margin.")] = None,
    limit: Annotated[int | None, typer.Option(help="Ask only so many samples, drawn by the seed.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the samples.")] = None,
    cache: Annotated[
        bool | None, typer.Option("--cache/--no-cache", help="Equal prompts get equal replies, from the ledger.")
    ] = None,
    python: Annotated[Path | None, typer.Option(help="Interpreter of the port's own environment.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Leave out metrics that begin so; may be repeated.")] = None,
    html: Annotated[Path | None, typer.Option(help="Where to write the page; by default under reports/.")] = None,
    as_json: JsonFile = None,
) -> None:
    """Show that a port does what a prompt flow does: exit 0 equivalent, 1 different, 3 inconclusive, 4 unmeasurable."""
    from rich.markup import escape

    import driftgate
    from driftgate.api.display import ProgressDisplay
    from driftgate.api.parity import Request, parity_page
    from driftgate.cli._console import check_writable, console, shown, stops, write_json
    from driftgate.cli.show.parity import print_parity

    for file in (html, as_json):
        check_writable(file)
    request = Request(
        flow, port, suite, model or (), dataset or (), variant, limit, seed, cache, python, margin, churn, ignore or ()
    )
    with driftgate.open(workspace) as ws:
        with stops("stopped; give the same command again to go on"):
            found = ws.parity(
                request,
                display=ProgressDisplay(console),
                begun=lambda run, samples: console.print(
                    f"run [bold]{run.id}[/]: {samples:,} samples, half of them the port's"
                ),
            )
        for compared in found.compared:
            print_parity(console, compared)
        page = parity_page(ws.files, found, html)
        console.print(f"report: {escape(shown(page.resolve()))}", soft_wrap=True)
        if as_json is not None:
            write_json(as_json, found.as_json())
        raise typer.Exit(found.gravest.exit_code)


@flow.command()
def attribute(
    first: Annotated[str, typer.Argument(help="RUN or RUN/PART: the run, and its cell, to begin from.")],
    second: Annotated[str, typer.Argument(help="RUN or RUN/PART: another configuration of the same flow.")],
    workspace: Workspace = HERE,
    metric: Annotated[str, typer.Option(help="node.evaluator.metric; by default what makes a sample right.")] = "",
    limit: Annotated[int | None, typer.Option(help="Only so many samples, drawn by the seed.")] = None,
    seed: Annotated[int, typer.Option(help="Draws samples, and orders where there are many nodes.")] = 0,
    html: Annotated[Path | None, typer.Option(help="Where to write the page; by default under reports/.")] = None,
    as_json: JsonFile = None,
) -> None:
    """Say which nodes account for how much of the difference between two runs; asks only what the ledger lacks."""
    from rich.markup import escape

    import driftgate
    from driftgate.api.attribution import attribution_page
    from driftgate.cli._console import bar, check_writable, console, shown, stops, write_json
    from driftgate.cli.show.attribution import print_attribution

    for file in (html, as_json):
        check_writable(file)
    with driftgate.open(workspace) as ws:
        words = "stopped; the replies so far are in the ledger: give the same command again to go on"
        with stops(words), bar("replaying") as advance:
            made = ws.attribute(first, second, metric=metric, limit=limit, seed=seed, advance=advance)
        print_attribution(console, made.found, made.names)
        page = attribution_page(ws.files, made, html)
        console.print(f"report: {escape(shown(page.resolve()))}", soft_wrap=True)
        if as_json is not None:
            write_json(as_json, made.as_json())


@dataset.command()
def subset(
    dataset: Annotated[str, typer.Argument(help="A dataset of the workspace that three models or more were run on.")],
    workspace: Workspace = HERE,
    size: Annotated[int, typer.Option(help="How many samples to choose.")] = 300,
    name: Annotated[str, typer.Option(help="The subset's name; it is written to data/NAME.jsonl.")] = "small",
    runs: Annotated[str, typer.Option(help="Choose by these runs, A,B; by default each model's newest.")] = "",
    models: Annotated[str, typer.Option(help="Choose by these models only, A,B.")] = "",
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    draws: Annotated[int, typer.Option(help="How often each method is tried on each left-out model.")] = 200,
) -> None:
    """Choose a few hundred samples whose score predicts the score on the whole dataset, with a measured error."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.subset import print_measured

    console, listed = _console.console, _console.names
    with driftgate.open(workspace) as ws:
        with _console.bar("leaving out one model at a time") as advance:
            left_out = 0

            def one_more(of: int) -> None:
                nonlocal left_out
                left_out += 1
                advance(left_out, of)

            chosen = ws.subset(
                dataset,
                runs=listed(runs),
                models=listed(models),
                size=size,
                name=name,
                seed=seed,
                draws=draws,
                advance=one_more,
            )
        print_measured(console, chosen.responses, chosen.measured, size)
        written = escape(_console.shown(chosen.path.resolve()))
        console.print(f"wrote {written}; use it as a dataset of driftgate.yaml:", soft_wrap=True)
        console.print(
            f"  {name}: {{kind: subset, of: {dataset}, path: data/{name}.jsonl}}", soft_wrap=True, markup=False
        )


@dataset.command()
def plan(
    dataset: Annotated[str, typer.Argument(help="A dataset that was run.")] = "",
    models: Annotated[list[str] | None, typer.Argument(help="Two models.")] = None,
    workspace: Workspace = HERE,
    runs: Annotated[str, typer.Option(help="Plan from these runs instead, A,B.")] = "",
    rate: Annotated[float | None, typer.Option(help="Without runs: the expected accuracy, such as 0.6.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Without runs: how many samples.")] = None,
    discordance: Annotated[float | None, typer.Option(help="Share that exactly one model gets right.")] = None,
    difference: Annotated[float | None, typer.Option(help="Also what this difference needs, in points.")] = None,
    alpha: Annotated[float, typer.Option(help="Level of the two-sided test.")] = 0.05,
    power: Annotated[float, typer.Option(help="With which the difference is found.")] = 0.8,
) -> None:
    """Say which difference between two models a dataset can show, and how many samples a wanted one needs."""
    import driftgate
    from driftgate.api.plan import Assumed, assumed_designs
    from driftgate.cli import _console
    from driftgate.cli.show.plan import print_plan
    from driftgate.flows.errors import DriftgateError

    if difference is not None and not 0.0 < difference < 100.0:
        raise DriftgateError(f"--difference is {difference}", "give points above 0 and below 100, such as 2")
    assumed = Assumed(rate, n, discordance, alpha, power)
    if rate is not None and not dataset and not runs:
        designs = assumed_designs(assumed)
    else:
        with driftgate.open(workspace) as ws:
            designs = ws.plan(dataset, models or [], runs=_console.names(runs), assumed=assumed)
    for design in designs:
        print_plan(_console.console, design, None if difference is None else difference / 100.0)


@runs.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON Lines files, or folders of them.")],
    workspace: Workspace = HERE,
    preset: Annotated[str, typer.Option(help="Layout of the files; by default the one that knows their names.")] = "",
    mapping: Annotated[str, typer.Option("--map", help="Columns: id=ID,gold=answer,prediction=pred,response=…")] = "",
    dataset: Annotated[str, typer.Option(help="The dataset of the workspace that they answer.")] = "",
    model: Annotated[str, typer.Option(help="The model's name; by default from the file's name.")] = "",
    shots: Annotated[int | None, typer.Option(help="Examples that the prompts held.")] = None,
) -> None:
    """Read recorded answers into the ledger as runs; asks no model. Exit 2 where a file of several was refused."""
    from rich.markup import escape

    import driftgate
    from driftgate.api.recorded import Import
    from driftgate.cli._console import console
    from driftgate.cli.show.recorded import ImportBar, print_unknown
    from driftgate.cli.show.runs import print_scores

    with driftgate.open(workspace) as ws:
        with ImportBar(console) as display:
            done = ws.import_files(files, Import(preset, mapping, dataset, model, shots), display)
        print_scores(console, done.scored)
        for refusal in done.refused:
            console.print(f"[red]refused[/] {escape(refusal.message)}\n  {escape(refusal.remedy)}", soft_wrap=True)
        print_unknown(console, done.unknown)
        raise typer.Exit(2 if done.refused else 0)


@runs.command()
def rescore(
    run: RunName,
    convention: Annotated[
        str, typer.Option("--as", help="The convention; driftgate runs list conventions lists them.")
    ],
    workspace: Workspace = HERE,
    categories: Annotated[bool, typer.Option("--categories", help="Also print every category.")] = False,
    as_json: JsonFile = None,
) -> None:
    """Score a stored run by a convention; asks no model."""
    import driftgate
    from driftgate.benchmarks.scores import SLICES
    from driftgate.cli._console import console, write_json
    from driftgate.cli.show.rescore import print_rescored, rescored_json

    kinds = SLICES if categories else ("super_category",)
    with driftgate.open(workspace) as ws:
        scored = ws.rescore(run, convention)
        for scores in scored:
            print_rescored(console, scores, kinds)
        if as_json is not None:
            write_json(as_json, [rescored_json(scores, kinds) for scores in scored])


@runs.command("score-diff")
def score_diff(
    run: RunName,
    before: Annotated[str, typer.Option("--from", help="The one convention.")],
    after: Annotated[str, typer.Option("--to", help="The other.")],
    workspace: Workspace = HERE,
    examples: Annotated[int, typer.Option(help="Samples shown for each reason.")] = 3,
) -> None:
    """Say which samples of a stored run two conventions score differently, and why."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.rescore import print_difference

    with driftgate.open(workspace) as ws:
        for found in ws.score_difference(run, before, after):
            print_difference(console, ws.ledger, found, examples)


@runs.command()
def conventions() -> None:
    """List the scoring conventions."""
    from driftgate.cli._console import console
    from driftgate.cli.show.rescore import print_conventions

    print_conventions(console)
