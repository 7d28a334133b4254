"""A run under way, told as it goes: server-sent events, read from the ledger, whichever process works on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import StreamingResponse

from driftgate.flows.plain import visible
from driftgate.ledger import RunProgress, progress_of
from driftgate.service._auth import Access
from driftgate.service.console import _numbers
from driftgate.service.console._page import Console, Missing
from driftgate.service.console._runs import run_named
from driftgate.service.console._words import language_of, say

EVERY = 1.0
"""Seconds between two events."""
_LONGEST = timedelta(hours=1)
"""How long one connection is told; a browser then asks anew."""
_MOST = 200
"""Readers who are told at once."""
_watching: set[object] = set()


def add_routes(routes: APIRouter, console: Console, access: Access) -> None:
    """Add the stream of every run."""
    reads = Depends(access("read"))

    async def live(request: Request, run: str) -> StreamingResponse:
        if len(_watching) >= _MOST:
            raise HTTPException(503, "too many watch runs at once", {"Retry-After": "30"})
        try:
            row = await asyncio.to_thread(run_named, console, run)
        except Missing as problem:
            raise HTTPException(404, str(problem)) from problem
        language = language_of(
            "", request.cookies.get("driftgate_lang", ""), request.headers.get("accept-language", "")
        )
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(console, row.id, language), 200, headers, "text/event-stream")

    routes.add_api_route("/runs/{run}/live", live, dependencies=[reads])


async def _events(console: Console, run: str, language: str) -> AsyncIterator[str]:
    ends = datetime.now(UTC) + _LONGEST
    mark = object()
    _watching.add(mark)
    try:
        while datetime.now(UTC) < ends:
            told = await asyncio.to_thread(snapshot, console, run)
            yield f"retry: 3000\ndata: {json.dumps(shown(told, language), ensure_ascii=False)}\n\n"
            if told.status != "running":
                yield "event: end\ndata: {}\n\n"
                return
            await asyncio.sleep(EVERY)
    finally:
        _watching.discard(mark)


def snapshot(console: Console, run: str) -> RunProgress:
    """How a run goes, read once a second for however many look on."""
    return console.memo.get(("live", run), EVERY * 0.9, lambda: progress_of(console.workspace.ledger, run))


def shown(told: RunProgress, language: str) -> dict[str, object]:
    """What the page shows of it, in its own words."""
    return {
        "status": told.status,
        "done": _numbers.number(told.done),
        "wanted": _numbers.number(told.wanted),
        "progress": told.done,
        "rate": _numbers.number(told.rate),
        "left": _numbers.seconds(told.seconds_left),
        "cost": live_cost(told, language),
        "last": _numbers.moment(told.last) or "–",
        "outcomes": live_outcomes(told, language),
        "stalled": told.stalled,
        "errors": [visible(f"{one.sample} · {one.outcome} · {one.error}") for one in told.errors],
    }


def live_cost(told: RunProgress, language: str) -> str:
    """What a run has cost so far; of what is not known it is said that it is not."""
    cost, unknown = sum(cell.cost for cell in told.cells), sum(cell.cost_unknown for cell in told.cells)
    if unknown >= told.done:
        return say("live.cost_unknown", language) if told.done else "–"
    words = _numbers.money(cost)
    return words if not unknown else say("live.cost_partly", language, cost=words, n=_numbers.number(unknown))


def live_outcomes(told: RunProgress, language: str) -> str:
    """How many came of each outcome."""
    counts: dict[str, int] = {}
    for cell in told.cells:
        for name, n in cell.outcomes.items():
            counts[name] = counts.get(name, 0) + n
    return ", ".join(f"{say(f'status.{name}', language)} {n:,}" for name, n in sorted(counts.items())) or "–"
