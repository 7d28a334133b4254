"""Assurances in the ledger, and the training that asks for one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import JSON, Column, MetaData, String, Table, select

from driftgate.finetune.assurance._assure import Assurance, hash_items
from driftgate.finetune.assurance._figure import Figure
from driftgate.finetune.assurance._limits import PrivacyLimits
from driftgate.finetune.firewall import Item
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

assurances = Table(
    "privacy_assurances",
    metadata,
    Column("id", String(64), primary_key=True),  # hash of what is below
    Column("items_hash", String(64), nullable=False, index=True),
    Column("limits", JSON, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("figures", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)


def record_assurance(ledger: Ledger, assurance: Assurance) -> str:
    """Store an assurance; its id is returned."""
    create_tables(ledger, metadata)
    limits = assurance.limits.model_dump(mode="json")
    now = datetime.now(UTC)
    told = repr((assurance.items_hash, sorted(limits.items()), assurance.figures, now))
    id = hashlib.sha256(told.encode()).hexdigest()
    row = {
        "id": id,
        "items_hash": assurance.items_hash,
        "limits": limits,
        "verdict": assurance.verdict,
        "figures": [asdict(figure) for figure in assurance.figures],
        "created_at": now,
    }
    with ledger.write() as connection:
        insert_new(connection, assurances, [row])
    return id


def assurance_of(ledger: Ledger, items: Sequence[Item], limits: PrivacyLimits) -> Assurance | None:
    """The stored assurance of just these items by just these limits: one that failed, else the newest.

    A failure stands: measured again with fewer sources, or without the canaries, the same items would pass.
    """
    create_tables(ledger, metadata)
    wanted, hash = limits.model_dump(mode="json"), hash_items(items)
    query = select(assurances).where(assurances.c.items_hash == hash).order_by(assurances.c.created_at.desc())
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    own = [row for row in rows if row.limits == wanted]
    row = next((row for row in own if row.verdict == "fail"), own[0] if own else None)
    return None if row is None else Assurance(hash, tuple(Figure(**figure) for figure in row.figures), limits)


def require_assured(ledger: Ledger, items: Sequence[Item], limits: PrivacyLimits) -> Assurance:
    """The assurance that lets these items be trained on.

    Raises
    ------
    DriftgateError
        They were never measured by these limits, or did not pass: a figure that could not be measured, or that says
        too little, is not a pass.
    """
    found = assurance_of(ledger, items, limits)
    if found is None:
        raise DriftgateError(
            "the privacy of the training items was never measured by the recipe's limits",
            "measure it: driftgate privacy check ITEMS --sources FOLDER --held-out FILE, or begin a new remediation",
        )
    if found.verdict != "pass":
        told = "; ".join(
            f"{figure.name}: {figure.verdict}" + (f" ({figure.told})" if figure.told else "")
            for figure in found.figures
            if figure.verdict != "pass"
        )
        raise DriftgateError(
            f"the training items may not be trained on: {told}", "mend the data, or the recipe's limits"
        )
    return found
