"""Baselines: take what a comparison needs of a run, put it into another ledger, and find it there by its name.

What was imported is a run of the kind ``baseline``, known by the hash of its content. It is never ``latest``, is
``previous`` to no run, and its samples are rows of their own: they are found by their keys as any other's, and nothing
that a ledger holds of its own samples comes from a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    desc,
    insert,
    inspect,
    select,
)

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._aggregations import aggregations_of
from driftgate.ledger._asked import check_asked, check_whole, models_asked
from driftgate.ledger._baseline_content import (
    Baseline,
    BaselineAggregation,
    BaselineCell,
    BaselineEvaluation,
    BaselineGrade,
    BaselineLeftOut,
    BaselineOutcome,
    BaselineRun,
    BaselineSample,
    BaselineScore,
)
from driftgate.ledger._cells import CellRow, as_cells, cells_of
from driftgate.ledger._content import run_hash
from driftgate.ledger._details import detail_rows
from driftgate.ledger._insert import insert_many
from driftgate.ledger._making import lock
from driftgate.ledger._repeats import newest_rounds, repeats_of
from driftgate.ledger._results import scores_of
from driftgate.ledger._runs import RunRow, find_run
from driftgate.ledger._schema import (
    UtcDateTime,
    aggregations,
    anchor_grades,
    asked,
    asked_models,
    cells,
    evaluations,
    left_out,
    outcomes,
    runs,
    samples,
    scores,
)
from driftgate.ledger._store import Ledger, create_tables

metadata = MetaData()
baseline_names = Table(
    "baseline_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, index=True),
    Column("run_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""What each name meant since when; the newest row counts."""

_TEXTS = ("answer", "error")
_UNSAID = "it failed; the baseline was exported without its words"
_OUTCOME = tuple(column.name for column in outcomes.c)
_SAMPLE = tuple(column.name for column in samples.c if column.name != "id")
_EVALUATION = tuple(column.name for column in evaluations.c)
_CHUNK = 500


def take_baseline(ledger: Ledger, name: str, *, with_text: bool = False) -> Baseline:
    """What a comparison needs of a complete run.

    Parameters
    ----------
    name : str
        As :func:`driftgate.ledger.find_run` takes it.
    with_text : bool
        Also the questions, given answers, errors and what evaluators said; never the prompts of nodes or replies.

    Raises
    ------
    DriftgateError
        There is no such run, it is not complete or a baseline itself, it did not ask its model, or a gate stopped it.
    """
    run = find_run(ledger, name)
    if run.kind == "baseline":
        raise DriftgateError(f"run {run.id} is an imported baseline", "copy the file that it was imported from")
    if run.status != "complete":
        raise DriftgateError(f"run {run.id} is {run.status}", run.how_to_finish)
    found = cells_of(ledger, run.id)
    if not found:
        raise DriftgateError(f"run {run.id} holds no cell", "export another; see: driftgate runs list")
    for cell in found:
        check_asked(ledger, cell)
        check_whole(cell, "who imports it")
    with ledger.read() as connection:
        rows = _samples_of(connection, [cell.id for cell in found])
        places = {int(row["id"]): place for place, row in enumerate(rows)}
        return Baseline(
            run=_run(run, run_hash(ledger, run.id), with_text=with_text),
            samples=[_sample(row, with_text=with_text) for row in rows],
            cells=[_cell(ledger, connection, cell, places, with_text=with_text) for cell in found],
            grades=_grades(connection, run.id, with_text=with_text),
        )


def _run(run: RunRow, content: str, *, with_text: bool) -> BaselineRun:
    plan = dict(run.plan)
    if not with_text and isinstance(plan.get("config"), Mapping):
        plan["config"] = {key: value for key, value in plan["config"].items() if key != "prompt"}
    return BaselineRun(
        id=run.id,
        kind=run.kind,
        suite=run.suite,
        created_at=run.created_at,
        finished_at=run.finished_at,
        plan=plan,
        plan_hash=run.plan_hash,
        seed=run.seed,
        version=run.version,
        hash=content,
    )


def _samples_of(connection: Connection, cell_ids: list[int]) -> list[Mapping[str, Any]]:
    """Every sample of some cells once, in the order in which they were asked for."""
    found: dict[int, Mapping[str, Any]] = {}
    for cell_id in cell_ids:
        query = select(samples).join(asked, asked.c.sample_id == samples.c.id).where(asked.c.cell_id == cell_id)
        for row in connection.execute(query.order_by(asked.c.ordinal)).mappings():
            found.setdefault(int(row["id"]), dict(row))
    return list(found.values())


def _sample(row: Mapping[str, Any], *, with_text: bool) -> BaselineSample:
    gold = row["data"].get("answer")
    named = ("key", "edition", "dataset", "split", "subset", "position", "category", "super_category", "cluster")
    return BaselineSample(
        **{name: row[name] for name in named},
        id=row["upstream_id"],
        gold=gold if isinstance(gold, str) else None,
        data=dict(row["data"]) if with_text else None,
    )


