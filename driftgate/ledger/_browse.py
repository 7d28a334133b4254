"""The samples of a run as a person looks through them: filtered, searched, ordered and cut into pages by the database.

A run may have a hundred thousand rows, of which a page shows fifty. First the places of these fifty are found, by as
few columns as the filter needs; then only they are read in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from driftgate.ledger._cells import CellRow
from driftgate.ledger._details import detail_rows
from driftgate.ledger._not_needed import NOT_NEEDED
from driftgate.ledger._schema import asked, evaluations, outcomes, samples
from driftgate.ledger._store import Ledger

ORDERS = ("place", "outcome", "answer", "correct", "latency", "cost", "output_tokens", "category")
"""What samples may be ordered by; ``place`` is the dataset's order."""
_CHUNK = 500
_NAMED = 1_000
"""Samples that a statement names one by one; of more it takes less time to look for their text anew."""


@dataclass(frozen=True)
class Evaluated:
    """Samples by what an evaluator gave them."""

    node: str
    evaluator: str
    metric: str
    below: float
    """Those with a smaller value, and those of which it gave none."""


@dataclass(frozen=True)
class SampleFilter:
    """Which samples are wanted; what is empty narrows nothing."""

    outcome: str = ""
    """One of the outcomes, ``missing`` included."""
    wrong: bool = False
    """Answered, and not rightly."""
    failed: bool = False
    """Without an answer: failed, filtered, truncated, unparsed, missing."""
    category: str = ""
    """A category or a super-category."""
    text: str = ""
    """What stands in the question, the key, the answer or the error; small and capital Latin letters are one."""
    evaluated: Evaluated | None = None
    said: Mapping[int, Collection[int]] | None = None
    """By cell, samples that have ``text`` in what a node gave: see :func:`driftgate.ledger.search_outputs`."""


@dataclass(frozen=True)
class SamplePlace:
    """One sample in one cell."""

    cell_id: int
    sample_id: int


