"""Remove the texts of runs: prompts, replies, node outputs, inputs, and questions that no other run has asked.

Outcomes, scores, pairs, verdicts and the hashes that verdicts rest on stand. A run is expired in one transaction, in
which its texts go from the database and files without them take the place of its archive's. Files that nothing names
any more are then removed; who is killed before that leaves them to the next call, and ``ledger check`` names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.ledger._archive import name_file, owner_of, remove_strays
from driftgate.ledger._archive_files import path_of, read_file, write_file
from driftgate.ledger._content import remaining_hash, run_hash
from driftgate.ledger._details import EXPIRED
from driftgate.ledger._making import lock
from driftgate.ledger._pack import add_pages, page_rows, remove_pages
from driftgate.ledger._pages import columns_of
from driftgate.ledger._runs import RunRow, find_run, runs_before
from driftgate.ledger._schema import (
    DETAILS,
    archives,
    asked,
    cells,
    evaluated_lines,
    evaluations,
    expired_runs,
    expired_samples,
    node_outputs,
    outcomes,
    pages,
    replies,
    samples,
    texts,
)
from driftgate.ledger._space import Space, give_back, has_free_pages
from driftgate.ledger._store import Ledger

_LIVE = timedelta(hours=24)
"""A run that is called running and got an outcome within this time is taken to be asked still."""
_CHUNK = 500
_EVALUATION = tuple(column.name for column in evaluations.c if column.name not in ("cell_id", "sample_id", "round"))


@dataclass(frozen=True)
class Expired:
    """What was removed."""

    runs: tuple[str, ...]
    """Those that were not expired before."""
    questions: int
    """Samples whose text went, as no other run has asked them."""
    replies: int
    """Of the cache."""
    space: Space | None
    """None where nothing was removed."""


def expire_texts(ledger: Ledger, *, run: str | None = None, before: datetime | None = None) -> Expired:
    """Remove the texts of one run, or of all that began before a time; one that was expired already is left as it is.

    Raises
    ------
    DriftgateError
        There is no such run, it is being asked, its archive cannot be read, or the ledger refuses. A run is expired
        whole or not at all.
    """
    chosen = [find_run(ledger, run)] if run is not None else runs_before(ledger, before or datetime.now(UTC))
    if run is not None and not _ended(ledger, chosen[0]):
        raise DriftgateError(f"run {chosen[0].id} is being asked", "stop it, or wait until it has ended")
    counts = {one.id: _expire(ledger, one) for one in chosen if _ended(ledger, one)}
    done = {name: count for name, count in counts.items() if count is not None}
    questions = _expire_questions(ledger)
    remove_strays(ledger)
    gone = bool(done or questions)
    space = (
        give_back(ledger, (*DETAILS, pages, texts, outcomes, samples, replies))
        if gone or has_free_pages(ledger)
        else None
    )
    return Expired(tuple(done), questions, sum(done.values()), space)


@dataclass(frozen=True)
class Within(Ledger):
    """A ledger that is read within a transaction, and sees what it has changed so far."""

    connection: Connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self.connection


def _expire(ledger: Ledger, run: RunRow) -> int | None:
    """Expire a run; returns how many cached replies went, None where it was expired already."""
    with forgetting(ledger) as connection:
        if connection.execute(select(expired_runs.c.run_id).where(expired_runs.c.run_id == run.id)).first():
            return None
        within = Within(ledger.engine, ledger.archive, connection)
        content = run_hash(within, run.id)
        for cell_id in connection.execute(select(cells.c.id).where(cells.c.run_id == run.id)).scalars().all():
            _expire_details(ledger, connection, cell_id)
            _expire_outcomes(connection, cell_id)
        forgotten = _forget_replies(connection, run)
        row = {"run_id": run.id, "at": datetime.now(UTC), "content": content}
        connection.execute(insert(expired_runs), [row | {"remains": remaining_hash(within, run.id)}])
    return forgotten


@contextmanager
def forgetting(ledger: Ledger) -> Iterator[Connection]:
    """A transaction under the ledger's lock; SQLite overwrites what is deleted in it at once."""
    with ledger.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        lock(connection)
        yield connection


def _expire_details(ledger: Ledger, connection: Connection, cell_id: int) -> None:
    for table in (node_outputs, evaluated_lines):
        connection.execute(delete(table).where(table.c.cell_id == cell_id))
    if packed := page_rows(connection, evaluations, cell_id, columns_of(evaluations)):
        said = [tuple(without_words(row._asdict()).values()) for row in packed]
        remove_pages(connection, cell_id)
        add_pages(connection, evaluations, cell_id, said)
    else:
        remove_pages(connection, cell_id)
    for name in ("label", "error"):
        column = evaluations.c[name]
        words = update(evaluations).where(evaluations.c.cell_id == cell_id, column != "")
        connection.execute(words.values({name: EXPIRED}))
    files = connection.execute(select(archives.c.file).where(archives.c.cell_id == cell_id)).scalars().all()
    names = ("sample_id", "round", *_EVALUATION)
    for file in files:
        rows = read_file(path_of(ledger.archive, file), evaluations, names)
        connection.execute(delete(archives).where(archives.c.cell_id == cell_id, archives.c.file == file))
        if rows:
            left = [without_words(dict(zip(names, row, strict=True))) for row in rows]
            written = write_file(ledger.archive, owner_of(connection, cell_id), [(evaluations.name, left)])
            name_file(connection, cell_id, written)