def _cell(
    ledger: Ledger, connection: Connection, cell: CellRow, places: Mapping[int, int], *, with_text: bool
) -> BaselineCell:
    here = asked.c.cell_id == cell.id
    order = connection.execute(select(asked.c.sample_id).where(here).order_by(asked.c.ordinal)).scalars().all()
    refused = select(left_out.c.model, left_out.c.parameter).where(left_out.c.cell_id == cell.id)
    stored = connection.execute(select(cells.c.signature).where(cells.c.id == cell.id)).scalar_one()
    return BaselineCell(
        model=cell.model,
        flow=cell.flow,
        variant=cell.variant,
        dataset=cell.dataset,
        signature=stored,
        details=dict(cell.details),
        asked=[places[int(sample)] for sample in order],
        asked_models=models_asked(connection, cell.id),
        left_out=[
            BaselineLeftOut(model=model, parameter=parameter)
            for model, parameter in connection.execute(refused.order_by(left_out.c.model, left_out.c.parameter))
        ],
        outcomes=_outcomes(ledger, connection, cell.id, places, with_text=with_text),
        aggregations=[
            BaselineAggregation(
                n=one.n,
                metrics=dict(one.metrics),
                error=_said(one.error, with_text),
                node=one.node,
                evaluator=one.evaluator,
            )
            for one in aggregations_of(ledger, cell.id)
        ],
        scores=[
            BaselineScore.model_validate(row, from_attributes=True)
            for row in scores_of(ledger, cell.id, cell.signature)
        ],
    )


def _outcomes(
    ledger: Ledger, connection: Connection, cell_id: int, places: Mapping[int, int], *, with_text: bool
) -> list[BaselineOutcome]:
    said: dict[tuple[int, int], list[BaselineEvaluation]] = {}
    of_evaluations = ("node", "evaluator", "metric", "value", "label", "error")
    for row in detail_rows(ledger, evaluations, cell_id, of_evaluations, newest=True, every_repeat=True):
        one = BaselineEvaluation(
            **{name: getattr(row, name) for name in ("node", "evaluator", "metric", "value")},
            label=row.label if with_text else "",
            error=_said(row.error, with_text),
        )
        said.setdefault((int(row.sample_id), int(row.round)), []).append(one)
    for listed in said.values():
        listed.sort(key=lambda one: (one.node, one.evaluator, one.metric))
    kept = tuple(name for name in _OUTCOME if name not in ("cell_id", "sample_id", *(() if with_text else _TEXTS)))
    found = []
    for row in connection.execute(_newest_outcomes(connection, cell_id, kept)).mappings():
        sample = int(row["sample_id"])
        values = {name: row[name] for name in kept}
        found.append(BaselineOutcome(sample=places[sample], evaluations=said.get((sample, row["round"]), []), **values))
    return sorted(found, key=lambda one: (one.sample, one.round))


def _newest_outcomes(connection: Connection, cell_id: int, columns: tuple[str, ...]) -> Select[Any]:
    newest = newest_rounds(outcomes, cell_id, repeats_of(connection, cell_id)).subquery()
    here = and_(outcomes.c.sample_id == newest.c.sample_id, outcomes.c.round == newest.c.round)
    query = select(outcomes.c.sample_id, *(outcomes.c[name] for name in columns)).join(newest, here)
    return query.where(outcomes.c.cell_id == cell_id)


def _grades(connection: Connection, run_id: str, *, with_text: bool) -> list[BaselineGrade]:
    query = select(anchor_grades).where(anchor_grades.c.run_id == run_id)
    rows = connection.execute(query.order_by(anchor_grades.c.pin, anchor_grades.c.item)).mappings()
    named = ("pin", "anchors", "item", "grade", "judge", "created_at")
    return [BaselineGrade(**{name: row[name] for name in named}, error=_said(row["error"], with_text)) for row in rows]


def _said(error: str, with_text: bool) -> str:
    """An error's words, or that there was one: whether there was one decides, what it said does not."""
    return error if with_text or not error else _UNSAID


def put_baseline(ledger: Ledger, baseline: Baseline, content: str, name: str) -> RunRow:
    """Put a baseline into a ledger, all or nothing, and let a name mean it; what is there already is left as it is.

    Parameters
    ----------
    content : str
        Hash of what it holds: the same content is the same run.
    """
    create_tables(ledger, metadata)
    run_id = f"baseline-{content[:12]}"
    with ledger.write() as connection:
        lock(connection)  # two builds may import the same file at once
        if connection.execute(select(runs.c.id).where(runs.c.id == run_id)).first() is None:
            _insert(connection, baseline, run_id, content[:12])
        if _meant(connection, name) != run_id:
            row = {"name": name, "run_id": run_id, "at": datetime.now(UTC)}
            connection.execute(insert(baseline_names).values(**row))
    return find_run(ledger, run_id)


