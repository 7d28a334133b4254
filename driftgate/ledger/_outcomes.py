"""What became of each sample: written in batches, read as frames."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Integer, Select, and_, exists, func, or_, select, type_coerce

from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import FORGOTTEN
from driftgate.flows.scrubbing import told
from driftgate.ledger._asked import NOT_THROUGH, why_unasked
from driftgate.ledger._details import EXPIRED, detail_rows, expired_at, forgotten_in
from driftgate.ledger._insert import insert_many
from driftgate.ledger._not_needed import NOT_NEEDED
from driftgate.ledger._plain import plain_text
from driftgate.ledger._repeats import every_repeat, newest_rounds, one_row_each, repeats_of
from driftgate.ledger._schema import (
    archives,
    asked,
    asked_models,
    cells,
    evaluated_lines,
    evaluations,
    expired_runs,
    node_outputs,
    outcomes,
    pages,
    samples,
)
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.flows.engines import NodeResult
    from driftgate.flows.evaluators import EvaluatedLine, Evaluation


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about one sample in one cell, written together or not at all."""

    cell_id: int
    sample_id: int
    round: int
    outcome: str
    answer: str | None
    correct: float | None
    rule: str
    error: str
    finish_reason: str
    input_tokens: int | None
    """None where the service did not say."""
    output_tokens: int | None
    """Those of reasoning among them."""
    cost: float | None
    """None where a price or a count is not known."""
    latency: float | None
    seconds: float
    served_model: str
    fingerprint: str
    attempts: int
    cached: bool
    finished_at: datetime
    nodes: Sequence[NodeResult] = ()
    evaluations: Sequence[Evaluation] = ()
    lines: Sequence[EvaluatedLine] = ()
    """Of evaluation flows with aggregation nodes."""
    asked: Collection[str] = ()
    """Names of the models that were asked on the line, answered or not."""
    reasoning_tokens: int | None = None
    """Of the output; None where the service did not say."""
    cached_tokens: int | None = None
    """Of the input, those that the service had kept from an earlier call."""


_OUTCOME = tuple(column.name for column in outcomes.c)
_NODE = tuple(column.name for column in node_outputs.c)
_EVALUATION = tuple(column.name for column in evaluations.c)
_LINE = tuple(column.name for column in evaluated_lines.c)
_BESIDE = {
    "nodes": (node_outputs, ("node", "status", "output", "seconds", "error")),
    "evaluations": (evaluations, ("node", "evaluator", "metric", "value", "label", "error")),
}
"""What is shown of a sample beside its outcome."""


def _told(text: str) -> str:
    """What a service or a tool said, without what it may not have said."""
    return plain_text(told(text)) if text else text


_name = lru_cache(maxsize=4096)(plain_text)  # the same few names come with every sample


def record(ledger: Ledger, records: Sequence[Record]) -> None:
    """Write records in one transaction. A record whose sample is already there changes nothing.

    What a database cannot hold, such as a NUL, is replaced: see :func:`driftgate.ledger._plain.plain`.

    Raises
    ------
    DriftgateError
        The run was expired meanwhile, or the ledger refuses.
    """
    with ledger.write() as connection:
        known = moved_lines(connection, sorted({entry.cell_id for entry in records}))
        _record(connection, [entry for entry in records if (entry.cell_id, entry.sample_id, entry.round) not in known])


def moved_lines(connection: Connection, cell_ids: Sequence[int]) -> set[tuple[int, int, int]]:
    """Cell, sample and round of what is packed or archived, where no key keeps it from being written once more."""
    held = or_(*(exists().where(table.c.cell_id == cells.c.id) for table in (archives, pages))).label("moved")
    gone = expired_runs.c.run_id.is_not(None).label("expired")
    query = select(cells.c.id, cells.c.run_id, held, gone).outerjoin(
        expired_runs, expired_runs.c.run_id == cells.c.run_id
    )
    found: set[tuple[int, int, int]] = set()
    for cell in connection.execute(query.where(cells.c.id.in_(cell_ids))).all():
        if cell.expired:
            raise DriftgateError(f"run {cell.run_id} was expired, and no texts are added to it", "begin a new run")
        if cell.moved:
            there = select(outcomes.c.sample_id, outcomes.c.round).where(outcomes.c.cell_id == cell.id)
            found |= {(cell.id, row.sample_id, row.round) for row in connection.execute(there)}
    return found


