"""Run a flow and its port on the same samples and say whether they do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.api import preflight, session
from driftgate.api._waiting import wait_for
from driftgate.api.champions import with_live
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.parity import CellPair, Parity, compare_cells
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.report import write_parity
from driftgate.benchmarks.spending import LimitReached
from driftgate.benchmarks.suite import SuiteConfig, describe_plan
from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.port import Port
from driftgate.ledger import Ledger, RunRow, cells_of, find_run, latest_runs, start_run

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

    def __post_init__(self) -> None:
        if not 0.0 < self.margin < 1.0 or not 0.0 < (self.churn or self.margin) < 1.0:
            raise DriftgateError(f"the margin is {self.margin:g}", "give a share between 0 and 1, such as 0.02")


@dataclass(frozen=True)
class Compared:
    """One model and dataset, and what was found on them."""

    model: str
    dataset: str
    found: Parity


@dataclass(frozen=True)
class ParityRun:
    """A parity run and what it found, in the order of the suite."""

    request: Request
    run: RunRow
    compared: Sequence[Compared]

    @property
    def gravest(self) -> Parity:
        """What decides the whole."""
        return max((one.found for one in self.compared), key=lambda found: _GRAVEST.index(found.verdict))

    def as_json(self) -> dict[str, Any]:
        """The JSON report."""
        return {
            "run": self.run.id,
            "flow": self.request.flow,
            "port": self.request.port,
            "margin": self.request.margin,
            "churn": self.request.margin if self.request.churn is None else self.request.churn,
            "alpha": 0.05,
            "comparisons": [{"model": c.model, "dataset": c.dataset, **c.found.as_json()} for c in self.compared],
        }


def run_parity(
    workspace: OpenWorkspace,
    ledger: Ledger,
    request: Request,
    display: Display,
    begun: Callable[[RunRow, int], None] = lambda run, samples: None,
) -> ParityRun:
    """Run both sides, or go on with a run of the very same that was stopped, and compare.

    Parameters
    ----------
    begun : callable
        Told of the run and its number of samples before the first is asked.

    Raises
    ------
    DriftgateError
        A part is missing or malformed, or a limit of the suite was reached.
    """
    suite, cells = plan_parity(workspace, ledger, request)
    preflight.prepare_parity(workspace, ledger, suite, cells)
    plan, plan_hash = describe_plan("parity", suite, cells)
    earlier = latest_runs(ledger, 50, kinds=["parity"])
    stopped = next((r for r in earlier if r.status != "complete" and r.plan_hash == plan_hash), None)
    models = session.open_models(workspace, ledger, suite.models, check=False)
    run = stopped
    if run is None:
        run = start_run(ledger, "parity", plan, plan_hash, suite.seed, version("driftgate"), kind="parity")
    begun(run, sum(len(cell.samples) for cell in cells))
    planned = session.Planned("parity", suite, cells)
    try:
        wait_for(session.work(ledger, run, planned, models, display))
    except LimitReached as problem:
        raise DriftgateError(problem.message, "give the same command again to go on") from problem
    return ParityRun(request, find_run(ledger, run.id), compare_run(ledger, run, cells, request))


def parity_page(workspace: OpenWorkspace, found: ParityRun, path: Path | None = None) -> Path:
    """Write the page of a parity run; by default beside the run's other reports."""
    written = path or workspace.reports / found.run.id / "parity.html"
    sections = [(f"{one.model} · {one.dataset}", one.found) for one in found.compared]
    write_parity(found.run, found.request.flow, found.request.port, sections, written, margin=found.request.margin)
    return written


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
    if settings.get("prompt") is not None:  # the flow takes the place of the suite's prompt, with evaluators of its own
        settings |= {"prompt": None, "evaluators": {}, "primary": None}
    if request.variant:
        settings["variants"] = [request.variant]
    elif request.suite and len(settings["variants"]) > 1:
        raise DriftgateError(
            f"the suite '{request.suite}' has {len(settings['variants'])} variants", "name the one to port: --variant"
        )
    suite = with_live(workspace, ledger, SuiteConfig.model_validate({**settings, "flow": request.flow}))
    for name in suite.datasets:
        if name not in config.datasets:
            raise DriftgateError(f"there is no dataset '{name}'", nearest(name, config.datasets))
    pairs = []
    for cell in session.plan_suite(workspace, ledger, "parity", suite, asks=False).cells:
        port = replace(cell, flow=_port_of(request, cell.flow, workspace), variant=f"port {request.port}")
        port.check()
        pairs += [cell, port]
    return suite, pairs


def _port_of(request: Request, flow: FlowDefinition, workspace: OpenWorkspace) -> FlowDefinition:
    if ":" in request.port:
        python = request.python
        return flow.ported(Port(request.port, workspace.folder.resolve(), python.absolute() if python else None))
    if request.python is not None:
        raise DriftgateError("--python is for ports that are programs", "name the port as package.module:function")
    port = load_flow(request.port, workspace.folder, workspace.config.connections)
    if missing := sorted(flow.outputs - port.outputs):
        raise DriftgateError(
            f"the port '{request.port}' has no output '{missing[0]}'", nearest(missing[0], port.outputs)
        )
    alike = {node: name for node, name in flow.chosen.items() if name in port.variants.get(node, ())}
    return replace(port, chosen={**port.chosen, **alike}).in_place_of(flow)


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


def _only(names: Any, kind: str, option: str) -> list[str]:
    if len(names) == 1:
        return list(names)
    raise DriftgateError(f"which {kind}?", f"name one with {option}: {', '.join(names)}")
