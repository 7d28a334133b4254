"""The routes of the console: every page as HTML, with its data as JSON and CSV beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from driftgate.flows.errors import DriftgateError, cut, nearest
from driftgate.service._auth import Access, Identity
from driftgate.service._csrf import FIELD, csrf_token
from driftgate.service.console import _actions, _live, _render
from driftgate.service.console._memo import BRIEF, LATE
from driftgate.service.console._page import PAGES, Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Incomplete
from driftgate.service.console._words import language_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser lets pages do: load what comes from here, run nothing that stands in them."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LANGUAGE = "driftgate_lang"
_A_YEAR = 365 * 86400
_CSRF = "\x02csrf\x02"
"""Stands in a page that is kept for many readers where each reader's own token belongs; no page has it otherwise."""
_SIGNED = "\x02signed\x02"
"""Stands where a page says who has signed in, for the same reason."""


@dataclass(frozen=True)
class _Made:
    status: int
    body: str


def router(console: Console, access: Access) -> APIRouter:
    """The console's routes.

    Parameters
    ----------
    access : Access
        Says by scope who it is that asks; pages need ``read``, forms ``operate``.
    """
    _render.prepare()
    routes = APIRouter(include_in_schema=False)
    for name in PAGES.names():
        page = PAGES.get(name)
        for kind in ("json", "csv", "html"):  # the suffixes first, which a page's own path would take otherwise
            path = page.path if kind == "html" else f"{page.path if page.path != '/' else '/overview'}.{kind}"
            routes.add_api_route(path, _shown(console, page, kind, access), name=f"{name}.{kind}")
    routes.add_api_route("/static/{name}", _static(access))
    _live.add_routes(routes, console, access)
    if not console.read_only:
        _actions.add_routes(routes, console, access)
    return routes


def _shown(console: Console, page: Page, kind: str, access: Access) -> Callable[..., Any]:
    reads = Depends(access("read"))
    pending: dict[Hashable, asyncio.Task[_Made]] = {}

    async def show(request: Request, who: Identity = reads) -> Response:
        query = dict(request.query_params)
        wanted = query.pop("lang", "")
        language = language_of(wanted, request.cookies.get(_LANGUAGE, ""), request.headers.get("accept-language", ""))
        operates = not console.read_only and "operate" in who.scopes
        who_asks = who.name if page.personal else ""
        asked = Asked(dict(request.path_params), query, operates, language, who_asks)
        key = (page.name, kind, *map(_sorted, (asked.path, query)), operates, language, who_asks)
        path = request.url.path

        def make() -> _Made:
            return _make(console, page, kind, asked, path)

        once = page.unkept in query
        made = await (asyncio.to_thread(make) if once else _kept(console, pending, key, make))
        if kind == "json":
            return Response(made.body, made.status, HEADERS, "application/json")
        if kind == "csv":
            return PlainTextResponse(made.body, made.status, HEADERS, "text/csv")
        token = csrf_token(request)
        out = _render.sign_out(who.name, token, language) if token and who.by == "session" else ""
        body = made.body.replace(_CSRF, f'<input type="hidden" name="{FIELD}" value="{token}">').replace(_SIGNED, out)
        response = HTMLResponse(body, made.status, HEADERS)
        if wanted and wanted == language:
            response.set_cookie(_LANGUAGE, language, max_age=_A_YEAR, httponly=True, samesite="lax", path="/")
        return response

    return show


async def _kept(
    console: Console, pending: dict[Hashable, asyncio.Task[_Made]], key: Hashable, make: Callable[[], _Made]
) -> _Made:
    """A page as it was made a moment ago, else made by one task for everybody who waits for it."""
    fresh: _Made | None = console.pages.peek(key)
    if fresh is not None:
        return fresh
    task = pending.get(key)
    if task is None:
        task = pending[key] = asyncio.ensure_future(asyncio.to_thread(console.pages.get, key, BRIEF, make))
        task.add_done_callback(lambda done: (pending.pop(key, None), done.cancelled() or done.exception()))
    late: _Made | None = console.pages.peek(key, LATE)
    return late if late is not None else await asyncio.shield(task)


def _sorted(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


def _make(console: Console, page: Page, kind: str, asked: Asked, path: str) -> _Made:
    try:
        content = page.load(console, asked)
        _check_query(page, content, asked.query)
        whole = kind == "csv"
        tables = [table.read(asked.query, first=place == 0, whole=whole) for place, table in enumerate(content.tables)]
        if kind == "json":
            return _Made(200, _render.as_json(page, content, tables))
        if kind == "csv":
            wanted = _wanted(tables, asked)
            return _Made(200, _render.as_csv(next(one for one in tables if one.table.name == wanted)))
        return _Made(
            200,
            _render.html(
                page,
                content,
                tables,
                name=console.workspace.name,
                path=path,
                language=asked.language,
                operates=asked.operates,
                read_only=console.read_only,
                csrf=_CSRF,
                signed=_SIGNED,
                query=asked.query,
            ),
        )
    except DriftgateError as problem:
        status = 404 if isinstance(problem, Missing) else 503 if isinstance(problem, Incomplete) else 400
        if kind == "json":
            return _Made(status, json.dumps({"detail": problem.message, "remedy": problem.remedy}))
        if kind == "csv":
            return _Made(status, f"{problem}\n")
        return _Made(
            status,
            _render.problem(
                status, problem.message, problem.remedy, name=console.workspace.name, language=asked.language
            ),
        )


def _check_query(page: Page, content: Content, query: Mapping[str, str]) -> None:
    """See that everything that an address asks is read, as what is misspelt narrows nothing."""
    known = {"table", *page.query}
    for place, table in enumerate(content.tables):
        known |= table.parameters(first=place == 0)
    for name in query:
        if name not in known:
            raise DriftgateError(f"the page '{page.name}' reads no '{cut(name)}'", nearest(name, known))


def _wanted(tables: Any, asked: Asked) -> str:
    """Which table a CSV file is of: the page's first, or the one that the address names."""
    known = [one.table.name for one in tables]
    name = asked.query.get("table") or (known[0] if known else "")
    if name not in known:
        raise Missing(f"the page has no table '{name}'", f"its tables are: {', '.join(known) or 'none'}")
    return name


def _static(access: Access) -> Callable[..., Any]:
    reads = Depends(access("read"))

    async def show(name: str, who: Identity = reads) -> Response:
        if name not in _render.STATIC:
            return PlainTextResponse("there is no such file\n", 404)
        headers = dict(HEADERS) | {"Cache-Control": "private, max-age=86400"}
        return Response(_render.static(name)[0], 200, headers, _render.STATIC[name])

    return show
