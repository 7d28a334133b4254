"""Look at a champion's canaries and say what was found."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks.ledger import Ledger, RunRow, champion_history, find_run
from benchmarks.runner import Display
from benchmarks.scores import score_run
from benchmarks.suite import SuiteConfig
from driftgate import session
from driftgate.champions import champion
from driftgate.workspace import OpenWorkspace
from flows.errors import DriftgateError, nearest
from monitor.config import MonitorConfig
from monitor.watch import Watched, look_at_canaries


@dataclass(frozen=True)
class LookResult:
    """A look and the run it was made on."""

    monitor: str
    champion: str
    run: RunRow
    watched: Watched


def find_monitor(workspace: OpenWorkspace, name: str) -> MonitorConfig:
    """A monitor by name.

    Raises
    ------
    DriftgateError
        There is none.
    """
    if name not in workspace.config.monitors:
        raise DriftgateError(f"the workspace has no monitor '{name}'", nearest(name, workspace.config.monitors))
    return workspace.config.monitors[name]


def take_look(workspace: OpenWorkspace, ledger: Ledger, name: str, display: Display) -> LookResult:
    """Ask the canaries of a monitor of its champion, compare, and keep what was found.

    Raises
    ------
    DriftgateError
        The monitor or what it needs is missing, or the model cannot be reached.
    """
    monitor = find_monitor(workspace, name)
    live = champion(workspace, ledger, monitor.champion)
    canaries = monitor.canaries
    suite = SuiteConfig(
        models=[live],
        datasets=[canaries.dataset],
        flow=canaries.flow,
        retriever=canaries.retriever,
        variants=[canaries.variant] if canaries.variant else [],
        few_shot=canaries.few_shot,
        limit=canaries.limit,
        seed=canaries.seed,
        inputs=canaries.inputs,
        defaults=canaries.defaults,
    )
    planned = session.plan_suite(workspace, ledger, f"canary-{name}", suite)
    models = session.open_models(workspace, ledger, [live])
    run = session.begin(ledger, planned)
    asyncio.run(session.work(ledger, run, planned, models, display))
    score_run(ledger, run.id)
    # A promotion begins a new reference, also of a model that was champion before.
    installed = champion_history(ledger, monitor.champion)[0]
    watched = look_at_canaries(
        ledger,
        name,
        f"{live}#{installed.id}",
        find_run(ledger, run.id),
        reference_looks=monitor.reference_looks,
        floors=monitor.floors,
        alpha=monitor.alpha,
    )
    return LookResult(name, live, run, watched)
