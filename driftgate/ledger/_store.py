"""Open a ledger by path or URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, MetaData, create_engine, delete, event, insert, inspect, select
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, extra_of
from driftgate.flows.private_files import make_folder, opened
from driftgate.flows.text import on_disk
from driftgate.ledger import _schema
from driftgate.ledger._making import are_there, lock, make_tables, owners_alone
from driftgate.ledger._plain import to_json
from driftgate.ledger._secrets import without_secrets


@dataclass(frozen=True)
class Ledger:
    """An open ledger; the functions of :mod:`driftgate.ledger` take it as their first argument."""

    engine: Engine
    archive: Path
    """Folder of what was moved out of the database; it is made when something is."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; all of it is durable when the block ends, or none of it is.

        Raises
        ------
        DriftgateError
            The database refuses: a full disk, a lost connection. What was committed before is intact.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except DBAPIError as problem:
            raise _refused(self.engine, problem) from problem

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as problem:
            raise _refused(self.engine, problem) from problem

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def open_ledger(location: str, folder: Path, archive: str = "") -> Ledger:
    """Open a ledger, creating its tables if it is new.

    Parameters
    ----------
    location : str
        A path for SQLite, relative to ``folder``, or a SQLAlchemy URL such as ``postgresql://host/db``.
    folder : Path
        The workspace.
    archive : str
        Folder of the archive, relative to ``folder``; by default beside the database's file, as ``ledger.db.archive``,
        and for PostgreSQL ``.driftgate/archive`` in the workspace.

    Raises
    ------
    DriftgateError
        The database cannot be reached, or was written by a newer driftgate.

    Notes
    -----
    One that an older driftgate wrote is migrated, in one transaction; the older one then refuses it.
    """
    moved = on_disk(folder / (archive or ".driftgate/archive")).resolve()
    if "://" not in location:
        path = on_disk(folder / location).resolve()
        moved = moved if archive else path.with_name(f"{path.name}.archive")
        try:
            make_folder(path.parent)
        except OSError as problem:
            raise DriftgateError(
                f"cannot make the ledger's folder {path.parent}: {problem.strerror}", "see 'ledger' in driftgate.yaml"
            ) from problem
        location = f"sqlite:///{path}"
    url = location.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )
    try:
        engine = create_engine(url, json_serializer=to_json, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError, NoSuchModuleError) as problem:
        if isinstance(problem, ModuleNotFoundError) and extra_of(problem.name or "") == "postgres":
            raise MissingExtra("postgres", "the ledger's database") from problem
        raise DriftgateError(
            "the ledger is neither a path nor a database URL", "see 'ledger' in driftgate.yaml"
        ) from problem
    if engine.dialect.name == "sqlite":
        _make_private(Path(engine.url.database or ""))
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "before_cursor_execute", without_secrets, retval=True)
    ledger = Ledger(engine, moved)
    with ledger.read() as connection:
        found = _format(connection)
    if found is None or found < _schema.VERSION:
        with ledger.write() as connection:
            lock(connection)
            found = _bring_up(connection)
    if found > _schema.VERSION:
        ledger.close()
        raise DriftgateError(
            f"the ledger {_where(engine)} has format {found}, this driftgate knows {_schema.VERSION}",
            "upgrade driftgate",
        )
    return ledger


def _format(connection: Connection) -> int | None:
    """The format that a ledger says it has; None where it says none."""
    if not inspect(connection).has_table(_schema.meta.name):
        return None
    found = connection.execute(select(_schema.meta.c.value).where(_schema.meta.c.key == "version")).scalar_one_or_none()
    return None if found is None else int(found)


def _bring_up(connection: Connection) -> int:
    """Make the tables of a new ledger, or migrate an older one, all or nothing; returns the format afterwards."""
    found = _format(connection)  # another process may have done it meanwhile
    if found is not None and found >= _schema.VERSION:
        return found
    if found is None and not set(inspect(connection).get_table_names()) & set(_schema.metadata.tables):
        make_tables(connection, _schema.metadata)
    else:
        # Alembic takes a while to import, and is needed once for each ledger and format.
        from driftgate.ledger.migrations import migrate

        with owners_alone(connection):
            migrate(connection, found or 0)
    version = {"key": "version", "value": str(_schema.VERSION)}
    connection.execute(delete(_schema.meta).where(_schema.meta.c.key == "version"))
    connection.execute(insert(_schema.meta).values(version))
    return _schema.VERSION


_made: WeakKeyDictionary[Engine, set[frozenset[str]]] = WeakKeyDictionary()
"""By ledger that is open, the tables that are known to be there."""


def create_tables(ledger: Ledger, metadata: MetaData) -> None:
    """Create the tables of another package that keeps its records in the ledger, where they are not there yet.

    How such tables change later is said in :mod:`driftgate.ledger.migrations`.
    """
    made = _made.setdefault(ledger.engine, set())
    if (names := frozenset(metadata.tables)) in made:  # asked before every read: the database is asked once
        return
    with ledger.read() as connection:
        there = are_there(connection, metadata)
    if not there:
        with ledger.write() as connection:
            if connection.dialect.name == "postgresql":
                # Two processes that create a table at once collide in PostgreSQL's catalogue, IF NOT EXISTS or not.
                lock(connection)
            make_tables(connection, metadata)
    made.add(names)


def _make_private(file: Path) -> None:
    """Make the database's file before SQLite does, which gives the files beside it the rights of this one."""
    if file.name and file.parent.is_dir() and not file.exists():
        with suppress(OSError), opened(file, "ab"):  # what SQLite says of a place where none can be is clearer
            pass


def _prepare_sqlite(connection: Any, record: Any) -> None:
    # WAL lets readers and one writer work at once; with synchronous=NORMAL a commit outlives the process (kill -9).
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _refused(engine: Engine, problem: DBAPIError) -> DriftgateError:
    said = " ".join(str(problem.orig).split())[:200]
    where = _where(engine)
    if "full" in said.lower() or "no space" in said.lower():
        return DriftgateError(f"the disk of the ledger {where} is full ({said})", "free space, then resume the run")
    if isinstance(problem, (DataError, IntegrityError, ProgrammingError)):
        return DriftgateError(
            f"the ledger {where} refused a row: {said}", "this is a defect of driftgate: please report it"
        )
    return DriftgateError(f"the ledger {where} cannot be used: {said}", "check its location, its rights and its server")


def _where(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
