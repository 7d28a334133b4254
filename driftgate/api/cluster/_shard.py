"""What runs on a machine elsewhere: one share of a run, asked into a ledger of its own and handed over in parts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.cluster._parts import Manifest, add_part, parts_in, write_part
from driftgate.api.cluster._told import ToldRun
from driftgate.api.prices import kept_prices, with_prices
from driftgate.api.workspace import open_workspace
from driftgate.benchmarks.progress import Unseen
from driftgate.benchmarks.runner import add_cells, run_share
from driftgate.benchmarks.shards import Share
from driftgate.benchmarks.suite import JUDGES, MODELS
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, LineAt, add_deployment, open_ledger, start_run

_HAND_OVER = 30.0
"""Seconds between two parts: what a machine that is lost has asked and not handed over is asked again."""


@dataclass
class _HandedOver:
    """What of a share's ledger lies in the job's output."""

    folder: Path
    aside: Path
    parts: list[str] = field(default_factory=list)
    known: set[LineAt] = field(default_factory=set)
    _one: Lock = field(default_factory=Lock)

    def hand_over(self, ledger: Ledger, run: str) -> None:
        with self._one:  # the last one may begin while another is under way in its thread
            if name := write_part(self.folder, self.aside, ledger, run, self.known):
                self.parts.append(name)

    def take_up(self, ledger: Ledger, run: str) -> None:
        """Begin with what an earlier start of the same job gave: one whose machine is lost is started anew."""
        for name, content in parts_in(self.folder).items():
            self.known.update(add_part(ledger, run, content))
            self.parts.append(name)


def ask_elsewhere(job: Path, share: str, result: Path) -> int:
    """Ask the share of the run that a file tells of, and write what came of it into a folder.

    Whatever happens is written there too, as far as it can be.

    Returns
    -------
    int
        The exit code: 0 where the share was done.
    """
    told, began = ToldRun.read(job), time.monotonic()
    given = _HandedOver(make_folder(result), job.parent / "handed-over")
    spent, problem = 0.0, None
    try:
        _check_needs(told.needs)
        spent = _ask(told, replace(Share.parse(share), wanted=told.wanted), job.parent / told.space, given)
    except Exception as raised:  # told where the job was put; its log stays with the service
        problem = in_words(raised)
        print(f"driftgate: {problem.message}\n  {problem.remedy}", flush=True)
    Manifest(
        told.run.id,
        told.run.plan_hash,
        share,
        given.parts,
        len(given.known),
        spent,
        time.monotonic() - began,
        problem.message if problem else "",
        problem.remedy if problem else "",
    ).write(result, given.aside)
    return 2 if problem else 0


def _check_needs(names: Collection[str]) -> None:
    if absent := [name for name in names if name not in os.environ]:
        raise DriftgateError(
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not set on the compute",
            "have the compute set it, from a key vault for example, or sign in by a managed identity instead of a key; "
            "an address can go along: name it under azureml.variables",
        )


def _ask(told: ToldRun, share: Share, space: Path, given: _HandedOver) -> float:
    workspace = open_workspace(space)
    ledger = open_ledger(workspace.ledger, workspace.folder, workspace.archive)
    try:
        for row in told.known:
            add_deployment(ledger, row)
        suite = workspace.suite(told.run.suite)
        planned = session.plan_suite(workspace, ledger, told.run.suite, suite)
        session.check_same_plan(told.run, planned)
        run = told.run
        start_run(ledger, run.suite, run.plan, run.plan_hash, run.seed, run.version, kind=run.kind, id=run.id)
        add_cells(ledger, run, planned.cells)
        given.take_up(ledger, run.id)
        models = session.open_models(workspace, ledger, planned.suite.models, check=False)
        cells = with_prices(planned.cells, kept_prices(run, MODELS), kept_prices(run, JUDGES))

        async def ask() -> float:
            handing = asyncio.create_task(_hand_over_again_and_again(ledger, run.id, given))
            try:
                asked = run_share(ledger, run, planned.suite, cells, models, Unseen(), share)
                return (await asked).spent
            finally:
                handing.cancel()
                with suppress(asyncio.CancelledError):
                    await handing
                await session.close(ledger, planned, models)

        try:
            return wait_for(ask())
        finally:
            given.hand_over(ledger, run.id)
    finally:
        ledger.close()


async def _hand_over_again_and_again(ledger: Ledger, run: str, given: _HandedOver) -> None:
    while True:
        await asyncio.sleep(_HAND_OVER)
        await asyncio.to_thread(given.hand_over, ledger, run)
