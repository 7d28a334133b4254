"""Routes of incidents: list, look at, acknowledge, silence, resolve and reopen them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor import incidents as store
from driftgate.monitor.incidents import Incident, Severity, State
from driftgate.service._auth import Access, Identity

_LONGEST_NOTE = 2000


class Noted(BaseModel):
    """A note that goes with what is done."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=_LONGEST_NOTE)


class Silenced(Noted):
    """Until when nobody is told."""

    until: AwareDatetime


def incident_routes(ledger: Ledger, access: Access) -> APIRouter:
    """Routes below ``/api/incidents``; who reads needs the scope ``read``, who changes one ``operate``."""
    router = APIRouter(prefix="/api/incidents", tags=["incidents"])
    operates = Depends(access("operate"))

    @router.get("", dependencies=[Depends(access("read"))])
    def list_incidents(
        state: Annotated[list[State] | None, Query()] = None,
        monitor: Annotated[str | None, Query(max_length=128)] = None,
        severity: Severity = "low",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[dict[str, Any]]:
        found = store.incidents(ledger, states=state or (), monitor=monitor, least=severity, limit=limit)
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
