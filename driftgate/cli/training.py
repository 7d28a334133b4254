"""Commands about tuned models: the training job of a repair, and a model as one quantised file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftgate.cli._options import HERE, Workspace, group

if TYPE_CHECKING:
    from driftgate.api.training import Order, TrainingView

training = group("Training jobs of repairs: how they stand, and to stop them.")
_Remediation = Annotated[str, typer.Argument(metavar="REMEDIATION", help="A remediation's id or a part of it.")]


@training.command()
def show(name: _Remediation, workspace: Workspace = HERE) -> None:
    """Show how the training job of a remediation stands: its events and checkpoints, as who trains tells them."""
    import driftgate

    with driftgate.open(workspace) as ws:
        _print(ws.training(name))


@training.command()
def cancel(name: _Remediation, workspace: Workspace = HERE) -> None:
    """Stop the training job of a remediation for good, and what it costs."""
    _order(workspace, name, "cancel")


@training.command()
def pause(name: _Remediation, workspace: Workspace = HERE) -> None:
    """Stop the training job of a remediation so that it can go on, where who trains has such a thing."""
    _order(workspace, name, "pause")


@training.command()
def resume(name: _Remediation, workspace: Workspace = HERE) -> None:
    """Let the paused training job of a remediation go on."""
    _order(workspace, name, "resume")


def export(
    model: Annotated[str, typer.Argument(help="A model of provider local, of the workspace or trained by a repair.")],
    quantised: Annotated[str, typer.Option(help="q8 (8.5 bits a weight) or q4 (about 4.5).")] = "q8",
    out: Annotated[Path | None, typer.Option(help="The file to write; without: in the workspace's own folder.")] = None,
    workspace: Workspace = HERE,
) -> None:
    """Write a tuned model as one quantised GGUF, which is cheaper to serve, and register it as a model of its own."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli._console import console, shown
    from driftgate.flows.errors import DriftgateError

    if quantised not in ("q8", "q4"):
        raise DriftgateError(f"a model cannot be quantised to '{quantised}'", "choose q8 or q4")
    with driftgate.open(workspace) as ws:
        found = ws.export_model(model, "q8" if quantised == "q8" else "q4", out)
    types = ", ".join(f"{count} {kind}" for kind, count in found.written.types.items())
    told = f"{found.written.bytes / 1e6:.1f} MB ({types}), {found.written.merged} matrices merged"
    console.print(f"{escape(shown(found.written.path))}: {told}", soft_wrap=True)
    console.print(f"it is model '{escape(found.name)}' now: name it in a suite to benchmark it", soft_wrap=True)


def _order(workspace: Path, name: str, order: Order) -> None:
    import driftgate

    with driftgate.open(workspace) as ws:
        _print(ws.order_training(name, order))


def _print(view: TrainingView) -> None:
    from rich.markup import escape

    from driftgate.cli._console import console

    status = f"{view.status.state}: {view.status.detail}" if view.status.detail else view.status.state
    console.print(f"job {escape(view.job)} of remediation {escape(view.remediation)}: {escape(status)}", soft_wrap=True)
    if view.estimate:
        console.print(f"estimated: {escape(view.estimate)}", soft_wrap=True)
    for event in view.events:
        console.print(f"{event.at:%Y-%m-%d %H:%M:%S} {escape(event.level)} {escape(event.message)}", soft_wrap=True)
    for checkpoint in view.checkpoints:
        measured = ", ".join(f"{name} {value:g}" for name, value in checkpoint.metrics.items())
        line = f"checkpoint at step {checkpoint.step}: {checkpoint.model} {measured}".rstrip()
        console.print(escape(line), soft_wrap=True)
