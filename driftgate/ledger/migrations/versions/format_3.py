"""Format 3: a sample is known by what it asks, and no longer by its place in its file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, RowMapping, bindparam, select, update

from driftgate.flows.sample import OWN, asked_hash, sample_key  # the keys that samples have today are the purpose
from driftgate.ledger.migrations import there

revision = "3"
down_revision = "2"

_samples = sa.table(
    "samples",
    sa.column("id", sa.Integer),
    sa.column("key", sa.String),
    sa.column("dataset", sa.String),
    sa.column("split", sa.String),
    sa.column("subset", sa.String),
    sa.column("position", sa.Integer),
    sa.column("data", sa.JSON),
)
_asked = sa.table(
    "asked",
    sa.column("cell_id", sa.Integer),
    sa.column("sample_id", sa.Integer),
    sa.column("ordinal", sa.Integer),
)

_CHUNK = 2000
_OWN_BEFORE = ("csv", "jsonl")
"""What a team's own data was called in format 1: by the kind of its file."""
_STORED = (_samples.c.id, _samples.c.dataset, _samples.c.split, _samples.c.subset, _samples.c.position, _samples.c.data)


def upgrade() -> None:
    """Keep the keys of before as editions, and give every sample the key that it has today."""
    connection = op.get_bind()
    if "edition" in there(connection, "samples"):
        return
    op.alter_column("samples", "key", new_column_name="edition")
    op.add_column("samples", sa.Column("key", sa.String(), nullable=False, server_default=""))
    give_keys(connection)


def give_keys(connection: Connection) -> None:
    """Give every stored sample the key that it has today, from what is stored of it.

    Editions that ask the same get the same key, so that a run of before is paired with one of today. Where a cell asked
    the same twice, the two were different samples there: they are numbered in the cell's order.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for rows in _chunks(connection):
        keys = {int(row["id"]): key_of_row(row) for row in rows}
        _write(connection, keys)
        for id_, key in keys.items():
            same[key].append(id_)
    for key, ids in same.items():
        if len(ids) > 1:
            _write(connection, {id_: f"{key}#{nth}" for id_, nth in _numbers(connection, ids).items() if nth > 1})


def key_of_row(row: Mapping[Any, Any]) -> str:
    """The key of a stored sample: of its ``dataset``, ``split``, ``subset``, ``position`` and ``data``.

    Examples
    --------
    >>> key_of_row({"dataset": "csv", "split": "test", "subset": "faq", "position": 3, "data": {"question": "1+1?"}})
    'own/test/e561b0ead9d65c11'
    """
    dataset = OWN if row["dataset"] in _OWN_BEFORE else row["dataset"]
    return sample_key(dataset, row["split"], row["subset"], asked_hash(row["data"], row["position"]))


def _chunks(connection: Connection) -> Iterator[Sequence[RowMapping]]:
    last = 0
    while True:
        query = select(*_STORED).where(_samples.c.id > last).order_by(_samples.c.id).limit(_CHUNK)
        rows = connection.execute(query).mappings().all()
        if not rows:
            return
        yield rows
        last = int(rows[-1]["id"])


def _write(connection: Connection, keys: Mapping[int, str]) -> None:
    if keys:
        statement = update(_samples).where(_samples.c.id == bindparam("of")).values(key=bindparam("known_by"))
        connection.execute(statement, [{"of": id_, "known_by": key} for id_, key in keys.items()])


def _numbers(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """A number for each of some samples that ask the same: two that stand in one cell get two, the least there are."""
    cells: dict[int, set[int]] = defaultdict(set)
    order: dict[int, tuple[int, int]] = {}
    for start in range(0, len(ids), _CHUNK):
        query = select(_asked.c.sample_id, _asked.c.cell_id, _asked.c.ordinal)
        for row in connection.execute(query.where(_asked.c.sample_id.in_(ids[start : start + _CHUNK]))):
            cells[row.sample_id].add(row.cell_id)
            order[row.sample_id] = min(order.get(row.sample_id, (row.cell_id, row.ordinal)), (row.cell_id, row.ordinal))
    numbers: dict[int, int] = {}
    taken: dict[int, set[int]] = defaultdict(set)  # by cell
    for id_ in sorted(order, key=lambda id_: order[id_]):
        used = set().union(*(taken[cell] for cell in cells[id_]))
        number = next(n for n in range(1, len(used) + 2) if n not in used)
        numbers[id_] = number
        for cell in cells[id_]:
            taken[cell].add(number)
    return numbers