def find_samples(
    ledger: Ledger,
    cells: Sequence[CellRow],
    wanted: SampleFilter,
    *,
    order: str = "place",
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> tuple[int, list[SamplePlace]]:
    """How many samples of cells fit, and where those are that a page shows.

    Parameters
    ----------
    order
        One of :data:`ORDERS`; samples without a value come last. Equal ones stay in the dataset's order.

    Raises
    ------
    DriftgateError
        A file of the archive, which an evaluator's values are in, is missing.
    """
    if not cells:
        return 0, []
    chosen = None if wanted.evaluated is None else _by_value(ledger, cells, wanted.evaluated)
    with ledger.read() as connection:
        texts = _with_text(connection, cells, wanted.text) if wanted.text else None
        parts = [_places(connection, cell, wanted, texts, chosen, order) for cell in cells]
        if order == "place":
            return _in_turn(connection, parts, wanted != SampleFilter(), descending, offset, limit)
        total = sum(_count(connection, part) for part in parts)
        whole = union_all(*parts).subquery()
        by = whole.c.value.desc() if descending else whole.c.value
        query = select(whole.c.cell_id, whole.c.sample_id).order_by(
            case((whole.c.value.is_(None), 1), else_=0), by, whole.c.cell_place, whole.c.place
        )
        found = [SamplePlace(*row) for row in connection.execute(query.offset(offset).limit(limit))]
    return total, found


def sample_rows(ledger: Ledger, places: Sequence[SamplePlace]) -> list[dict[str, Any]]:
    """What is shown of samples in a list, in the given order.

    Returns
    -------
    list of dict
        ``cell_id``, ``sample_id``, ``key``, ``id`` (the dataset's own), ``category``, ``question``, ``gold``,
        ``outcome``, ``answer``, ``correct``, ``error``, ``latency`` (seconds), ``cost`` and ``output_tokens``.
    """
    of_samples: dict[int, Any] = {}
    of_outcomes: dict[tuple[int, int], Any] = {}
    ids = sorted({place.sample_id for place in places})
    with ledger.read() as connection:
        for start in range(0, len(ids), _CHUNK):
            wanted = ids[start : start + _CHUNK]
            for row in connection.execute(select(samples).where(samples.c.id.in_(wanted))):
                of_samples[row.id] = row._mapping
            for cell in sorted({place.cell_id for place in places}):
                here = select(outcomes).where(outcomes.c.cell_id == cell, outcomes.c.sample_id.in_(wanted))
                for row in connection.execute(here.order_by(outcomes.c.round)):  # the newest last
                    of_outcomes[cell, row.sample_id] = row
    return [
        _row(place, of_samples[place.sample_id], of_outcomes.get((place.cell_id, place.sample_id))) for place in places
    ]


def categories_of(ledger: Ledger, cells: Sequence[CellRow], most: int = 200) -> list[str]:
    """The categories and super-categories of the samples that cells ask, in order."""
    found: set[str] = set()
    with ledger.read() as connection:
        for column in (samples.c.super_category, samples.c.category):
            for datasets in {cell.dataset for cell in cells}:
                first = next(cell.id for cell in cells if cell.dataset == datasets)
                query = select(column).join(asked, asked.c.sample_id == samples.c.id).where(asked.c.cell_id == first)
                found |= {str(one) for one in connection.execute(query.distinct().limit(most)).scalars()}
    return sorted(found - {""})[:most]


def _row(place: SamplePlace, sample: Mapping[str, Any], outcome: Any) -> dict[str, Any]:
    data = sample["data"] if isinstance(sample["data"], dict) else {}
    of_outcome = ("outcome", "answer", "correct", "error", "latency", "cost", "output_tokens")
    said = dict.fromkeys(of_outcome) if outcome is None else {n: outcome._mapping[n] for n in of_outcome}
    return {
        "cell_id": place.cell_id,
        "sample_id": place.sample_id,
        "key": sample["key"],
        "id": sample["upstream_id"],
        "category": sample["category"],
        "question": _text(data.get("question") or data.get("query")),
        "gold": _text(data.get("answer")),
        **said,
        "outcome": said["outcome"] or "missing",
    }


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _places(
    connection: Connection,
    cell: CellRow,
    wanted: SampleFilter,
    texts: ColumnElement[bool] | None,
    chosen: Mapping[int, Collection[int]] | None,
    order: str,
) -> Select[Any]:
    """``cell_id``, ``sample_id``, ``place`` and what is ordered by, of the fitting samples of one cell."""
    needs_outcome = bool(wanted.outcome or wanted.wrong or wanted.failed or wanted.text) or order not in (
        "place",
        "category",
    )
    value = _value(order)
    query = select(
        asked.c.cell_id,
        asked.c.sample_id,
        asked.c.ordinal.label("place"),
        literal(cell.ordinal, Integer).label("cell_place"),
        value.label("value"),
    ).where(asked.c.cell_id == cell.id)
    of = asked
    joined: Any = of
    if needs_outcome:
        own = and_(outcomes.c.cell_id == asked.c.cell_id, outcomes.c.sample_id == asked.c.sample_id)
        joined = joined.outerjoin(outcomes, and_(own, _newest(connection, cell)))
    if wanted.category or order == "category":
        joined = joined.join(samples, samples.c.id == asked.c.sample_id)
    query = query.select_from(joined).where(_fits(connection, cell, wanted, texts))
    return query if chosen is None else query.where(_among(chosen[cell.id]))


def _value(order: str) -> ColumnElement[Any]:
    if order == "place":
        return literal(0, Integer)
    return samples.c.category if order == "category" else outcomes.c[order]


def _newest(connection: Connection, cell: CellRow) -> ColumnElement[bool]:
    """That an outcome is its sample's last; most cells ask each sample once, where every one is."""
    again = select(outcomes.c.round).where(outcomes.c.cell_id == cell.id, outcomes.c.round > 0).limit(1)
    if connection.execute(again).first() is None:
        return true()
    later = outcomes.alias()
    newest = select(func.max(later.c.round)).where(
        later.c.cell_id == outcomes.c.cell_id, later.c.sample_id == outcomes.c.sample_id
    )
    return outcomes.c.round == newest.scalar_subquery()


def _among(ids: Collection[int]) -> ColumnElement[bool]:
    """That a sample is one of these, however many they are: numbers stand in the statement itself."""
    return asked.c.sample_id.in_(bindparam(None, sorted(ids) or [-1], expanding=True, literal_execute=True))


def _with_text(connection: Connection, cells: Sequence[CellRow], text: str) -> ColumnElement[bool]:
    """That a sample's question, key or id has a text; where few do, each is looked at once for however many cells."""
    mine = select(asked.c.sample_id).where(asked.c.cell_id.in_([cell.id for cell in cells]))
    columns = (cast(samples.c.data, Text), samples.c.key, samples.c.upstream_id)
    has = or_(*(_has(connection, column, text) for column in columns))
    found = select(samples.c.id).where(samples.c.id.in_(mine), has)
    few = list(connection.execute(found.limit(_NAMED + 1)).scalars())
    return _among(few) if len(few) <= _NAMED else asked.c.sample_id.in_(found)


def _fits(
    connection: Connection, cell: CellRow, wanted: SampleFilter, texts: ColumnElement[bool] | None
) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    missing = or_(outcomes.c.outcome.is_(None), outcomes.c.outcome == NOT_NEEDED)
    if wanted.outcome:
        parts.append(missing if wanted.outcome == "missing" else outcomes.c.outcome == wanted.outcome)
    answered = outcomes.c.outcome == "answered"
    wrong = and_(answered, or_(outcomes.c.correct.is_(None), outcomes.c.correct < 1.0))
    failed = or_(missing, outcomes.c.outcome != "answered")
    if wanted.wrong or wanted.failed:
        parts.append(or_(*([wrong] if wanted.wrong else []), *([failed] if wanted.failed else [])))
    if wanted.category:
        parts.append(or_(samples.c.category == wanted.category, samples.c.super_category == wanted.category))
    if texts is not None:
        said = (_has(connection, column, wanted.text) for column in (outcomes.c.answer, outcomes.c.error))
        given = (wanted.said or {}).get(cell.id)
        parts.append(or_(texts, *said, *([_among(given)] if given else [])))
    return and_(true(), *parts)


def _has(connection: Connection, column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    r"""That a text stands in a column; SQLite's LIKE takes capital Latin letters for small ones by itself."""
    escaped = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    if connection.dialect.name == "sqlite":
        return column.like(f"%{escaped}%", escape="\\")
    return column.ilike(f"%{escaped}%", escape="\\")


def _count(connection: Connection, part: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(part.subquery())).scalar_one())


def _in_turn(
    connection: Connection, parts: Sequence[Select[Any]], narrowed: bool, descending: bool, offset: int, limit: int
) -> tuple[int, list[SamplePlace]]:
    """One cell after the other, so that no database orders all of them to show a few."""
    found: list[SamplePlace] = []
    total = 0
    for part in reversed(parts) if descending else parts:
        before, left = max(0, offset - total), limit - len(found)
        if not left:
            total += _count(connection, part)
            continue
        by = asked.c.ordinal.desc() if descending else asked.c.ordinal
        # Where something is looked for, how much there is of it is counted in passing, so that it is looked for once.
        fitting = func.count().over() if narrowed else literal(_count(connection, part), Integer)
        page = part.add_columns(fitting.label("fitting")).order_by(by).offset(before).limit(left)
        rows = list(connection.execute(page))
        found += [SamplePlace(row.cell_id, row.sample_id) for row in rows]
        total += int(rows[0].fitting) if rows else _count(connection, part) if before else 0
    return total, found


def _by_value(ledger: Ledger, cells: Sequence[CellRow], by: Evaluated) -> dict[int, set[int]]:
    """Of each cell, the samples that an evaluator gave less than a value, or nothing."""
    found: dict[int, set[int]] = {}
    for cell in cells:
        equal = {"node": by.node, "evaluator": by.evaluator, "metric": by.metric}
        rows = detail_rows(ledger, evaluations, cell.id, ("value",), newest=True, equal=equal)
        kept = {int(row.sample_id) for row in rows if row.value is not None and row.value >= by.below}
        with ledger.read() as connection:
            everyone = connection.execute(select(asked.c.sample_id).where(asked.c.cell_id == cell.id)).scalars()
            found[cell.id] = set(everyone) - kept
    return found


def asks_sample(ledger: Ledger, cell_id: int, sample_id: int) -> bool:
    """Whether a cell asks a sample."""
    query = select(asked.c.sample_id).where(asked.c.cell_id == cell_id, asked.c.sample_id == sample_id)
    with ledger.read() as connection:
        return connection.execute(query).first() is not None
