"""Messages that wait to be taken by a channel, what became of each, and who sends them."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, create_tables, insert_new
from driftgate.monitor.incidents import Happening
from driftgate.monitor.incidents._store import reading
from driftgate.monitor.incidents._tables import happenings, incidents
from driftgate.monitor.notifications._config import NotificationsConfig
from driftgate.monitor.notifications._message import Message, message_of
from driftgate.monitor.notifications._tables import due, messages, metadata, senders, superseded

LEASE = 90.0
"""Seconds after which another process sends, where the one that does was killed; longer than a try may take."""
_MOST = 20
"""Events of a message."""
_FIRST, _LAST = timedelta(seconds=1), timedelta(hours=1)
"""From how long to how long a message waits for its next try."""
_LATE = timedelta(hours=2)
"""After that long somebody should have tried; what comes together is gathered for an hour at most."""


@dataclass(frozen=True)
class ChannelStatus:
    """How a channel does."""

    channel: str
    waiting: int = 0
    """Messages that it has not taken yet."""
    given_up: int = 0
    """Messages that it did not take until they were given up."""
    superseded: int = 0
    """Messages that it did not take until it took a newer one of the same incidents; they are not sent any more."""
    refused: int = 0
    """Of those that wait, how many it was offered and did not take."""
    oldest_at: datetime | None = None
    """Since when the oldest waits of what is to be told by it."""
    failure: str = ""
    """Why the newest failed try failed."""
    failed_at: datetime | None = None
    sent_at: datetime | None = None
    """When it last took a message."""

    @property
    def fails(self) -> bool:
        """Whether its newest try failed."""
        return self.failed_at is not None and (self.sent_at is None or self.sent_at < self.failed_at)

    def trouble(self, now: datetime) -> str:
        """Why somebody is not told by it of what they should be; empty where all that is known of it is well.

        Examples
        --------
        >>> from datetime import UTC
        >>> now = datetime(2026, 11, 27, 12, tzinfo=UTC)
        >>> ChannelStatus("hook", 2, failure="HTTP 500", failed_at=now).trouble(now)
        'fails, 2 messages wait: HTTP 500'
        >>> ChannelStatus("hook", 1, oldest_at=now - timedelta(hours=3)).trouble(now)
        '1 message waits since 2026-11-27 09:00 UTC and nothing sends it: run driftgate serve'
        >>> ChannelStatus("hook", 1, oldest_at=now, sent_at=now).trouble(now)
        ''
        """
        waits = f"{self.waiting} {'message waits' if self.waiting == 1 else 'messages wait'}"
        if self.fails:
            return f"fails, {waits}: {self.failure}"
        if self.refused:
            return f"takes some messages and {self.refused} of them not: {self.failure}"
        if self.oldest_at is not None and now - self.oldest_at > _LATE:
            return f"{waits} since {self.oldest_at:%Y-%m-%d %H:%M} UTC and nothing sends it: run driftgate serve"
        return ""


def gather(ledger: Ledger, workspace: str, config: NotificationsConfig, now: datetime, *, flush: bool) -> None:
    """Put what is to be told into messages, of a channel what came within ``group_seconds`` into one.

    Parameters
    ----------
    flush : bool
        Do not wait for more to come.
    """
    before = now - timedelta(seconds=0 if flush else config.group_seconds)
    with ledger.write() as connection:
        # A write takes SQLite's lock, so that what is read next is what stands.
        connection.execute(update(due).where(due.c.message == "").values(message=None))
        ripe = select(due.c.channel).where(due.c.message.is_(None), due.c.at <= before).distinct()
        waiting = (
            select(due.c.id, due.c.event, due.c.channel)
            .where(due.c.message.is_(None), due.c.channel.in_(ripe))
            .order_by(due.c.channel, due.c.event)
        )
        for channel, rows in groupby(connection.execute(waiting).all(), key=lambda row: row.channel):
            of_channel = list(rows)
            for start in range(0, len(of_channel), _MOST):
                some = of_channel[start : start + _MOST]
                _put(connection, workspace, channel, [row.event for row in some], [row.id for row in some], now)


def _put(
    connection: Connection, workspace: str, channel: str, events: Sequence[int], rows: Sequence[int], now: datetime
) -> None:
    found = connection.execute(select(happenings).where(happenings.c.id.in_(events)).order_by(happenings.c.id)).all()
    told_of = {one.id: one for one in reading(connection, incidents.c.id.in_({row.incident for row in found}))}
    pairs = [(Happening(**row._mapping), told_of[row.incident]) for row in found]
    message = message_of(secrets.token_hex(16), workspace, pairs)
    connection.execute(insert(messages).values(**_made(channel, message, now), attempts=0, failure=""))
    connection.execute(update(due).where(due.c.id.in_(rows)).values(message=message.key))


def _made(channel: str, message: Message, now: datetime) -> dict[str, object]:
    return {"key": message.key, "channel": channel, "message": asdict(message), "made_at": now, "next_at": now}


def put_tried(ledger: Ledger, channel: str, message: Message, now: datetime, failure: str) -> None:
    """Keep a message that was tried once, by whoever made it, and is not tried again.

    It is kept no sooner, as whoever sends would send it too.

    Parameters
    ----------
    failure : str
        Why the channel did not take it; empty where it did, and then what it did not take before is tried at once.
    """
    ended = {"failed_at": now, "given_up_at": now} if failure else {"sent_at": now}
    with ledger.write() as connection:
        connection.execute(
            insert(messages).values(**_made(channel, message, now), **ended, attempts=1, failure=_kept(failure))
        )
        if not failure:
            _try_others(connection, channel, now)


@dataclass(frozen=True)
class Waits:
    """A message that its channel has not taken yet."""

    channel: str
    message: Message
    attempts: int
    due: bool
    """Whether its next try is."""


def waiting(ledger: Ledger, now: datetime) -> list[Waits]:
    """The messages that wait, in the order of what they tell of, whatever a clock said."""
    began = select(due.c.message, func.min(due.c.event).label("event")).group_by(due.c.message).subquery()
    query = (
        select(messages.c.channel, messages.c.message, messages.c.attempts, messages.c.next_at)
        .join_from(messages, began, began.c.message == messages.c.key, isouter=True)
        .where(_unsent)
        .order_by(began.c.event, messages.c.made_at, messages.c.key)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [Waits(row.channel, Message(**row.message), row.attempts, row.next_at <= now) for row in rows]


def next_try(ledger: Ledger) -> datetime | None:
    """When the next message is due; None where none waits."""
    with ledger.read() as connection:
        found: datetime | None = connection.execute(select(func.min(messages.c.next_at)).where(_unsent)).scalar_one()
    return found


def mark_sent(ledger: Ledger, key: str, now: datetime) -> None:
    """Note that a channel took a message; what it did not take before is tried at once, as it is there again."""
    here = messages.c.key == key
    with ledger.write() as connection:
        connection.execute(update(messages).where(here).values(sent_at=now))
        _try_others(connection, connection.execute(select(messages.c.channel).where(here)).scalar_one(), now)


def _try_others(connection: Connection, channel: str, now: datetime) -> None:
    others = and_(messages.c.channel == channel, _unsent, messages.c.next_at > now)
    connection.execute(update(messages).where(others).values(next_at=now))


def _kept(failure: str) -> str:
    """Why a channel did not take a message, as it is kept."""
    return told(failure)[:1000]


def supersede(ledger: Ledger, old: Message, new: Message, now: datetime) -> None:
    """Send a message never again, as its channel took a newer one of the same incidents; what else it tells is kept.

    Sent later, it would say last what was true first.
    """
    with ledger.write() as connection:
        insert_new(connection, superseded, [{"key": old.key, "by": new.key, "at": now}])
        connection.execute(update(messages).where(messages.c.key == old.key).values(given_up_at=now))
        rest = and_(due.c.message == old.key, due.c.incident.not_in(new.incidents))
        connection.execute(update(due).where(rest).values(message=None))


def mark_failed(ledger: Ledger, key: str, why: str, now: datetime, give_up: timedelta) -> datetime:
    """Note why a channel did not take a message; returns when it is tried again: later each time, at most an hour."""
    here = messages.c.key == key
    with ledger.write() as connection:
        connection.execute(update(messages).where(here).values(attempts=messages.c.attempts + 1))
        row = connection.execute(select(messages.c.attempts, messages.c.made_at).where(here)).one()
        wait = min(_FIRST * 2 ** min(row.attempts - 1, 12), _LAST)
        over = now + wait - row.made_at > give_up
        values = {"failure": _kept(why), "failed_at": now, "next_at": now + wait}
        connection.execute(update(messages).where(here).values(**values, given_up_at=now if over else None))
    again: datetime = now + wait
    return again


def postpone(ledger: Ledger, channel: str, until: datetime) -> None:
    """Try a channel's other messages no sooner than a moment."""
    here = and_(messages.c.channel == channel, _unsent, messages.c.next_at < until)
    with ledger.write() as connection:
        connection.execute(update(messages).where(here).values(next_at=until))


