"""Rows that ask what another row asks, or have its id: all of them are found before one error says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from driftgate.benchmarks.datasets._rows import Row
from driftgate.flows.errors import DriftgateError
from driftgate.flows.sample import Sample

_SHOWN = 20
Read = tuple[Sample, Row]


def check_distinct(files: Iterable[Sequence[Read]]) -> None:
    """Refuse rows that ask the same, in one file or in several, and rows of one file with the same id.

    Raises
    ------
    DriftgateError
        There are such rows; all of them are named.
    """
    parts = [list(part) for part in files]
    asking = list(_repeated([read for part in parts for read in part], lambda sample: sample.asked))
    named = [pair for part in parts for pair in _repeated(part, lambda sample: sample.id)]
    equal = {id(row) for (_, row), _ in asking}
    named = [pair for pair in named if id(pair[0][1]) not in equal]
    found = [_asks(later, first) for later, first in asking] + [_has(later, first) for later, first in named]
    if not found:
        return
    remedies = []
    if asking:
        remedies.append(
            "take one of each out: a question asked twice counts double; where a further column tells them apart, "
            "name it in columns.asked"
        )
    if named:
        remedies.append("give each question an id of its own")
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    summary = f"{len(found)} rows repeat others: " if len(found) > 1 else ""
    raise DriftgateError(f"{summary}{'; '.join(found[:_SHOWN])}{more}", "; ".join(remedies))


def _repeated(rows: Sequence[Read], by: Callable[[Sample], str]) -> Iterator[tuple[Read, Read]]:
    """Each row that has what an earlier one has, with the first of these."""
    first: dict[str, Read] = {}
    for read in rows:
        value = by(read[0])
        if value and first.setdefault(value, read) is not read:
            yield read, first[value]


def _asks(later: Read, first: Read) -> str:
    other = "" if later[0].data.get("answer") == first[0].data.get("answer") else ", with another answer"
    return f"{later[1].place} asks the same as {_seen_from(later, first)}{other}"


def _has(later: Read, first: Read) -> str:
    return f"{later[1].place} has the id '{later[0].id}' of {_seen_from(later, first)}"


def _seen_from(later: Read, first: Read) -> str:
    row = first[1]
    return row.place.removeprefix(f"{row.file} ") if row.file == later[1].file else row.place
