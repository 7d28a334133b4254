"""Remediations and their events in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    desc,
    insert,
    select,
    update,
)

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

_remediations = Table(
    "remediations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slot", String(128), nullable=False),
    Column("cause", String(200), nullable=False),
    # The slot while it is open, and empty afterwards: the database itself allows one open for each.
    Column("open_key", String(400), unique=True),
    Column("state", String(16), nullable=False),  # see State
    Column("champion", String(128), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)

_events = Table(
    "remediation_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("remediation_id", String(64), nullable=False, index=True),
    Column("step", String(32), nullable=False),
    Column("status", String(16), nullable=False),  # see Status
    Column("detail", JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

State = Literal["open", "promoted", "rejected", "abandoned", "proposed"]
"""Rejected: the candidate was found not good enough, by a gate, a rollout or a person. Abandoned: it could not be
carried out, or somebody ended it; of the candidate that says nothing. Proposed: something passed that only a person can
put in place, as a prompt is the team's own code."""
RUN_CODES: Mapping[State, int] = {"promoted": 0, "rejected": 1, "open": 3, "proposed": 3, "abandoned": 4}
"""Exit code of ``driftgate remediation run`` by what became of one: only a promotion is a success; what waits for a
person, for evidence or for a job, and what a person is to put in place, is not decided yet; 2 is an error."""
Status = Literal["started", "noted", "approved", "held", "failed", "finished", "rejected", "abandoned", "proposed"]


@dataclass(frozen=True)
class Remediation:
    """A repair under way or ended."""

    id: str
    slot: str
    cause: str
    state: State
    champion: str
    evidence: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None

    @property
    def recipe(self) -> str:
        """Name of the recipe that it follows.

        Raises
        ------
        DriftgateError
            Its evidence names none, as that of a remediation that something else opened.
        """
        name = self.evidence.get("recipe")
        if not isinstance(name, str) or not name:
            raise DriftgateError(
                f"the evidence of remediation {self.id} names no recipe",
                f"it cannot go on: driftgate remediation abandon {self.id} --reason WHY",
            )
        return name


@dataclass(frozen=True)
class Event:
    """Something that happened in a remediation."""

    step: str
    status: str
    detail: Mapping[str, Any]
    message: str
    at: datetime


def open_remediation(
    ledger: Ledger, slot: str, cause: str, champion: str, evidence: Mapping[str, Any]
) -> tuple[Remediation, bool]:
    """Open a remediation, or return the one that is open for this slot, whatever its cause.

    Returns
    -------
    tuple
        The remediation, and whether it is new. However many alerts arrive at once, one is opened.
    """
    create_tables(ledger, metadata)
    now = datetime.now(UTC)
    own = f"{now:%Y%m%d-%H%M%S}-{hashlib.sha256(f'{slot}|{cause}{now.isoformat()}'.encode()).hexdigest()[:6]}"
    row = {
        "id": own,
        "slot": slot,
        "cause": cause,
        "open_key": slot,
        "state": "open",
        "champion": champion,
        "evidence": dict(evidence),
        "opened_at": now,
        "closed_at": None,
    }
    while True:
        with ledger.write() as connection:
            insert_new(connection, _remediations, [row])
            query = select(_remediations).where(_remediations.c.open_key == slot)
            found = connection.execute(query).one_or_none()
        if found is not None:  # else the one that was open ended at this very moment
            return _read(found), found.id == own


def remediations(
    ledger: Ledger,
    limit: int = 50,
    *,
    state: State | None = None,
    slot: str | None = None,
    recipe: str | None = None,
) -> list[Remediation]:
    """The newest remediations first; only those of a state, of a champion's slot, that follow a recipe."""
    create_tables(ledger, metadata)
    query = select(_remediations).order_by(desc(_remediations.c.opened_at)).limit(limit)
    if state is not None:
        query = query.where(_remediations.c.state == state)
    if slot is not None:
        query = query.where(_remediations.c.slot == slot)
    if recipe is not None:
        query = query.where(_remediations.c.evidence["recipe"].as_string() == recipe)
    with ledger.read() as connection:
        return [_read(row) for row in connection.execute(query)]


def find_remediation(ledger: Ledger, name: str) -> Remediation:
    """A remediation by its id or a part of it that only one has.

    Raises
    ------
    DriftgateError
        None, or more than one, fits.
    """
    known = remediations(ledger, 1000)
    fitting = [r for r in known if name in r.id]
    if len(fitting) != 1:
        raise DriftgateError(f"{len(fitting)} remediations fit '{name}'", nearest(name, [r.id for r in known[:8]]))
    return fitting[0]


def events_of(ledger: Ledger, remediation_id: str) -> list[Event]:
    """What happened so far, in order."""
    columns = [_events.c[name] for name in Event.__dataclass_fields__]
    query = select(*columns).where(_events.c.remediation_id == remediation_id).order_by(_events.c.id)
    with ledger.read() as connection:
        return [Event(**row._mapping) for row in connection.execute(query)]


def add_event(
    ledger: Ledger,
    remediation_id: str,
    step: str,
    status: Status,
    detail: Mapping[str, Any],
    message: str = "",
    *,
    connection: Connection | None = None,
) -> None:
    """Append to a remediation's history, in a transaction of its own or in the caller's."""
    row = {"remediation_id": remediation_id, "step": step, "status": status, "detail": dict(detail)}
    statement = insert(_events).values(**row, message=told(message), at=datetime.now(UTC))
    if connection is not None:
        connection.execute(statement)
        return
    with ledger.write() as own:
        own.execute(statement)


def is_open(connection: Connection, remediation_id: str) -> bool:
    """Whether a remediation has not ended, as of a transaction."""
    query = select(_remediations.c.state).where(_remediations.c.id == remediation_id)
    return bool(connection.execute(query).scalar_one_or_none() == "open")


def close(ledger: Ledger, remediation_id: str, state: State, *, connection: Connection | None = None) -> None:
    """End a remediation; another may then be opened for its slot."""
    values = {"state": state, "open_key": None, "closed_at": datetime.now(UTC)}
    here = and_(_remediations.c.id == remediation_id, _remediations.c.state == "open")
    statement = update(_remediations).where(here).values(**values)
    if connection is not None:
        connection.execute(statement)
        return
    with ledger.write() as own:
        own.execute(statement)


def ending(events: Iterable[Event]) -> Event | None:
    """What ends a remediation without a promotion: a step's word or a person's; None where nothing does."""
    return next((event for event in events if event.status in ("rejected", "abandoned", "proposed")), None)


def _read(row: Any) -> Remediation:
    return Remediation(**{name: row._mapping[name] for name in Remediation.__dataclass_fields__})
