"""Pages: the details of many samples as one compressed value, in which a long text is named and not written out.

A page holds rows of one table column by column, so that what is alike stands together: names of nodes one after the
other, and of the samples only by how much each number is larger than the one before.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table

from driftgate.flows.needles import strings_in
from driftgate.ledger._plain import to_json

SHORTEST = 32
"""A text of at least so many characters is kept once, however often it is said."""
_MARK = "\x01"
"""Before the number of a text that is kept elsewhere; a text that begins so itself gets another before it."""
_NUMBER = re.compile(rb'"\\u0001(\d+)"')
"""A text's number, as JSON writes it; a text that begins with the mark itself has it twice."""

Row = tuple[Any, ...]


def keys_of(table: Table) -> list[str]:
    """By what a row of a table of details is known within its cell."""
    return [column.name for column in table.primary_key.columns if column.name != "cell_id"]


def columns_of(table: Table) -> list[str]:
    """What a page holds of each row of a table."""
    return [column.name for column in table.c if column.name != "cell_id"]


def texts_in(rows: Sequence[Row]) -> Iterator[str]:
    """Every text of rows that is long enough to be kept once."""
    return (text for row in rows for text in strings_in(row) if len(text) >= SHORTEST)


def encode(table: Table, rows: Sequence[Row], numbers: Mapping[str, int]) -> bytes:
    """Rows of a table as a page.

    Parameters
    ----------
    rows : sequence of tuple
        The values of :func:`columns_of`.
    numbers : Mapping
        Of every text that :func:`texts_in` gives.
    """
    place = columns_of(table).index("sample_id")
    keys = [columns_of(table).index(name) for name in keys_of(table) if name not in ("sample_id", "round")]
    ordered = sorted(rows, key=lambda row: [*(row[key] for key in keys), row[place], row[place + 1]])

    def named(text: str) -> str:
        if len(text) >= SHORTEST:
            return f"{_MARK}{numbers[text]}"
        return _MARK + text if text.startswith(_MARK) else text

    columns = [[_replaced(value, named) for value in column] for column in zip(*ordered, strict=True)]
    last = 0
    steps = []
    for sample in columns[place]:
        steps.append(sample - last)
        last = sample
    columns[place] = steps
    return zlib.compress(to_json(columns).encode(), 9)


def decode(table: Table, page: bytes, texts: Mapping[int, str], names: Sequence[str] = ()) -> list[Any]:
    """Rows of a page with an attribute for each of some columns, in the order of their keys; all without names.

    Raises
    ------
    KeyError
        It names a text that is not among ``texts``.
    """
    held = columns_of(table)
    found = dict(zip(held, json.loads(zlib.decompress(page)), strict=True))
    wanted = list(names) or held

    def written(text: str) -> str:
        if not text.startswith(_MARK):
            return text
        return text[1:] if text[1:2] == _MARK else texts[int(text[1:])]

    samples, last = [], 0
    for step in found["sample_id"]:
        last += step
        samples.append(last)
    found["sample_id"] = samples
    for name in {*wanted, *keys_of(table)} - {"sample_id", "round", "value", "seconds"}:
        found[name] = _all_replaced(found[name], written)
    kept = [found[name] for name in wanted]
    keys = list(zip(*(found[name] for name in keys_of(table)), strict=True))
    order = sorted(range(len(samples)), key=keys.__getitem__)
    columns = [[column[n] for n in order] for column in kept]
    make: Any = namedtuple("Row", wanted)  # type: ignore[misc]
    return [make(*values) for values in zip(*columns, strict=True)]


def numbers_in(page: bytes, columns: Sequence[int] | None = None) -> set[int]:
    """The number of every text that a page names.

    Parameters
    ----------
    columns : sequence of int, optional
        Only in these.
    """
    found: set[int] = set()

    def noted(text: str) -> str:
        if text.startswith(_MARK) and text[1:2] != _MARK:
            found.add(int(text[1:]))
        return text

    held = json.loads(zlib.decompress(page))
    for place in range(len(held)) if columns is None else columns:
        for value in held[place]:
            _replaced(value, noted)
    return found


def numbers_written(page: bytes) -> set[int]:
    """As :func:`numbers_in`, of all columns, without reading the page: many times as fast where it is only searched."""
    return {int(one) for one in _NUMBER.findall(zlib.decompress(page))}


def _all_replaced(column: list[Any], change: Callable[[str], str]) -> list[Any]:
    """A column with every text changed; of names, of which there are few, each once."""
    if all(type(value) is str for value in column):
        changed = {value: change(value) for value in set(column)}
        return [changed[value] for value in column]
    return [_replaced(value, change) for value in column]


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text changed; what its keys are called stays."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, (list, tuple)):
        return [_replaced(inner, change) for inner in value]
    return {key: _replaced(inner, change) for key, inner in value.items()} if isinstance(value, dict) else value
