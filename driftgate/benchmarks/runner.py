"""Run the cells of a suite: every sample asked for, exactly one outcome each, nothing asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from driftgate.benchmarks.asking import AllRefused, ModelRefuses
from driftgate.benchmarks.batches import LedgerBatches
from driftgate.benchmarks.by_looks import ask_by_looks
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.cell_run import SuiteRun, cell_row, first_problem, opened
from driftgate.benchmarks.delivery import model_batches
from driftgate.benchmarks.judges import grade_anchors
from driftgate.benchmarks.looks import Stops
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.rare_collections import rare_collections
from driftgate.benchmarks.shards import Share
from driftgate.benchmarks.spending import Budget, check_budget
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.foreign import described
from driftgate.flows.models import (
    Model,
)
from driftgate.ledger import (
    Ledger,
    RunRow,
    add_cell,
    finish_run,
    set_status,
)


async def run_suite(
    ledger: Ledger,
    run: RunRow,
    suite: SuiteConfig,
    cells: Sequence[Cell],
    models: Mapping[str, Model],
    display: Display,
    *,
    retry_failed: bool = False,
    stops: Stops | None = None,
) -> None:
    """Run, or go on with, the cells of a run.

    Parameters
    ----------
    models : Mapping
        Live models by name; they are closed by the caller.
    retry_failed : bool
        Ask samples whose outcome is ``failed`` once more.
    stops : Stops, optional
        May stop the run before all samples were asked; the cells then have their ``looks``.

    Raises
    ------
    LimitReached
        A limit stopped the run cleanly, or the limit on cost cannot be kept.
    DriftgateError
        A model refuses all that it is asked, which stops its cells and is raised once those of the others are done, or
        the ledger refuses; the ledger is intact and the run can be resumed.
    """
    set_status(ledger, run.id, "running")
    prices = {cell.model: cell.model_config.prices for cell in cells}
    shared = SuiteRun(ledger, run, suite, models, prices, display, retry_failed, Budget(suite))
    if suite.delivery == "batch":
        book, names = LedgerBatches(ledger, run.id), dict.fromkeys(cell.model for cell in cells)
        shared.batches.update({n: model_batches(models[n], book, shared.budget.patience, shared.tell) for n in names})
    timer = shared.budget.watch()
    try:
        check_budget(suite, cells)
        for cell in cells:
            cell.evaluators.open()
        graded = await grade_anchors(ledger, run.id, [cell.evaluators for cell in cells])
        shared.budget.add(graded.cost, "a judge's grade of an anchor")
        shared.told.extend(filter(None, [graded.words]))
        with rare_collections():
            if stops is None:
                await _run_cells(shared, cells)
            else:
                await _run_by_looks(shared, cells, stops)
    except asyncio.CancelledError:
        set_status(ledger, run.id, "interrupted", "stopped by the user")
        raise
    except BaseException as problem:  # whatever it is, nobody works on the run any more
        _try_set_status(ledger, run.id, str(problem) if isinstance(problem, DriftgateError) else described(problem))
        raise
    finally:
        if timer is not None:
            timer.cancel()
        for batches in shared.batches.values():
            await batches.aclose()
    finish_run(ledger, run.id)


def add_cells(ledger: Ledger, run: RunRow, cells: Sequence[Cell]) -> None:
    """Write the cells of a run and the samples asked for in them, before several processes ask their shares."""
    for ordinal, cell in enumerate(cells):
        add_cell(ledger, run.id, ordinal, cell_row(cell), cell.samples)


async def run_share(
    ledger: Ledger,
    run: RunRow,
    suite: SuiteConfig,
    cells: Sequence[Cell],
    models: Mapping[str, Model],
    display: Display,
    share: Share,
    *,
    retry_failed: bool = False,
) -> Budget:
    """Ask a share of a run's samples, and nothing else: whoever divided the run aggregates and ends it.

    Returns
    -------
    Budget
        What it cost.

    Raises
    ------
    LimitReached, DriftgateError
        As :func:`run_suite` does.
    """
    suite, cells = share.of_suite(suite), [share.of_cell(cell) for cell in cells]
    prices = {cell.model: cell.model_config.prices for cell in cells}
    shared = SuiteRun(ledger, run, suite, models, prices, display, retry_failed, Budget(suite), share)
    timer = shared.budget.watch()
    try:
        for cell in cells:
            cell.evaluators.open()
        with rare_collections():
            await _run_cells(shared, cells)
    finally:
        if timer is not None:
            timer.cancel()
    return shared.budget


async def _run_cells(shared: SuiteRun, cells: Sequence[Cell]) -> None:
    """Run the cells one after the other, or together where they wait for batches.

    A model that refuses all that it is asked stops its own cells only.

    Raises
    ------
    AllRefused, ModelRefuses
        What stopped the cells of a model, once those of the other models are done.
    DriftgateError
        What stops them all.
    """
    refused: dict[str, AllRefused | ModelRefuses] = {}

    async def run(ordinal: int, cell: Cell) -> None:
        if cell.model in refused:
            return
        try:
            later = sum(len(other.samples) * other.repeats for other in cells[ordinal + 1 :])
            await _run_cell(shared, ordinal, cell, 0 if shared.batches else later)
        except (AllRefused, ModelRefuses) as problem:
            refused[cell.model] = problem

    try:
        async with asyncio.TaskGroup() as together:
            for ordinal, cell in enumerate(cells):
                if shared.batches:
                    together.create_task(run(ordinal, cell))
                else:
                    await run(ordinal, cell)
    except* DriftgateError as group:
        raise first_problem(group) from None
    problems = sorted(refused.values(), key=lambda problem: not isinstance(problem, AllRefused))
    if len(problems) > 1:
        remedies = dict.fromkeys(problem.remedy for problem in problems)
        told = "; ".join(problem.message for problem in problems)
        raise type(problems[0])(told, "; ".join(remedies), fault=problems[0].fault)
    if problems:
        raise problems[0]


async def _run_by_looks(shared: SuiteRun, cells: Sequence[Cell], stops: Stops) -> None:
    """Run the cells side by side, block by block, until their gate has decided."""
    await ask_by_looks(shared.ledger, cells, lambda place, cell: opened(shared, place, cell, 0), stops)


async def _run_cell(shared: SuiteRun, ordinal: int, cell: Cell, later: int) -> None:
    async with opened(shared, ordinal, cell, later) as running:
        await running.ask(cell.samples)


def _try_set_status(ledger: Ledger, run_id: str, reason: str) -> None:
    # Where the ledger itself is what failed, the run still reads as running and can be resumed.
    with suppress(DriftgateError):
        set_status(ledger, run_id, "stopped", reason)
