"""Commands about what stands in Azure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, RunName, Workspace, group

azure = group("What stands in Azure: workbook, alerts, the service, Foundry.")

Service = Annotated[
    bool, typer.Option("--service", help="driftgate serve on Container Apps in place of the workbook and the alerts.")
]
File = Annotated[Path | None, typer.Argument(help="Where to write it; without it, to the terminal.")]


@azure.command()
def render(
    file: File = None,
    bicep: Annotated[
        bool | None,
        typer.Option("--bicep/--arm", help="Bicep, or Resource Manager's JSON; without it, as the file's name ends."),
    ] = None,
    service: Service = False,
    workspace: Workspace = HERE,
) -> None:
    """Write the template of the workbook, the alert rules and the action group, or of the service.

    A workspace's own monitor/azure/NAME.kql takes the place of the query of that name.
    """
    _write(file, _template(workspace, service, _as_bicep(file, bicep)))


@azure.command()
def workbook(file: File = None, workspace: Workspace = HERE) -> None:
    """As render --arm, under the name it had first."""
    _write(file, _template(workspace, False, False))


@azure.command()
def deploy(
    resource_group: Annotated[str, typer.Option("--resource-group", "-g", help="Where it is deployed.")],
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of a parameter, as often as needed; a secret as NAME=@FILE."),
    ] = None,
    file: Annotated[Path, typer.Option("--file", help="Where the template is written.")] = Path("driftgate-azure.json"),
    yes: Annotated[bool, typer.Option("--yes", help="Run the command, and do not only print it.")] = False,
    service: Service = False,
    workspace: Workspace = HERE,
) -> None:
    """Write the template, print the command of the Azure CLI that deploys it, and with --yes run it."""
    import shlex

    from driftgate.api.azure import deploy as run
    from driftgate.api.azure import deployment, template
    from driftgate.api.workspace import open_workspace
    from driftgate.flows.errors import DriftgateError
    from driftgate.flows.plain import plain
    from driftgate.flows.private_text import write_text

    pairs = [one.partition("=") for one in given or []]
    for name, sign, _ in pairs:
        if not sign:
            raise DriftgateError(f"--set {name}: no value", "give it as --set NAME=VALUE")
    _as_bicep(file, False)
    found = template(open_workspace(workspace), "service" if service else "monitoring")
    command = deployment(found, file, resource_group, {name: value for name, _, value in pairs})
    write_text(file, _template(workspace, service, False))
    print(plain(shlex.join(command)))  # it names the file, and is all that is printed: a script takes it
    if yes:
        raise typer.Exit(run(command))


@azure.command()
def publish(run: RunName, workspace: Workspace = HERE) -> None:
    """Put a run into the Foundry project under foundry: a dataset and an evaluation run for each of its cells."""
    import driftgate
    from driftgate.cli._console import console

    with driftgate.open(workspace) as ws:
        for one in ws.publish(run):
            made = "published" if one.new else "is there already"
            where = f" {one.address}" if one.address else ""
            console.print(f"cell {one.cell} {made}: {one.dataset}, run {one.run}{where}", markup=False, soft_wrap=True)


@azure.command()
def retry(workspace: Workspace = HERE) -> None:
    """Send again what Azure Monitor refused until it was parked, once what was wrong has been put right."""
    import driftgate
    from driftgate.cli._console import console
    from driftgate.cli.show.night import NightOnTerminal

    with driftgate.open(workspace) as ws:
        console.print(f"{ws.unpark():,} records are sent again")
        ws.send(NightOnTerminal(console, ws.files, ws.ledger))


def _as_bicep(file: Path | None, asked: bool | None) -> bool:
    """Whether it is to be Bicep: as is asked, else as the file's name ends; the two may not differ."""
    from driftgate.flows.errors import DriftgateError

    ends = {".bicep": True, ".json": False}.get(file.suffix.lower() if file is not None else "")
    if asked is not None and ends is not None and asked != ends:
        other = file.with_suffix(".bicep" if asked else ".json") if file is not None else ""
        kind, option = ("Bicep", "--arm") if asked else ("Resource Manager's JSON", "--bicep")
        raise DriftgateError(f"{file} would hold {kind}", f"name it {other}, or say {option}")
    return bool(asked if asked is not None else ends)


def _template(workspace: Path, service: bool, bicep: bool) -> str:
    import json

    from driftgate.api.azure import template
    from driftgate.api.workspace import open_workspace

    found = template(open_workspace(workspace), "service" if service else "monitoring")
    return found.as_bicep() if bicep else json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n"


def _write(file: Path | None, text: str) -> None:
    from rich.markup import escape

    from driftgate.cli._console import console, shown
    from driftgate.flows.plain import json_on_a_terminal
    from driftgate.flows.private_text import write_text

    if file is None:
        print(json_on_a_terminal(text), end="")
    else:
        write_text(file, text)
        console.print(f"written: {escape(shown(file))}", soft_wrap=True)
