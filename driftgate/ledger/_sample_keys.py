"""Upgrade a ledger of format 2, in which a sample was known by its place in its file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, inspect, select, update

from driftgate.flows.sample import OWN, asked_hash, sample_key
from driftgate.ledger._schema import asked, samples

_CHUNK = 2000
_OWN_BEFORE = ("csv", "jsonl")
"""What a team's own data was called in format 1: by the kind of its file."""
_STORED = (samples.c.id, samples.c.dataset, samples.c.split, samples.c.subset, samples.c.position, samples.c.data)


def know_by_what_is_asked(connection: Connection) -> None:
    """Keep the keys of before as editions, and give every sample the key that it has today."""
    if "edition" not in {column["name"] for column in inspect(connection).get_columns("samples")}:
        connection.exec_driver_sql("ALTER TABLE samples RENAME COLUMN key TO edition")
        connection.exec_driver_sql("ALTER TABLE samples ADD COLUMN key VARCHAR NOT NULL DEFAULT ''")
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
        query = select(*_STORED).where(samples.c.id > last).order_by(samples.c.id).limit(_CHUNK)
        rows = connection.execute(query).mappings().all()
        if not rows:
            return
        yield rows
        last = int(rows[-1]["id"])


def _write(connection: Connection, keys: Mapping[int, str]) -> None:
    if keys:
        statement = update(samples).where(samples.c.id == bindparam("of")).values(key=bindparam("known_by"))
        connection.execute(statement, [{"of": id_, "known_by": key} for id_, key in keys.items()])


def _numbers(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """A number for each of some samples that ask the same: two that stand in one cell get two, the least there are."""
    cells: dict[int, set[int]] = defaultdict(set)
    order: dict[int, tuple[int, int]] = {}
    for start in range(0, len(ids), _CHUNK):
        query = select(asked.c.sample_id, asked.c.cell_id, asked.c.ordinal)
        for row in connection.execute(query.where(asked.c.sample_id.in_(ids[start : start + _CHUNK]))):
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
