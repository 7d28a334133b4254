"""Datasets as the ledger holds them: their samples for a person to look through, and those that are there twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select

from driftgate.ledger._schema import asked, cells, samples
from driftgate.ledger._store import Ledger

_BATCH = 2000


@dataclass(frozen=True)
class DatasetHeld:
    """A dataset of which the ledger holds samples."""

    dataset: str
    samples: int
    """Distinct ones; of several editions of a sample one counts."""
    editions: int
    """Counted apart: a sample whose text, key or category was changed has several."""
    categories: int


@dataclass(frozen=True)
class Duplicate:
    """Samples of a dataset that ask the same."""

    question: str
    samples: Sequence[Mapping[str, Any]]
    """``sample_id``, ``key``, ``id``, ``category`` and ``answer`` of each."""

    @property
    def contradict(self) -> bool:
        """Whether their right answers differ, so that one of them is wrong."""
        return len({str(one["answer"]) for one in self.samples}) > 1


def datasets_held(ledger: Ledger) -> list[DatasetHeld]:
    """Every dataset of which something was asked, by the name that the workspace gave it when it was."""
    drawn = _draws().subquery()
    query = (
        select(
            drawn.c.dataset,
            func.count(func.distinct(samples.c.key)),
            func.count(func.distinct(samples.c.id)),
            func.count(func.distinct(samples.c.category)),
        )
        .join(asked, asked.c.cell_id == drawn.c.cell)
        .join(samples, samples.c.id == asked.c.sample_id)
        .group_by(drawn.c.dataset)
    )
    with ledger.read() as connection:
        return [DatasetHeld(*row) for row in connection.execute(query.order_by(drawn.c.dataset))]


def _draws() -> Select[Any]:
    """Of each set of samples that was asked of a dataset one cell: the many runs of one set need not be read.

    The samples do not tell: those of every file that a team brought are of the same kind, whatever it is called.
    """
    of_cell = (cells.c.dataset, *(cells.c.details[name].as_string() for name in ("samples", "n")))
    return select(cells.c.dataset, func.max(cells.c.id).label("cell")).group_by(*of_cell)


def _samples_of(dataset: str) -> ColumnElement[bool]:
    """Which samples were asked of a dataset."""
    drawn = _draws().where(cells.c.dataset == dataset).subquery()
    return samples.c.id.in_(select(asked.c.sample_id).join(drawn, drawn.c.cell == asked.c.cell_id))


def browse_dataset(dataset: str) -> Select[Any]:
    """The samples of a dataset, as a query that is narrowed, ordered and cut by who shows them.

    Returns
    -------
    Select
        ``sample_id``, ``id``, ``key``, ``subset``, ``category``, ``super_category``, ``question``, ``gold`` and
        ``content``, which is all of it as JSON.
    """
    return select(
        samples.c.id.label("sample_id"),
        samples.c.upstream_id.label("id"),
        samples.c.key,
        samples.c.subset,
        samples.c.category,
        samples.c.super_category,
        samples.c.data["question"].as_string().label("question"),
        samples.c.data["answer"].as_string().label("gold"),
        cast(samples.c.data, Text).label("content"),
    ).where(_samples_of(dataset))


def duplicates_in(ledger: Ledger, dataset: str, most: int = 500) -> list[Duplicate]:
    """Samples of a dataset with the same question and choices, those that contradict each other first.

    White space, case and Unicode's ways of writing a letter do not tell them apart. Editions of one sample are no
    duplicates, as far as they have one id.
    """
    query = (
        select(samples.c.id, samples.c.key, samples.c.upstream_id, samples.c.category, samples.c.data)
        .where(_samples_of(dataset))
        .order_by(samples.c.id)
    )
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    questions: dict[str, str] = {}
    with ledger.read() as connection:
        for row in connection.execution_options(yield_per=_BATCH).execute(query):
            data = row.data if isinstance(row.data, dict) else {}
            question = str(data.get("question") or data.get("query") or "")
            asks = _folded(f"{question}\x00{data.get('choices') or ''}\x00{data.get('passage') or ''}")
            if not question:
                continue
            questions.setdefault(asks, question)
            told = {
                "sample_id": row.id,
                "key": row.key,
                "id": row.upstream_id,
                "category": row.category,
                "answer": data.get("answer"),
            }
            found.setdefault(asks, {})[row.upstream_id] = told
    twice = [Duplicate(questions[asks], list(each.values())) for asks, each in found.items() if len(each) > 1]
    return sorted(twice, key=lambda one: not one.contradict)[:most]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
