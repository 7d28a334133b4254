"""Connections that hold a place and ask nothing are closed.

uvicorn closes a connection that is idle after an answer. It does not close one that never asks, sends its request byte
by byte, or does not read its answer: each of these is given a time here, which more bytes do not prolong.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from driftgate.monitor.exposure import Limits

_PIECE = 64 * 1024
_MOMENTS = itertools.count(1)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn with a time for the head of a request, for its body and for the reading of the answer."""

    limits: ClassVar[Limits] = Limits()
    _deadline: asyncio.TimerHandle | None = None
    _of: Any = None
    """What the deadline is for: a state of h11's peer, or nothing."""
    _stalled: asyncio.TimerHandle | None = None
    _quiet_since = 0
    """Which moment it was, counted: a loop's clock stands still for what comes at once."""
    _since = 0
    """Bytes that came since the deadline was set."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection its time, and a place of one that is idle longest where there is none left."""
        super().connection_made(transport)
        self._quiet_since = next(_MOMENTS)
        self._watch(begun=True)
        if len(self.connections) > self.limits.connections:
            every = [one for one in self.connections if isinstance(one, BoundedProtocol) and one._is_idle()]
            min(every, key=lambda one: one._quiet_since, default=self)._drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget its times."""
        self._cancel()
        self._cancel_stalled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; that something came gives no more time, but for every 64 KiB of a body."""
        super().data_received(data)
        self._since += len(data)
        if self._since >= _PIECE and self._of is h11.SEND_BODY:
            self._cancel()  # a large body that does come
        self._watch(begun=True)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._quiet_since = next(_MOMENTS)
        super().on_response_complete()
        self._watch(begun=bool(self.conn.trailing_data[0]))

    def pause_writing(self) -> None:
        """The peer does not read: it is given as long as for a body."""
        super().pause_writing()
        self._cancel_stalled()
        self._stalled = self.loop.call_later(self.limits.body_seconds, self._drop)

    def resume_writing(self) -> None:
        """The peer reads."""
        self._cancel_stalled()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle after an answer, also where its peer has not read it whole."""
        self._drop()

    def _watch(self, *, begun: bool) -> None:
        """Set the deadline for what the peer is to send next; one that runs for the same thing runs on."""
        state: Any = self.conn.their_state
        if state is h11.IDLE and begun:
            seconds = self.limits.header_seconds
        elif state is h11.SEND_BODY:
            seconds = self.limits.body_seconds
        else:
            self._cancel()
            return
        if self._deadline is None or self._of is not state:
            self._cancel()
            self._of, self._since = state, 0
            self._deadline = self.loop.call_later(seconds, self._drop)

    def _is_idle(self) -> bool:
        answering = self.cycle is not None and not self.cycle.response_complete
        return not answering and cast(Any, self.conn.their_state) is not h11.SEND_BODY

    def _drop(self) -> None:
        """Close it at once: a peer that does not read would keep a polite end waiting."""
        self.connections.discard(self)  # now and not when it is closed: of many new ones, each is to find another
        self.transport.abort()

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cancel_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol with a workspace's own limits."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
