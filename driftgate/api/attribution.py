"""Split the difference between two cells of the ledger over the nodes of their flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.attribution import Attribution, attribute, check_unchanged, open_side
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.compare import named_cells
from driftgate.benchmarks.report import write_attribution
from driftgate.benchmarks.suite import SuiteConfig, draw
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model
from driftgate.ledger import CellRow, Ledger, check_asked, find_run, outcome_frame


@dataclass(frozen=True)
class Named:
    """A cell of the ledger and what it takes to run it again."""

    row: CellRow
    cell: Cell
    models: tuple[str, ...]
    """Of its suite."""


@dataclass(frozen=True)
class Attributed:
    """An attribution, and the two cells it is between."""

    found: Attribution
    names: tuple[str, str]
    cells: tuple[CellRow, CellRow]

    def as_json(self) -> dict[str, Any]:
        """The JSON report."""
        return {"first": self.names[0], "second": self.names[1], **self.found.as_json()}


def attribute_cells(
    workspace: OpenWorkspace,
    ledger: Ledger,
    first: str,
    second: str,
    *,
    metric: str = "",
    limit: int | None = None,
    seed: int = 0,
    advance: Callable[[int, int], None] = lambda done, asked: None,
) -> Attributed:
    """Split the difference between two cells over the nodes of their flow; asks only what the ledger lacks.

    Parameters
    ----------
    first, second : str
        ``RUN`` or ``RUN/PART``.
    metric : str
        ``node.evaluator.metric``; by default what makes a sample right.
    advance : callable
        Told how many samples are replayed, and of how many.

    Raises
    ------
    DriftgateError
        A name does not fit one cell, or what it was run with is no longer there.
    """
    sides = named_side(workspace, ledger, first), named_side(workspace, ledger, second)
    found = _carry_out(workspace, ledger, sides, metric, limit, seed, advance)
    rows = sides[0].row, sides[1].row
    return Attributed(found, side_names(*rows), rows)


def attribution_page(workspace: OpenWorkspace, made: Attributed, path: Path | None = None) -> Path:
    """Write the page of an attribution; by default under the workspace's reports."""
    first, second = made.cells
    written = path or workspace.reports / f"attribution-{first.id}-{second.id}.html"
    write_attribution(made.found, made.names, [first.run_id, second.run_id], written)
    return written


def only_cell(ledger: Ledger, name: str) -> CellRow:
    """The one cell that ``RUN`` or ``RUN/PART`` names.

    Raises
    ------
    DriftgateError
        Not one cell fits.
    """
    rows = named_cells(ledger, [name])
    if len(rows) != 1:
        which = ", ".join(f"{name.partition('/')[0]}/{row.ordinal} ({row.name})" for row in rows[:6])
        raise DriftgateError(f"'{name}' names {len(rows)} cells", f"name one of: {which}")
    return rows[0]


def named_side(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Named:
    """The one cell that ``RUN`` or ``RUN/PART`` names, with its flow, model and data as they are on disk.

    Raises
    ------
    DriftgateError
        More than one cell fits, its run is not complete, or what it was run with is no longer there.
    """
    row = only_cell(ledger, name)
    run = find_run(ledger, row.run_id)
    if run.status != "complete":
        raise DriftgateError(f"run {run.id} is {run.status}", run.how_to_finish)
    check_asked(ledger, row)
    if "config" not in run.plan:
        raise DriftgateError(f"run {run.id} was imported and went through no flow", "attribute runs of a suite")
    suite = SuiteConfig.model_validate(run.plan["config"])
    planned = session.plan_suite(workspace, ledger, run.suite, suite, asks=False)  # what it asked is in the ledger
    fitting = [
        cell
        for cell in planned.cells
        if (cell.model, cell.variant, cell.dataset.name, cell.flow.name)
        == (row.model, row.variant, row.dataset, row.flow)
    ]
    if not fitting:
        raise DriftgateError(
            f"the flow {row.flow} of run {run.id} is not what its suite runs now",
            "attribute runs of flows, not of ports",
        )
    check_unchanged(row, fitting[0])
    return Named(row, fitting[0], tuple(suite.models))


def _carry_out(
    workspace: OpenWorkspace,
    ledger: Ledger,
    named: tuple[Named, Named],
    metric: str,
    limit: int | None,
    seed: int,
    advance: Callable[[int, int], None],
) -> Attribution:
    first, second = named
    if first.row.details["samples"] != second.row.details["samples"]:
        raise DriftgateError(
            f"{first.row.name} and {second.row.name} were not asked the same samples",
            "run both with one dataset, limit and seed",
        )
    primary = first.cell.evaluators.primary
    names = list(dict.fromkeys([*first.models, *second.models]))
    models = session.open_models(workspace, ledger, names, check=False)  # the ledger may hold all there is to ask
    return wait_for(_attribute(ledger, named, models, metric or primary, primary, limit, seed, advance))


async def _attribute(
    ledger: Ledger,
    named: tuple[Named, Named],
    models: Mapping[str, Model],
    metric: str,
    primary: str,
    limit: int | None,
    seed: int,
    advance: Callable[[int, int], None],
) -> Attribution:
    first, second = (
        open_side(
            ledger,
            one.row,
            one.cell,
            {name: models[name] for name in one.models},
            metric=metric,
            primary=metric == primary,
            seed=seed,
        )
        for one in named
    )
    samples = draw(named[0].cell.samples, limit, seed)
    frame = outcome_frame(ledger, named[0].row.id).set_index("key", drop=False).loc[[s.key for s in samples]]
    in_flight = max(one.cell.model_config.in_flight for one in named)
    try:
        return await attribute(
            (first, second),
            frame.reset_index(drop=True),
            samples,
            metric,
            seed=seed,
            in_flight=in_flight,
            advance=lambda done, asked: advance(done, len(samples)),
        )
    finally:
        for side in (first, second):
            await side.engine.aclose()
        for model in models.values():
            await model.aclose()
        for retriever in {id(one.cell.retriever): one.cell.retriever for one in named}.values():
            if retriever is not None:
                await retriever.aclose()


def side_names(first: CellRow, second: CellRow) -> tuple[str, str]:
    """What tells the two cells apart."""
    names = [" · ".join(filter(None, (row.flow, row.variant, row.model))) for row in (first, second)]
    if names[0] == names[1]:
        return f"{names[0]} ({first.run_id})", f"{names[1]} ({second.run_id})"
    return names[0], names[1]