def without_words(row: Mapping[str, Any], stands: str = EXPIRED) -> dict[str, Any]:
    """An evaluation with another text in place of what was said."""
    return {**row, **{name: stands if row[name] else "" for name in ("label", "error")}}


@dataclass(frozen=True)
class Words:
    """What is said in an outcome, and what is left of it."""

    sample_id: int
    round: int
    answer: str | None
    error: str
    answer_left: str | None
    error_left: str


def words_that_stay(
    connection: Connection, cell_id: int, stands: str, ids: Collection[int] | None = None
) -> list[Words]:
    """Outcomes of a cell, or of some of its samples, of which words go.

    Answers that are no letter of a choice become empty; of an error only that a service gave up stays.
    """
    from driftgate.flows.models import gave_up

    details = connection.execute(select(cells.c.details).where(cells.c.id == cell_id)).scalar_one()
    letters = str(details.get("letters", ""))
    query = (
        select(outcomes.c.sample_id, outcomes.c.round, outcomes.c.answer, outcomes.c.error, samples.c.data)
        .join(samples, samples.c.id == outcomes.c.sample_id)
        .where(outcomes.c.cell_id == cell_id, or_(outcomes.c.answer.is_not(None), outcomes.c.error != ""))
    )
    if ids is not None:
        query = query.where(outcomes.c.sample_id.in_(sorted(ids)))
    found = []
    for row in connection.execute(query):
        known = letters or LETTERS[: len(row.data.get("choices") or ())]
        answer = row.answer if row.answer is not None and len(row.answer) == 1 and row.answer in known else None
        error = row.error and (f"{row.error.partition(':')[0]}: {stands}" if gave_up(row.error) else stands)
        if (answer, error) != (row.answer, row.error):
            found.append(Words(row.sample_id, row.round, row.answer, row.error, answer, error))
    return found


def _expire_outcomes(connection: Connection, cell_id: int) -> None:
    changed = [
        {"of": row.sample_id, "in": row.round, "answer": row.answer_left, "error": row.error_left}
        for row in words_that_stay(connection, cell_id, EXPIRED)
    ]
    if changed:
        here = (outcomes.c.sample_id == bindparam("of"), outcomes.c.round == bindparam("in"))
        values: dict[str, Any] = {"answer": bindparam("answer"), "error": bindparam("error")}
        connection.execute(update(outcomes).where(outcomes.c.cell_id == cell_id, *here).values(values), changed)


def _forget_replies(connection: Connection, run: RunRow) -> int:
    """Forget what was asked for the run first; before format 7 what was asked while it went on is taken for that."""
    last = select(func.max(outcomes.c.finished_at)).join(cells, cells.c.id == outcomes.c.cell_id)
    ended = connection.execute(last.where(cells.c.run_id == run.id)).scalar_one_or_none() or run.created_at
    meanwhile = and_(replies.c.run_id.is_(None), replies.c.created_at.between(run.created_at, ended))
    return connection.execute(delete(replies).where(or_(replies.c.run_id == run.id, meanwhile))).rowcount


def _expire_questions(ledger: Ledger) -> int:
    """Remove the text of samples that only expired runs have asked; the letter of the right choice stays."""
    within = select(asked.c.sample_id).join(cells, cells.c.id == asked.c.cell_id).distinct()
    gone = select(expired_runs.c.run_id)
    with forgetting(ledger) as connection:
        of_expired = set(connection.execute(within.where(cells.c.run_id.in_(gone))).scalars())
        if not of_expired:
            return 0
        of_others = set(connection.execute(within.where(cells.c.run_id.not_in(gone))).scalars())
        known = set(connection.execute(select(expired_samples.c.sample_id)).scalars())
        todo = sorted(of_expired - of_others - known)
        for start in range(0, len(todo), _CHUNK):
            part = todo[start : start + _CHUNK]
            rows = connection.execute(select(samples.c.id, samples.c.data).where(samples.c.id.in_(part))).all()
            new = [{"of": row.id, "data": without_texts(row.data)} for row in rows]
            connection.execute(update(samples).where(samples.c.id == bindparam("of")), new)
            connection.execute(insert(expired_samples), [{"sample_id": one, "at": datetime.now(UTC)} for one in part])
    return len(todo)


def without_texts(data: Mapping[str, Any], stands: str = EXPIRED) -> dict[str, Any]:
    """What counting needs of a sample: how many choices it has, and the letter of the right one.

    Examples
    --------
    >>> without_texts({"question": "수도는?", "choices": ["서울", "부산"], "answer": "A", "note": "김 아무개"})
    {'question': '(expired)', 'choices': ['(expired)', '(expired)'], 'answer': 'A'}
    >>> without_texts({"question": "누구?", "answer": "김 아무개"})
    {'question': '(expired)', 'answer': '(expired)'}
    """
    left: dict[str, Any] = {"question": stands}
    choices = data.get("choices") or ()
    if choices:
        left["choices"] = [stands] * len(choices)
    if "answer" in data:
        key = data["answer"]
        kept = isinstance(key, str) and len(key) == 1 and key in LETTERS[: len(choices)]
        left["answer"] = key if kept else stands
    return left


def _ended(ledger: Ledger, run: RunRow) -> bool:
    if run.status != "running":
        return True
    query = select(func.max(outcomes.c.finished_at)).join(cells, cells.c.id == outcomes.c.cell_id)
    with ledger.read() as connection:
        last = connection.execute(query.where(cells.c.run_id == run.id)).scalar_one_or_none()
    return (last or run.created_at) < datetime.now(UTC) - _LIVE