def _insert(connection: Connection, baseline: Baseline, run_id: str, mark: str) -> None:
    run = baseline.run
    row = run.model_dump(include={"suite", "created_at", "finished_at", "plan_hash", "seed", "version"})
    row |= {"id": run_id, "kind": "baseline", "status": "complete", "reason": f"exported from run {run.id}"}
    connection.execute(insert(runs).values(**row, plan=run.plan))
    editions = [f"{sample.edition}@{mark}" for sample in baseline.samples]
    insert_many(connection, samples, _SAMPLE, list(map(_sample_row, baseline.samples, editions)))
    ids = dict(_ids(connection, editions))
    for ordinal, cell in enumerate(baseline.cells):
        _insert_cell(connection, cell, run_id, ordinal, [ids[edition] for edition in editions], run.created_at)
    if baseline.grades:
        connection.execute(
            insert(anchor_grades), [{"run_id": run_id, **grade.model_dump()} for grade in baseline.grades]
        )


def _sample_row(sample: BaselineSample, edition: str) -> tuple[Any, ...]:
    """The values of :data:`_SAMPLE`."""
    data = sample.data if sample.data is not None else {} if sample.gold is None else {"answer": sample.gold}
    place = (sample.dataset, sample.split, sample.subset, sample.position, sample.id)
    return (sample.key, edition, *place, sample.category, sample.super_category, sample.cluster, data)


def _ids(connection: Connection, editions: list[str]) -> Iterator[tuple[str, int]]:
    for start in range(0, len(editions), _CHUNK):
        wanted = editions[start : start + _CHUNK]
        for row in connection.execute(select(samples.c.edition, samples.c.id).where(samples.c.edition.in_(wanted))):
            yield str(row.edition), int(row.id)


def _insert_cell(
    connection: Connection, cell: BaselineCell, run_id: str, ordinal: int, sample_ids: list[int], at: datetime
) -> None:
    row = cell.model_dump(include={"model", "flow", "variant", "dataset", "signature", "details"})
    added = connection.execute(insert(cells).values(run_id=run_id, ordinal=ordinal, **row))
    assert added.inserted_primary_key is not None
    cell_id = int(added.inserted_primary_key[0])
    order = [(cell_id, sample_ids[place], number) for number, place in enumerate(cell.asked)]
    insert_many(connection, asked, ("cell_id", "sample_id", "ordinal"), order)
    insert_many(connection, asked_models, ("cell_id", "model"), [(cell_id, model) for model in cell.asked_models])
    outcome_rows, evaluation_rows = [], []
    for one in cell.outcomes:
        line = {"cell_id": cell_id, "sample_id": sample_ids[one.sample], "round": one.round}
        values = {**dict(one), **line}
        outcome_rows.append(tuple(values[name] for name in _OUTCOME))
        evaluation_rows += [tuple({**line, **dict(said)}[name] for name in _EVALUATION) for said in one.evaluations]
    insert_many(connection, outcomes, _OUTCOME, outcome_rows)
    insert_many(connection, evaluations, _EVALUATION, evaluation_rows)
    for refused in cell.left_out:
        values = {"cell_id": cell_id, **refused.model_dump(), "words": "", "at": at}
        connection.execute(insert(left_out).values(**values))
    placed = {**row, "id": cell_id, "run_id": run_id, "ordinal": ordinal}
    signature = as_cells(connection, [placed])[0].signature
    for score in cell.scores:
        values = {"cell_id": cell_id, "signature": signature, "created_at": at, **score.model_dump()}
        connection.execute(insert(scores).values(**values))
    for made in cell.aggregations:
        common = {"cell_id": cell_id, "node": made.node, "evaluator": made.evaluator, "n": made.n, "at": at}
        named = [("", None, made.error), *((metric, value, "") for metric, value in made.metrics.items())]
        rows = [common | {"metric": metric, "value": value, "error": error} for metric, value, error in named]
        connection.execute(insert(aggregations), rows)


def baseline_named(ledger: Ledger, name: str) -> str | None:
    """The run that a name means; None where no baseline was imported under it."""
    with ledger.read() as connection:
        return _meant(connection, name) if inspect(connection).has_table(baseline_names.name) else None


def names_of_baselines(ledger: Ledger) -> list[str]:
    """The names under which baselines were imported."""
    with ledger.read() as connection:
        if not inspect(connection).has_table(baseline_names.name):
            return []
        return sorted(connection.execute(select(baseline_names.c.name).distinct()).scalars())


def _meant(connection: Connection, name: str) -> str | None:
    query = select(baseline_names.c.run_id).where(baseline_names.c.name == name).order_by(desc(baseline_names.c.id))
    return connection.execute(query.limit(1)).scalar_one_or_none()
