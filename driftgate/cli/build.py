"""Commands of whoever sets a workspace up: begin one, examine it and its ledger, describe its file, see the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from driftgate.cli._options import HERE, Workspace, group

ledger = group("The ledger: whether it is whole, and how large it is.")
demo = group("Demonstrations, with a real small model.")


def init(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")] = HERE,
    example: Annotated[str, typer.Option(help="Begin with an example: rag.")] = "",
    ci: Annotated[
        str, typer.Option("--ci", help="Also a pipeline file that runs and judges it: github or azure.")
    ] = "",
) -> None:
    """Make a workspace: a driftgate.yaml to begin with, and folders for your data and flows.

    With --ci in a folder that has a driftgate.yaml only the pipeline file is made. Nothing is ever written over.
    """
    from rich.markup import escape

    from driftgate.api._init import make
    from driftgate.cli._console import console, shown

    for path in make(folder, example, ci):
        console.print(f"made {escape(shown(path.resolve()))}", soft_wrap=True)
    console.print(f"next: driftgate doctor -w {folder}", soft_wrap=True)


def doctor(
    workspace: Workspace = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings and deployments as JSON.")] = False,
) -> None:
    """Say what is missing or cannot be reached, and how to mend it; exit 2 where something needs mending.

    Every model is asked one question, by which it is learnt what its deployment takes.
    """
    import json
    from collections import Counter

    from driftgate.api.deployments import known_in
    from driftgate.api.preflight import examine
    from driftgate.cli._console import console
    from driftgate.cli.show.preflight import as_data, in_all, print_deployments, print_finding
    from driftgate.flows.plain import json_on_a_terminal

    counts: Counter[str] = Counter()
    findings = []
    for finding in examine(workspace):
        if not as_json:
            print_finding(console, finding)
        findings.append(finding)
        counts[finding.severity] += 1
    known = known_in(workspace)
    if as_json:
        print(json_on_a_terminal(json.dumps(as_data(findings, known), ensure_ascii=False, indent=1)))
    else:
        print_deployments(console, known)
        console.print(in_all(counts))
    raise typer.Exit(2 if counts["error"] else 0)


def documents(
    retriever: Annotated[str, typer.Argument(help="Name of a retriever; may be left out where there is one.")] = "",
    workspace: Workspace = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Say what became of every file that a retriever searches: read, skipped and why, the same twice."""
    import json

    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.documents import as_data, print_ingest
    from driftgate.flows.plain import json_on_a_terminal

    with driftgate.open(workspace) as ws:
        found = ws.documents(retriever)
    if as_json:
        print(json_on_a_terminal(json.dumps(as_data(found), ensure_ascii=False, indent=1)))
    else:
        print_ingest(console, found)


@ledger.command("check")
def check_ledger(workspace: Workspace = HERE) -> None:
    """Read the ledger whole: references, complete runs, hashes of verdicts, size; exit 1 where something is wrong."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.ledger import print_checked

    with driftgate.open(workspace) as ws:
        checked = ws.check_ledger()
        print_checked(console, checked)
        raise typer.Exit(1 if checked.faults else 0)


@ledger.command("pack")
def pack_ledger(workspace: Workspace = HERE) -> None:
    """Pack node outputs and evaluations of runs that have ended, each text once; driftgate nightly does it as well."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.ledger import print_packed

    with driftgate.open(workspace) as ws:
        print_packed(console, ws.pack_ledger())


@ledger.command("archive")
def archive_ledger(
    workspace: Workspace = HERE,
    run: Annotated[str, typer.Option(help="Only of this run: its id, a part of it, or latest.")] = "",
    older_than: Annotated[
        int | None, typer.Option(help="Of runs older than so many days; by default keep.details_days.", min=0)
    ] = None,
) -> None:
    """Move node outputs and evaluations to compressed files beside the ledger, where they are still read."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.ledger import print_archived

    with driftgate.open(workspace) as ws:
        print_archived(console, ws.archive_ledger(run, older_than=older_than), ws.ledger.archive)


@ledger.command("expire")
def expire(
    workspace: Workspace = HERE,
    run: Annotated[str, typer.Option(help="Only of this run: its id, a part of it, or latest.")] = "",
    older_than: Annotated[
        int | None, typer.Option(help="Of runs older than so many days; by default keep.texts_days.", min=0)
    ] = None,
) -> None:
    """Remove prompts, replies and node outputs of runs for good, from ledger and archive; scores and verdicts stand."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.ledger import print_expired

    with driftgate.open(workspace) as ws:
        print_expired(console, ws.expire(run, older_than=older_than), ws.files.reports)


def forget(
    workspace: Workspace = HERE,
    sample: Annotated[str, typer.Option(help="A sample by its key or id, in every run that asked it.")] = "",
    matching: Annotated[str, typer.Option(help="Whatever has this text, in whatever case.")] = "",
    run: Annotated[str, typer.Option(help="All texts of a run: its id, a part of it, or latest.")] = "",
    user: Annotated[str, typer.Option(help="Calls made for a user: the id that the application sends.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove texts or a user's calls for good, ledger to pages; verdicts stand; exit 1 where some of it is left."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.ledger import print_forgotten

    with driftgate.open(workspace) as ws:
        done = ws.forget(sample=sample, matching=matching, run=run, user=user, dry=dry_run)
        left = print_forgotten(console, done, ws.files.folder)
        raise typer.Exit(1 if left and not dry_run else 0)


def schema(
    reference: Annotated[
        bool, typer.Option("--reference", help="Every setting as a page of Markdown instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of driftgate.yaml, for editors."""
    import json

    from driftgate.api.reference import configuration_reference
    from driftgate.api.workspace import json_schema
    from driftgate.flows.plain import json_on_a_terminal
    from driftgate.flows.streams import write_own

    if reference:
        write_own(configuration_reference())  # Markdown, whose headings are ##
    else:
        print(json_on_a_terminal(json.dumps(json_schema(), indent=1)))


@demo.command()
def loop(
    folder: Annotated[Path, typer.Argument(help="A new folder for the demonstration.")] = Path("loop"),
    story: Annotated[
        Literal["tickets", "assistant"],
        typer.Option(help="tickets: letters, and rules that change. assistant: answers in words from documents."),
    ] = "tickets",
    seed: Annotated[int, typer.Option(help="Decides the material and how training begins; 0: the usual one.")] = 0,
    threads: Annotated[int, typer.Option(help="Processor threads; 0: one for each processor.")] = 0,
    choice: Annotated[
        bool, typer.Option(help="Try another prompt before training: as many questions more as two proofs.")
    ] = True,
) -> None:
    """Show the whole loop with a real model: watch, notice, repair, prove, promote (minutes of computing)."""
    from driftgate.cli._console import console
    from driftgate.cli.stories import assistant, tickets
    from driftgate.cli.stories.telling import Play

    chosen: dict[str, int] = {name: value for name, value in {"seed": seed, "threads": threads}.items() if value}
    tell = {"tickets": tickets.tell, "assistant": assistant.tell}[story]
    page = tell(folder.resolve(), console, Play(**chosen, choice=choice))
    console.print(f"the story: {page}", soft_wrap=True)


@demo.command()
def handbook(workspace: Workspace = HERE) -> None:
    """Teach the embedded model to answer from a passage, for the workspace of ``init --example rag`` (minutes)."""
    from driftgate.cli._console import console
    from driftgate.finetune.demo.handbook import train

    adapter = train(workspace.resolve(), lambda said: console.print(said, soft_wrap=True, markup=False))
    console.print(f"the adapter: {adapter}", soft_wrap=True)
