"""Tell people of incidents, from wherever a look was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.api._waiting import wait_for
from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.monitor.notifications import ChannelStatus, Delivered


def tell(workspace: OpenWorkspace, ledger: Ledger, *, holder: str = "", patience: float = 5.0) -> Delivered:
    """Tell people what is to be told; see :func:`driftgate.monitor.notifications.deliver`.

    Whoever looked tells: a command that ends, by itself, unless ``driftgate serve`` runs on the same ledger, which then
    does. What a channel does not take waits in the ledger for the next one.
    """
    from driftgate.monitor.notifications import deliver

    workspace.hold()
    config = workspace.config
    return wait_for(deliver(ledger, config.name, config.notifications, holder=holder, patience=patience))


def tell_test(workspace: OpenWorkspace, ledger: Ledger, channel: str) -> None:
    """Send a test by one channel.

    Raises
    ------
    DriftgateError
        There is no such channel, or it did not take it.
    """
    from driftgate.monitor.notifications import send_test

    workspace.hold()
    wait_for(send_test(ledger, workspace.config.name, workspace.config.notifications, channel))


def channel_statuses(workspace: OpenWorkspace, ledger: Ledger) -> list[ChannelStatus]:
    """How each channel of the workspace does, and any other that still has messages to take."""
    from driftgate.monitor.notifications import ChannelStatus, statuses

    known = {one.channel: one for one in statuses(ledger)}
    named = [known.pop(name, ChannelStatus(name)) for name in workspace.config.notifications.channels]
    return [*named, *(one for one in known.values() if one.waiting)]
