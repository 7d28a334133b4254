"""What people say of samples, one after the other: a queue for them, and their labels in the ledger.

Nobody is shown what the judge says before they have said it themselves, and samples come in a random order, so that
who stops after fifty has seen a fair draw of all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, func, insert, select

from driftgate.benchmarks.labelled import said_by_judge, text_id, texts_of
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbing import told
from driftgate.ledger import CellRow, Ledger, UtcDateTime, check_texts, create_tables, forgotten_in

metadata = MetaData()

_labels = Table(
    "human_labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cell_id", Integer, nullable=False),
    Column("sample_id", Integer, nullable=False),
    Column("judge", String(200), nullable=False),
    Column("grade", Float),
    Column("passed", Boolean),  # both empty: a person looked and could not tell
    Column("text", String(32), nullable=False),  # the hash of what was read
    Column("who", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("human_labels_by_cell", "cell_id", "judge"),
)


@dataclass(frozen=True)
class HumanLabel:
    """What a person says of one sample."""

    sample_id: int
    grade: float | None
    """On the judge's scale."""
    passed: bool | None
    """None, where there is no grade either: they could not tell."""
    text: str
    """Hash of the text that they read."""
    who: str
    at: datetime


@dataclass(frozen=True)
class Reviewed:
    """How far the labelling of a judge's samples in a cell is."""

    cell_id: int
    judge: str
    labelled: int
    """Samples with a label that says something."""
    looked_at: int
    """Those that somebody looked at, whether they could tell or not."""


def judges_in(cell: CellRow) -> list[str]:
    """The judges of a cell, as ``node.evaluator``."""
    return sorted(str(name) for name in cell.details.get("judges") or {})


def scale_of(cell: CellRow, judge: str) -> tuple[float, float]:
    """The lowest and the highest grade of a judge.

    Raises
    ------
    DriftgateError
        The cell has no such judge.
    """
    known = cell.details.get("judges") or {}
    if judge not in known:
        raise DriftgateError(f"{cell.name} has no judge '{judge[:80]}'", nearest(judge, known))
    low, high = known[judge].get("scale") or (0.0, 1.0)
    return float(low), float(high)


def add_human_label(
    ledger: Ledger, cell: CellRow, judge: str, sample_id: int, *, grade: float | None, passed: bool | None, who: str
) -> HumanLabel:
    """Keep what a person says of a sample; the newest word of a sample counts.

    Raises
    ------
    DriftgateError
        The grade is none of the judge's scale, the judge has not graded the sample, or its text is gone.
    """
    low, high = scale_of(cell, judge)
    if grade is not None and not low <= grade <= high:
        raise DriftgateError(f"the grade is {grade:g}", f"give one from {low:g} to {high:g}, the judge's scale")
    check_texts(ledger, cell.run_id)
    if sample_id not in _graded(ledger, cell, judge):
        raise DriftgateError(f"the judge {judge} graded no sample {sample_id} in {cell.name}", "take one of the queue")
    text = text_id(texts_of(ledger, cell.id, judge.partition(".")[0], [sample_id])[sample_id])
    made = HumanLabel(sample_id, grade, passed, text, told(who)[:200], datetime.now(UTC))
    create_tables(ledger, metadata)
    row = {name: getattr(made, name) for name in HumanLabel.__dataclass_fields__}
    with ledger.write() as connection:
        connection.execute(insert(_labels).values(cell_id=cell.id, judge=judge, **row))
    return made


def human_labels(ledger: Ledger, cell_id: int, judge: str) -> list[HumanLabel]:
    """The newest word on every sample of a cell that somebody looked at, in the order they were given."""
    create_tables(ledger, metadata)
    columns = [_labels.c[name] for name in HumanLabel.__dataclass_fields__]
    here = (_labels.c.cell_id == cell_id) & (_labels.c.judge == judge)
    newest = select(func.max(_labels.c.id)).where(here).group_by(_labels.c.sample_id)
    query = select(*columns).where(_labels.c.id.in_(newest)).order_by(_labels.c.id)
    with ledger.read() as connection:
        return [HumanLabel(**row._mapping) for row in connection.execute(query)]


def reviewed(ledger: Ledger, cell_ids: Sequence[int]) -> list[Reviewed]:
    """How far labelling is, of some cells."""
    create_tables(ledger, metadata)
    newest = select(func.max(_labels.c.id)).where(_labels.c.cell_id.in_(cell_ids))
    newest = newest.group_by(_labels.c.cell_id, _labels.c.judge, _labels.c.sample_id)
    query = select(_labels.c.cell_id, _labels.c.judge, _labels.c.grade, _labels.c.passed)
    counts: dict[tuple[int, str], list[bool]] = {}
    with ledger.read() as connection:
        for row in connection.execute(query.where(_labels.c.id.in_(newest))):
            said = row.grade is not None or row.passed is not None
            counts.setdefault((row.cell_id, row.judge), []).append(said)
    return [Reviewed(cell, judge, sum(said), len(said)) for (cell, judge), said in counts.items()]


def next_to_review(ledger: Ledger, cell: CellRow, judge: str, who: str) -> Iterator[int]:
    """Samples that the judge graded and nobody has looked at, in a random order that is a person's own.

    Two who label at once so rarely meet, and each goes on where they stopped.
    """
    seen = {one.sample_id for one in human_labels(ledger, cell.id, judge)} | set(forgotten_in(ledger, cell.id))
    left = sorted(_graded(ledger, cell, judge) - seen)
    random.Random(f"{cell.id} {judge} {who}").shuffle(left)
    return iter(left)


def _graded(ledger: Ledger, cell: CellRow, judge: str) -> set[int]:
    scale_of(cell, judge)
    return {sample for sample, said in said_by_judge(ledger, cell, judge).items() if said.passed is not None}


def as_rows(labels: Sequence[HumanLabel], names: dict[int, str]) -> list[dict[str, Any]]:
    """Labels as the rows of a file of labels, by the names that the file has for samples."""
    return [
        {"sample": names[one.sample_id], "grade": one.grade, "passed": None if one.passed is None else int(one.passed)}
        for one in labels
        if one.sample_id in names
    ]
