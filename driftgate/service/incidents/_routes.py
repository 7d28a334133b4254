"""Routes of incidents: list, look at, acknowledge, silence, resolve and reopen them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from driftgate.api.handling import Handling
from driftgate.flows.errors import DriftgateError
from driftgate.monitor import incidents as store
from driftgate.monitor.incidents import Incident, Severity, State
from driftgate.service._asked import only_known
from driftgate.service._auth import Access, Identity

_LONGEST_NOTE = 2000


class Noted(BaseModel):
    """A note that goes with what is done."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    note: str = Field("", max_length=_LONGEST_NOTE)
    """What else is to be known; it is recorded."""


class Silenced(Noted):
    """Until when nobody is told."""

    until: AwareDatetime
    """A moment to come, in ISO 8601 with its zone: ``2026-12-01T09:00:00+09:00``, or ``Z`` for UTC."""


def incident_routes(handling: Handling, access: Access) -> APIRouter:
    """Routes below ``/api/incidents``; who reads needs the scope ``read``, who changes one ``operate``."""
    ledger = handling.ledger
    router = APIRouter(prefix="/api/incidents", tags=["incidents"], dependencies=[Depends(only_known)])
    operates = Depends(access("operate"))

    @router.get("", dependencies=[Depends(access("read"))])
    def list_incidents(
        state: Annotated[list[State] | None, Query()] = None,
        monitor: Annotated[str | None, Query(max_length=128)] = None,
        severity: Severity = "low",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[dict[str, Any]]:
        try:
            found = handling.incidents(states=state or (), monitor=monitor, least=severity, limit=limit)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        return [_plain(one) for one in found]

    @router.get("/{name}", dependencies=[Depends(access("read"))])
    def one_incident(name: str) -> dict[str, Any]:
        one = _found(name)
        return _plain(one) | {"history": [asdict(event) for event in store.history(ledger, one.id)]}

    @router.post("/{name}/acknowledge")
    def acknowledge(name: str, given: Noted, who: Identity = operates) -> dict[str, Any]:
        return _done(store.acknowledge, _found(name).id, who.name, given.note)

    @router.post("/{name}/silence")
    def silence(name: str, given: Silenced, who: Identity = operates) -> dict[str, Any]:
        return _done(store.silence, _found(name).id, given.until, who.name, given.note)

    @router.post("/{name}/resolve")
    def resolve(name: str, given: Noted, who: Identity = operates) -> dict[str, Any]:
        return _done(store.resolve, _found(name).id, who.name, given.note)

    @router.post("/{name}/reopen")
    def reopen(name: str, given: Noted, who: Identity = operates) -> dict[str, Any]:
        return _done(store.reopen, _found(name).id, who.name, given.note)

    def _found(name: str) -> Incident:
        try:
            return store.find_incident(ledger, name)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem

    def _done(act: Any, *arguments: Any) -> dict[str, Any]:
        try:
            return _plain(act(ledger, *arguments))
        except DriftgateError as problem:
            raise HTTPException(409, str(problem)) from problem

    return router


def _plain(one: Incident) -> dict[str, Any]:
    told: dict[str, Any] = {"title": store.titled(one.kind), "silenced": one.silenced(), "signals": one.signals}
    return asdict(one) | told


def channel_routes(handling: Handling, access: Access) -> APIRouter:
    """``GET /api/channels``: how each channel does by which people are told of incidents."""
    router = APIRouter(prefix="/api/channels", tags=["incidents"], dependencies=[Depends(only_known)])

    @router.get("", dependencies=[Depends(access("read"))])
    def list_channels() -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        return [asdict(one) | {"trouble": one.trouble(now)} for one in handling.channels()]

    return router
