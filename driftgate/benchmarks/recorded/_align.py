"""Find the question that each recorded row answers, or say why it cannot be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.errors import DriftgateError

BLOCK = 10
"""Rows that a batching runner loses together."""
IDS_KNOWN = 0.5
"""Share of rows whose ids the dataset must have; below it the file answers something else."""
KEYS_DIFFER = 0.01
"""Share of rows whose right answer may differ from the dataset's when they are joined by id: upstream mends keys."""


@dataclass(frozen=True)
class Alignment:
    """Which sample each row answers.

    Attributes
    ----------
    positions : sequence of int or None
        For each row the position of its sample in the samples given; None where it cannot be told.
    keys : dict
        Right answer as recorded, by the sample's key, where it differs from the dataset's.
    repeated : frozenset of int
        Rows whose question an earlier row has answered: the first counts.
    why : str
        Why there are rows whose question cannot be told; empty where there are none.
    """

    positions: Sequence[int | None]
    keys: dict[str, str]
    repeated: frozenset[int] = frozenset()
    why: str = ""


def align_by_position(
    rows: Sequence[Hashable],
    questions: Sequence[Hashable],
    name: str,
    *,
    block: int = BLOCK,
    numbers: Sequence[int] | None = None,
) -> list[int]:
    """Join rows to questions that stand in the same order, where whole blocks of rows may be missing.

    Rows and questions are compared by what is known of both: category and right answer. An alignment is taken only
    if it is the only one: the one that keeps blocks as early as possible must be the one that keeps them as late as
    possible.

    Parameters
    ----------
    rows, questions : sequence
        What each row and each question shows of itself, for example ``(category, gold)``.
    name : str
        The file's, for error messages.
    block : int
        How many rows are lost together.
    numbers : sequence of int, optional
        The number of each row in its file, for error messages; from 1 where it is not given.

    Returns
    -------
    list of int
        The question's position for every row.

    Raises
    ------
    DriftgateError
        The rows are not the questions with blocks missing, or it cannot be told which blocks.

    Examples
    --------
    >>> align_by_position("ABBACDDC", "ABCCBACADDDC", "demo.csv", block=2)
    Traceback (most recent call last):
    driftgate.flows.errors.DriftgateError: demo.csv cannot be aligned with its 12 questions: ...
    >>> align_by_position("ABBADDDC", "ABCCBACADDDC", "demo.csv", block=2)
    [0, 1, 4, 5, 8, 9, 10, 11]
    """
    if len(rows) == len(questions):
        differ = [place for place, (row, asked) in enumerate(zip(rows, questions, strict=True)) if row != asked]
        if not differ:
            return list(range(len(rows)))
        first = numbers[differ[0]] if numbers else differ[0] + 1
        raise DriftgateError(
            f"{name} cannot be aligned with its {len(questions):,} questions: the right answer of {len(differ):,} rows "
            f"is not the question's, first in row {first}",
            "its rows stand in another order, or answer another edition of the dataset; a column with ids "
            "(--map id=COLUMN) would join it",
        )
    # A last block that is shorter is there just when that many rows are left over by the others.
    rest = len(questions) % block
    kept_rest = bool(rest) and len(rows) % block == rest and tuple(rows[-rest:]) == tuple(questions[-rest:])
    body = rows[:-rest] if kept_rest else rows
    blocks = [tuple(questions[start : start + block]) for start in range(0, len(questions) - rest, block)]
    earliest = _embed(body, blocks)
    latest = _embed(body[::-1], [part[::-1] for part in blocks[::-1]])
    if earliest is None or latest is None:
        raise DriftgateError(
            f"{name} cannot be aligned with its {len(questions):,} questions: it has {len(rows):,} rows, and they are "
            f"not the questions with whole blocks of {block} missing",
            "complete the file, or add a column with ids (--map id=COLUMN)",
        )
    if earliest != latest[::-1]:
        raise DriftgateError(
            f"{name} cannot be aligned with its {len(questions):,} questions: its {len(rows):,} rows fit in more than "
            "one way",
            "complete the file, or add a column with ids (--map id=COLUMN)",
        )
    kept = [place * block + offset for place, taken in enumerate(earliest) if taken for offset in range(block)]
    return kept + (list(range(len(questions) - rest, len(questions))) if kept_rest else [])


def _embed(rows: Sequence[Hashable], blocks: Sequence[tuple[Hashable, ...]]) -> list[bool] | None:
    """Which blocks, all of one length, are there if each is taken as soon as it fits; None where rows are left over."""
    at, taken = 0, []
    for part in blocks:
        fits = tuple(rows[at : at + len(part)]) == part
        taken.append(fits)
        at += len(part) if fits else 0
    return taken if at == len(rows) else None


