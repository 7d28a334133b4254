"""``driftgate parity``: run a flow and its port on the same samples and say whether they do the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api import session
from driftgate.api.commands import INTERRUPTED, console, opened
from driftgate.api.display import ProgressDisplay
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.parity import CellPair, Parity, Quantity, compare_cells
from driftgate.benchmarks.report import write_parity
from driftgate.benchmarks.runner import LimitReached
from driftgate.benchmarks.suite import Cell, SuiteConfig, describe_plan
from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.port import Port
from driftgate.ledger import Ledger, RunRow, cells_of, find_run, latest_runs, start_run

COLOURS = {"equivalent": "green", "different": "red", "inconclusive": "yellow", "unmeasurable": "magenta"}
_SHOWN = 10
_GRAVEST = ("equivalent", "inconclusive", "unmeasurable", "different")


@dataclass(frozen=True)
class Request:
    """What is to be compared."""

    flow: str
    port: str
    suite: str = ""
    """A suite of the workspace whose models, datasets and settings are taken; its flow is not."""
    models: Sequence[str] = ()
    datasets: Sequence[str] = ()
    variant: str = ""
    limit: int | None = None
    seed: int | None = None
    cache: bool | None = None
    """Whether prompts that were asked before, by either side, are answered from the ledger."""
    python: Path | None = None
    """Interpreter of the environment the port runs in."""
    margin: float = 0.02
    churn: float | None = None
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class Compared:
    """One model and dataset, and what was found on them."""

    model: str
    dataset: str
    found: Parity


def run_parity(folder: Path, request: Request, html: Path | None, as_json: Path | None) -> int:
    """Run both sides, compare, print and write; the exit code is the gravest verdict's."""
    if not 0.0 < request.margin < 1.0 or not 0.0 < (request.churn or request.margin) < 1.0:
        raise DriftgateError(f"the margin is {request.margin:g}", "give a share between 0 and 1, such as 0.02")
    with opened(folder) as (workspace, ledger):
        suite, cells = plan_parity(workspace, ledger, request)
        run = _carry_out(workspace, ledger, suite, cells)
        found = compare_run(ledger, run, cells, request)
        for compared in found:
            print_parity(console, compared, request)
        written = html or workspace.reports / run.id / "parity.html"
        sections = [(f"{c.model} · {c.dataset}", c.found) for c in found]
        write_parity(run, request.flow, request.port, sections, written, margin=request.margin)
        console.print(f"report: {escape(session.shown(written.resolve()))}", soft_wrap=True)
        if as_json is not None:
            as_json.write_text(
                json.dumps(parity_json(run, request, found), ensure_ascii=False, indent=1) + "\n", "utf-8"
            )
        return max(found, key=lambda c: _GRAVEST.index(c.found.verdict)).found.exit_code


def plan_parity(workspace: OpenWorkspace, ledger: Ledger, request: Request) -> tuple[SuiteConfig, list[Cell]]:
    """The suite and its cells, in pairs: the flow's and the port's.

    Raises
    ------
    DriftgateError
        A model, a dataset, the flow or the port is missing or malformed.
    """
    config = workspace.config
    settings: dict[str, Any] = workspace.suite(request.suite).model_dump() if request.suite else {}
    settings["models"] = list(request.models) or settings.get("models") or _only(config.models, "model", "--model")
    datasets = list(request.datasets) or settings.get("datasets")
    settings["datasets"] = datasets or _only(config.datasets, "dataset", "--dataset")
    chosen = {"limit": request.limit, "seed": request.seed, "cache": request.cache}
    settings |= {name: value for name, value in chosen.items() if value is not None}
    if request.variant:
        settings["variants"] = [request.variant]
    elif request.suite and len(settings["variants"]) > 1:
        raise DriftgateError(
            f"the suite '{request.suite}' has {len(settings['variants'])} variants", "name the one to port: --variant"
        )
    suite = SuiteConfig.model_validate({**settings, "flow": request.flow})
    for name in suite.datasets:
        if name not in config.datasets:
            raise DriftgateError(f"there is no dataset '{name}'", nearest(name, config.datasets))
    pairs = []
    for cell in session.plan_suite(workspace, ledger, "parity", suite).cells:
        port = replace(cell, flow=_port_of(request, cell.flow, workspace.folder), variant=f"port {request.port}")
        port.check_inputs()
        pairs += [cell, port]
    return suite, pairs


def _port_of(request: Request, flow: FlowDefinition, folder: Path) -> FlowDefinition:
    if ":" in request.port:
        python = request.python
        return flow.ported(Port(request.port, folder.resolve(), python.absolute() if python else None))
    if request.python is not None:
        raise DriftgateError("--python is for ports that are programs", "name the port as package.module:function")
    port = load_flow(request.port, folder)
    if missing := sorted(flow.outputs - port.outputs):
        raise DriftgateError(
            f"the port '{request.port}' has no output '{missing[0]}'", nearest(missing[0], port.outputs)
        )
    alike = {node: name for node, name in flow.chosen.items() if name in port.variants.get(node, ())}
    return replace(port, chosen={**port.chosen, **alike}).in_place_of(flow)


