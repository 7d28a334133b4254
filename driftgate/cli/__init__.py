"""The command ``driftgate``. Everything slow is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from driftgate.flows.errors import DriftgateError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Benchmark language models, gate their promotion and watch them in production.",
)
Workspace = Annotated[Path, typer.Option("--workspace", "-w", help="Folder with driftgate.yaml.", show_default=False)]
HERE = Path()


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    if debug:
        os.environ["DRIFTGATE_DEBUG"] = "1"


@app.command()
def nightly(workspace: Workspace = HERE) -> None:
    """Suites, gates and reports; looks at what is live; repairs where they are called for."""
    from driftgate.api.commands import opened
    from driftgate.api.night import run_night

    with opened(workspace) as (found, ledger):
        raise typer.Exit(run_night(found, ledger))


@app.command()
def bench(
    suite: Annotated[str, typer.Argument(help="A suite of the workspace.", show_default=False)] = "",
    workspace: Workspace = HERE,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest run that is not complete.")] = False,
    run: Annotated[str, typer.Option("--run", help="With --resume: the run to go on with.")] = "",
    retry_failed: Annotated[bool, typer.Option(help="With --resume: ask failed samples once more.")] = False,
    cache: Annotated[bool | None, typer.Option("--cache/--no-cache", help="Reuse replies of earlier runs.")] = None,
) -> None:
    """Run a suite, or go on with a run that was stopped; asks nothing twice."""
    from driftgate.api.commands import run_bench

    raise typer.Exit(run_bench(workspace, suite, resume=resume, run=run, retry_failed=retry_failed, cache=cache))


@app.command()
def gate(
    run: Annotated[str, typer.Argument(help="A run, a part of its id, or latest.")] = "latest",
    workspace: Workspace = HERE,
    name: Annotated[str, typer.Option("--gate", help="The gate; by default every gate of the run's suite.")] = "",
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the verdict to this file.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write it as JUnit XML to this file.")] = None,
    undecided: Annotated[
        str, typer.Option(help="What inconclusive and unmeasurable are in JUnit XML: failure, error or skipped.")
    ] = "",
    summary: Annotated[Path | None, typer.Option("--summary", help="Also write it as Markdown to this file.")] = None,
) -> None:
    """Judge a run: exit 0 pass, 1 fail, 3 inconclusive, 4 unmeasurable, 2 error.

    In GitHub Actions it also adds a step summary and annotations, in Azure DevOps logging commands.
    """
    from driftgate.api.commands import GateFiles, run_gate

    raise typer.Exit(run_gate(workspace, run, name, GateFiles(as_json, junit, undecided, summary)))


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="A run, a part of its id, or latest.")] = "latest",
    workspace: Workspace = HERE,
) -> None:
    """Score a run from the ledger and write its HTML page and Markdown summary."""
    from driftgate.api.commands import run_report

    raise typer.Exit(run_report(workspace, run))


@app.command()
def runs(
    workspace: Workspace = HERE,
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    suite: Annotated[str, typer.Option(help="Only runs of this suite.")] = "",
) -> None:
    """List the runs in the ledger, the newest first."""
    from driftgate.api.commands import run_runs

    raise typer.Exit(run_runs(workspace, limit, suite))


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="A run, a part of its id, or latest.")] = "latest",
    sample: Annotated[str, typer.Argument(help="A sample's id or a part of its key: shows every node.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Show a run's scores, or one sample's way through the flow."""
    from driftgate.api.commands import run_show

    raise typer.Exit(run_show(workspace, run, sample))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")] = HERE,
    example: Annotated[str, typer.Option(help="Begin with an example: rag.")] = "",
) -> None:
    """Make a workspace: a driftgate.yaml to begin with, and folders for your data and flows."""
    from driftgate.api.commands import run_init

    raise typer.Exit(run_init(folder, example))


@app.command()
def doctor(workspace: Workspace = HERE) -> None:
    """Say what is missing or cannot be reached, and how to mend it."""
    from driftgate.api.commands import run_doctor

    raise typer.Exit(run_doctor(workspace))


@app.command()
def schema() -> None:
    """Print the JSON Schema of driftgate.yaml, for editors."""
    from driftgate.api.commands import run_schema

    raise typer.Exit(run_schema())


@app.command()
def look(
    monitor: Annotated[str, typer.Argument(help="A monitor of the workspace.")],
    workspace: Workspace = HERE,
) -> None:
    """Ask a monitor's canaries of the live model and compare: exit 0 quiet, 1 moved, 3 inconclusive, 4 unmeasurable."""
    from driftgate.cli.live import run_look

    raise typer.Exit(run_look(workspace, monitor))