def align_by_category(
    rows: Sequence[tuple[str, Hashable]], questions: Sequence[tuple[str, Hashable]], name: str
) -> list[int | None]:
    """Join the rows of each category by their order, where the whole file cannot be; None where that fails too.

    Parameters
    ----------
    rows, questions : sequence of tuple
        Category and what else a row and a question show of themselves.

    Examples
    --------
    >>> align_by_category([("a", "A"), ("b", "D"), ("b", "C")], [("a", "A"), ("b", "C"), ("b", "D")], "demo.csv")
    [0, None, None]
    """
    own: dict[str, list[int]] = defaultdict(list)
    asked: dict[str, list[int]] = defaultdict(list)
    for group, parts in ((own, rows), (asked, questions)):
        for place, (category, _) in enumerate(parts):
            group[category].append(place)
    found: list[int | None] = [None] * len(rows)
    for category, places in own.items():
        wanted = asked[category]
        try:
            joined = align_by_position([rows[p] for p in places], [questions[p] for p in wanted], name)
        except DriftgateError:
            continue
        for row, position in zip(places, joined, strict=True):
            found[row] = wanted[position]
    return found


def align_by_id(ids: Sequence[str], golds: Sequence[str], samples: Sequence[Sample], name: str) -> Alignment:
    """Join rows to samples by id; an id that stands for several questions is told apart by its right answer.

    Where that does not decide either, the rows beside it do: a row belongs to the part of the dataset that its
    neighbours belong to. A row whose id is unknown or cannot be told apart is joined to nothing, and one more row than
    an id has questions is a repetition.

    Raises
    ------
    DriftgateError
        The dataset has under half of the ids, or more than one in a hundred right answers differ from the dataset's.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        places[sample.id].append(place)
    unknown = [row for row, id_ in enumerate(ids) if id_ not in places]
    if len(unknown) > (1 - IDS_KNOWN) * len(ids):
        raise DriftgateError(
            f"{name} row {unknown[0] + 1} has the id '{ids[unknown[0]]}', which the dataset does not have, as "
            f"{len(unknown):,} of its {len(ids):,} rows",
            "check --dataset, its path and its edition",
        )
    found: list[int | None] = []
    taken: set[int] = set()
    repeated: set[int] = set()
    unclear: list[int] = []
    for row, (id_, gold) in enumerate(zip(ids, golds, strict=True)):
        free = [place for place in places.get(id_, ()) if place not in taken]
        fitting = [place for place in free if same_answer(samples[place].data["answer"], gold)] or free
        if not fitting:
            if id_ in places:
                repeated.add(row)
            found.append(None)
            continue
        chosen = fitting[0] if len(fitting) == 1 else _by_neighbours(row, fitting, ids, places, samples)
        found.append(chosen)
        if chosen is None:
            unclear.append(row)
        else:
            taken.add(chosen)
    differ = {
        samples[place].key: gold
        for place, gold in zip(found, golds, strict=True)
        if place is not None and not same_answer(samples[place].data["answer"], gold)
    }
    if len(differ) > KEYS_DIFFER * len(ids):
        raise DriftgateError(
            f"the right answers of {len(differ):,} of {len(ids):,} rows of {name} are not the dataset's",
            "it answers another edition of the dataset: check --dataset and its path",
        )
    lost = sorted([*unknown, *unclear])
    why = f"row {lost[0] + 1} has the id '{ids[lost[0]]}', {_what_is_wrong(lost[0] in unclear)}" if lost else ""
    return Alignment(found, differ, frozenset(repeated), why)


def _what_is_wrong(unclear: bool) -> str:
    return "which stands for several questions" if unclear else "which the dataset does not have"


def same_answer(one: str, other: str) -> bool:
    """Whether two right answers are the same, numbers by their value: a runner's table turns ``18`` into ``18.0``.

    >>> same_answer("70,000", "70000.0"), same_answer("B", "B"), same_answer("1/2", "0.5")
    (True, True, False)
    """
    if one == other:
        return True
    try:
        return float(one.replace(",", "")) == float(other.replace(",", ""))
    except ValueError:
        return False


def _by_neighbours(
    row: int, fitting: Sequence[int], ids: Sequence[str], places: dict[str, list[int]], samples: Sequence[Sample]
) -> int | None:
    """The place whose part of the dataset more of the neighbouring rows belong to."""
    beside = [ids[place] for place in (row - 1, row + 1) if 0 <= place < len(ids)]
    parts = Counter(samples[places[id_][0]].subset for id_ in beside if len(places[id_]) == 1)
    votes = [parts[samples[place].subset] for place in fitting]
    best = max(votes)
    return fitting[votes.index(best)] if votes.count(best) == 1 else None
