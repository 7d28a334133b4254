"""The server's process: it ends within ten seconds of being asked to, whatever is still under way."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from driftgate.monitor.config import ServiceConfig

_CONNECTIONS_SECONDS = 1
"""For replies under way."""
_LONGEST = 9.5
"""A thread may wait for a source of telemetry or a database for minutes. What it does can be cut off at any moment."""


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        timer = threading.Timer(_LONGEST, os._exit, [128 + sig])
        timer.daemon = True
        timer.start()
        super().handle_exit(sig, frame)


def serve_until_stopped(app: FastAPI, service: ServiceConfig, folder: Path) -> None:
    """Serve until a signal asks to end."""
    config = uvicorn.Config(
        app,
        host=service.host,
        port=service.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_CONNECTIONS_SECONDS,
    )
    _Server(config).run()
