"""Sessions of browsers, kept in the ledger under a hash of their secret: signing out ends one in every process."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, MetaData, String, Table, delete, insert, select

from driftgate.flows.scrubbing import told
from driftgate.ledger import SCOPES, Ledger, Scope, UtcDateTime, create_tables, insert_new, valid_key

metadata = MetaData()

_sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the 256 random bits that the cookie holds
    Column("name", String(200), nullable=False),
    Column("scopes", String(80), nullable=False),
    Column("key_id", String(16), nullable=False),  # of who signed in with a key; else empty
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

_used_states = Table(
    "used_sign_ins",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the state of a sign-in that came back
    Column("by", String(64), nullable=False),  # of two that bring it at once, the one that came first
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Session:
    """Who signed in, until when."""

    digest: str
    name: str
    scopes: frozenset[Scope]


def prepare_sessions(ledger: Ledger) -> None:
    """Make the tables, so that no request has to."""
    create_tables(ledger, metadata)


def begin_session(ledger: Ledger, name: str, scopes: Collection[Scope], hours: float, *, key_id: str = "") -> str:
    """Begin a session and return the secret that the browser is to keep; sessions long over are removed."""
    now = datetime.now(UTC)
    secret = secrets.token_urlsafe(32)
    row = {
        "digest": _digest(secret),
        "name": told(name)[:200],
        "scopes": " ".join(scope for scope in SCOPES if scope in scopes),
        "key_id": key_id,
        "created_at": now,
        "expires_at": now + timedelta(hours=hours),
    }
    with ledger.write() as connection:
        connection.execute(delete(_sessions).where(_sessions.c.expires_at < now))
        connection.execute(insert(_sessions).values(**row))
    return secret


def session_by_secret(ledger: Ledger, secret: str) -> Session | None:
    """The session of a secret; None: there is none, it is over, or the key that began it is not valid any more."""
    with ledger.read() as connection:
        found = connection.execute(select(_sessions).where(_sessions.c.digest == _digest(secret))).one_or_none()
    if found is None or found.expires_at <= datetime.now(UTC):
        return None
    if found.key_id and valid_key(ledger, found.key_id) is None:
        return None
    return Session(found.digest, found.name, frozenset(found.scopes.split()))


def end_session(ledger: Ledger, digest: str) -> None:
    """End a session, in every process."""
    with ledger.write() as connection:
        connection.execute(delete(_sessions).where(_sessions.c.digest == digest))


def use_state(ledger: Ledger, state: str, lasts: timedelta) -> bool:
    """Note that the state of a sign-in came back; False: it did so before."""
    now, digest, by = datetime.now(UTC), _digest(state), secrets.token_hex(16)
    with ledger.write() as connection:
        connection.execute(delete(_used_states).where(_used_states.c.at < now - 2 * lasts))
        insert_new(connection, _used_states, [{"digest": digest, "by": by, "at": now}])
        first = connection.execute(select(_used_states.c.by).where(_used_states.c.digest == digest)).scalar_one()
    return bool(first == by)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
