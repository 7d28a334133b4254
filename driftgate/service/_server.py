"""The server's process: its address, TLS, whose forwarding headers are believed, and how long anything may take.

It ends within ten seconds of being asked to, whatever is still under way.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import readable_by_others
from driftgate.monitor.config import ServiceConfig
from driftgate.service.access._connections import bounded

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

_HEAD_BYTES = 32 * 1024
_BACKLOG = 2048
_CONNECTIONS_SECONDS = 1
"""For answers that are under way when the service is stopped; streams are cut."""
_LONGEST = 9.5
"""A thread may wait for a source of telemetry or a database for minutes. What it does can be cut off at any moment."""
_SPARE_FILES = 256
"""Descriptors for what is no connection: the ledger, the telemetry, children."""


@contextmanager
def listening(service: ServiceConfig) -> Iterator[Sequence[socket.socket]]:
    """The sockets of the service's address, before anything else is begun: a second service finds out at once.

    Raises
    ------
    DriftgateError
        The port is taken, or the address is none of this machine.
    """
    with ExitStack() as opened:
        try:
            found = socket.getaddrinfo(service.host, service.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets = [
                opened.enter_context(
                    socket.create_server((str(address[0]), int(address[1])), family=family, backlog=_BACKLOG)
                )
                for family, address in dict.fromkeys((family, address) for family, *_, address in found)
            ]
        except OSError as problem:
            raise _cannot_listen(service, problem) from problem
        yield sockets


def serve_until_stopped(
    app: FastAPI,
    service: ServiceConfig,
    folder: Path,
    sockets: Sequence[socket.socket],
    *,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal asks to end.

    Parameters
    ----------
    started : callable
        Called when it listens.

    Raises
    ------
    DriftgateError
        The certificate or its key cannot be used, or something of the service did not start.
    """
    _Server(_config(app, service, folder), started).run(sockets=list(sockets))


def _config(app: FastAPI, service: ServiceConfig, folder: Path) -> uvicorn.Config:
    files = (folder / service.tls_cert, folder / service.tls_key) if service.tls_cert and service.tls_key else None
    if files is not None:
        check_tls(*files)
    _allow_files(service.limits.connections + _SPARE_FILES)
    return uvicorn.Config(
        app,
        host=service.host,
        port=service.port,
        http=bounded(service.limits),
        ws="none",
        loop="auto" if files is None else "asyncio",  # only its loop can be told of handshakes
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(service.proxies),
        forwarded_allow_ips=list(service.proxies),
        timeout_keep_alive=max(1, round(service.limits.idle_seconds)),
        timeout_graceful_shutdown=_CONNECTIONS_SECONDS,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_certfile=None if files is None else str(files[0]),
        ssl_keyfile=None if files is None else str(files[1]),
    )


def _cannot_listen(service: ServiceConfig, problem: OSError) -> DriftgateError:
    where = f"{service.host} port {service.port}"
    if problem.errno == errno.EADDRINUSE:
        return DriftgateError(
            f"port {service.port} of {service.host} is taken: another process listens there, maybe driftgate serve",
            "end that one, or set service.port to another port in driftgate.yaml",
        )
    told = problem.strerror or str(problem)
    return DriftgateError(f"{where} cannot be listened on: {told}", "set service.host and service.port to others")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = started

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        timer = threading.Timer(_LONGEST, os._exit, [128 + sig])
        timer.daemon = True
        timer.start()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; a handshake has as long as the head of a request."""
        if self.config.is_ssl:
            loop = asyncio.get_running_loop()
            seconds = self.config.http_protocol_class.limits.header_seconds  # type: ignore[attr-defined]
            loop.create_server = functools.partial(  # type: ignore[method-assign]
                loop.create_server, ssl_handshake_timeout=seconds, ssl_shutdown_timeout=seconds
            )
        try:
            await super().startup(sockets)
        except SystemExit as ended:  # as uvicorn does it; what was wrong is in the log
            raise DriftgateError("the service did not start", "what is wrong stands above") from ended
        self._when_started()


def check_tls(certificate: Path, key: Path) -> None:
    """See that a certificate and its key can be used, and warn of a key that others can read.

    Raises
    ------
    DriftgateError
        They cannot.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise DriftgateError(
            f"service.tls_cert and service.tls_key cannot be used ({problem.strerror or problem})",
            "name a certificate and its private key, both in PEM form and without a password",
        ) from problem
    if others := readable_by_others(key):
        log.warning("the private key %s can be read by others (%s); chmod 600 it", key, others)


def _allow_files(wanted: int) -> None:
    """Let the process have so many files and connections open, as far as it may."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and (hard == resource.RLIM_INFINITY or hard > soft):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def exposed_in_words(service: ServiceConfig) -> Sequence[str]:
    """What to say at the start of a service that others can reach in a way that they can be read in."""
    local = service.host in ("127.0.0.1", "::1", "localhost")
    if local or service.tls_cert or service.proxies:
        return ()
    return (
        f"it listens on {service.host} without TLS: keys and pages can be read on their way. Set service.tls_cert and "
        "service.tls_key, or, behind a proxy that has TLS, service.proxies",
    )