def _record(connection: Connection, records: Sequence[Record]) -> None:
    outcome_rows, node_rows, evaluation_rows, line_rows = [], [], [], []
    for entry in records:
        line = (entry.cell_id, entry.sample_id, entry.round)
        outcome_rows.append(_outcome_row(entry))
        for n in entry.nodes:
            node_rows.append((*line, _name(n.node), n.status, n.output, n.seconds, _told(n.error)))
        for e in entry.evaluations:
            of = (_name(e.node), _name(e.evaluator), _name(e.metric))
            evaluation_rows.append((*line, *of, e.value, _told(e.label), _told(e.error)))
        for kept in entry.lines:
            by = (_name(kept.node), _name(kept.evaluator))
            line_rows.append((*line, *by, dict(kept.line.inputs), dict(kept.line.outputs)))
    asked_rows = sorted({(entry.cell_id, _name(model)) for entry in records for model in entry.asked})
    insert_many(connection, outcomes, _OUTCOME, outcome_rows)
    insert_many(connection, node_outputs, _NODE, node_rows)
    insert_many(connection, evaluations, _EVALUATION, evaluation_rows)
    insert_many(connection, evaluated_lines, _LINE, line_rows)
    insert_many(connection, asked_models, ("cell_id", "model"), asked_rows)


def _outcome_row(entry: Record) -> tuple[Any, ...]:
    """The values of the table's columns, in its order."""
    return (
        entry.cell_id,
        entry.sample_id,
        entry.round,
        entry.outcome,
        None if entry.answer is None else plain_text(entry.answer),
        entry.correct,
        _name(entry.rule),
        _told(entry.error),
        _name(entry.finish_reason),
        entry.input_tokens,
        entry.output_tokens,
        entry.cost,
        entry.latency,
        entry.seconds,
        _name(entry.served_model),
        _name(entry.fingerprint),
        entry.attempts,
        entry.cached,
        entry.finished_at,
        entry.reasoning_tokens,
        entry.cached_tokens,
    )


def outcome_frame(ledger: Ledger, cell_id: int) -> pd.DataFrame:
    """One row for every sample asked for in a cell; those without an outcome are ``missing``.

    Where the cell asks each sample several times, a row says what its repeats say together; see
    :func:`driftgate.ledger._repeats.one_row_each`.

    Returns
    -------
    pandas.DataFrame
        As :func:`ask_frame`, without ``repeat``.
    """
    frame = ask_frame(ledger, cell_id)
    return one_row_each(frame) if "repeat" in frame else frame


