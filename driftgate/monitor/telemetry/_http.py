"""The OTLP/HTTP receiver, to be mounted by the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._otlp import (
    JSON,
    MAX_BYTES,
    PROTOBUF,
    Decoded,
    Refused,
    decode,
    decode_logs,
    encode_reply,
    encode_status,
    encoding_of,
    room_for,
)
from driftgate.monitor.telemetry._room import Full, Room
from driftgate.monitor.telemetry._store import Busy, Store

log = logging.getLogger(__name__)

_RETRY_AFTER = {"Retry-After": "1"}
_RESOURCE_EXHAUSTED, _UNAVAILABLE = 8, 14  # of google.rpc.Code
_BODY = {
    "requestBody": {
        "required": True,
        "content": {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}, JSON: {"schema": {"type": "object"}}},
    }
}
_STATUS: dict[str, Any] = {PROTOBUF: {}, JSON: {"schema": {"type": "object", "title": "google.rpc.Status"}}}
_REPLIES: dict[int | str, dict[str, Any]] = {
    200: {"description": "It is on the disk, but for what partialSuccess says.", "content": {PROTOBUF: {}, JSON: {}}},
    400: {"description": "It cannot be read.", "content": _STATUS},
    413: {"description": "It is too large.", "content": _STATUS},
    415: {"description": "It is in another encoding.", "content": _STATUS},
    503: {"description": "It cannot be taken now; send it again.", "content": _STATUS},
}
_WAITING = 4
"""How many bodies of the largest size may be in memory and wait to be decoded."""

Decode = Callable[[bytes, str, str, Intake | None, int], Decoded]


def router(
    store: Store,
    authorise: Callable[..., Any],
    intake: Intake | None = None,
    max_bytes: int = MAX_BYTES,
    count: Callable[[int, Mapping[Any, int]], None] = lambda calls, left: None,
) -> APIRouter:
    """Make the routes ``POST /v1/traces`` and ``/v1/logs``, which acknowledge what they take once it is on the disk.

    Parameters
    ----------
    store : Store
        Takes the model calls, what log records tell of them, and counts by reason of all else.
    authorise : callable
        A FastAPI dependency that raises ``HTTPException`` for a stranger; it guards every route.
    intake : Intake, optional
        What to do with content, and which times to believe.
    max_bytes : int
        The most a request may have, compressed or not.
    count : callable
        Is told how many calls of a request were taken, and what else it brought, by reason.

    Notes
    -----
    Malformed is 400, too large 413, an unknown encoding 415, each with a ``google.rpc.Status``. An overload or a full
    disk is 503 with ``Retry-After``: OTLP allows 429 too, but the stock Python exporter gives up on it.
    """
    api = APIRouter(dependencies=[Depends(authorise)], tags=["telemetry"])
    room = Room(max_bytes, _WAITING * max_bytes)

    async def receive(request: Request, decoder: Decode, of: str) -> Response:
        encoding, body = JSON, bytearray()
        try:
            encoding = encoding_of(request.headers.get("content-type", ""))
            await _read(request, body, max_bytes, room)
            compression = request.headers.get("content-encoding", "")
            async with room.take(room_for(body, compression, max_bytes)):
                decoded = await run_in_threadpool(decoder, bytes(body), encoding, compression, intake, max_bytes)
                await asyncio.wrap_future(store.submit([*decoded.calls, *decoded.steps]))
            store.note(decoded.left)
            count(len(decoded.calls), decoded.left)
        except Refused as problem:
            return _status(encoding, problem.status, problem.code, str(problem))
        except (Busy, Full):
            busy = "more telemetry waits to be taken than may; send it again"
            return _status(encoding, 503, _RESOURCE_EXHAUSTED, busy, _RETRY_AFTER)
        except DriftgateError:  # logged where it arose; a stranger to this machine need not read its paths
            return _status(encoding, 503, _UNAVAILABLE, "the telemetry store cannot take it now", _RETRY_AFTER)
        finally:
            room.release(len(body))
        return Response(encode_reply(encoding, decoded.left, of), media_type=encoding)

    @api.post(
        "/v1/traces", summary="Take spans (OTLP/HTTP)", openapi_extra=_BODY, responses=_REPLIES, response_class=Response
    )
    async def traces(request: Request) -> Response:
        return await receive(request, decode, "spans")

    @api.post(
        "/v1/logs",
        summary="Take log records (OTLP/HTTP)",
        openapi_extra=_BODY,
        responses=_REPLIES,
        response_class=Response,
    )
    async def logs(request: Request) -> Response:
        return await receive(request, decode_logs, "logs")

    return api


async def _read(request: Request, body: bytearray, max_bytes: int, room: Room) -> None:
    async for chunk in request.stream():
        if len(body) + len(chunk) > max_bytes:
            raise Refused(413, f"the request has more than {max_bytes} bytes; send smaller batches")
        room.hold(len(chunk))
        body += chunk


def _status(encoding: str, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(encode_status(encoding, code, message), status, headers, encoding)
