"""Commands of the engineer whose CI must refuse a worse model: run, judge, report, look at samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, RunName, Workspace, group
from driftgate.flows.errors import DriftgateError

runs = group("Runs in the ledger.")
baseline = group("Baselines: runs that others are compared with, carried in a file.")


def bench(
    suite: Annotated[str, typer.Argument(help="A suite of the workspace.", show_default=False)] = "",
    workspace: Workspace = HERE,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest benchmark that is not complete.")
    ] = False,
    run: Annotated[str, typer.Option("--run", help="With --resume: the run to go on with.")] = "",
    retry_failed: Annotated[bool, typer.Option(help="With --resume: ask failed samples once more.")] = False,
    cache: Annotated[bool | None, typer.Option("--cache/--no-cache", help="Reuse replies of earlier runs.")] = None,
    trial: Annotated[
        bool, typer.Option("--trial", help="For a change that is only proposed: no later run is compared with it.")
    ] = False,
    gate: Annotated[str, typer.Option("--gate", help="With --sequential: the gate that may end the run.")] = "",
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Ask in a random order and end once the gate has decided.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Of that order; by default another one for each run.")] = None,
    shards: Annotated[
        int | None,
        typer.Option("--shards", min=1, max=64, help="Processes, or jobs, that share the samples.", show_default="1"),
    ] = None,
    on: Annotated[
        str, typer.Option("--on", help="Where they work: azureml has jobs of Azure Machine Learning ask.")
    ] = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="With --on: an interrupt cancels the jobs.")] = False,
    shard: Annotated[str, typer.Option("--shard", hidden=True, help="The share that this process asks.")] = "",
    job: Annotated[Path | None, typer.Option("--job", hidden=True, help="Of --shard: the run, elsewhere.")] = None,
    result: Annotated[Path, typer.Option("--result", hidden=True, help="Of --job: where it is put.")] = Path("result"),
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Also write the run's id, status and scores to this file.")
    ] = None,
) -> None:
    """Run a suite, or go on with a run that was stopped; asks nothing twice. Exit 4: more failed than it allows.

    With --gate GATE --sequential it ends as soon as the gate has decided, and exits as 'driftgate gate' does.

    In GitHub Actions the step gets the output 'run', the run's id; in Azure DevOps it is the variable driftgate.run.
    """
    import os
    from functools import partial

    import driftgate
    from driftgate.api.dividing import Division
    from driftgate.cli import pipelines
    from driftgate.cli._console import check_writable, console, write_json
    from driftgate.cli.show.bench import carry_out

    if job is not None:
        from driftgate.api.cluster import ask_elsewhere

        raise typer.Exit(ask_elsewhere(job, shard, result))
    check_writable(as_json)
    if on not in ("", "azureml") or (cancel and not on):
        raise DriftgateError("jobs work on azureml only, and --cancel is about jobs", "give --on azureml, or neither")
    if bool(gate) != sequential or (seed is not None and not sequential):
        raise DriftgateError(
            "--gate, --seed and --sequential belong together", "give --gate GATE --sequential, or none of them"
        )
    with driftgate.open(workspace) as ws:
        begun = ws.begin(
            suite,
            resume=resume,
            run=run,
            retry_failed=retry_failed,
            cache=cache,
            trial=trial,
            stopping_gate=gate,
            seed=seed,
        )
        if shard:
            raise typer.Exit(ws.ask_share(begun, shard, retry_failed=retry_failed))
        pipelines.set_output(os.environ, "run", begun.run.id)
        told = partial(console.print, markup=False, highlight=False, soft_wrap=True)
        how = Division(shards, "azureml" if on else "here", cancel, told)
        try:
            done = carry_out(
                console,
                begun,
                lambda display: ws.finish(begun, display, retry_failed=retry_failed, divided=how, cache=cache),
            )
        finally:
            if as_json is not None:
                write_json(as_json, ws.run(begun.run.id).as_json())
        raise typer.Exit(done.exit_code)


def gate(
    run: RunName = "latest",
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

    In GitHub Actions it also adds a step summary, annotations and the outputs 'verdict' and 'keep' (true where later
    runs may be compared with this one), in Azure DevOps logging commands and variables.
    """
    import os

    import driftgate
    from driftgate.cli import pipelines
    from driftgate.cli._console import console
    from driftgate.cli.show.runs import print_verdict

    with driftgate.open(workspace) as ws:
        verdicts = ws.gate(run, name)
        for verdict in verdicts:
            print_verdict(console, verdict)
        pipelines.GateFiles(as_json, junit, undecided, summary).write(verdicts)
        pipelines.announce(verdicts, os.environ, ws.files.reports / verdicts[0].run)
        pipelines.set_output(os.environ, "verdict", verdicts.gravest)
        pipelines.set_output(os.environ, "keep", str(verdicts.may_be_previous).lower())
        raise typer.Exit(verdicts.exit_code)


