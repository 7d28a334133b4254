"""``driftgate serve``: the schedule, the HTTP interface and telemetry ingest in one process."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api.facade import Workspace
from driftgate.api.telemetry import EVERY, evaluations, intake, sources
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor.looks import LookRow, alerts_of, looks_of
from driftgate.monitor.telemetry import Intake, Store, removed
from driftgate.monitor.telemetry.sources import SourceConfig, collect_all
from driftgate.monitor.telemetry.sources.otlp import OtlpConfig, receiver
from driftgate.service import Firing, Job, Lease, Page, Scheduler, console, create_app
from driftgate.service.access import Guard, Metrics, expose, folder_writable, ledger_writable
from driftgate.service.incidents import incident_routes, keep_incidents

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)


def make_service(workspace: OpenWorkspace, ledger: Ledger, *, lease_seconds: float = 30.0) -> FastAPI:
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
    scheduler = Scheduler(jobs_of(workspace), Lease(ledger, lease_seconds))
    named = sources(workspace)
    kept = config.keep
    store = Store(
        workspace.telemetry,
        keep_days=kept.telemetry_days,
        keep_bytes=kept.telemetry_bytes,
        texts_days=kept.texts_days,
    )
    taken = intake(workspace.telemetry, evaluations(workspace))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop_telling = await asyncio.to_thread(_tell_azure, workspace)
        scheduler.start()
        upkeep = asyncio.create_task(_keep_up(store, named, ledger, taken))
        incidents = asyncio.create_task(keep_incidents(workspace, ledger))
        try:
            yield
        finally:
            upkeep.cancel()
            incidents.cancel()
            await asyncio.wait([incidents], timeout=5)
            await scheduler.stop()
            await asyncio.to_thread(store.close)
            await asyncio.to_thread(guard.refusals.tell, everything=True)
            await asyncio.to_thread(stop_telling)

    page = Page(
        alerts=lambda: [
            {"at": _minute(row.at), "monitor": row.monitor, "summary": row.alert.summary}
            for row in alerts_of(ledger, limit=20)
        ],
        looks=lambda: [_shown_look(row) for row in looks_of(ledger, limit=20)],
        jobs=lambda: [_shown_firing(firing) for firing in scheduler.lease.firings(20)],
        leading=lambda: scheduler.leading,
        removed=lambda: [f"{one.day}: {one.calls:,} calls, by {one.why}" for one in removed(store.folder)[-31:]],
        not_kept=lambda: {reason.value: n for reason, n in store.left_out(datetime.now(UTC)).items()},
    )
    otlp = next((one for one in named if isinstance(one, OtlpConfig)), OtlpConfig(source="otlp"))
    metrics = Metrics()
    routers = [
        receiver(otlp, store, guard.access("ingest"), taken, metrics.received),
        incident_routes(ledger, guard.access),
        console.router(console.Console(Workspace(workspace, ledger)), guard.access),
    ]
    app = create_app(ledger, config.name, guard.access, page, routers, lifespan)
    writable = [ledger_writable(ledger), folder_writable(store.folder)]
    expose(app, guard, service, metrics, writable, lambda: Counter(str(job["result"]) for job in page.jobs()))
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
    told = {"result": "not recorded", "why": ""}  # of a look that was made before results were kept
    if row.conclusion is not None:
        told = {"result": row.conclusion.result, "why": row.conclusion.why}
    return {"at": _minute(row.at), "monitor": row.monitor, "of": row.of, "run": row.run_id, **told}


def _shown_firing(firing: Firing) -> dict[str, Any]:
    return asdict(firing) | {
        "scheduled_at": _minute(firing.scheduled_at),
        "claimed_at": _minute(firing.claimed_at),
        "ended_at": _minute(firing.ended_at) if firing.ended_at is not None else "",
        "result": _result(firing),
    }


def _result(firing: Firing) -> str:
    """What the exit codes of the commands say; whatever else a process ends with is an error."""
    if firing.ended_at is None:
        return "unmeasurable" if firing.cut_off else "under way"
    words = {0: "good", 1: "bad", 3: "inconclusive", 4: "unmeasurable"}
    return words.get(firing.exit_code, "error") if firing.exit_code is not None else "error"


async def _keep_up(store: Store, named: Sequence[SourceConfig], ledger: Ledger, taken: Intake) -> None:
    """Collect what the sources have, and turn the spool into Parquet; what is in the spool can be read already."""
    while True:
        try:
            for found in await asyncio.to_thread(collect_all, named, store, ledger, taken, datetime.now(UTC)):
                if found.problem:
                    log.error("the telemetry source %s could not be read: %s", found.source, found.problem)
            await asyncio.to_thread(store.compact)
        except Exception:  # whatever it is, the next round is not to be lost with this one
            log.exception("telemetry could not be kept up; it is tried again")
        await asyncio.sleep(EVERY.total_seconds())


def jobs_of(workspace: OpenWorkspace) -> list[Job]:
    """The nightly job and one for each monitor, each run as a process of its own."""
    config = workspace.config
    jobs = [
        _job(workspace, f"look-{name}", monitor.cron, monitor.timezone, "monitor", "check", name)
        for name, monitor in config.monitors.items()
    ]
    if config.nightly.suites or config.nightly.monitors:
        service = config.service
        jobs.append(_job(workspace, "nightly", service.nightly_cron, service.timezone, "nightly"))
    return jobs


def _job(workspace: OpenWorkspace, name: str, cron: str, timezone: str, *command: str) -> Job:
    run = _command(workspace.folder, *command)
    if workspace.config.azure_monitor is None:
        return Job(name, cron, timezone, run)
    from driftgate.monitor.azure import job_span

    async def told(scheduled_at: datetime) -> int:
        with job_span(name, scheduled_at) as ended:
            code = await run(scheduled_at)
            ended(code)
            return code

    return Job(name, cron, timezone, told)


def _command(folder: Path, *arguments: str) -> Callable[[datetime], Awaitable[int]]:
    async def run(scheduled_at: datetime) -> int:
        # A process of its own: a benchmark never slows an ingest, and its death is not the service's.
        # -P: a json.py where the service was started is not the library's.
        program = [sys.executable, "-P", "-m", "driftgate", *arguments, "--workspace", str(folder)]
        process = await asyncio.create_subprocess_exec(*program, stdin=asyncio.subprocess.DEVNULL)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            raise

    return run
