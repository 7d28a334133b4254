"""A small internet on the loopback interface: real host names over TLS, every request recorded, faults on demand.

The clients under test are told of a proxy (``HTTPS_PROXY``) that leads every host this net serves to one TLS server
and refuses all others. So the addresses are the real ones (``management.azure.com``), no byte leaves the machine,
and a request to a host that nobody serves is on record in :attr:`LoopbackNet.refused`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at: float
    """Monotonic time of arrival, seconds."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Status:
    """Any HTTP reply in place of the service's own; the request has no effect."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before the service sees the request."""


@dataclass(frozen=True)
class LostReply:
    """The service acts on the request; the connection is reset before the reply."""


@dataclass(frozen=True)
class Stall:
    """The service acts on the request; the reply never comes."""


Fault = Status | Reset | LostReply | Stall
Service = Callable[[Received], Awaitable[web.Response]]


def throttled(seconds: int = 0) -> Status:
    """HTTP 429 that asks the client to wait."""
    return Status(429, {"error": {"code": "TooManyRequests", "message": "slow down"}}, {"Retry-After": str(seconds)})


class LoopbackNet:
    """The net; it serves from :meth:`start` to :meth:`stop` in a thread of its own."""

    def __init__(self, folder: Path, services: Mapping[str, Service]) -> None:
        self.services = services
        """What answers, by host name; ``*.example.net`` stands for one label before ``.example.net``."""
        self.requests: list[Received] = []
        self.refused: list[str] = []
        """Hosts that were asked for and that nobody serves here."""
        self.certificate = folder / "loopback.pem"
        self._faults: list[tuple[str, str, list[Fault]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tls_port = 0
        self._proxy_port = 0
        self._runner: web.AppRunner | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a program's requests here."""
        proxy = f"http://127.0.0.1:{self._proxy_port}"
        trusted = str(self.certificate)
        proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy)
        return {
            **proxies,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": trusted,
            "SSL_CERT_FILE": trusted,
        }

    def fail(self, method: str, part: str, *faults: Fault) -> None:
        """Meet the next requests of ``method`` whose path holds ``part`` with ``faults``, one after the other."""
        self._faults.append((method, part, list(faults)))

    def forget_faults(self) -> None:
        """From now on nothing fails."""
        self._faults.clear()

    def sent(self, method: str, part: str) -> list[Received]:
        """Requests of ``method`` whose path holds ``part``, in order."""
        return [one for one in list(self.requests) if one.method == method and part in one.path]

    def wait_for(self, method: str, part: str, seconds: float = 30) -> None:
        """Block until such a request has arrived."""
        deadline = time.monotonic() + seconds
        while not self.sent(method, part):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {method} {part} within {seconds} s")
            time.sleep(0.02)

    def start(self) -> None:
        """Listen on free ports."""
        _write_certificate(self.certificate, list(self.services))
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Stop listening and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context, shutdown_timeout=0.1).start()
        self._tls_port = self._runner.addresses[0][1]
        self._proxy = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._proxy_port = self._proxy.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._proxy.close()
        if self._runner:
            await self._runner.cleanup()
        tunnels = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tunnels:
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            method, target, *_ = (await reader.readuntil(b"\r\n\r\n")).decode().split()
            host = target.partition(":")[0] if method == "CONNECT" else target
            if method != "CONNECT" or self._service(host) is None:
                self.refused.append(host)
                writer.write(b"HTTP/1.1 403 not on loopback\r\nContent-Length: 0\r\n\r\n")
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._tls_port)
            writer.write(b"HTTP/1.1 200 connected\r\n\r\n")
            await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            pass  # the client went away, or the net was stopped
        finally:
            writer.close()

    def _service(self, host: str) -> Service | None:
        return self.services.get(host) or self.services.get("*." + host.partition(".")[2])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        received = Received(request.method, host, request.path, dict(request.query), headers, body, time.monotonic())
        fault = self._next_fault(received)
        if isinstance(fault, Status):
            self.requests.append(received)
            return web.json_response(fault.body, status=fault.code, headers=fault.headers)
        service = self._service(host)
        assert service is not None and request.transport is not None
        response = web.Response() if isinstance(fault, Reset) else await service(received)
        self.requests.append(received)  # recorded after its effect, so that who waits for the record finds the effect
        if isinstance(fault, Stall):
            await asyncio.Event().wait()
        if fault is not None:
            request.transport.abort()
        return response

    def _next_fault(self, received: Received) -> Fault | None:
        for method, part, faults in self._faults:
            if faults and method == received.method and part in received.path:
                return faults.pop(0)
        return None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _write_certificate(path: Path, hosts: list[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "driftgate loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
