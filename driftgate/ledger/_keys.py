"""API keys: who may send telemetry, read or operate with which secret, until when.

Of a key only the SHA-256 is kept. A secret is 256 random bits, which nobody finds by trying, so that a slow hash such
as scrypt, which passwords need, would protect nothing more; and a fast one can be made for every request.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Column, MetaData, String, Table, or_, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger._audit import metadata as audit_metadata
from driftgate.ledger._audit import record_audit
from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import UtcDateTime
from driftgate.ledger._store import Ledger, create_tables

Scope = Literal["ingest", "read", "operate"]
"""What may be done: send telemetry, look at everything, or change something (acknowledge, approve, run, cancel)."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "dgk_"
"""What every key begins with, so that whoever finds one knows what it is; scrubbing knows it as well."""

_LONGEST_NAME = 80
_USE_NOTED_EVERY = timedelta(minutes=1)

metadata = MetaData()

_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)


@dataclass(frozen=True)
class KeyRow:
    """A key, without its secret."""

    id: str
    name: str
    """Who or what uses it; two keys may have one name, while one takes the other's place."""
    scopes: frozenset[Scope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""

    def state(self, now: datetime | None = None) -> Literal["valid", "expired", "revoked"]:
        """Whether it opens anything now."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= (now or datetime.now(UTC)):
            return "expired"
        return "valid"


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, the only time that its secret is known."""

    row: KeyRow
    secret: str


def create_key(
    ledger: Ledger, name: str, scopes: Collection[str], *, by: str, expires_at: datetime | None = None
) -> NewKey:
    """Make a key; others of its name stay valid, so that one can take the place of another without a gap.

    Raises
    ------
    DriftgateError
        It has no name or no scope, a scope is unknown, or it has expired already.
    """
    now = datetime.now(UTC)
    if not 0 < len(name.strip()) <= _LONGEST_NAME or told(name) != name or not name.isprintable():
        raise DriftgateError(
            "a key's name has 1 to 80 printable characters and is no secret, address or number of a person",
            "name what uses it, such as ci or shop-frontend",
        )
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        found = f"'{unknown[0]}' is no scope" if unknown else "a key without a scope opens nothing"
        raise DriftgateError(found, f"expected one or more of {', '.join(SCOPES)}")
    if expires_at is not None and expires_at <= now:
        raise DriftgateError(f"a key that expires at {expires_at:%Y-%m-%d %H:%M %Z} opens nothing", "name a later time")
    key_id = secrets.token_hex(4)
    secret = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    row = KeyRow(
        id=key_id,
        name=name,
        scopes=frozenset(scope for scope in SCOPES if scope in scopes),
        created_at=now,
        created_by=told(by)[:200],
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    values = {field: getattr(row, field) for field in KeyRow.__dataclass_fields__}
    values |= {"scopes": _joined(row.scopes), "digest": _digest(secret)}
    create_tables(ledger, metadata)
    create_tables(ledger, audit_metadata)
    until = f", until {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if expires_at else ""
    with ledger.write() as connection:
        insert_new(connection, _keys, [values])
        record_audit(ledger, by, "key.create", name, f"{key_id}: {_joined(row.scopes)}{until}", connection=connection)
    return NewKey(row, secret)


def keys_of(ledger: Ledger) -> list[KeyRow]:
    """Every key there ever was, the newest first."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return [_row(found) for found in connection.execute(select(_keys).order_by(_keys.c.created_at.desc()))]


def revoke_key(ledger: Ledger, name: str, *, by: str) -> list[KeyRow]:
    """End a key by its id, or every valid one of a name; returns those that ended.

    Raises
    ------
    DriftgateError
        None is valid that has this id or name.
    """
    now = datetime.now(UTC)
    found = [row for row in keys_of(ledger) if name in (row.id, row.name) and row.state(now) == "valid"]
    if not found:
        raise DriftgateError(f"no valid key has the id or the name '{name}'", "see `driftgate keys list`")
    create_tables(ledger, audit_metadata)
    with ledger.write() as connection:
        connection.execute(update(_keys).where(_keys.c.id.in_([row.id for row in found])).values(revoked_at=now))
        for row in found:
            record_audit(ledger, by, "key.revoke", row.name, row.id, connection=connection)
    return found


def key_by_secret(ledger: Ledger, secret: str) -> KeyRow | None:
    """The valid key of a secret, whose use is noted; None: none has it, or it is revoked or expired."""
    if not secret.startswith(PREFIX):
        return None
    return _valid(ledger, _keys.c.digest == _digest(secret))


def valid_key(ledger: Ledger, key_id: str) -> KeyRow | None:
    """A key by its id, if it is valid still."""
    return _valid(ledger, _keys.c.id == key_id)


def _valid(ledger: Ledger, condition: Any) -> KeyRow | None:
    now = datetime.now(UTC)
    with ledger.read() as connection:
        found = connection.execute(select(_keys).where(condition)).one_or_none()
    if found is None or (row := _row(found)).state(now) != "valid":
        return None
    if row.last_used_at is None or now - row.last_used_at >= _USE_NOTED_EVERY:
        # Two processes may both think it is time: whoever comes second finds it noted, and changes nothing.
        unnoted = or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at <= now - _USE_NOTED_EVERY)
        with ledger.write() as connection:
            connection.execute(update(_keys).where(_keys.c.id == row.id, unnoted).values(last_used_at=now))
    return row


def prepare_keys(ledger: Ledger) -> None:
    """Make the tables of keys and of the audit log, so that no request has to."""
    create_tables(ledger, metadata)
    create_tables(ledger, audit_metadata)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _joined(scopes: Collection[str]) -> str:
    return " ".join(scope for scope in SCOPES if scope in scopes)


def _row(found: Any) -> KeyRow:
    values = {name: getattr(found, name) for name in KeyRow.__dataclass_fields__}
    return KeyRow(**{**values, "scopes": frozenset(found.scopes.split())})
