"""What became of each sample: written in batches, read as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, func, select

from benchmarks.ledger._plain import plain
from benchmarks.ledger._schema import asked, cells, evaluations, node_outputs, outcomes, samples
from benchmarks.ledger._store import Ledger, insert_new
from flows.engines import NodeResult
from flows.evaluators import Evaluation

if TYPE_CHECKING:
    import pandas as pd


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
    input_tokens: int
    output_tokens: int
    cost: float
    latency: float | None
    seconds: float
    served_model: str
    fingerprint: str
    attempts: int
    cached: bool
    finished_at: datetime
    nodes: Sequence[NodeResult] = ()
    evaluations: Sequence[Evaluation] = ()


_LINE = ("cell_id", "sample_id", "round")
_OUTCOME = [column.name for column in outcomes.c]
_NODE = ("node", "status", "output", "seconds", "error")


def record(ledger: Ledger, records: Sequence[Record]) -> None:
    """Write records in one transaction. A record whose sample is already there changes nothing.

    What a database cannot hold, such as a NUL, is replaced: see :func:`benchmarks.ledger._plain.plain`.
    """
    lines = [{name: getattr(r, name) for name in _LINE} for r in records]
    with ledger.write() as connection:
        insert_new(connection, outcomes, [_outcome_row(r) for r in records])
        insert_new(
            connection,
            node_outputs,
            [
                line | {name: plain(getattr(n, name)) for name in _NODE}
                for line, r in zip(lines, records, strict=True)
                for n in r.nodes
            ],
        )
        insert_new(
            connection,
            evaluations,
            [line | plain(asdict(e)) for line, r in zip(lines, records, strict=True) for e in r.evaluations],
        )


def _outcome_row(entry: Record) -> dict[str, Any]:
    row = {name: plain(getattr(entry, name)) for name in _OUTCOME}
    return row | {"finished_at": entry.finished_at}


def outcome_frame(ledger: Ledger, cell_id: int) -> pd.DataFrame:
    """One row for every sample asked for in a cell; those without an outcome are ``missing``.

    Returns
    -------
    pandas.DataFrame
        The columns of the outcome's latest round beside ``sample_id``, ``key``, ``upstream_id``, ``category``,
        ``super_category`` and ``cluster``, in the dataset's order.
    """
    import pandas as pd

    query = (
        select(
            samples.c.id.label("sample_id"),
            samples.c.key,
            samples.c.upstream_id,
            samples.c.category,
            samples.c.super_category,
            samples.c.cluster,
            *(outcomes.c[name] for name in _OUTCOME if name not in ("cell_id", "sample_id")),
        )
        .select_from(
            asked.join(samples, samples.c.id == asked.c.sample_id).outerjoin(
                outcomes, and_(outcomes.c.cell_id == asked.c.cell_id, outcomes.c.sample_id == asked.c.sample_id)
            )
        )
        .where(asked.c.cell_id == cell_id)
        .order_by(asked.c.ordinal, outcomes.c.round)
    )
    with ledger.read() as connection:
        frame = pd.read_sql_query(query, connection)
    frame = frame.drop_duplicates("sample_id", keep="last").reset_index(drop=True)
    frame["outcome"] = frame["outcome"].fillna("missing")
    return frame


def samples_frame(ledger: Ledger, cell_id: int, sample_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Content, outcome and every node's output of some samples of a cell, for a person to look at."""
    with ledger.read() as connection:
        details = connection.execute(select(cells.c.details).where(cells.c.id == cell_id)).scalar_one()
        order = {name: place for place, name in enumerate(details.get("nodes", []))}
        return [_sample_in_full(connection, cell_id, sample_id, order) for sample_id in sample_ids]


def _sample_in_full(connection: Connection, cell_id: int, sample_id: int, order: Mapping[str, int]) -> dict[str, Any]:
    sample = connection.execute(select(samples).where(samples.c.id == sample_id)).one()._mapping
    latest = _latest(outcomes, cell_id, sample_id)
    outcome = connection.execute(latest).one_or_none()
    row: dict[str, Any] = {"key": sample["key"], "id": sample["upstream_id"], "data": sample["data"]}
    if outcome is None:
        return row | {"outcome": "missing", "nodes": [], "evaluations": []}
    here = {"cell_id": cell_id, "sample_id": sample_id, "round": outcome.round}
    row |= {name: value for name, value in outcome._mapping.items() if name not in here}
    for name, table in (("nodes", node_outputs), ("evaluations", evaluations)):
        where = and_(*(table.c[key] == value for key, value in here.items()))
        rows = connection.execute(select(table).where(where)).mappings()
        entries = [{k: v for k, v in entry.items() if k not in here} for entry in rows]
        row[name] = sorted(entries, key=lambda entry: order.get(entry["node"], len(order)))
    return row


def _latest(table: Any, cell_id: int, sample_id: int) -> Select[Any]:
    here = and_(table.c.cell_id == cell_id, table.c.sample_id == sample_id)
    return select(table).where(here, table.c.round == select(func.max(table.c.round)).where(here).scalar_subquery())
