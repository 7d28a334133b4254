"""Receivers of notifications on the loopback interface: a mail server, and desks that are Slack, Teams and others."""

from __future__ import annotations

import hashlib
import hmac
import socketserver
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiohttp import web
from loopback_net import Received

SECRET = "a-secret-that-both-have"


class MailServer:
    """An SMTP server that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refuses = False
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def handle(self) -> None:
                self.say("220 loopback")
                while line := self.rfile.readline().decode().strip():
                    word = line.split()[0].upper()
                    if word in ("EHLO", "HELO"):
                        self.say("250 loopback")
                    elif word == "MAIL" and outer.refuses:
                        self.say("451 try again later")
                    elif word == "DATA":
                        self.say("354 go on")
                        lines = iter(self.rfile.readline, b".\r\n")
                        outer.mails.append(message_from_bytes(b"".join(lines), policy=default))
                        self.say("250 taken")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> MailServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """How apprise is told of it."""
        return f"mailto://127.0.0.1:{self.port}?mode=insecure&from=driftgate@example.com&to=ops@example.com"


@dataclass
class Desk:
    """Takes whatever is posted, and keeps it; as a service it answers what ``status`` says."""

    status: int = 200
    taken: list[Received] = field(default_factory=list)
    answer: Any = "ok"
    refuses: str = ""
    """What it does not take a message with, whatever its status is."""

    async def __call__(self, request: Received) -> web.Response:
        if self.refuses and self.refuses in request.body.decode():
            return web.Response(status=400, text="not such a one")
        if self.status == 200:
            self.taken.append(request)
        return web.Response(status=self.status, text=str(self.answer))


def verified(request: Received, secret: str = SECRET) -> bool:
    """What the documentation says a receiver does."""
    timestamp = request.headers["x-driftgate-timestamp"]
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(timestamp)) <= 300
    return fresh and hmac.compare_digest(request.headers["x-driftgate-signature"], f"v1={signed}")
