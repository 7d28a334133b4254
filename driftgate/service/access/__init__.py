"""How the service may be reached: who asks, how often, from which page, and what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import prepare_keys
from driftgate.monitor.exposure import Exposure
from driftgate.monitor.notifications import ChannelStatus
from driftgate.service.access._bounds import Bounds
from driftgate.service.access._guard import Guard
from driftgate.service.access._headers import SafeHeaders, safe_headers
from driftgate.service.access._health import Readiness, folder_writable, health_routes, ledger_writable
from driftgate.service.access._metrics import Gauges, Measured, Metrics, metrics_route
from driftgate.service.access._sessions import prepare_sessions
from driftgate.service.access._signin import sign_in_routes

__all__ = [
    "Guard",
    "Metrics",
    "expose",
    "folder_writable",
    "ledger_writable",
]

_NOT_TAKEN: dict[str, Any] = {
    "description": "Something of the request cannot be: what was found, and what was expected.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
        }
    },
}
log = logging.getLogger(__name__)

_REFUSALS = {
    "401": "Nobody is known by what was shown, or nothing was.",
    "403": "Who asks may not do this.",
    "413": "The request is too large.",
    "429": "Too many requests, or too many wrong keys.",
    "503": "The service cannot answer now; try again later.",
}
_OF_A_BODY = {
    "400": "The body cannot be read.",
    "415": "The body is of a kind that is not taken, or comes without its content type.",
}
_OF_A_NAME = {"404": "There is none of that name."}


def expose(
    app: FastAPI,
    guard: Guard,
    exposure: Exposure,
    metrics: Metrics,
    writable: Sequence[Callable[[], None]],
    jobs: Callable[[], Mapping[str, int]],
    channels: Callable[[], Sequence[ChannelStatus]],
) -> None:
    """Add to an application, whose routes ask ``guard.access``, what makes it fit to be reached.

    Parameters
    ----------
    writable : sequence of callable
        What ``/readyz`` tries, each raising where something cannot be written to.
    jobs : callable
        How many jobs ended in which way.
    channels : callable
        How each channel does by which people are told.
    """
    prepare_keys(guard.ledger)
    prepare_sessions(guard.ledger)
    app.state.csrf_key, app.state.guard = guard.csrf_key, guard
    app.include_router(health_routes(Readiness(writable)))
    app.include_router(sign_in_routes(guard, exposure))
    app.include_router(metrics_route(metrics, Gauges(guard.ledger, jobs, channels), guard.access))
    app.add_api_route(
        "/openapi.json",
        lambda: JSONResponse(_document(app)),
        dependencies=[Depends(guard.access("read"))],
        include_in_schema=False,
    )
    app.add_exception_handler(DriftgateError, _cannot_answer)
    tls = (exposure.public_url or "").startswith("https")
    app.add_exception_handler(Exception, _failed(safe_headers(tls)))
    limits = exposure.limits
    app.add_middleware(Bounds, body=int(limits.body_megabytes * 2**20), concurrent=limits.concurrent)
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(SafeHeaders, tls=tls)


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what every route that asks who asks may answer besides."""
    made = app.openapi()
    for operations in made["paths"].values():
        for method, operation in operations.items():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = _NOT_TAKEN
            if not operation.get("security"):
                continue
            told = (
                _REFUSALS
                | (_OF_A_BODY if method != "get" else {})
                | (_OF_A_NAME if operation.get("parameters") else {})
            )
            for status, words in told.items():
                operation["responses"].setdefault(status, {"description": words})
    return made


def _failed(headers: Mapping[str, str]) -> Callable[[Request, Exception], Any]:
    """Answers what nobody expected; what middleware adds to every other reply is not added to this one."""

    async def answer(request: Request, problem: Exception) -> JSONResponse:
        return JSONResponse({"detail": "the service failed to answer; what happened is in its log"}, 500, dict(headers))

    return answer


async def _cannot_answer(request: Request, problem: Exception) -> Any:
    """Say no more than that: what is wrong with the ledger concerns who runs the service."""
    log.error("%s %s could not be answered: %s", request.method, request.url.path, problem)
    return JSONResponse({"detail": "the service cannot answer now"}, 503, {"Retry-After": "5"})