def statuses(ledger: Ledger) -> list[ChannelStatus]:
    """How each channel does that ever had a message."""
    create_tables(ledger, metadata)
    query = select(
        messages.c.channel,
        func.count().filter(_unsent).label("waiting"),
        func.count().filter(_unsent, messages.c.attempts > 0).label("refused"),
        func.min(messages.c.made_at).filter(_unsent).label("oldest_at"),
        (func.count(messages.c.given_up_at) - func.count(superseded.c.key)).label("given_up"),
        func.count(superseded.c.key).label("superseded"),
        func.max(messages.c.failed_at).label("failed_at"),
        func.max(messages.c.sent_at).label("sent_at"),
    ).join_from(messages, superseded, superseded.c.key == messages.c.key, isouter=True)
    with ledger.read() as connection:
        rows = connection.execute(query.group_by(messages.c.channel).order_by(messages.c.channel)).all()
        failures = {row.channel: _newest_failure(connection, row.channel) for row in rows if row.failed_at is not None}
        loose = select(due.c.channel, func.min(due.c.at).label("at"))
        gathered = {row.channel: row for row in connection.execute(loose.where(_loose).group_by(due.c.channel))}
    found = {row.channel: ChannelStatus(failure=failures.get(row.channel, ""), **row._mapping) for row in rows}
    for name, row in gathered.items():  # it will be one more message
        one = found.get(name, ChannelStatus(name))
        oldest = min(filter(None, (one.oldest_at, row.at)))
        found[name] = replace(one, waiting=one.waiting + 1, oldest_at=oldest)
    return [found[name] for name in sorted(found)]