@app.command("prompt-drift")
def prompt_drift(
    monitor: Annotated[str, typer.Argument(help="A monitor of the workspace.")],
    workspace: Workspace = HERE,
    repeats: Annotated[int, typer.Option(help="How often each prompt is asked as it stands.")] = 3,
    limit: Annotated[int, typer.Option(help="How many canaries.")] = 50,
) -> None:
    """Ask the live model again and in other words: how far do its answers hang on what should not matter?"""
    from driftgate.cli.live import run_prompt_drift

    raise typer.Exit(run_prompt_drift(workspace, monitor, repeats, limit))


@app.command()
def alerts(workspace: Workspace = HERE, limit: Annotated[int, typer.Option(help="How many.")] = 20) -> None:
    """List what moved, the newest first."""
    from driftgate.cli.live import run_alerts

    raise typer.Exit(run_alerts(workspace, limit))


@app.command()
def champions(workspace: Workspace = HERE) -> None:
    """Say which model is live in each place, and how it came to be."""
    from driftgate.cli.live import run_champions

    raise typer.Exit(run_champions(workspace))


@app.command()
def promote(
    slot: Annotated[str, typer.Argument(help="The place in production.")],
    model: Annotated[str, typer.Argument(help="The model that is to take it.")],
    run: Annotated[str, typer.Option("--run", help="The run whose gates passed: its id, a part of it, or latest.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "the gates passed",
    workspace: Workspace = HERE,
) -> None:
    """Make a model champion; only on a stored pass of every gate of the run, which must not have changed since."""
    from driftgate.cli.live import run_promote

    raise typer.Exit(run_promote(workspace, slot, model, run, reason))


@app.command()
def rollback(
    slot: Annotated[str, typer.Argument(help="The place in production.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    workspace: Workspace = HERE,
) -> None:
    """Put the champion before back into its place."""
    from driftgate.cli.live import run_rollback

    raise typer.Exit(run_rollback(workspace, slot, reason))


@app.command()
def remediations(
    name: Annotated[str, typer.Argument(help="A remediation's id or a part of it: shows how it went.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """List repairs of regressions."""
    from driftgate.cli.live import run_remediations

    raise typer.Exit(run_remediations(workspace, name))


@app.command()
def mend(workspace: Workspace = HERE) -> None:
    """Take every open remediation as far as it goes."""
    from driftgate.cli.live import run_mend

    raise typer.Exit(run_mend(workspace))


@app.command()
def approve(
    remediation: Annotated[str, typer.Argument(help="A remediation's id or a part of it.")],
    workspace: Workspace = HERE,
) -> None:
    """Agree to the promotion that a remediation waits for."""
    from driftgate.cli.live import run_approve

    raise typer.Exit(run_approve(workspace, remediation))


@app.command()
def serve(workspace: Workspace = HERE) -> None:
    """Serve the schedule and the HTTP interface until stopped."""
    from driftgate.cli.live import run_serve

    raise typer.Exit(run_serve(workspace))


@app.command()
def loop(folder: Annotated[Path, typer.Argument(help="A new folder for the demonstration.")] = Path("loop")) -> None:
    """Show the whole loop with a real model: watch, notice, repair, prove, promote (minutes of computing)."""
    from driftgate.api.commands import console
    from driftgate.api.loop import run_loop

    page = run_loop(folder.resolve(), console)
    console.print(f"the story: {page}", soft_wrap=True)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON Lines files, or folders of them.")],
    workspace: Workspace = HERE,
    preset: Annotated[str, typer.Option(help="Layout of the files; by default the one that knows their names.")] = "",
    mapping: Annotated[str, typer.Option("--map", help="Columns: id=ID,gold=answer,prediction=pred,response=…")] = "",
    dataset: Annotated[str, typer.Option(help="The dataset of the workspace that they answer.")] = "",
    model: Annotated[str, typer.Option(help="The model's name; by default from the file's name.")] = "",
    shots: Annotated[int | None, typer.Option(help="Examples that the prompts held.")] = None,
) -> None:
    """Read recorded answers into the ledger as runs; asks no model."""
    from driftgate.api.importing import run_import

    raise typer.Exit(run_import(workspace, files, preset, mapping, dataset, model, shots))


@app.command()
def rescore(
    run: Annotated[str, typer.Argument(help="A run, a part of its id, or latest.")],
    convention: Annotated[str, typer.Option("--as", help="The convention; driftgate conventions lists them.")],
    workspace: Workspace = HERE,
    categories: Annotated[bool, typer.Option("--categories", help="Also print every category.")] = False,
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the scores to this file.")] = None,
) -> None:
    """Score a stored run by a convention; asks no model."""
    from driftgate.api.rescoring import run_rescore

    raise typer.Exit(run_rescore(workspace, run, convention, categories, as_json))


@app.command("score-diff")
def score_diff(
    run: Annotated[str, typer.Argument(help="A run, a part of its id, or latest.")],
    before: Annotated[str, typer.Option("--from", help="The one convention.")],
    after: Annotated[str, typer.Option("--to", help="The other.")],
    workspace: Workspace = HERE,
    examples: Annotated[int, typer.Option(help="Samples shown for each reason.")] = 3,
) -> None:
    """Say which samples of a stored run two conventions score differently, and why."""
    from driftgate.api.rescoring import run_score_diff

    raise typer.Exit(run_score_diff(workspace, run, before, after, examples))


@app.command()
def conventions() -> None:
    """List the scoring conventions."""
    from driftgate.api.rescoring import run_conventions

    raise typer.Exit(run_conventions())


@app.command()
def compare(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Runs: latest, an id or part of one; RUN/PART for a cell.")
    ] = None,
    workspace: Workspace = HERE,
    models: Annotated[str, typer.Option(help="Without runs: the newest cells of these models, A,B.")] = "",
    datasets: Annotated[str, typer.Option(help="Only on these datasets, A,B.")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page to this file.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write tables into this folder.")] = None,
    resamples: Annotated[int, typer.Option(help="Also paired bootstrap intervals, from so many resamples.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Compare runs or models from the ledger: differences, Pareto front, flipped samples, suspect keys."""
    from driftgate.api.comparing import run_compare

    raise typer.Exit(
        run_compare(workspace, runs or [], models, datasets, html=html, csv=csv, resamples=resamples, seed=seed)
    )


@app.command()
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
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write everything to this file.")] = None,
) -> None:
    """Show that a port does what a prompt flow does: exit 0 equivalent, 1 different, 3 inconclusive, 4 unmeasurable."""
    from driftgate.api.porting import Request, run_parity

    asked = Request(
        flow, port, suite, model or (), dataset or (), variant, limit, seed, cache, python, margin, churn, ignore or ()
    )
    raise typer.Exit(run_parity(workspace, asked, html, as_json))


@app.command()
def attribute(
    first: Annotated[str, typer.Argument(help="RUN or RUN/PART: the run, and its cell, to begin from.")],
    second: Annotated[str, typer.Argument(help="RUN or RUN/PART: another configuration of the same flow.")],
    workspace: Workspace = HERE,
    metric: Annotated[str, typer.Option(help="node.evaluator.metric; by default what makes a sample right.")] = "",
    limit: Annotated[int | None, typer.Option(help="Only so many samples, drawn by the seed.")] = None,
    seed: Annotated[int, typer.Option(help="Draws samples, and orders where there are many nodes.")] = 0,
    html: Annotated[Path | None, typer.Option(help="Where to write the page; by default under reports/.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write everything to this file.")] = None,
) -> None:
    """Say which nodes account for how much of the difference between two runs; asks only what the ledger lacks."""
    from driftgate.api.attributing import run_attribute

    code = run_attribute(workspace, first, second, metric=metric, limit=limit, seed=seed, html=html, as_json=as_json)
    raise typer.Exit(code)


@app.command()
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
    from driftgate.api.choosing import run_subset
    from driftgate.api.comparing import names

    raise typer.Exit(run_subset(workspace, dataset, names(runs), models, size=size, name=name, seed=seed, draws=draws))


@app.command()
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
    from driftgate.api.planning import Assumed, run_plan

    assumed = Assumed(rate, n, discordance, alpha, power)
    raise typer.Exit(run_plan(workspace, dataset, models or [], runs, assumed, difference))


def main() -> None:
    """Run the command; an error is one sentence with a remedy, and exit code 2."""
    try:
        app()
    except DriftgateError as problem:
        _fail(problem, problem.message, problem.remedy)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as problem:
        _fail(problem, f"the system refused: {problem}", "free space or correct the rights, then try again")
    except Exception as problem:
        words = f"a defect of driftgate, {type(problem).__name__}: {' '.join(str(problem).split())}"
        _fail(problem, words, "please report it with what `driftgate --debug ...` says")


def _fail(problem: BaseException, message: str, remedy: str) -> None:
    if os.environ.get("DRIFTGATE_DEBUG"):
        raise problem
    sys.stderr.write(f"driftgate: {message}\n" + (f"  {remedy}\n" if remedy else ""))
    raise SystemExit(2)
