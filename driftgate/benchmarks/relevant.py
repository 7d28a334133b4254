"""The documents that samples name as relevant are among those that are searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftgate.benchmarks.cell import Cell
from driftgate.flows import mapping
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.retrieval import Retriever, ingest_of

_SHOWN = 5


def check_relevant(cells: Sequence[Cell]) -> None:
    """Refuse samples whose relevant documents are not searched: no retriever could ever find them.

    Raises
    ------
    DriftgateError
        There are some; the message names them, why they were not read, and what was probably meant.
    """
    seen: set[tuple[int, str, str]] = set()
    for cell in cells:
        for column, field in _columns(cell):
            known = _known(cell.retriever, field)
            if known is None or (key := (id(cell.retriever), cell.dataset.name, column)) in seen:
                continue
            seen.add(key)
            _check(cell, column, known)


def _columns(cell: Cell) -> Iterator[tuple[str, str]]:
    """Columns of the data that a ranking is held against, and the field in which passages keep their id."""
    from driftgate.flows.evaluators.ranking import Ranking

    for binding in cell.evaluators.bindings if cell.retriever is not None else ():
        entry = binding.inputs.get("relevant")
        if isinstance(binding.call, Ranking) and isinstance(entry, mapping.Reference) and entry.root == "data":
            yield ".".join(entry.path), binding.call.id_field


def _known(retriever: Retriever | None, field: str) -> frozenset[str] | None:
    """Every id that could be found; None where that is not known."""
    ingest = ingest_of(retriever)
    if ingest is None or field not in ("document", "id"):
        return None
    if field == "document":
        return frozenset(one.document for one in ingest.read)
    numbered = ((one.document, range(1, one.passages + 1)) for one in ingest.read)
    return frozenset(f"{document}#{number}" for document, numbers in numbered for number in numbers)


def _check(cell: Cell, column: str, known: frozenset[str]) -> None:
    from driftgate.flows.evaluators.ranking import relevant_ids

    unknown: dict[str, str] = {}
    for sample in cell.samples:
        given = mapping.Reference("data", tuple(column.split("."))).resolve({"data": sample.row})
        if given is None or given is mapping.MISSING:
            continue
        for name in relevant_ids(given):
            if name not in known:
                unknown.setdefault(name, sample.id)
    if not unknown:
        return
    ingest = ingest_of(cell.retriever)
    lost = {one.document: one for one in (*ingest.skipped, *ingest.empty)} if ingest is not None else {}
    told = []
    for name, first_in in list(unknown.items())[:_SHOWN]:
        reason = f", whose file {lost[name].path} was not read: {lost[name].reason}" if name in lost else ""
        told.append(f"'{name}' (sample '{first_in}'){reason}")
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    first = next(iter(unknown))
    remedy = "mend the file, or take the question out" if first in lost else _meant(first, known)
    raise DriftgateError(
        f"dataset '{cell.dataset.name}' names as {column} what is not among the {len(known):,} documents that are "
        f"searched: {', '.join(told)}{more}",
        remedy,
    )


def _meant(name: str, known: frozenset[str]) -> str:
    """What was probably meant: the same with a suffix or a folder less, else the nearest."""
    tail = name.rpartition(".")[0] or name
    alike = sorted(one for one in known if one == tail or one.rpartition("/")[2] == tail.rpartition("/")[2])
    if alike:
        return f"did you mean '{alike[0]}'? Documents are named by their path in the folder, without suffix"
    return nearest(name, known) if len(known) <= 20 else _near(name, known)


def _near(name: str, known: frozenset[str]) -> str:
    said = nearest(name, known)
    return said if said.startswith("did you mean") else "driftgate documents lists every document that is searched"
