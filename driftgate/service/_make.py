"""``driftgate serve``: the schedule, the HTTP interface and telemetry ingest in one process."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api.facade import Workspace
from driftgate.api.jobs import LEAD, Job, ask_for_mending, job_kinds, list_jobs
from driftgate.api.telemetry import EVERY, evaluations, intake, sources
from driftgate.api.telling import channel_statuses
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Lease, Ledger
from driftgate.monitor.looks import LookRow, alerts_of, looks_of
from driftgate.monitor.telemetry import Store, compact_others, open_free, removed
from driftgate.monitor.telemetry.sources import CollectionResult, collect_all
from driftgate.monitor.telemetry.sources.otlp import OtlpConfig, receiver
from driftgate.service import Board, Page, Runner, console, create_app
from driftgate.service._self_metrics import send_self_metrics
from driftgate.service.access import Guard, Metrics, expose, folder_writable, ledger_writable
from driftgate.service.incidents import channel_routes, incident_routes, keep_incidents
from driftgate.service.jobs._routes import job_routes
from driftgate.service.remediations import remediation_routes

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

_LEAD_SECONDS = 20


def make_service(workspace: OpenWorkspace, ledger: Ledger, *, lease_seconds: float = 6.0) -> FastAPI:
    """Put the service together; the schedule begins when the server starts.

    Raises
    ------
    DriftgateError
        The token is not set or too short.
    """
    config = workspace.config
    try:
        service = config.service
        token = resolve_secret(service.token, "service.token")
        guard = Guard(ledger, token, service.limits, service.tokens, service.public_url)
    except ValueError as problem:
        raise DriftgateError(str(problem), "export a longer one, for example from: openssl rand -hex 24") from problem
    runner = runner_of(workspace, ledger, Lease(ledger, LEAD, lease_seconds))
    named = sources(workspace)
    kept = config.keep

    def open_store(place: Path) -> Store:
        days, size, texts = kept.telemetry_days, kept.telemetry_bytes, kept.texts_days
        return Store(place, keep_days=days, keep_bytes=size, texts_days=texts)

    store = open_free(open_store, workspace.telemetry)
    taken = intake(workspace.telemetry, evaluations(workspace))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop_telling = await asyncio.to_thread(_tell_azure, workspace)
        stop_metrics = await asyncio.to_thread(send_self_metrics, workspace, metrics)
        runner.start()
        collected = partial(collect_all, named, store, ledger, taken)
        others = partial(compact_others, open_store, workspace.telemetry, store)
        upkeep = asyncio.create_task(_keep_up(store, lambda: runner.leading, collected, others))
        incidents = asyncio.create_task(keep_incidents(workspace, ledger))
        try:
            yield
        finally:
            upkeep.cancel()
            incidents.cancel()
            await runner.stop()  # before what may take long: jobs under way are handed over
            await asyncio.wait([incidents], timeout=1)
            await asyncio.to_thread(stop_metrics)
            await asyncio.to_thread(store.close)
            await asyncio.to_thread(guard.refusals.tell, everything=True)
            await asyncio.to_thread(stop_telling)

    page = Page(
        alerts=lambda: [
            {"at": _minute(row.at), "monitor": row.monitor, "summary": row.alert.summary}
            for row in alerts_of(ledger, limit=20)
        ],
        looks=lambda: [_shown_look(row) for row in looks_of(ledger, limit=20)],
        jobs=lambda: [_shown_job(job) for job in list_jobs(ledger, 20)],
        leading=lambda: runner.leading,
        removed=lambda: [f"{one.day}: {one.calls:,} calls, by {one.why}" for one in removed(workspace.telemetry)[-31:]],
        not_kept=lambda: {reason.value: n for reason, n in store.left_out(datetime.now(UTC)).items()},
    )
    otlp = next((one for one in named if isinstance(one, OtlpConfig)), OtlpConfig(source="otlp"))
    metrics = Metrics()
    routers = [
        receiver(otlp, store, guard.access("ingest"), taken, metrics.received),
        job_routes(Workspace(workspace, ledger), guard.access),
        incident_routes(Workspace(workspace, ledger), guard.access),
        channel_routes(Workspace(workspace, ledger), guard.access),
        remediation_routes(Workspace(workspace, ledger), guard.access),
        console.router(console.Console(Workspace(workspace, ledger)), guard.access),
    ]
    app = create_app(ledger, config.name, guard.access, page, routers, lifespan)
    writable = [ledger_writable(ledger), folder_writable(store.folder)]
    expose(
        app,
        guard,
        service,
        metrics,
        writable,
        lambda: Counter(str(job["result"]) for job in page.jobs()),
        lambda: channel_statuses(workspace, ledger),
    )
    return app


def _tell_azure(workspace: OpenWorkspace) -> Callable[[], None]:
    """Send a span of every job to Azure Monitor, where the workspace names it; returns what ends that."""
    if workspace.config.azure_monitor is None:
        return lambda: None
    from driftgate.monitor.azure import instrument

    connection = resolve_secret(workspace.config.azure_monitor.connection_string, "azure_monitor.connection_string")
    return instrument(connection, workspace=workspace.config.name)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _shown_look(row: LookRow) -> dict[str, Any]:
    # Of a look that was made before results were kept:
    told: dict[str, Any] = {"result": "not recorded", "why": "", "blindness": None}
    if row.conclusion is not None:
        found = row.conclusion
        told = {"result": found.result, "why": found.why, "blindness": found.blindness}
    return {"at": _minute(row.at), "monitor": row.monitor, "of": row.of, "run": row.run_id, **told}


def _shown_job(job: Job) -> dict[str, Any]:
    return {
        "due_at": _minute(job.due_at),
        "ended_at": _minute(job.ended_at) if job.ended_at is not None else "",
        "id": job.id,
        "name": job.name,
        "exit_code": job.exit_code,
        "result": job.result,
        "reason": job.reason,
    }


async def _keep_up(
    store: Store,
    leading: Callable[[], bool],
    collect: Callable[[datetime], Sequence[CollectionResult]],
    compact_abandoned: Callable[[], object],
) -> None:
    """Turn the spool into Parquet, and, in the process that leads, collect what the sources have.

    Each process keeps up what it writes itself, so this is no job. What is in the spool can be read already.
    """
    while True:
        for _ in range(_LEAD_SECONDS):  # who leads is known some seconds after the start
            if leading():
                break
            await asyncio.sleep(1)
        try:
            for found in await asyncio.to_thread(collect, datetime.now(UTC)) if leading() else ():
                if found.problem:
                    log.error("the telemetry source %s could not be read: %s", found.source, found.problem)
            await asyncio.to_thread(store.compact)
            if leading():
                await asyncio.to_thread(compact_abandoned)
        except Exception:  # whatever it is, the next round is not to be lost with this one
            log.exception("telemetry could not be kept up; it is tried again")
        await asyncio.sleep(EVERY.total_seconds())


def runner_of(workspace: OpenWorkspace, ledger: Ledger, lease: Lease) -> Runner:
    """What does the workspace's jobs, and tells Azure Monitor of them where the workspace names it."""
    kinds = job_kinds(workspace)
    runner = Runner(Board(lease, kinds), workspace.folder)
    if "mend" in kinds:
        runner.upkeep = lambda: ask_for_mending(ledger)
    if workspace.config.azure_monitor is not None:
        from driftgate.monitor.azure import job_span

        runner.span = job_span
    return runner
