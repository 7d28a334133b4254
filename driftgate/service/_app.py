"""The HTTP interface: health, runs, alerts, looks and jobs as JSON, and the routers that others bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query

from driftgate.benchmarks.evaluated import evaluated_in
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    RunRow,
    aggregations_of,
    as_they_stand,
    cells_of,
    expired_at,
    find_run,
    latest_runs,
    scores_of,
    verdicts_of,
)
from driftgate.service._asked import explain_refusals, only_known
from driftgate.service._auth import Access
from driftgate.service._head import HeadAsGet
from driftgate.service._responses import Alert, Look, Problem, Run, Service, WholeRun
from driftgate.service._scrubbed import WithoutSecrets


@dataclass(frozen=True)
class Page:
    """What the service tells beside the ledger's runs, read anew for every request."""

    alerts: Callable[[], Sequence[dict[str, Any]]]
    looks: Callable[[], Sequence[dict[str, Any]]]
    jobs: Callable[[], Sequence[dict[str, Any]]]
    leading: Callable[[], bool]
    not_kept: Callable[[], Mapping[str, int]] = dict
    """What came as telemetry today (UTC) and was not kept as a call, by reason."""
    removed: Callable[[], Sequence[str]] = tuple
    """Days of telemetry that were removed by age or size, the newest 31, and how many calls each had."""


def create_app(
    ledger: Ledger,
    name: str,
    access: Access,
    page: Page,
    routers: Sequence[APIRouter] = (),
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Make the application; every route asks who it is that asks, those of ``routers`` by themselves."""
    app = FastAPI(
        title=f"driftgate · {name}",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )

    explain_refusals(app)
    api = APIRouter(dependencies=[Depends(access("read")), Depends(only_known)])

    @api.get("/health", response_model=Service)
    def health() -> dict[str, Any]:
        latest_runs(ledger, 1)
        told = {"telemetry_not_kept": page.not_kept(), "telemetry_removed": page.removed()}
        return {"status": "ok", "workspace": name, "leading": page.leading(), **told}

    @api.get("/api/runs", response_model=list[Run])
    def list_runs(limit: Annotated[int, Query(ge=1, le=500)] = 20) -> list[dict[str, Any]]:
        return [_brief(run) for run in as_they_stand(ledger, latest_runs(ledger, limit))]

    @api.get("/api/runs/{run_id}", response_model=WholeRun, responses={404: {"model": Problem}})
    def one_run(run_id: str) -> dict[str, Any]:
        try:
            run = find_run(ledger, run_id)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        return _brief(as_they_stand(ledger, [run])[0]) | {
            "expired": expired_at(ledger, run.id),
            "cells": [
                {
                    "cell": cell.name,
                    "signature": cell.signature,
                    "stopped": cell.stopped,
                    "scores": _whole(ledger, cell.id, cell.signature),
                    "evaluators": [one.as_json() for one in evaluated_in(ledger, cell)],
                    "aggregations": [asdict(made) for made in aggregations_of(ledger, cell.id)],
                }
                for cell in cells_of(ledger, run.id)
            ],
            "verdicts": [asdict(verdict) for verdict in verdicts_of(ledger, run.id)],
        }

    @api.get("/api/alerts", response_model=list[Alert])
    def list_alerts() -> list[dict[str, Any]]:
        return list(page.alerts())

    @api.get("/api/looks", response_model=list[Look])
    def list_looks() -> list[dict[str, Any]]:
        return list(page.looks())

    app.include_router(api)
    for router in routers:
        app.include_router(router)
    app.add_middleware(WithoutSecrets)
    app.add_middleware(HeadAsGet)
    return app


def _brief(run: RunRow) -> dict[str, Any]:
    names = ("id", "suite", "kind", "status", "reason", "created_at", "finished_at", "version")
    return {name: getattr(run, name) for name in names}


def _whole(ledger: Ledger, cell_id: int, signature: str) -> list[dict[str, Any]]:
    return [asdict(row) for row in scores_of(ledger, cell_id, signature) if row.slice_kind == "all"]
