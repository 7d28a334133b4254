"""Which cells of the ledger are compared, and what each is called beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftgate.benchmarks.signature import differing, signature_parts
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import CellRow, Ledger, cells_of, complete_cells, find_run

_COMPARABLE = ("benchmark", "import", "proof")
"""Kinds of runs that ask a model a whole dataset; canaries, parity and attribution ask a few samples of it."""
OF_THE_MODEL = ("cap", "effort", "wire", "without")
"""Parts of a signature that say how a model was asked, whatever the flow."""


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


def agreeing_cells(
    ledger: Ledger, models: Sequence[str] = (), datasets: Sequence[str] = (), where: Sequence[str] = ()
) -> list[CellRow]:
    """Of each dataset the cells of models that were asked the same way: their signatures agree in all but the model.

    Of several cells with one signature the newest counts. A benchmark or an import is taken where there is one, else
    the proof of a repair; see :func:`comparable_cells`. How a model is asked (:data:`OF_THE_MODEL`) belongs to it. A
    model that was asked in one way only is taken as it is: its row says in what it differs. Ways that one run of each
    model asked side by side, such as variants of a flow, are all taken.

    Parameters
    ----------
    models, datasets
        Their names; empty for all that the ledger knows.
    where
        Only cells whose signatures have these parts, ``shots:5``.

    Raises
    ------
    DriftgateError
        A model or a dataset is in no complete run, a model has no signature with the wanted parts, or several ways of
        asking fit.
    """
    everything = comparable_cells(ledger)
    for kind, wanted, there in (
        ("model", models, {c.model for c in everything}),
        ("dataset", datasets, {c.dataset for c in everything}),
    ):
        for name in wanted:
            if name not in there:
                raise DriftgateError(f"no complete run has the {kind} '{name}'", nearest(name, there))
    asked_for = [c for c in everything if (not models or c.model in models) and (not datasets or c.dataset in datasets)]
    known = having(asked_for, where)
    for name in models:
        if name not in {c.model for c in known}:
            lacks = f"no cell of {name} has {' and '.join(where)}" if where else f"{name} was not run on the datasets"
            raise DriftgateError(lacks, "leave it out, or see what it was run on: driftgate runs list")
    proven = {cell.id for cell, kind in complete_cells(ledger) if kind == "proof"}
    ways: dict[str, dict[str, dict[str, list[CellRow]]]] = {}
    for cell in known:
        of_model = ways.setdefault(cell.dataset, {}).setdefault(cell.model, {})
        if cell.id in proven and any(c.id not in proven for cells in of_model.values() for c in cells):
            continue
        same = of_model.setdefault(_but_the_model(cell), [])
        if all(differing(cell.signature, c.signature) for c in same):
            same.append(cell)
    rank = {name: place for place, name in enumerate(models)}
    order = {name: place for place, name in enumerate(datasets)}
    return sorted(
        (cell for dataset, of_models in ways.items() for cell in _one_way(dataset, of_models)),
        key=lambda c: (order.get(c.dataset, 0), c.dataset, rank.get(c.model, 0), c.model, c.ordinal),
    )


def _but_the_model(cell: CellRow) -> str:
    """The signature without what belongs to the model, its parts sorted."""
    parts = signature_parts(cell.signature)
    return "|".join(f"{name}:{parts[name]}" for name in sorted(parts) if name not in OF_THE_MODEL)


def having(cells: Sequence[CellRow], where: Sequence[str]) -> list[CellRow]:
    """The cells whose signatures have some parts, ``shots:5``.

    Raises
    ------
    DriftgateError
        None has, or what is given is no part.
    """
    found = list(cells)
    for wanted in where:
        name, colon, value = wanted.partition(":")
        if not colon:
            raise DriftgateError(f"'{wanted}' is no part of a signature", "give NAME:VALUE, such as shots:5")
        values = {signature_parts(c.signature).get(name, "") for c in found}
        found = [c for c in found if signature_parts(c.signature).get(name, "") == value]
        if not found:
            raise DriftgateError(
                f"no cell's signature has {wanted}",
                f"there is {', '.join(sorted(f'{name}:{v}' for v in values if v)) or f'no part {name}'}",
            )
    return found


def _one_way(dataset: str, of_models: Mapping[str, Mapping[str, Sequence[CellRow]]]) -> list[CellRow]:
    """The cells of models on a dataset that were asked the same way.

    Raises
    ------
    DriftgateError
        Several ways fit, or none does and a model was asked in several.
    """
    shared = [way for way in next(iter(of_models.values())) if all(way in ways for ways in of_models.values())]
    if shared:
        taken = {model: [cell for way in shared for cell in ways[way]] for model, ways in of_models.items()}
    else:  # nothing agrees: then only what each model has one of is no guess
        taken = {model: [cell for cells in ways.values() for cell in cells] for model, ways in of_models.items()}
    one_run = all(len({cell.run_id for cell in cells}) == 1 for cells in taken.values())
    if all(len(cells) == 1 for cells in taken.values()) or (shared and one_run):
        return [cell for cells in taken.values() for cell in cells]
    raise _several(dataset, [cell for cells in taken.values() for cell in cells], agree=bool(shared))


def _several(dataset: str, cells: Sequence[CellRow], *, agree: bool) -> DriftgateError:
    names = differing_parts(cells)
    listed = "".join(
        f"\n  {cell.run_id}/{cell.ordinal}: {cell.model}, {part_words(cell, names) or 'the same'}" for cell in cells
    )
    found = "were asked in several ways that agree" if agree else "have no way of asking in common"
    part = next((f"{name}:{v}" for name in names for c in cells if (v := signature_parts(c.signature).get(name))), "")
    remedy = f"name one with --where, for example --where {part}, or" if part else "name"
    return DriftgateError(
        f"on {dataset} the models {found}, and which of these cells to compare is not for a machine to guess:{listed}",
        f"{remedy} the cells: driftgate compare {' '.join(f'{c.run_id}/{c.ordinal}' for c in cells[:2])}",
    )


def differing_parts(cells: Sequence[CellRow]) -> list[str]:
    """The parts of their signatures in which some cells differ, in the signatures' order."""
    parts = [signature_parts(cell.signature) for cell in cells]
    names = dict.fromkeys(name for one in parts for name in one)
    return [name for name in names if len({one.get(name) for one in parts}) > 1]


def part_words(cell: CellRow, names: Sequence[str]) -> str:
    """What a cell's signature says of some parts; of one it does not have, that it has none.

    Examples
    --------
    >>> part_words(CellRow(0, "r1", 0, "m", "f", "v", "d", "v1|n:10|shots:5", {}), ["shots", "effort"])
    'shots:5, no effort'
    """
    parts = signature_parts(cell.signature)
    return ", ".join(f"{name}:{parts[name]}" if name in parts else f"no {name}" for name in names)


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