def ask_frame(ledger: Ledger, cell_id: int, *, whole: bool = False) -> pd.DataFrame:
    """One row for every time that a sample is asked in a cell; what has no outcome is ``missing``.

    What was not needed, as a gate had decided, was not asked and is not among them.

    What came through a flow that never asked the cell's model is no outcome of the model, and ``missing`` as well: see
    :func:`driftgate.ledger.why_unasked`.

    Parameters
    ----------
    whole : bool
        Also samples that were not needed, as ``missing``: for what goes by their places in the dataset.

    Returns
    -------
    pandas.DataFrame
        The columns of the outcome's latest round beside ``sample_id``, ``key``, ``upstream_id``, ``category``,
        ``super_category`` and ``cluster``, in the dataset's order; ``repeat`` where each sample is asked several times.
    """
    import pandas as pd

    of_sample = ["sample_id", "key", "upstream_id", "category", "super_category", "cluster"]
    own = and_(outcomes.c.cell_id == asked.c.cell_id, outcomes.c.sample_id == asked.c.sample_id)
    query = (
        select(
            samples.c.id.label("sample_id"),
            *(samples.c[name] for name in of_sample[1:]),
            *(outcomes.c[name] for name in _OUTCOME if name not in ("cell_id", "sample_id")),
        )
        .select_from(
            asked.join(samples, samples.c.id == asked.c.sample_id).outerjoin(
                outcomes, and_(own, outcomes.c.outcome.in_(NOT_THROUGH)) if why_unasked(ledger, cell_id) else own
            )
        )
        .where(asked.c.cell_id == cell_id)
        .order_by(asked.c.ordinal, outcomes.c.round)
    )
    if not whole:
        query = query.where(or_(outcomes.c.outcome.is_(None), outcomes.c.outcome != NOT_NEEDED))
    with ledger.read() as connection:
        repeats = repeats_of(connection, cell_id)
        frame = pd.read_sql_query(query, connection)
    if repeats > 1:
        frame = every_repeat(frame, repeats, of_sample)
    else:
        frame = frame.drop_duplicates("sample_id", keep="last").reset_index(drop=True)
    frame["outcome"] = frame["outcome"].fillna("missing").replace(NOT_NEEDED, "missing")
    # Where no value is set at all, pandas cannot tell a column's type.
    numbers = ("correct", "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "cost")
    frame = frame.astype(dict.fromkeys(numbers, float))
    return frame


def brief_frame(ledger: Ledger, cell_id: int, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """:func:`outcome_frame` of a cell that asks each sample once, with what scores need and little memory.

    Equal texts are one object. Where the cell asks what another one does, the samples' own columns are that one's.

    Parameters
    ----------
    like
        The frame of a cell that may ask the same samples.

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, ``key``, ``upstream_id``, ``category``, ``super_category``, ``cluster``, ``outcome``, ``answer``,
        ``correct``, ``cost``, ``latency``, ``cached`` and the counts of tokens.
    """
    import pandas as pd

    of_sample = ["key", "upstream_id", "category", "super_category", "cluster"]
    numbers = ["correct", "input_tokens", "output_tokens", "cached_tokens", "cost", "latency"]
    texts = ["outcome", "answer"]
    own = and_(outcomes.c.cell_id == asked.c.cell_id, outcomes.c.sample_id == asked.c.sample_id)
    if why_unasked(ledger, cell_id):
        own = and_(own, outcomes.c.outcome.in_(NOT_THROUGH))
    query = (
        select(
            asked.c.sample_id,
            type_coerce(outcomes.c.cached, Integer).label("cached"),
            *(outcomes.c[name] for name in (*texts, *numbers)),
        )
        .select_from(asked.outerjoin(outcomes, own))
        .where(asked.c.cell_id == cell_id)
        .order_by(asked.c.ordinal, outcomes.c.round)
    )
    with ledger.read() as connection:
        frame = pd.read_sql_query(query, connection).drop_duplicates("sample_id", keep="last").reset_index(drop=True)
        if like is None or not like["sample_id"].equals(frame["sample_id"]):
            described = select(samples.c.id.label("sample_id"), *(samples.c[name] for name in of_sample))
            described = described.join(asked, samples.c.id == asked.c.sample_id).where(asked.c.cell_id == cell_id)
            like = pd.read_sql_query(described.order_by(asked.c.ordinal), connection)
            like = like.assign(**{name: _shared_texts(like[name]) for name in of_sample})
    frame["outcome"] = _shared_texts(frame["outcome"].fillna("missing"))
    frame["answer"] = _shared_texts(frame["answer"])
    return like[["sample_id", *of_sample]].join(frame.drop(columns="sample_id").astype(dict.fromkeys(numbers, float)))


def _shared_texts(texts: pd.Series[str]) -> pd.Series[str]:
    """The same texts, equal ones as one object."""
    import numpy as np
    import pandas as pd

    codes, known = pd.factorize(texts)  # a missing text has the code -1, the last one
    return pd.Series(np.array([*known, None], dtype=object)[codes], index=texts.index)


def samples_frame(ledger: Ledger, cell_id: int, sample_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Content, outcome and every node's output of some samples of a cell, for a person to look at.

    Of a sample that is asked several times, what was asked last, and of every repeat outcome and answer in ``repeats``.

    Where the run was expired, ``expired`` says when, there are no nodes, and a text that is gone is :data:`EXPIRED`.
    """
    ids = [int(sample_id) for sample_id in sample_ids]
    kept: dict[str, dict[tuple[int, int], list[dict[str, Any]]]] = {"nodes": {}, "evaluations": {}}
    for name, (table, columns) in _BESIDE.items():
        for row in detail_rows(ledger, table, cell_id, columns, samples=ids):
            entry = {column: getattr(row, column) for column in columns}
            kept[name].setdefault((row.sample_id, row.round), []).append(entry)
    with ledger.read() as connection:
        cell = connection.execute(select(cells.c.details, cells.c.run_id).where(cells.c.id == cell_id)).one()
        order = {name: place for place, name in enumerate(cell.details.get("nodes", []))}
        rows = [_outcome_in_full(connection, cell_id, sample_id) for sample_id in ids]
    expired, forgotten = expired_at(ledger, cell.run_id), forgotten_in(ledger, cell_id)
    for sample_id, row in zip(ids, rows, strict=True):
        for name, found in kept.items():
            entries = found.get((sample_id, row["round"]), []) if "round" in row else []
            row[name] = sorted(entries, key=lambda entry: order.get(entry["node"], len(order)))
        row.pop("round", None)
        if expired is not None:
            gone = row["outcome"] == "answered" and row["answer"] is None
            row |= {"expired": f"{expired:%Y-%m-%d}"} | ({"answer": EXPIRED} if gone else {})
        elif sample_id in forgotten:
            gone = row["outcome"] == "answered" and row["answer"] is None
            row |= {"forgotten": f"{forgotten[sample_id]:%Y-%m-%d}"} | ({"answer": FORGOTTEN} if gone else {})
    return rows


def _outcome_in_full(connection: Connection, cell_id: int, sample_id: int) -> dict[str, Any]:
    sample = connection.execute(select(samples).where(samples.c.id == sample_id)).one()._mapping
    outcome = connection.execute(_latest(outcomes, cell_id, sample_id)).one_or_none()
    repeats = repeats_of(connection, cell_id)
    row: dict[str, Any] = {"key": sample["key"], "id": sample["upstream_id"], "data": sample["data"]}
    if outcome is None:
        return row | {"outcome": "missing"}
    row |= {name: value for name, value in outcome._mapping.items() if name not in ("cell_id", "sample_id")}
    if repeats > 1:
        newest = newest_rounds(outcomes, cell_id, repeats).subquery()
        query = select(outcomes.c.round, outcomes.c.outcome, outcomes.c.answer, outcomes.c.correct)
        here = and_(outcomes.c.cell_id == cell_id, outcomes.c.sample_id == sample_id)
        same = and_(newest.c.sample_id == outcomes.c.sample_id, newest.c.round == outcomes.c.round)
        said = sorted(connection.execute(query.join(newest, same).where(here)), key=lambda one: one.round % repeats)
        row["repeats"] = [{name: getattr(one, name) for name in ("outcome", "answer", "correct")} for one in said]
    return row


def _latest(table: Any, cell_id: int, sample_id: int) -> Select[Any]:
    here = and_(table.c.cell_id == cell_id, table.c.sample_id == sample_id)
    return select(table).where(here, table.c.round == select(func.max(table.c.round)).where(here).scalar_subquery())