def _newest_failure(connection: Connection, channel: str) -> str:
    query = select(messages.c.failure).where(messages.c.channel == channel, messages.c.failed_at.is_not(None))
    return str(connection.execute(query.order_by(messages.c.failed_at.desc()).limit(1)).scalar_one())


_loose = or_(due.c.message.is_(None), due.c.message == "")
"""What is to be told and in no message yet."""
_unsent = and_(messages.c.sent_at.is_(None), messages.c.given_up_at.is_(None))


@contextmanager
def sender(ledger: Ledger, holder: str, *, keep: bool) -> Iterator[bool]:
    """The right to send, which one process has at a time: two would send everything twice; False: another has it.

    Parameters
    ----------
    keep : bool
        It is kept afterwards, as a process that serves does, and not given back.
    """
    taken = renew(ledger, holder)
    try:
        yield taken
    finally:
        if taken and not keep:
            release(ledger, holder)


def own_name() -> str:
    """A name for a process that sends."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[:128]


def renew(ledger: Ledger, holder: str) -> bool:
    """Take the right to send, or keep it for a while longer; False where another process has it."""
    now = time.time()
    free = or_(senders.c.holder == holder, senders.c.expires < now, senders.c.expires > now + 2 * LEASE)
    with ledger.write() as connection:
        insert_new(connection, senders, [{"name": "sender", "holder": "", "expires": 0.0}])
        return connection.execute(update(senders).where(free).values(holder=holder, expires=now + LEASE)).rowcount == 1


def release(ledger: Ledger, holder: str) -> None:
    """Give the right to send back; whoever never had it may have been stopped before anything was to be told."""
    create_tables(ledger, metadata)
    with ledger.write() as connection:
        connection.execute(update(senders).where(senders.c.holder == holder).values(expires=0.0))
