"""Which cells of the ledger are compared, and what each is called beside the others."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import CellRow, Ledger, cells_of, complete_cells, find_run

_COMPARABLE = ("benchmark", "import", "proof")
"""Kinds of runs that ask a model a whole dataset; canaries, parity and attribution ask a few samples of it."""


def named_cells(ledger: Ledger, names: Sequence[str]) -> list[CellRow]:
    """The cells of runs (``latest``, an id or a part of one), or with ``RUN/PART`` those cells whose name has a part.

    A part that is a number is a cell's place in its run, from 0.

    Raises
    ------
    DriftgateError
        No run or no cell fits, or more than one run does.
    """
    found: dict[int, CellRow] = {}
    for name in names:
        run, _, part = name.partition("/")
        cells = cells_of(ledger, find_run(ledger, run).id)
        fitting = [c for c in cells if part.isdigit() and c.ordinal == int(part)] or [
            c for c in cells if part in c.name
        ]
        if not fitting:
            remedy = nearest(part, [c.name for c in cells]) if cells else "it ended before its first cell began"
            raise DriftgateError(f"run '{run}' has no cell '{part}'" if part else f"run '{run}' has no cell", remedy)
        found |= {cell.id: cell for cell in fitting}
    return list(found.values())


def comparable_cells(ledger: Ledger) -> list[CellRow]:
    """The cells of complete runs that say how good a model is, the newest run first, the proofs of repairs last.

    None that its gate stopped is among them: its score leans the way it was stopped.
    """
    found = [(cell, kind) for cell, kind in complete_cells(ledger) if kind in _COMPARABLE and not cell.stopped]
    return [cell for cell, _ in sorted(found, key=lambda pair: pair[1] == "proof")]


def newest_cells(ledger: Ledger, models: Sequence[str] = (), datasets: Sequence[str] = ()) -> list[CellRow]:
    """Of each model and dataset the cells of the newest complete run that has them, in the order asked for.

    A benchmark or an import is taken where there is one, else the proof of a repair; see :func:`comparable_cells`.

    Parameters
    ----------
    models, datasets
        Their names; empty for all that the ledger knows.

    Raises
    ------
    DriftgateError
        A model or a dataset is in no complete run, or a model was not run on a dataset.
    """
    known = comparable_cells(ledger)
    for kind, wanted, there in (
        ("model", models, {c.model for c in known}),
        ("dataset", datasets, {c.dataset for c in known}),
    ):
        for name in wanted:
            if name not in there:
                raise DriftgateError(f"no complete run has the {kind} '{name}'", nearest(name, there))
    newest: dict[tuple[str, str], list[CellRow]] = {}
    for cell in known:
        if (not models or cell.model in models) and (not datasets or cell.dataset in datasets):
            mine = newest.setdefault((cell.model, cell.dataset), [])
            if not mine or mine[0].run_id == cell.run_id:
                mine.append(cell)
    rank = {name: place for place, name in enumerate(models)}
    order = {name: place for place, name in enumerate(datasets)}
    return sorted(
        (cell for cells in newest.values() for cell in cells),
        key=lambda c: (order.get(c.dataset, 0), c.dataset, rank.get(c.model, 0), c.model, c.ordinal),
    )


def labels(cells: Sequence[CellRow]) -> list[str]:
    """What tells the cells of each dataset apart: the model, and of flow, variant and run what differs.

    Examples
    --------
    >>> rows = [CellRow(i, "r1", i, m, f, "v", "d", "", {}) for i, (m, f) in
    ...         enumerate([("base", "qa"), ("base", "rag_qa"), ("tuned", "qa"), ("tuned", "rag_qa")])]
    >>> labels(rows)
    ['base · qa', 'base · rag_qa', 'tuned · qa', 'tuned · rag_qa']
    >>> labels([CellRow(0, "r1", 0, "a", "f", "v", "d", "", {}), CellRow(1, "r1", 1, "b", "f", "v", "d", "", {})])
    ['a', 'b']
    """
    parts = ["model"]
    for name in ("flow", "variant", "run_id"):
        if len({getattr(c, name) for c in cells}) > 1 and not _told_apart(cells, parts):
            parts.append(name)
    if _told_apart(cells, parts):
        return [_label(cell, parts) for cell in cells]
    return [f"{_label(cell, parts)} · #{cell.ordinal}" for cell in cells]


def _told_apart(cells: Sequence[CellRow], parts: Sequence[str]) -> bool:
    names = [(cell.dataset, *(getattr(cell, part) for part in parts)) for cell in cells]
    return len(set(names)) == len(names)


def _label(cell: CellRow, parts: Sequence[str]) -> str:
    named = [text for part in parts if (text := str(getattr(cell, part)) or "default")]
    return " · ".join([*named, *([cell.stopped] if cell.stopped else [])])
