"""Tell people: route what happened, gather it into messages, and take each to its channel until it was taken.

At least once: a process killed between a channel's answer and the note of it sends the message again, with the same
key. What a channel does not take is tried again, later each time, and holds up neither looks nor other channels.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, create_tables
from driftgate.monitor.notifications._config import NotificationsConfig
from driftgate.monitor.notifications._message import Message, test_message
from driftgate.monitor.notifications._outbox import (
    ChannelStatus,
    Waits,
    gather,
    mark_failed,
    mark_sent,
    next_try,
    own_name,
    postpone,
    put_tried,
    renew,
    sender,
    statuses,
    supersede,
    waiting,
)
from driftgate.monitor.notifications._routing import route
from driftgate.monitor.notifications._tables import metadata
from driftgate.monitor.notifications.channels import CHANNELS, NotDelivered

log = logging.getLogger(__name__)

_PAUSE = 0.05


@dataclass(frozen=True)
class Delivered:
    """What one delivery did."""

    sent: int
    """Messages that channels took."""
    channels: tuple[ChannelStatus, ...]
    """How each channel does."""
    elsewhere: bool = False
    """Another process sends, which served before this one came."""


async def deliver(
    ledger: Ledger,
    workspace: str,
    config: NotificationsConfig,
    *,
    holder: str = "",
    patience: float = 5.0,
) -> Delivered:
    """Tell people what is to be told.

    Parameters
    ----------
    workspace : str
        Its name, which stands in every message.
    holder : str
        Who goes on to send afterwards, as ``driftgate serve`` does, and waits for what comes together; empty: a command
        that sends what it has found and ends.
    patience : float
        Seconds for which a command tries again what a channel did not take; the rest waits for the next one.
    """
    create_tables(ledger, metadata)
    if not config.channels:
        return Delivered(0, ())
    until = datetime.now(UTC) + timedelta(seconds=0.0 if holder else patience)
    sent = 0
    name = holder or own_name()
    with sender(ledger, name, keep=bool(holder)) as mine:
        route(ledger, config, datetime.now(UTC))  # also where another sends: what is kept is not lost with this process
        if not mine:
            return Delivered(0, tuple(statuses(ledger)), elsewhere=True)
        gather(ledger, workspace, config, datetime.now(UTC), flush=not holder)
        while True:
            sent += await _send_all(ledger, config, name)
            following = next_try(ledger)
            if following is None or following > until:
                break
            await asyncio.sleep(max((following - datetime.now(UTC)).total_seconds(), _PAUSE))
    return Delivered(sent, tuple(statuses(ledger)))


async def send_test(ledger: Ledger, workspace: str, config: NotificationsConfig, channel: str) -> None:
    """Send a test by one channel, once; it is kept, so that the channel's status tells of it.

    Raises
    ------
    DriftgateError
        There is no such channel.
    NotDelivered
        It did not take it.
    """
    if channel not in config.channels:
        raise DriftgateError(f"the workspace has no channel '{channel}'", nearest(channel, config.channels))
    create_tables(ledger, metadata)
    message = test_message(token_hex(16), workspace, channel, datetime.now(UTC))
    try:
        await _send(config, channel, message)
    except Exception as raised:
        problem = in_words(raised)
        put_tried(ledger, channel, message, datetime.now(UTC), str(problem))
        raise problem from raised
    put_tried(ledger, channel, message, datetime.now(UTC), "")


async def _send_all(ledger: Ledger, config: NotificationsConfig, holder: str) -> int:
    """Try what is due: channels side by side, the messages of one after the other."""
    found = waiting(ledger, datetime.now(UTC))
    by_channel = {one.channel: [other for other in found if other.channel == one.channel] for one in found if one.due}
    return sum(await asyncio.gather(*(_send_by(ledger, config, holder, of_one) for of_one in by_channel.values())))


async def _send_by(ledger: Ledger, config: NotificationsConfig, holder: str, found: Sequence[Waits]) -> int:
    """Try what is due of one channel, those tried least first, each after the older ones of its incidents.

    Where an older one fails, the newer one is tried all the same: a message that a channel never takes does not hold
    up what comes after it. Where the newer one is taken, the older ones that were not are superseded.
    """
    sent = 0
    done = set[str]()
    for one in sorted((one for one in found if one.due), key=lambda one: one.attempts):
        if one.message.key in done:
            continue
        older = [before for before in _before(one, found) if before.message.key not in done]
        failed = False
        for each in (*older, one):
            if failed and each is not one:
                continue
            if not renew(ledger, holder):
                return sent
            again = await _try(ledger, config, each)
            failed = again is not None
            if again is None:
                sent += 1
                done.add(each.message.key)
            elif each is one:
                postpone(ledger, one.channel, again)  # the channel itself is likely not there
                return sent
        for each in older:
            if each.message.key not in done and each.message.incidents & one.message.incidents:
                supersede(ledger, each.message, one.message, datetime.now(UTC))
                done.add(each.message.key)
                log.warning("channel %s took a newer message, and not '%s'", one.channel, each.message.title)
    return sent


def _before(one: Waits, found: Sequence[Waits]) -> list[Waits]:
    """What has to be told before a message: the older ones of its incidents, and of theirs."""
    incidents = one.message.incidents
    before: list[Waits] = []
    for older in reversed(found[: found.index(one)]):
        if older.message.incidents & incidents:
            incidents |= older.message.incidents
            before.insert(0, older)
    return before


async def _try(ledger: Ledger, config: NotificationsConfig, one: Waits) -> datetime | None:
    """Try to send a message; returns when it is tried again, or None where it was taken."""
    try:
        await _send(config, one.channel, one.message)
    except Exception as raised:  # whatever a channel does wrong, the others are told
        log.debug("channel %s did not take a message", one.channel, exc_info=True)
        problem = in_words(raised)
        log.info("a notification was not delivered: %s", problem)
        give_up = timedelta(hours=config.give_up_hours)
        return mark_failed(ledger, one.message.key, str(problem), datetime.now(UTC), give_up)
    mark_sent(ledger, one.message.key, datetime.now(UTC))
    return None


async def _send(config: NotificationsConfig, channel: str, message: Message) -> None:
    if channel not in config.channels:
        raise NotDelivered(f"the workspace has no channel '{channel}' any more", "name it under notifications.channels")
    settings = config.channels[channel]
    await CHANNELS.get(settings.kind).send(channel, settings, message)
