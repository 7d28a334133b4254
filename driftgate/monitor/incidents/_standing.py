"""Conditions that stand or do not, such as an approval that is waited for: each is one incident while it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement

from driftgate.ledger import Ledger, create_tables
from driftgate.monitor.incidents._config import IncidentsConfig
from driftgate.monitor.incidents._signs import resolved, signal
from driftgate.monitor.incidents._store import UNRESOLVED, held, reading
from driftgate.monitor.incidents._tables import incidents, metadata
from driftgate.monitor.incidents._values import ITSELF, SEVERITIES, Incident, Sign


def settle(
    ledger: Ledger, prefix: str, signs: Sequence[Sign], now: datetime, config: IncidentsConfig, *, over: str
) -> None:
    """Hold the incidents of one check against what stands now; can be repeated as often as one likes.

    A sign opens an incident, or adds to it where it is newer than the last one or graver. One of the check's whose sign
    stands no more is resolved.

    Parameters
    ----------
    prefix : str
        What the causes of the check's signs begin with, and no other's.
    over : str
        What to say of one that is resolved.
    """
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        standing = {(one.monitor, one.cause): one for one in reading(connection, *_of(prefix))}
    wanted = {(sign.monitor, sign.cause) for sign in signs}
    for sign in signs:
        if _adds(standing.get((sign.monitor, sign.cause)), sign):
            with ledger.write() as connection:
                signal(connection, sign, now, config)
    for place in (one for one in standing if one not in wanted):
        with ledger.write() as connection:
            incident = held(connection, standing[place].id)
            if incident.state in UNRESOLVED:  # somebody may have resolved it meanwhile
                resolved(connection, incident, now, ITSELF, over)


def _of(prefix: str) -> tuple[ColumnElement[bool], ...]:
    return incidents.c.cause.startswith(prefix, autoescape=True), incidents.c.state.in_(UNRESOLVED)


def _adds(before: Incident | None, sign: Sign) -> bool:
    if before is None:
        return True
    graver = SEVERITIES.index(sign.severity) > SEVERITIES.index(before.severity)
    return graver or (sign.since is not None and sign.since > before.seen_at)
