"""Cells of a run and the samples asked for in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, desc, insert, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.sample import Sample
from driftgate.ledger._insert import insert_many
from driftgate.ledger._not_needed import SEQUENTIAL, not_needed
from driftgate.ledger._repeats import newest_rounds, repeats_in, repeats_of
from driftgate.ledger._schema import asked, cells, expired_samples, left_out, outcomes, runs, samples
from driftgate.ledger._store import Ledger

_CHUNK = 512
_SAMPLE = tuple(column.name for column in samples.c if column.name != "id")


@dataclass(frozen=True)
class CellRow:
    """A cell as the ledger holds it."""

    id: int
    run_id: str
    ordinal: int
    model: str
    flow: str
    variant: str
    dataset: str
    signature: str
    """What its scores depend on beside the model, with what its models were asked without."""
    details: Mapping[str, Any]
    without: tuple[str, ...] = ()
    """Defaults that its model was asked without, as the service refuses them; ``MODEL.NAME`` of another model. Without
    ``chat``, it was asked by the Responses API."""
    not_needed: int = 0
    """Samples that it did not ask, as a gate had decided before it came to them."""

    @property
    def stopped(self) -> str:
        """That a gate stopped it before all samples were asked, in words; empty where none did.

        Examples
        --------
        >>> details = {"sequential": {"gate": "replace"}, "n": 4000}
        >>> CellRow(1, "r", 0, "m", "f", "v", "d", "", details, not_needed=3600).stopped
        'stopped early by gate replace after 400 of 4,000'
        """
        if not self.not_needed:
            return ""
        of = int(self.details.get("n", 0))
        return f"stopped early by gate {self.details[SEQUENTIAL]['gate']} after {of - self.not_needed:,} of {of:,}"

    @property
    def repeats(self) -> int:
        """How often each sample is asked."""
        return repeats_in(self.details)

    @property
    def name(self) -> str:
        """``model · variant · dataset``, for tables and plots."""
        return " · ".join(part for part in (self.model, self.variant, self.dataset) if part)


def add_cell(ledger: Ledger, run_id: str, ordinal: int, row: Mapping[str, Any], asked_for: Sequence[Sample]) -> int:
    """Add a cell and the samples asked for in it, all or nothing; a cell already there is left as it is.

    Parameters
    ----------
    row : Mapping
        ``model``, ``flow``, ``variant``, ``dataset``, ``signature`` and ``details``.

    Returns
    -------
    int
        The cell's id.

    Raises
    ------
    DriftgateError
        Two of the samples have one key: they could not be told apart afterwards.
    """
    keys = [sample.key for sample in asked_for]
    if len(set(keys)) < len(keys):
        twice = next(key for key, count in Counter(keys).items() if count > 1)
        raise DriftgateError(
            f"two samples of {row['dataset']} have the key {twice}", "let load_dataset read it, which numbers them"
        )
    here = and_(cells.c.run_id == run_id, cells.c.ordinal == ordinal)
    with ledger.write() as connection:
        known = connection.execute(select(cells.c.id).where(here)).scalar_one_or_none()
        if known is not None:
            return int(known)
        added = connection.execute(insert(cells).values(run_id=run_id, ordinal=ordinal, **row))
        assert added.inserted_primary_key is not None
        cell_id = int(added.inserted_primary_key[0])
        for start in range(0, len(asked_for), _CHUNK):
            chunk = asked_for[start : start + _CHUNK]
            insert_many(connection, samples, _SAMPLE, [_sample_row(sample) for sample in chunk])
            places = {sample.edition: start + offset for offset, sample in enumerate(chunk)}
            _bring_back(connection, chunk)
            stored = connection.execute(select(samples.c.id, samples.c.edition).where(samples.c.edition.in_(places)))
            rows = [(cell_id, sample_id, places[edition]) for sample_id, edition in stored]
            insert_many(connection, asked, ("cell_id", "sample_id", "ordinal"), rows)
        return cell_id


def _bring_back(connection: Connection, chunk: Sequence[Sample]) -> None:
    """Samples that only expired runs had asked have their text again, now that another run asks them."""
    data = {sample.edition: dict(sample.data) for sample in chunk}
    gone = select(samples.c.id, samples.c.edition).join(expired_samples, expired_samples.c.sample_id == samples.c.id)
    for sample_id, edition in connection.execute(gone.where(samples.c.edition.in_(data))).all():
        connection.execute(update(samples).where(samples.c.id == sample_id).values(data=data[edition]))
        connection.execute(delete(expired_samples).where(expired_samples.c.sample_id == sample_id))


def cells_of(ledger: Ledger, run_id: str) -> list[CellRow]:
    """The cells of a run, in its order."""
    with ledger.read() as connection:
        query = select(cells).where(cells.c.run_id == run_id).order_by(cells.c.ordinal)
        return as_cells(connection, [dict(row) for row in connection.execute(query).mappings()])


def complete_cells(
    ledger: Ledger, *, models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[tuple[CellRow, str]]:
    """The cells of complete runs with the kind of each run, the newest first; only of some models or datasets."""
    query = (
        select(cells, runs.c.kind)
        .join(runs, runs.c.id == cells.c.run_id)
        .where(runs.c.status == "complete")
        .order_by(desc(runs.c.created_at), desc(runs.c.id), cells.c.ordinal)
    )
    if models:
        query = query.where(cells.c.model.in_(models))
    if datasets:
        query = query.where(cells.c.dataset.in_(datasets))
    with ledger.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        kinds = [str(row.pop("kind")) for row in rows]
        return list(zip(as_cells(connection, rows), kinds, strict=True))


def as_cells(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[CellRow]:
    """Rows of the table, their signatures completed by what their models were asked without."""
    model_of = {row["id"]: row["model"] for row in rows}
    without: dict[int, list[str]] = {}
    for start in range(0, len(rows), _CHUNK):
        chunk = [row["id"] for row in rows[start : start + _CHUNK]]
        query = select(left_out.c.cell_id, left_out.c.model, left_out.c.parameter).where(left_out.c.cell_id.in_(chunk))
        for cell_id, model, parameter in connection.execute(query):
            named = parameter if model == model_of[cell_id] else f"{model}.{parameter}"
            without.setdefault(cell_id, []).append(named)
    may_stop = [row["id"] for row in rows if SEQUENTIAL in row["details"]]
    left = not_needed(connection, may_stop) if may_stop else {}
    found = []
    for row in rows:
        names = tuple(sorted(without.get(row["id"], ())))
        signature = row["signature"] + (f"|without:{','.join(names)}" if names else "")
        if unasked := left.get(row["id"], 0):
            signature += f"|asked:{int(row['details']['n']) - unasked}"
        found.append(CellRow(**{**row, "signature": signature, "without": names, "not_needed": unasked}))
    return found


def pending_samples(ledger: Ledger, cell_id: int, *, retry_failed: bool = False) -> dict[str, tuple[int, list[int]]]:
    """Samples of a cell that are still to be asked, and how often.

    Parameters
    ----------
    retry_failed : bool
        Also those whose latest outcome is ``failed``, in a new round.

    Returns
    -------
    dict
        ``(sample id, rounds)`` by sample key, a round for each repeat that is to be asked.
    """
    with ledger.read() as connection:
        repeats = repeats_of(connection, cell_id)
        latest = newest_rounds(outcomes, cell_id, repeats).subquery()
        current = (
            select(outcomes.c.sample_id, outcomes.c.round, outcomes.c.outcome)
            .join(latest, and_(outcomes.c.sample_id == latest.c.sample_id, outcomes.c.round == latest.c.round))
            .where(outcomes.c.cell_id == cell_id)
            .subquery()
        )
        query = (
            select(samples.c.key, samples.c.id, current.c.round, current.c.outcome)
            .select_from(
                asked.join(samples, samples.c.id == asked.c.sample_id).outerjoin(
                    current, current.c.sample_id == samples.c.id
                )
            )
            .where(asked.c.cell_id == cell_id)
        )
        rows = connection.execute(query).all()
    found: dict[str, tuple[int, dict[int, int]]] = {}
    for row in rows:
        _, rounds = found.setdefault(row.key, (row.id, {repeat: repeat for repeat in range(repeats)}))
        if row.round is not None:
            rounds.pop(row.round % repeats)
            if retry_failed and row.outcome == "failed":
                rounds[row.round % repeats] = row.round + repeats
    return {key: (sample_id, sorted(rounds.values())) for key, (sample_id, rounds) in found.items() if rounds}


def _sample_row(sample: Sample) -> tuple[Any, ...]:
    """The values of :data:`_SAMPLE`."""
    return (
        sample.key,
        sample.edition,
        sample.dataset,
        sample.split,
        sample.subset,
        sample.position,
        sample.id,
        sample.category,
        sample.super_category,
        sample.cluster,
        dict(sample.data),
    )
