"""While it serves, a process holds incidents against what is known, and tells people of them."""

from __future__ import annotations

import asyncio
import logging

from driftgate.api.reviewing import review
from driftgate.api.telling import tell
from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger
from driftgate.monitor.notifications import own_name, release

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two rounds."""


async def keep_incidents(workspace: OpenWorkspace, ledger: Ledger, *, every: float = EVERY) -> None:
    """Go round until cancelled; of several processes on one ledger one tells, and the next where it is gone."""
    holder = own_name()
    try:
        while True:
            try:
                await asyncio.to_thread(review, workspace, ledger)
                await asyncio.to_thread(lambda: tell(workspace, ledger, holder=holder))
            except Exception:  # whatever it is, the next round is not to be lost with this one
                log.exception("incidents could not be kept up; it is tried again")
            await asyncio.sleep(every)
    finally:
        await asyncio.to_thread(release, ledger, holder)
