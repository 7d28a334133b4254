"""The anchors' grades, run by run: who the judge was that night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import anchor_grades
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class AnchorRow:
    """One anchor graded by one pinned judge in one run."""

    pin: str
    """Hash of the evaluator, its prompt and the judge as it was asked for."""
    anchors: str
    """Hash of the anchors' texts."""
    item: str
    grade: float | None
    judge: str
    """The model that the service says it served."""
    error: str


def add_anchor_grades(ledger: Ledger, run_id: str, rows: Sequence[AnchorRow]) -> None:
    """Add the grades of a run; an anchor that was graded already keeps its grade."""
    common = {"run_id": run_id, "created_at": datetime.now(UTC)}
    if rows:
        with ledger.write() as connection:
            insert_new(connection, anchor_grades, [common | asdict(row) for row in rows])


def anchor_grades_of(ledger: Ledger, run_id: str) -> list[AnchorRow]:
    """The grades of a run."""
    columns = [anchor_grades.c[name] for name in AnchorRow.__dataclass_fields__]
    query = select(*columns).where(anchor_grades.c.run_id == run_id).order_by(anchor_grades.c.pin, anchor_grades.c.item)
    with ledger.read() as connection:
        return [AnchorRow(**row._mapping) for row in connection.execute(query)]


def first_run_with_anchors(ledger: Ledger, pin: str, anchors: str) -> str | None:
    """The run in which this pinned judge first graded any of these anchors: the reference of all later ones."""
    query = (
        select(anchor_grades.c.run_id)
        .where(anchor_grades.c.pin == pin, anchor_grades.c.anchors == anchors, anchor_grades.c.grade.is_not(None))
        .order_by(anchor_grades.c.created_at, anchor_grades.c.run_id)
        .limit(1)
    )
    with ledger.read() as connection:
        return connection.execute(query).scalar_one_or_none()
