"""The reply cache, kept in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import replies
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    from driftgate.flows.models import Reply


@dataclass(frozen=True)
class LedgerReplies:
    """A :class:`driftgate.flows.models.ReplyCache` over the ledger's table ``replies``."""

    ledger: Ledger
    run: str | None = None
    """The run that asks; where it is expired, what was asked for it first is forgotten."""
    repeat: int = 0
    """Which repeat of a sample asks: each has replies of its own."""

    async def get(self, key: str) -> Reply | None:
        """Return the stored reply, or None."""
        import asyncio

        return await asyncio.to_thread(self._get, self._own(key))

    async def put(self, key: str, reply: Reply) -> None:
        """Store a reply durably; the first one under a key stays."""
        import asyncio

        await asyncio.to_thread(self._put, self._own(key), reply)

    def _own(self, key: str) -> str:
        return f"{key}#{self.repeat + 1}" if self.repeat else key

    def _get(self, key: str) -> Reply | None:
        from driftgate.flows.models import Reply

        with self.ledger.read() as connection:
            found = connection.execute(select(replies.c.reply).where(replies.c.key == key)).scalar_one_or_none()
        return None if found is None else Reply.from_json(found)

    def _put(self, key: str, reply: Reply) -> None:
        row = {"key": key, "reply": reply.as_json(), "created_at": datetime.now(UTC), "run_id": self.run}
        with self.ledger.write() as connection:
            insert_new(connection, replies, [row])