def _carry_out(workspace: OpenWorkspace, ledger: Ledger, suite: SuiteConfig, cells: Sequence[Cell]) -> RunRow:
    """Run the cells, or go on with a run of the very same that was stopped."""
    plan, plan_hash = describe_plan("parity", suite, cells)
    earlier = latest_runs(ledger, 50, suite="parity")
    stopped = next((r for r in earlier if r.status != "complete" and r.plan_hash == plan_hash), None)
    models = session.open_models(workspace, ledger, suite.models)
    run = stopped or start_run(ledger, "parity", plan, plan_hash, suite.seed, version("driftgate"))
    console.print(
        f"run [bold]{run.id}[/]: {sum(len(cell.samples) for cell in cells):,} samples, half of them the port's"
    )
    planned = session.Planned("parity", suite, cells)
    try:
        asyncio.run(session.work(ledger, run, planned, models, ProgressDisplay(console)))
    except KeyboardInterrupt:
        console.print("stopped; give the same command again to go on")
        raise SystemExit(INTERRUPTED) from None
    except LimitReached as problem:
        raise DriftgateError(problem.message, "give the same command again to go on") from problem
    return find_run(ledger, run.id)


def compare_run(ledger: Ledger, run: RunRow, cells: Sequence[Cell], request: Request) -> list[Compared]:
    """Compare each pair of cells of a parity run."""
    rows = cells_of(ledger, run.id)
    found = []
    for cell, reference, port in zip(cells[::2], rows[::2], rows[1::2], strict=True):
        pair = CellPair(
            reference=reference.id,
            port=port.id,
            dag=cell.flow.dag,
            node_names=cell.flow.node_names,
            primary=cell.evaluators.primary,
            questions={sample.key: str(sample.data.get("question", "")) for sample in cell.samples},
        )
        # What a port spends is worth knowing and no question of doing the same.
        spending = [f"{binding.key}." for binding in cell.evaluators.bindings if binding.of_spending]
        ignored = [*request.ignored, *spending]
        parity = compare_cells(ledger, pair, margin=request.margin, churn=request.churn, ignored=ignored)
        found.append(Compared(cell.model, cell.dataset.name, parity))
    return found


def parity_json(run: RunRow, request: Request, found: Sequence[Compared]) -> dict[str, Any]:
    """The JSON report."""
    return {
        "run": run.id,
        "flow": request.flow,
        "port": request.port,
        "margin": request.margin,
        "churn": request.margin if request.churn is None else request.churn,
        "alpha": 0.05,
        "comparisons": [{"model": c.model, "dataset": c.dataset, **c.found.as_json()} for c in found],
    }


def print_parity(out: Console, compared: Compared, request: Request) -> None:
    """The verdict, a row for each quantity, and the samples to look at."""
    found = compared.found
    out.print(
        f"{escape(compared.model)} · {escape(compared.dataset)}: [bold {COLOURS[found.verdict]}]{found.verdict}[/]: "
        f"{escape(found.reason)}",
        soft_wrap=True,
    )
    table = Table(header_style="bold")
    table.add_column("quantity", overflow="fold")
    for column in ("n", "differ", "flow", "port", "difference (90%)", "margin", "p (TOST)", "verdict", "n to decide"):
        table.add_column(column, justify="right")
    for quantity in found.quantities:
        table.add_row(*_row(quantity))
    out.print(table)
    moved = [f"{n.node} {n.differing:,} of {n.compared:,}" for n in found.nodes if n.differing]
    if moved:
        out.print(f"node outputs that differ: {escape(', '.join(moved))}", soft_wrap=True)
    if found.silent:
        out.print(f"[yellow]{found.silent:,} samples are left out: a model's service gave one side no reply[/]")
    if found.not_compared:
        out.print(f"not compared: {escape(', '.join(found.not_compared))}", soft_wrap=True)
    for sample in found.samples[:_SHOWN]:
        at = f" (first at {sample.first_node})" if sample.first_node else ""
        sides = [
            json.dumps(outputs, ensure_ascii=False) if outputs else outcome
            for outputs, outcome in (
                (sample.reference_outputs, sample.reference_outcome),
                (sample.port_outputs, sample.port_outcome),
            )
        ]
        out.print(escape(f"  {sample.id}{at}: {sides[0][:80]} → {sides[1][:80]}"), soft_wrap=True)
    if len(found.samples) > _SHOWN:
        out.print(f"  and {len(found.samples) - _SHOWN:,} more samples that differ")


def _row(quantity: Quantity) -> list[str]:
    def number(value: float | None, digits: int = 4) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    interval = quantity.interval
    limits = (
        f" ({interval.low:+.4f}…{interval.high:+.4f})" if interval.low is not None and interval.high is not None else ""
    )
    difference = "-" if interval.estimate is None else f"{interval.estimate:+.4f}{limits}"
    return [
        escape(quantity.name),
        f"{quantity.n:,}",
        f"{quantity.differing:,}",
        number(quantity.reference),
        number(quantity.port),
        difference,
        f"±{quantity.margin:.4g}",
        number(quantity.p_equivalent),
        f"[{COLOURS[quantity.verdict]}]{quantity.verdict}[/]",
        f"{quantity.needed:,}" if quantity.needed else "",
    ]


def _only(names: Any, kind: str, option: str) -> list[str]:
    if len(names) == 1:
        return list(names)
    raise DriftgateError(f"which {kind}?", f"name one with {option}: {', '.join(names)}")
