"""Assurances in the ledger, and the training that asks for one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, MetaData, Row, String, Table, desc, select

from driftgate.finetune.assurance._assure import Assurance, hash_items
from driftgate.finetune.assurance._figure import Figure
from driftgate.finetune.assurance._judge import judge
from driftgate.finetune.assurance._limits import PrivacyLimits
from driftgate.finetune.firewall import Item
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()
_JUDGE = "judge"

assurances = Table(
    "privacy_assurances",
    metadata,
    Column("id", String(64), primary_key=True),  # hash of what is below
    Column("items_hash", String(64), nullable=False, index=True),
    Column("limits", JSON, nullable=False),  # and under "judge" which check judged by them
    Column("verdict", String(16), nullable=False),
    Column("figures", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)


def record_assurance(ledger: Ledger, assurance: Assurance) -> str:
    """Store an assurance; its id is returned."""
    create_tables(ledger, metadata)
    limits = assurance.limits.model_dump(mode="json") | {_JUDGE: judge()}
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
    """The stored assurance of just these items by just these limits: one that failed, else the newest of this check.

    A failure stands: measured again with fewer sources, or without the canaries, the same items would pass. What
    another version of the check let pass is no pass: it may not have known what this one finds.
    """
    own = _by_limits(ledger, items, limits)
    failed = next((row for row in own if row.verdict == "fail"), None)
    row = failed or next((row for row in own if row.limits.get(_JUDGE) == judge()), None)
    if row is None:
        return None
    return Assurance(str(row.items_hash), tuple(Figure(**figure) for figure in row.figures), limits)


def is_outdated(ledger: Ledger, items: Sequence[Item], limits: PrivacyLimits) -> bool:
    """Whether just these items were measured by just these limits, and only by other versions of the check."""
    rows = _by_limits(ledger, items, limits)
    return bool(rows) and all(row.limits.get(_JUDGE) != judge() for row in rows)


def _by_limits(ledger: Ledger, items: Sequence[Item], limits: PrivacyLimits) -> list[Row[Any]]:
    """What was found of just these items by just these limits, the newest first."""
    create_tables(ledger, metadata)
    query = (
        select(assurances).where(assurances.c.items_hash == hash_items(items)).order_by(desc(assurances.c.created_at))
    )
    wanted = limits.model_dump(mode="json")
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [row for row in rows if {key: row.limits[key] for key in row.limits if key != _JUDGE} == wanted]


def require_assured(ledger: Ledger, items: Sequence[Item], limits: PrivacyLimits) -> Assurance:
    """The assurance that lets these items be trained on.

    Raises
    ------
    DriftgateError
        They were never measured by these limits and this version of the check, or did not pass: a figure that could not
        be measured, or that says too little, is not a pass.
    """
    found = assurance_of(ledger, items, limits)
    if found is None:
        raise DriftgateError(
            "the privacy of the training items was never measured by the recipe's limits"
            + (" and this version of the check" if is_outdated(ledger, items, limits) else ""),
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
