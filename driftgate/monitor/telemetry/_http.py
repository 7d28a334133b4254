"""The OTLP/HTTP receiver, to be mounted by the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._otlp import (
    JSON,
    MAX_BYTES,
    PROTOBUF,
    Refused,
    decode,
    encode_reply,
    encode_status,
    encoding_of,
)
from driftgate.monitor.telemetry._store import Busy, Store

log = logging.getLogger(__name__)

_RETRY_AFTER = {"Retry-After": "1"}
_RESOURCE_EXHAUSTED, _UNAVAILABLE = 8, 14  # of google.rpc.Code


def router(
    store: Store, authorise: Callable[..., Any], intake: Intake | None = None, max_bytes: int = MAX_BYTES
) -> APIRouter:
    """Make the route ``POST /v1/traces``, which acknowledges spans once they are on the disk.

    Parameters
    ----------
    store : Store
        Takes the model calls; other spans are let go.
    authorise : callable
        A FastAPI dependency that raises ``HTTPException`` for a stranger; it guards every route.
    intake : Intake, optional
        What to do with content.
    max_bytes : int
        The most a request may have, compressed or not.

    Notes
    -----
    Malformed is 400, too large 413, an unknown encoding 415, each with a ``google.rpc.Status``. An overload or a full
    disk is 503 with ``Retry-After``: OTLP allows 429 too, but the stock Python exporter gives up on it.
    """
    api = APIRouter(dependencies=[Depends(authorise)], tags=["telemetry"])

    @api.post("/v1/traces", summary="Take spans (OTLP/HTTP)")
    async def traces(request: Request) -> Response:
        encoding = JSON
        try:
            encoding = encoding_of(request.headers.get("content-type", PROTOBUF))
            body = await _body(request, max_bytes)
            compression = request.headers.get("content-encoding", "")
            decoded = await run_in_threadpool(decode, body, encoding, compression, intake, max_bytes)
            await asyncio.wrap_future(store.submit(decoded.calls))
        except Refused as problem:
            return _status(encoding, problem.status, problem.code, str(problem))
        except Busy as problem:
            return _status(encoding, 503, _RESOURCE_EXHAUSTED, str(problem), _RETRY_AFTER)
        except DriftgateError:  # logged where it arose; a stranger to this machine need not read its paths
            return _status(encoding, 503, _UNAVAILABLE, "the telemetry store cannot take spans now", _RETRY_AFTER)
        return Response(encode_reply(encoding, decoded.rejected), media_type=encoding)

    return api


async def _body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise Refused(413, f"the request has more than {max_bytes} bytes; send smaller batches")
    return bytes(body)


def _status(encoding: str, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(encode_status(encoding, code, message), status, headers, encoding)