def report(run: RunName = "latest", workspace: Workspace = HERE) -> None:
    """Score a run from the ledger and write its HTML page and Markdown summary."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console, shown

    with driftgate.open(workspace) as ws:
        files = ws.run(run).report()
        console.print(f"report: {escape(shown(files.html))}", soft_wrap=True)
        console.print(f"summary: {escape(shown(files.markdown))}", soft_wrap=True)


@runs.command("list")
def list_runs(
    workspace: Workspace = HERE,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    suite: Annotated[str, typer.Option(help="Only runs of this suite.")] = "",
    kind: Annotated[
        str, typer.Option(help="Only benchmark, canary, proof, parity, attribution, import, baseline, trial; or all.")
    ] = "",
) -> None:
    """List the runs in the ledger, the newest first; the canary runs of monitors only with --kind canary or all."""
    from driftgate.api.listing import listed_runs
    from driftgate.cli._console import console, names
    from driftgate.cli.show.runs import print_runs
    from driftgate.ledger import KINDS

    kinds = KINDS if kind == "all" else names(kind) or [one for one in KINDS if one != "canary"]
    found = listed_runs(workspace, limit, suite=suite, kind=kinds)
    if found:
        print_runs(console, found)
    elif listed_runs(workspace, 1):
        console.print("the ledger holds no such run; see them all with: driftgate runs list --kind all")
    else:
        console.print("the ledger holds no run yet; begin one with: driftgate bench")


@runs.command()
def show(
    run: RunName = "latest",
    sample: Annotated[str, typer.Argument(help="A sample's id or a part of its key: shows every node.")] = "",
    workspace: Workspace = HERE,
    evaluators: Annotated[
        bool, typer.Option("--evaluators", help="Every metric of every node evaluator, and why evaluators failed.")
    ] = False,
) -> None:
    """Show a run's scores, or one sample's way through the flow."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.runs import print_evaluators, print_run, print_sample

    with driftgate.open(workspace) as ws:
        found = ws.run(run)
        if sample:
            print_sample(console, found, sample)
        elif evaluators:
            print_evaluators(console, found.scored)
        else:
            print_run(console, found)


@runs.command()
def samples(
    run: RunName = "latest",
    workspace: Workspace = HERE,
    wrong: Annotated[bool, typer.Option("--wrong", help="Those that were answered, and not rightly.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Those without an answer, with the reason.")] = False,
    category: Annotated[str, typer.Option(help="Those of this category or super-category.")] = "",
    model: Annotated[str, typer.Option(help="Those of this model.")] = "",
    text: Annotated[str, typer.Option(help="Those with it in the question, the key, the answer or the error.")] = "",
    outputs: Annotated[bool, typer.Option("--outputs", help="Of --text: or in a node's prompt or output.")] = False,
    limit: Annotated[int, typer.Option(help="How many are shown.", min=1)] = 20,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write all of them to this file.")] = None,
) -> None:
    """List the samples of a run: what was asked, what came, and why there is no answer."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.runs import print_samples, say_expired

    if outputs and not text:
        raise DriftgateError("--outputs narrows nothing by itself", "say what to look for: --text TEXT --outputs")
    with driftgate.open(workspace) as ws:
        say_expired(console, ws.run(run))
        found = ws.run(run).samples(
            wrong=wrong, failed=failed, category=category, model=model, text=text, outputs=outputs
        )
        print_samples(console, found.head(limit), len(found))
        if csv is not None:
            from driftgate.flows.plain import no_formula
            from driftgate.flows.private_text import write_text

            write_text(csv, found.map(no_formula).to_csv(index=False))


@baseline.command("export")
def export_baseline(
    run: Annotated[str, typer.Argument(help="A complete run: an id or a part of one, latest or latest:SUITE.")],
    file: Annotated[Path, typer.Argument(help="Where to write it, such as baselines/main.json.")],
    workspace: Workspace = HERE,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Also questions, given answers, errors and what evaluators said.")
    ] = False,
) -> None:
    """Write what a comparison needs of a run to a file: samples' keys and right answers, outcomes, scores, the plan."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console, shown

    with driftgate.open(workspace) as ws:
        done = ws.export_baseline(run, file, with_text=with_text)
        held = f"{len(done.baseline.cells)} cells, {len(done.baseline.samples):,} samples"
        said = f"wrote {shown(file.resolve())}: run {done.baseline.run.id}, {held}, hash {done.content[:12]}"
        console.print(escape(said), soft_wrap=True)
        console.print(f"elsewhere: driftgate baseline import {escape(file.name)}", soft_wrap=True)


@baseline.command("import")
def import_baseline(
    file: Annotated[Path, typer.Argument(help="A file that driftgate baseline export wrote.")],
    workspace: Workspace = HERE,
    name: Annotated[str, typer.Option(help="What gates call it; by default the file's name without .json.")] = "",
) -> None:
    """Read a baseline into the ledger, for rules with no_worse_than: baseline:NAME; the same file changes nothing."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console

    with driftgate.open(workspace) as ws:
        done = ws.import_baseline(file, name)
        of = f"run {done.baseline.run.id} of {done.baseline.run.created_at:%Y-%m-%d}"
        console.print(escape(f"baseline:{done.name} is {of}, here {done.run.id}"), soft_wrap=True)
