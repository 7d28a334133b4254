"""What was made of the outcomes: evaluator means, scores and verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, case, cast, desc, func, insert, select

from driftgate.ledger._details import detail_rows, is_moved
from driftgate.ledger._repeats import newest_rounds, repeats_of
from driftgate.ledger._schema import evaluations, scores, verdicts
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ScoreRow:
    """A number with its interval and what it is of."""

    metric: str
    slice_kind: str
    """``all``, ``category`` or ``super_category``."""
    slice: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    """Samples in the denominator."""


@dataclass(frozen=True)
class VerdictRow:
    """What a gate decided of a run."""

    gate: str
    verdict: str
    details: Mapping[str, Any]
    created_at: datetime


def add_scores(ledger: Ledger, cell_id: int, signature: str, rows: Sequence[ScoreRow]) -> None:
    """Add scores of a cell under the signature of the convention that made them."""
    now = datetime.now(UTC)
    common = {"cell_id": cell_id, "signature": signature, "created_at": now}
    if rows:
        with ledger.write() as connection:
            connection.execute(insert(scores), [common | asdict(row) for row in rows])


def scores_of(ledger: Ledger, cell_id: int, signature: str) -> list[ScoreRow]:
    """The newest scores of a cell under a signature."""
    columns = [scores.c[name] for name in ScoreRow.__dataclass_fields__]
    mine = (scores.c.cell_id == cell_id) & (scores.c.signature == signature)
    newest = select(func.max(scores.c.created_at)).where(mine).scalar_subquery()
    with ledger.read() as connection:
        rows = connection.execute(select(*columns).where(mine, scores.c.created_at == newest).order_by(scores.c.id))
        return [ScoreRow(**row._mapping) for row in rows]


def add_verdict(ledger: Ledger, run_id: str, gate: str, verdict: str, details: Mapping[str, Any]) -> None:
    """Add what a gate decided of a run."""
    with ledger.write() as connection:
        row = {"run_id": run_id, "gate": gate, "verdict": verdict, "details": dict(details)}
        connection.execute(insert(verdicts).values(**row, created_at=datetime.now(UTC)))


def verdicts_of(ledger: Ledger, run_id: str) -> list[VerdictRow]:
    """The verdicts on a run, newest first."""
    columns = [verdicts.c[name] for name in VerdictRow.__dataclass_fields__]
    query = select(*columns).where(verdicts.c.run_id == run_id).order_by(desc(verdicts.c.id))
    with ledger.read() as connection:
        return [VerdictRow(**row._mapping) for row in connection.execute(query)]


def evaluators_heard(ledger: Ledger, cell_id: int) -> set[tuple[str, str]]:
    """Node and name of every evaluator of a cell that gave anything: a number, a label or an error."""
    rows = detail_rows(ledger, evaluations, cell_id, ("node", "evaluator"))
    return {(str(row.node), str(row.evaluator)) for row in rows}


def evaluation_means(ledger: Ledger, cell_id: int) -> list[dict[str, Any]]:
    """Mean of every numeric evaluator metric of a cell, computed by the database where it still has all of them.

    Where samples are asked several times, it is of the samples' means over their repeats, which ``n`` then counts.

    Returns
    -------
    list of dict
        ``node``, ``evaluator``, ``metric``, ``mean``, ``sd`` (population), ``n``, ``errors``, ``error`` (one of
        them) and ``binary`` (every value is 0 or 1), by node.
    """
    columns = ("node", "evaluator", "metric", "value", "error")
    with ledger.read() as connection:
        repeats = repeats_of(connection, cell_id)
    if repeats > 1:
        return _means(detail_rows(ledger, evaluations, cell_id, columns), repeats)
    value = evaluations.c.value
    newest = newest_rounds(evaluations, cell_id, repeats).subquery()
    failed = case((evaluations.c.error != "", 1), else_=0)
    query = (
        select(
            evaluations.c.node,
            evaluations.c.evaluator,
            evaluations.c.metric,
            func.avg(value).label("mean"),
            func.avg(cast(value, Float) * value).label("square"),
            func.count(value).label("n"),
            func.sum(failed).label("errors"),
            func.min(case((evaluations.c.error != "", evaluations.c.error))).label("error"),
            func.sum(case((value.in_([0.0, 1.0]), 0), else_=case((value.is_(None), 0), else_=1))).label("graded"),
        )
        .join(newest, (newest.c.sample_id == evaluations.c.sample_id) & (newest.c.round == evaluations.c.round))
        .where(evaluations.c.cell_id == cell_id)
        .group_by(evaluations.c.node, evaluations.c.evaluator, evaluations.c.metric)
        .having((func.count(value) > 0) | (func.sum(failed) > 0))
        .order_by(evaluations.c.node, evaluations.c.evaluator, evaluations.c.metric)
    )
    with ledger.read() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    if is_moved(ledger, cell_id):  # asked last: they may have moved meanwhile
        return _means(detail_rows(ledger, evaluations, cell_id, columns), repeats)
    for row in rows:
        square = row.pop("square")
        row["sd"] = None if square is None else max(0.0, float(square) - float(row["mean"]) ** 2) ** 0.5
        row |= {"errors": int(row["errors"]), "error": row["error"] or ""}
        row["binary"] = not row.pop("graded")
    return rows


def _means(rows: Sequence[Any], repeats: int) -> list[dict[str, Any]]:
    """As :func:`evaluation_means`, of rows that were read."""
    last: dict[tuple[int, int], int] = {}
    for row in rows:
        repeat = (row.sample_id, row.round % repeats)
        last[repeat] = max(last.get(repeat, 0), row.round)
    given: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    errors: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.round == last[row.sample_id, row.round % repeats]:
            of = (row.node, row.evaluator, row.metric)
            by_sample = given.setdefault(of, {})
            if row.value is not None:
                by_sample.setdefault(row.sample_id, []).append(row.value)
            if row.error:
                errors.setdefault(of, []).append(row.error)
    values = {of: [math.fsum(each) / len(each) for each in said.values()] for of, said in given.items()}
    found = []
    for of in sorted(of for of in values if values[of] or of in errors):
        n = len(values[of])
        mean = math.fsum(values[of]) / n if n else None
        square = math.fsum(value * value for value in values[of]) / n if n else 0.0
        sd = None if mean is None else max(0.0, square - mean**2) ** 0.5
        named = dict(zip(("node", "evaluator", "metric"), of, strict=True))
        binary = all(value in (0.0, 1.0) for value in values[of])
        failed = errors.get(of, [])
        of_errors = {"errors": len(failed), "error": min(failed, default="")}
        found.append(named | {"mean": mean, "n": n, "sd": sd, "binary": binary} | of_errors)
    return found


def evaluation_frame(ledger: Ledger, cell_id: int, node: str, evaluator: str) -> pd.DataFrame:
    """What an evaluator said of the samples of a cell, in every round.

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, ``round``, ``metric``, ``value`` (NaN where there is none) and ``error``; an evaluator that
        failed has one row with an empty metric.
    """
    import pandas as pd

    columns = ("sample_id", "round", "metric", "value", "error")
    rows = detail_rows(ledger, evaluations, cell_id, columns[2:], equal={"node": node, "evaluator": evaluator})
    return pd.DataFrame(map(tuple, rows), columns=list(columns)).astype({"value": float})
