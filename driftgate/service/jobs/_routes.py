"""Jobs over HTTP: list, look at, ask for, cancel."""

# Without postponed annotations: FastAPI could not find what is local to a function in them.
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from driftgate.api.jobs import Job, find_job, job_history, serving
from driftgate.api.working import Working
from driftgate.flows.errors import DriftgateError
from driftgate.service._asked import Nothing, only_known
from driftgate.service._auth import Access, Identity


def job_routes(working: Working, access: Access) -> APIRouter:
    """Make the routes; whoever looks needs the scope ``read``, whoever asks or cancels ``operate``."""
    ledger = working.ledger
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], dependencies=[Depends(only_known)])
    reader, operator = Depends(access("read")), access("operate")

    @router.get("", dependencies=[reader])
    def list_them(
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        name: str = "",
        state: Annotated[list[str] | None, Query()] = None,
    ) -> list[dict[str, Any]]:
        try:
            return [shown(job) for job in working.jobs(limit, name=name, states=state or (), offset=offset)]
        except DriftgateError as problem:
            raise HTTPException(422, str(problem)) from problem

    @router.get("/{id}", dependencies=[reader])
    def one_job(id: str) -> dict[str, Any]:
        try:
            found = job_history(ledger, id)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        happened = [asdict(event) for event in found.events]
        return shown(found.job) | {"events": happened, "output": found.output, "left_out": found.left_out}

    @router.post("/{name}/run", status_code=202)
    def run_it(name: str, who: Annotated[Identity, Depends(operator)], given: Nothing | None = None) -> dict[str, Any]:
        try:
            job, new = working.run_job(name, who=who.name)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        return shown(job) | {"new": new, "served": serving(ledger) is not None}

    @router.post("/{id}/cancel", status_code=202)
    def cancel_it(id: str, who: Annotated[Identity, Depends(operator)], given: Nothing | None = None) -> dict[str, Any]:
        try:
            job = find_job(ledger, id, unfinished=True)
        except DriftgateError as problem:
            raise HTTPException(404, str(problem)) from problem
        try:
            return shown(working.cancel_job(job.id, who=who.name))
        except DriftgateError as problem:
            raise HTTPException(409, str(problem)) from problem

    return router


def shown(job: Job) -> dict[str, Any]:
    """A job as JSON, with what it came to and the seconds it took."""
    return asdict(job) | {"result": job.result, "seconds": job.seconds}
