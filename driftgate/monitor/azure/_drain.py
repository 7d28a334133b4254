"""Sends what waits in the outbox and marks as sent what the service acknowledged.

At least once on the wire: a crash between the acknowledgement and the mark sends a record again. Exactly once in the
read: events and spans carry their key, a metric its time and dimensions, and the workbook's queries read each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from driftgate.ledger import Ledger, create_tables
from driftgate.monitor.azure._outbox import Pending, count_refusals, mark_sent, pages, parked, unsent
from driftgate.monitor.azure._records import Channel, Record, records
from driftgate.monitor.azure._service import Reply, Service, connected
from driftgate.monitor.azure._tables import metadata

_Row = tuple[int, list[Record]]
"""An outbox row's id, and its records."""

_RECORDS = 500
"""Records a request carries at most, a run of more cells aside."""

_HOPELESS = 8
"""Rows refused one by one, and none accepted, after which a drain no longer looks for the ones that are at fault."""

_INVALID = (400, 413)  # said of the request's content; every other failure is said of the service, the key or the quota

_MEANING = {
    0: "no answer: it cannot be reached, the connection was lost, or the credential gave no token",
    **dict.fromkeys(
        (307, 308), "it redirects to another endpoint, which is not followed: copy its connection string anew"
    ),
    401: "status 401: it wants a credential with the role 'Monitoring Metrics Publisher'",
    402: "status 402: the daily quota is used up",
    403: "status 403: the credential lacks the role 'Monitoring Metrics Publisher'",
    404: "status 404: it takes telemetry at another endpoint, see the resource's connection string",
    429: "status 429: too many requests",
    439: "status 439: the quota is used up",
}


@dataclass(frozen=True)
class Drained:
    """What one drain did."""

    sent: int
    """Records acknowledged by the service."""
    left: int
    """Records that wait for the next drain."""
    parked: int
    """Records the service keeps refusing: kept, and no longer sent."""
    problem: str = ""
    """Why there are records left; empty where there are none."""


def drain(
    ledger: Ledger,
    connection_string: str,
    *,
    workspace: str = "",
    credential: Any | None = None,
    page: int = 100,
    now: datetime | None = None,
) -> Drained:
    """Send everything that waits in the outbox, oldest first, and say how far it went.

    An outage ends the drain and leaves the rest for the next one. Records the service calls invalid are set apart from
    their neighbours; a refusal counts against a record only in a drain in which others are accepted, for with a wrong
    connection string everything is refused. One drain at a time: two would send everything twice.

    Parameters
    ----------
    connection_string : str
        Of the Application Insights resource.
    workspace : str
        Becomes the role name ``workspace.driftgate`` in Azure Monitor.
    credential : optional
        A token credential, where the resource wants Entra ID; None for its instrumentation key.
    page : int
        Outbox rows a request carries at most.
    now : datetime, optional
        The present, for tests.

    Raises
    ------
    DriftgateError
        The connection string is not one, or the ledger refuses.
    """
    create_tables(ledger, metadata)
    with connected(connection_string, workspace, credential) as service:
        delivery = _Delivery(ledger, service, now or datetime.now(UTC))
        for rows in pages(ledger, page):
            delivery.send_page(rows)
            if delivery.outage:
                break
    if delivery.refused:
        count_refusals(ledger, delivery.refused, against=delivery.sent > 0)
    left = unsent(ledger)
    said = sorted(set(delivery.refused.values()))
    problem = delivery.outage or (f"the service refuses records: {'; '.join(said[:3])}" if said and left else "")
    return Drained(delivery.sent, left, len(parked(ledger)), problem)


@dataclass
class _Delivery:
    """One drain on its way."""

    ledger: Ledger
    service: Service
    now: datetime
    sent: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    """What the service said of rows it refused."""
    outage: str = ""
    """Why it makes no sense to go on."""

    def send_page(self, rows: Sequence[Pending]) -> None:
        made = [(row.id, *records(row.key, row.payload, self.service.resource, self.now)) for row in rows]
        made.sort(key=lambda row: row[1])
        for channel, group in groupby(made, key=lambda row: row[1]):
            for request in _requests([(row, items) for row, _, items in group]):
                self._send(channel, request)

    def _send(self, channel: Channel, rows: Sequence[_Row]) -> None:
        """Send rows in one request; where it is refused as a whole, look for the ones it is refused for."""
        if self.outage or not rows:
            return
        reply = self.service.send(channel, [item for _, items in rows for item in items])
        owners = [row for row, items in rows for _ in items]
        if reply.acknowledged and reply.received == len(owners):
            self._settle(owners, reply)
        elif reply.status in _INVALID:
            self._set_apart(channel, rows, owners, reply)
        elif reply.status in (200, 206):
            self.outage = f"Azure Monitor acknowledged {reply.accepted} of {len(owners)} records and named no error"
        else:
            self.outage = f"Azure Monitor: {_MEANING.get(reply.status, f'status {reply.status}')}"

    def _settle(self, owners: Sequence[int], reply: Reply) -> None:
        errors = reply.errors or {}
        failed = {owners[position]: error for position, error in errors.items()}
        accepted = [row for row in dict.fromkeys(owners) if row not in failed]
        mark_sent(self.ledger, accepted)
        self.sent += len(accepted)
        for row, (status, message) in failed.items():
            if status in _INVALID:
                self.refused[row] = _said(status, message)
            else:
                self.outage = f"Azure Monitor: {_MEANING.get(status, f'status {status}')}"

    def _set_apart(self, channel: Channel, rows: Sequence[_Row], owners: Sequence[int], reply: Reply) -> None:
        named = {owners[i]: said for i, said in (reply.errors or {}).items() if i < len(owners)}
        if len(rows) == 1:
            named = named or {rows[0][0]: (reply.status, "")}
        for row, (status, message) in named.items():
            self.refused[row] = _said(status, message)
        rest = [row for row in rows if row[0] not in named]
        if named:
            self._send(channel, rest)
        elif len(self.refused) >= _HOPELESS and not self.sent:
            self.outage = "Azure Monitor refuses everything: check the connection string"
        else:
            middle = len(rest) // 2
            self._send(channel, rest[:middle])
            self._send(channel, rest[middle:])


def _requests(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows in their order, in groups of few enough records; a row is never divided."""
    request: list[_Row] = []
    size = 0
    for row in rows:
        if request and size + len(row[1]) > _RECORDS:
            yield request
            request, size = [], 0
        request.append(row)
        size += len(row[1])
    if request:
        yield request


def _said(status: int, message: str) -> str:
    return f"{status} {message}".strip()[:500]
