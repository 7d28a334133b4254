"""Calibrations: what people say of texts that a judge graded, without the texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from driftgate.ledger._schema import calibrations
from driftgate.ledger._store import Ledger

_UNFINISHED = ":unfinished"
"""Behind the evaluator of a row that is no calibration yet; the name of an evaluator has no colon."""


class SampleLabel(NamedTuple):
    """What people say of what a node gave for a sample."""

    sample_id: int
    passed: bool | None
    """None where they were asked and said nothing."""
    text: str
    """Hash of the text that they read."""


@dataclass(frozen=True)
class CalibrationRow:
    """A judge held against people's labels."""

    evaluator: str
    """``node.evaluator``."""
    pin: str
    """Hash of the evaluator, its prompt and the judge as it was asked for."""
    cell_id: int | None
    """The cell whose samples were labelled; None where texts of a file were."""
    labels: Sequence[SampleLabel]
    """Empty where texts of a file were labelled."""
    details: Mapping[str, Any]
    """What was found, for a person."""
    created_at: datetime


def add_calibration(
    ledger: Ledger,
    evaluator: str,
    pin: str,
    details: Mapping[str, Any],
    *,
    cell_id: int | None = None,
    labels: Sequence[SampleLabel] = (),
) -> None:
    """Keep a calibration; it takes the place of none."""
    row = {
        "evaluator": evaluator,
        "pin": pin,
        "cell_id": cell_id,
        "labels": [list(one) for one in labels],
        "details": dict(details),
        "created_at": datetime.now(UTC),
    }
    with ledger.write() as connection:
        connection.execute(insert(calibrations), [row])


class KeptGrade(NamedTuple):
    """What a judge said of a text of a file, while not all of them are graded."""

    text: str
    """Hash of what the judge was given."""
    grade: float
    passed: bool


def keep_grades(ledger: Ledger, pin: str, evaluator: str, grades: Sequence[KeptGrade], *, done: bool = False) -> None:
    """Keep what was paid for; with ``done`` all texts have a grade, and none is handed out again."""
    details = {"grades": [list(one) for one in grades], "done": done}
    add_calibration(ledger, evaluator + _UNFINISHED, pin, details)


def kept_grades(ledger: Ledger, pin: str, evaluator: str) -> list[KeptGrade]:
    """What a pinned judge said since all texts of a file were last graded."""
    found: list[KeptGrade] = []
    for row in calibrations_of(ledger, pin, evaluator + _UNFINISHED):
        if row.details["done"]:
            break
        found += [KeptGrade(*one) for one in row.details["grades"]]
    return found


def calibrations_of(ledger: Ledger, pin: str, evaluator: str | None = None) -> list[CalibrationRow]:
    """The calibrations of a pinned judge at one place of a flow, or wherever it was, the newest first."""
    query = select(calibrations).where(calibrations.c.pin == pin).order_by(calibrations.c.id.desc())
    if evaluator is None:
        query = query.where(calibrations.c.evaluator.not_like(f"%{_UNFINISHED}"))
    else:
        query = query.where(calibrations.c.evaluator == evaluator)
    with ledger.read() as connection:
        return [
            CalibrationRow(
                row.evaluator,
                row.pin,
                row.cell_id,
                [SampleLabel(*label) for label in row.labels],
                row.details,
                row.created_at,
            )
            for row in connection.execute(query)
        ]
