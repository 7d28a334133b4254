"""The HTTP interface: health, runs, alerts, looks, jobs, ingest, and an overview page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from driftgate.benchmarks.evaluated import evaluated_in
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    RunRow,
    ScoreRow,
    aggregations_of,
    cells_of,
    expired_at,
    find_run,
    latest_runs,
    scores_of,
    verdicts_of,
)
from driftgate.service._auth import Access
from driftgate.service._scrubbed import WithoutSecrets

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """What the overview shows beside the ledger's runs, read anew for every request."""

    alerts: Callable[[], Sequence[dict[str, Any]]]
    looks: Callable[[], Sequence[dict[str, Any]]]
    jobs: Callable[[], Sequence[dict[str, Any]]]
    champions: Callable[[], Sequence[dict[str, Any]]]
    remediations: Callable[[], Sequence[dict[str, Any]]]
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

    api = APIRouter(dependencies=[Depends(access("read"))])

    @api.get("/health")
    def health() -> dict[str, Any]:
        latest_runs(ledger, 1)
        told = {"telemetry_not_kept": page.not_kept(), "telemetry_removed": page.removed()}
        return {"status": "ok", "workspace": name, "leading": page.leading(), **told}

    @api.get("/api/runs")
    def list_runs(limit: int = 20) -> list[dict[str, Any]]:
        return [_brief(run) for run in latest_runs(ledger, min(max(limit, 1), 500))]

    @api.get("/api/runs/{run_id}")
    def one_run(run_id: str) -> dict[str, Any]:
        try:
            run = find_run(ledger, run_id)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        return _brief(run) | {
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

    @api.get("/api/alerts")
    def list_alerts() -> list[dict[str, Any]]:
        return list(page.alerts())

    @api.get("/api/looks")
    def list_looks() -> list[dict[str, Any]]:
        return list(page.looks())

    @api.get("/", response_class=HTMLResponse)
    def overview() -> str:
        latest = latest_runs(ledger, 15)
        newest = {run.suite: run.id for run in reversed(latest)}.values()
        runs = [_overview_row(ledger, run, run.id in newest) for run in latest]
        return _render(
            "overview.html",
            name=name,
            runs=runs,
            alerts=page.alerts(),
            looks=page.looks(),
            jobs=page.jobs(),
            champions=page.champions(),
            remediations=page.remediations(),
            leading=page.leading(),
        )

    app.include_router(api)
    for router in routers:
        app.include_router(router)
    app.add_middleware(WithoutSecrets)
    return app


def _brief(run: RunRow) -> dict[str, Any]:
    names = ("id", "suite", "kind", "status", "reason", "created_at", "finished_at", "version")
    return {name: getattr(run, name) for name in names}


def _whole(ledger: Ledger, cell_id: int, signature: str) -> list[dict[str, Any]]:
    return [asdict(row) for row in scores_of(ledger, cell_id, signature) if row.slice_kind == "all"]


def _higher(one: ScoreRow | None, other: ScoreRow | None) -> float | None:
    """The value of a score where it is above that of another one."""
    if one is None or other is None or one.value is None or other.value is None:
        return None
    return one.value if one.value > other.value else None


def _overview_row(ledger: Ledger, run: RunRow, newest: bool) -> dict[str, Any]:
    cells = []
    for cell in cells_of(ledger, run.id):
        bad = [one for one in evaluated_in(ledger, cell) if one.trouble] if newest else []
        rows = {row.metric: row for row in scores_of(ledger, cell.id, cell.signature) if row.slice_kind == "all"}
        if_right = _higher(rows.get("accuracy_if_right"), rows.get("accuracy"))
        told = {"name": cell.name, "accuracy": rows.get("accuracy"), "evaluators": bad}
        cells.append(told | {"if_right": if_right, "stopped": cell.stopped})
    verdicts = verdicts_of(ledger, run.id)
    return {"run": run, "cells": cells, "verdict": verdicts[0].verdict if verdicts else ""}


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
    return environment.get_template(template).render(**values)
