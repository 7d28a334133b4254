"""API keys and the audit log, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import (
    Ledger,
    audit_of,
    create_key,
    key_by_secret,
    keys_of,
    prepare_keys,
    record_audit,
    revoke_key,
    valid_key,
)


def test_a_key_opens_until_it_is_revoked_and_only_its_hash_is_kept(ledger: Ledger) -> None:
    made = create_key(ledger, "ci", ["read", "ingest"], by="me")
    found = key_by_secret(ledger, made.secret)
    assert found is not None and (found.name, found.scopes) == ("ci", {"read", "ingest"})
    assert keys_of(ledger)[0].last_used_at is not None
    password = made.secret.split(f"{made.row.id}_", 1)[1]  # it may hold underscores itself
    assert len(password) > 40
    with ledger.read() as connection:
        for table in ("api_keys", "audit"):
            kept = str(connection.execute(text(f"SELECT * FROM {table}")).all())
            assert made.row.id in kept or table == "audit"
            assert password not in kept
    revoke_key(ledger, made.row.id, by="me")
    assert key_by_secret(ledger, made.secret) is None and valid_key(ledger, made.row.id) is None
    assert [(row.who, row.action, row.subject) for row in audit_of(ledger)] == [
        ("me", "key.revoke", "ci"),
        ("me", "key.create", "ci"),
    ]


def test_two_keys_of_a_name_are_valid_while_one_takes_the_others_place(ledger: Ledger) -> None:
    first, second = (create_key(ledger, "ci", ["read"], by="me") for _ in range(2))
    assert key_by_secret(ledger, first.secret) and key_by_secret(ledger, second.secret)
    assert [row.id for row in revoke_key(ledger, first.row.id, by="me")] == [first.row.id]
    assert key_by_secret(ledger, first.secret) is None and key_by_secret(ledger, second.secret)
    with pytest.raises(DriftgateError, match="no valid key"):
        revoke_key(ledger, first.row.id, by="me")


def test_an_expired_key_opens_nothing(ledger: Ledger) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = create_key(ledger, "ci", ["read"], by="me", expires_at=soon)
    assert made.row.state() == "valid" and made.row.state(soon) == "expired"
    with ledger.write() as connection:
        connection.execute(text("UPDATE api_keys SET expires_at = created_at"))
    assert key_by_secret(ledger, made.secret) is None
    with pytest.raises(DriftgateError, match="opens nothing"):
        create_key(ledger, "ci", ["read"], by="me", expires_at=datetime.now(UTC))


@pytest.mark.parametrize("secret", ["", "dgk_", "dgk_00000000_" + "a" * 43, "x" * 60, "dgk_\0"])
def test_what_is_no_key_opens_nothing(ledger: Ledger, secret: str) -> None:
    prepare_keys(ledger)
    create_key(ledger, "ci", ["read"], by="me")
    assert key_by_secret(ledger, secret) is None


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["read"]), ("a@b.kr", ["read"]), ("x", []), ("x", ["all"]), ("a\nb", ["read"])]
)
def test_a_key_that_cannot_be_is_refused(ledger: Ledger, name: str, scopes: list[str]) -> None:
    with pytest.raises(DriftgateError):
        create_key(ledger, name, scopes, by="me")
    assert keys_of(ledger) == []


def test_the_audit_log_is_kept_without_secrets_and_found_by_action(ledger: Ledger) -> None:
    key = create_key(ledger, "ci", ["read"], by="me").secret
    record_audit(ledger, "root", "champion.promote", "assistant", f"Bearer abcdef123456789 of kim@example.com, {key}")
    record_audit(ledger, "root", "champions", "other")
    assert [row.action for row in audit_of(ledger, action="champion")] == ["champion.promote"]
    assert [row.action for row in audit_of(ledger, who="me")] == ["key.create"]
    newest = audit_of(ledger, 1)[0]
    assert audit_of(ledger, 1, before=newest.id)[0].action == "champion.promote"
    kept = audit_of(ledger, action="champion.promote")[0].detail
    assert "abcdef" not in kept and "kim@" not in kept and key not in kept
    assert key not in told(f"the key {key} was refused")
