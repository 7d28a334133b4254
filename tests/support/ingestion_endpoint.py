"""Application Insights' ingestion endpoint on the loopback interface, with faults in the order a test asks for.

It speaks what Azure Monitor's exporter speaks: ``POST /v2.1/track`` with a JSON array of envelopes, answered by counts
and by errors that name envelopes by their position.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "11111111-2222-3333-4444-555555555555"

Envelope = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """Refuse a whole request."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reset:
    """Take the request, then lose the connection before the answer."""


@dataclass(frozen=True)
class LostAnswer:
    """Accept the request, then do something and lose the connection before the answer."""

    then: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Partly:
    """Answer 206: some envelopes are refused, by their position, with a status each."""

    errors: dict[int, int]


@dataclass(frozen=True)
class Silent:
    """Answer 200 and acknowledge nothing."""


Fault = Status | Reset | LostAnswer | Partly | Silent


class IngestionEndpoint:
    """The endpoint; ``start`` and ``stop`` it as often as wanted, it keeps its port."""

    def __init__(self) -> None:
        self.requests: list[list[Envelope]] = []
        """Every request's envelopes, refused ones too."""
        self.accepted: list[Envelope] = []
        """The envelopes that were ingested, in their order."""
        self.faults: deque[Fault] = deque()
        """What to do with the next requests; then all is well again."""
        self.invalid: Callable[[Envelope], bool] = lambda envelope: False
        """Which envelopes are invalid."""
        self.names_invalid = True
        """Whether the answer says which ones; otherwise the request is refused as a whole."""
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def connection_string(self) -> str:
        """As the portal shows it."""
        return f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes: the second would wait for 40 ms

            def do_POST(self) -> None:
                assert self.path == "/v2.1/track", self.path
                envelopes = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint._answer(self, envelopes)

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, handler: BaseHTTPRequestHandler, envelopes: list[Envelope]) -> None:
        self.requests.append(envelopes)
        match self.faults.popleft() if self.faults else None:
            case Status(code, headers):
                _reply(handler, code, {}, headers)
            case Reset():
                _reset(handler)
            case LostAnswer(then):
                self.accepted += envelopes
                then()
                _reset(handler)
            case Silent():
                _reply(handler, 200, {"itemsReceived": len(envelopes), "itemsAccepted": 0, "errors": []})
            case Partly(errors):
                self._ingest(handler, envelopes, errors)
            case None:
                bad = {i: 400 for i, envelope in enumerate(envelopes) if self.invalid(envelope)}
                if bad and not self.names_invalid:
                    _reply(handler, 400, {})
                else:
                    self._ingest(handler, envelopes, bad)

    def _ingest(self, handler: BaseHTTPRequestHandler, envelopes: list[Envelope], errors: dict[int, int]) -> None:
        self.accepted += [envelope for i, envelope in enumerate(envelopes) if i not in errors]
        taken = len(envelopes) - len(errors)
        said = [{"index": i, "statusCode": code, "message": "103: Field 'x'"} for i, code in errors.items()]
        status = 200 if not errors else 206 if taken else 400
        _reply(handler, status, {"itemsReceived": len(envelopes), "itemsAccepted": taken, "errors": said})

    # What was ingested, as the tables of the workspace show it.

    def of(self, base_type: str) -> list[Envelope]:
        """Accepted envelopes of a type, such as ``EventData``."""
        return [e for e in self.accepted if e["data"]["baseType"] == base_type]

    def once(self, base_types: Iterable[str] = ("EventData", "RequestData", "RemoteDependencyData")) -> list[str]:
        """Keys of the accepted envelopes, each one once, as the workbook's queries read them."""
        types = set(base_types)
        kept = [e for e in self.accepted if e["data"]["baseType"] in types]
        return sorted({properties(e)["driftgate.key"] for e in kept})


def properties(envelope: Envelope) -> dict[str, str]:
    """An envelope's custom dimensions."""
    found: dict[str, str] = envelope["data"]["baseData"].get("properties") or {}
    return found


def _reply(
    handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    content = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
