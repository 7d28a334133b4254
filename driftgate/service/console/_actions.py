"""What forms do: each calls the facade, is written into the audit log, and leads back to where it stood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from driftgate.benchmarks.reviewing import add_human_label
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import record_audit
from driftgate.service._auth import Access, Identity, person
from driftgate.service._csrf import posted
from driftgate.service.console import _render
from driftgate.service.console._page import Console
from driftgate.service.console._runs import cell_named, run_named
from driftgate.service.console._words import language_of

Fields = Mapping[str, str]
Action = Callable[[Console, Fields, Identity], str | None]
"""Does what a form asks, for who is named, and says to what, for the audit log; None where what it calls did that."""
_HOURS = 24 * 366.0


def _approve(console: Console, fields: Fields, who: Identity) -> None:
    name = _given(fields, "id")
    console.workspace.approve_remediation(name, who=person(who, fields.get("who", "")), shown=_given(fields, "what"))


def _reject(console: Console, fields: Fields, who: Identity) -> None:
    reason = _given(fields, "reason")[:500]
    console.workspace.reject_remediation(_given(fields, "id"), reason, who=who.name)


def _abandon(console: Console, fields: Fields, who: Identity) -> None:
    reason = _given(fields, "reason")[:500]
    console.workspace.abandon_remediation(_given(fields, "id"), reason, who=who.name)


def _stop_repairs(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.stop_repairs(_given(fields, "reason")[:500], who=who.name)


def _resume_repairs(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.resume_repairs(who=who.name)


def _run_job(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.run_job(_given(fields, "name"), who=who.name)


def _cancel_job(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.cancel_job(_given(fields, "id"), who=who.name)


def _label(console: Console, fields: Fields, who: Identity) -> str:
    run = run_named(console, _given(fields, "run"))
    cell = cell_named(console, run, _given(fields, "cell"))
    sample, judge = _given(fields, "sample"), _given(fields, "judge")
    passed = {"": None, "yes": True, "no": False}.get(fields.get("passed", ""))
    try:
        grade = float(fields["grade"]) if fields.get("grade") else None
        number = int(sample)
    except ValueError:
        raise DriftgateError("the label cannot be read", "give a grade on the judge's scale, or yes or no") from None
    add_human_label(console.workspace.ledger, cell, judge, number, grade=grade, passed=passed, who=who.name)
    return f"{run.id}/{cell.ordinal}/{number}"


def _acknowledge(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.acknowledge(_given(fields, "id"), fields.get("note", "")[:500], who=who.name)


def _silence(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.silence(_given(fields, "id"), _until(fields), fields.get("note", "")[:500], who=who.name)


def _resolve(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.resolve(_given(fields, "id"), fields.get("note", "")[:500], who=who.name)


def _reopen(console: Console, fields: Fields, who: Identity) -> None:
    console.workspace.reopen(_given(fields, "id"), fields.get("note", "")[:500], who=who.name)


ACTIONS: Mapping[str, Action] = {
    "remediation/approve": _approve,
    "remediation/reject": _reject,
    "remediation/abandon": _abandon,
    "remediation/stop": _stop_repairs,
    "remediation/resume": _resume_repairs,
    "incident/acknowledge": _acknowledge,
    "incident/silence": _silence,
    "incident/resolve": _resolve,
    "incident/reopen": _reopen,
    "job/run": _run_job,
    "job/cancel": _cancel_job,
    "review/label": _label,
}
"""By the path below ``/actions/``."""


def add_routes(routes: APIRouter, console: Console, access: Access) -> None:
    """Add the route of every form."""
    for path, action in ACTIONS.items():
        routes.add_api_route(f"/actions/{path}", _done(console, path, action, access), methods=["POST"], name=path)


def _done(console: Console, path: str, action: Action, access: Access) -> Callable[..., Any]:
    operates = Depends(access("operate"))

    async def do(request: Request, who: Identity = operates) -> Response:
        fields = await posted(request)
        language = language_of(
            "", request.cookies.get("driftgate_lang", ""), request.headers.get("accept-language", "")
        )

        def work() -> None:
            subject = action(console, fields, who)
            if subject is not None:
                record_audit(console.workspace.ledger, who.name, path.replace("/", "."), subject)

        try:
            await asyncio.to_thread(work)
        except DriftgateError as problem:
            told = _render.problem(409, problem.message, problem.remedy, name=console.workspace.name, language=language)
            return HTMLResponse(told, 409)
        finally:
            console.memo.clear()
            console.pages.clear()
        return RedirectResponse(_back(fields.get("back", "/")), 303)

    return do


def _given(fields: Fields, name: str) -> str:
    value = fields.get(name, "").strip()
    if not value:
        raise DriftgateError(f"the form lacks '{name}'", "open its page again")
    return value


def _back(path: str) -> str:
    r"""Where a form leads back to: a page of ours, whatever the form says.

    Examples
    --------
    >>> _back("/jobs?page=2"), _back("//evil.example"), _back("/\\evil.example"), _back("https://evil.example")
    ('/jobs?page=2', '/', '/', '/')
    """
    whole = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return quote(path, safe="/?&=%.:,-_~+") if whole else "/"


def _until(fields: Fields) -> datetime:
    """Until when: so many hours from now."""
    try:
        hours = float(_given(fields, "hours"))
    except ValueError:
        hours = float("nan")
    if not 0 < hours <= _HOURS:
        raise DriftgateError(f"hours is '{fields.get('hours', '')[:20]}'", "give a number of hours, at most a year")
    return datetime.now(UTC) + timedelta(hours=hours)
