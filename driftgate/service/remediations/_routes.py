"""Routes of remediations: list, look at, approve, reject and abandon them; stop all of them, and let them go on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from driftgate.api.facade import Workspace
from driftgate.finetune.remediation import Remediation, State, find_remediation, remediations, stopped
from driftgate.flows.errors import DriftgateError
from driftgate.service._asked import Nothing, only_known
from driftgate.service._auth import Access, Identity, person

_LONGEST = 500


class Approved(BaseModel):
    """What is agreed to."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(min_length=1, max_length=1000)
    """``proposal.what`` of the remediation, as it was looked at: an approval is of just that."""
    who: str = Field("", max_length=100)
    """The name of the person, where the operator's token is shown; of a key or a sign-in its own name counts."""


class Reasoned(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=_LONGEST)


def remediation_routes(workspace: Workspace, access: Access) -> APIRouter:
    """Routes below ``/api/remediations``; who reads needs the scope ``read``, who decides ``operate``, and who approves
    a name of their own."""
    router = APIRouter(prefix="/api/remediations", tags=["remediations"], dependencies=[Depends(only_known)])
    reads, operates = Depends(access("read")), Depends(access("operate"))
    ledger = workspace.ledger

    @router.get("", dependencies=[reads])
    def list_remediations(
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        state: State | None = None,
        champion: Annotated[str | None, Query(max_length=128)] = None,
        recipe: Annotated[str | None, Query(max_length=200)] = None,
    ) -> list[dict[str, Any]]:
        return [asdict(one) for one in remediations(ledger, limit, state=state, slot=champion, recipe=recipe)]

    @router.get("/{name}", dependencies=[reads])
    def one_remediation(name: str) -> dict[str, Any]:
        view = workspace.remediation(_found(name).id)
        return asdict(view.remediation) | {
            "events": [asdict(event) for event in view.events],
            "spent": asdict(view.spent),
            "proposal": asdict(view.proposal) if view.proposal is not None else None,
            "why_no_proposal": view.why_none,
            "switched_off": view.switched_off,
            "options": [option.model_dump(mode="json") for option in view.options],
            "proposed_option": view.proposed_option,
        }

    @router.post("/{name}/approve")
    def approve(name: str, given: Approved, who: Identity = operates) -> dict[str, Any]:
        one = _found(name)
        try:
            return asdict(workspace.approve_remediation(one.id, who=person(who, given.who), shown=given.what))
        except DriftgateError as problem:
            raise HTTPException(409, str(problem)) from problem

    @router.post("/{name}/reject")
    def reject(name: str, given: Reasoned, who: Identity = operates) -> dict[str, Any]:
        one = _found(name)
        try:
            return asdict(workspace.reject_remediation(one.id, given.reason, who=who.name))
        except DriftgateError as problem:
            raise HTTPException(409, str(problem)) from problem

    @router.post("/{name}/abandon")
    def abandon(name: str, given: Reasoned, who: Identity = operates) -> dict[str, Any]:
        one = _found(name)
        try:
            return asdict(workspace.abandon_remediation(one.id, given.reason, who=who.name))
        except DriftgateError as problem:
            raise HTTPException(409, str(problem)) from problem

    @router.post("/stop")
    def stop(given: Reasoned, who: Identity = operates) -> dict[str, Any]:
        return asdict(workspace.stop_repairs(given.reason, who=who.name))

    @router.post("/resume")
    def resume(given: Nothing, who: Identity = operates) -> dict[str, Any]:
        return {"resumed": workspace.resume_repairs(who=who.name), "stopped": stopped(ledger) is not None}

    def _found(name: str) -> Remediation:
        try:
            return find_remediation(ledger, name)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem

    return router
