"""The one mechanism of tables: which columns, how they are filtered, ordered, cut into pages and linked.

A table reads its address: ``q`` searches, a column's name filters by equality, ``sort=-cost`` orders, ``page`` and
``size`` cut. A page's first table goes by these names; another one, say ``looks``, by ``looks.q`` and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from driftgate.flows.errors import DriftgateError, cut, nearest

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from driftgate.ledger import Ledger

Kind = Literal["text", "long", "number", "share", "score", "time", "status", "seconds", "money", "points", "word"]
Row = Mapping[str, Any]

SIZE = 50
"""Rows of a page, where the address does not say."""
BESIDE = 20
"""Rows of a table that is not the page's first, likewise."""
LARGEST = 1000
"""Rows of a page, at most."""
_DEEPEST = 1_000_000
"""The last row that a page may begin with."""
_LONGEST = 200
"""Characters of what is searched for."""
_OPTIONS = 100
"""Values that a filter offers, at most."""


@dataclass(frozen=True)
class Column:
    """A column; its heading is the word ``column.NAME`` of the catalogue."""

    name: str
    kind: Kind = "text"
    """``word`` shows the word ``NAME.VALUE`` of the catalogue; ``score`` the row's ``NAME``, ``NAME_low`` and
    ``NAME_high`` as one."""
    link: str = ""
    """An address with fields of the row in it, such as ``/runs/{id}``; no link where the row has one of them empty."""
    filter: bool = False
    """Whether the page offers to filter by it."""
    options: Sequence[str] = ()
    """What a filter offers; empty: what is there."""
    sort: bool = True

    def address(self, row: Row) -> str:
        """Where a row's cell links to; empty for nowhere.

        Examples
        --------
        >>> Column("run", link="/runs/{run}?text={q}").address({"run": "a/b", "q": "1 & 2"})
        '/runs/a%2Fb?text=1%20%26%202'
        >>> Column("run", link="/runs/{run}").address({"run": None})
        ''
        """
        values = _Quoted(row)
        found = self.link.format_map(values)
        return "" if values.empty else found


class _Quoted(dict[str, str]):
    """Fields of a row, ready to stand in an address."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row
        self.empty = False

    def __missing__(self, name: str) -> str:
        value = self._row.get(name)
        self.empty = self.empty or value is None or value == ""
        return quote(str(value), safe="")


@dataclass(frozen=True)
class Wanted:
    """What an address asks of a table."""

    search: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    page: int = 1
    size: int = SIZE
    whole: bool = False
    """Whether it is waited for longer, as a part is of no use."""

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * self.size


@dataclass(frozen=True)
class Searched:
    """How far a search is that looks at more than can be looked at at once."""

    done: int
    of: int
    """Without any, there is nothing that could be searched."""

    @property
    def complete(self) -> bool:
        """Whether all of it was looked at."""
        return self.done >= self.of


class Incomplete(DriftgateError):
    """A search that is not at its end, of which a file would be taken for the whole."""


@dataclass(frozen=True)
class Found:
    """The rows of a page, and how many there are in all."""

    rows: Sequence[Row]
    total: int
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By column, what a filter may offer."""
    searched: Searched | None = None
    """None where everything was looked at."""


Source = Callable[[Wanted], Found]


@dataclass(frozen=True)
class Table:
    """A table of a page, with where its rows come from."""

    name: str
    columns: Sequence[Column]
    source: Source
    sort: str = ""
    """The order where the address names none, such as ``-created_at``; empty: the source's own."""
    search: bool = True
    """Whether it can be searched."""
    extra: Sequence[str] = ()
    """Other parameters that its source understands and the page offers by itself."""
    filters: Sequence[str] | None = None
    """Columns that it can be filtered by; None: by each."""
    known: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By column, values that may be filtered by though no row has them now; any other that no row has is misspelt."""

    def parameters(self, *, first: bool) -> set[str]:
        """What of an address it reads."""
        prefix = "" if first else f"{self.name}."
        return {f"{prefix}{name}" for name in ("q", "sort", "page", "size", *self._filters(), *self.extra)}

    def _filters(self) -> Sequence[str]:
        return [column.name for column in self.columns] if self.filters is None else self.filters

    def read(self, query: Mapping[str, str], *, first: bool = True, whole: bool = False) -> Shown:
        """Read what an address asks for.

        Parameters
        ----------
        whole : bool
            Whether a search is to come to its end.

        Raises
        ------
        Incomplete
            It did not.
        DriftgateError
            The address asks for a column that is not there, for a page that can be none, or for a value that no row
            has and none could have.
        """
        prefix = "" if first else f"{self.name}."
        own = {k.removeprefix(prefix): v for k, v in query.items() if k.startswith(prefix)}
        wanted = replace(self._wanted(own, SIZE if first else BESIDE), whole=whole)
        found = self.source(wanted)
        if whole and found.searched is not None and not found.searched.complete:
            told = f"{found.searched.done:,} of {found.searched.of:,} outputs of nodes were searched so far"
            raise Incomplete(f"the table '{self.name}' is not complete: {told}", "ask again: the search goes on")
        if not found.total:
            self._check_values(wanted)
        return Shown(self, wanted, found, prefix, {k: v for k, v in query.items() if v})

    def _check_values(self, wanted: Wanted) -> None:
        """See that each value by which rows are filtered is one that there is: it may be misspelt."""
        options = {column.name: column.options for column in self.columns if column.name in self._filters()}
        for name, value in wanted.equal.items() if options else ():
            possible = {*options.get(name, ()), *self.known.get(name, ())}
            if name not in options or value in possible or self.source(Wanted(equal={name: value}, size=1)).total:
                continue
            whole = self.source(Wanted(size=1))
            if possible or whole.total:
                names = {*possible, *whole.options.get(name, ())}
                told = nearest(value, names) if names else f"leave it out to see what {name} there is"
                raise DriftgateError(f"the table '{self.name}' has nothing whose {name} is '{cut(value)}'", told)

    def _wanted(self, query: Mapping[str, str], rows: int) -> Wanted:
        sort = query.get("sort") or self.sort
        name = sort.lstrip("-")
        known = [column.name for column in self.columns if column.sort]
        if name and name not in known:
            raise DriftgateError(f"the table '{self.name}' is not ordered by '{name}'", nearest(name, known))
        filters = {*self._filters(), *self.extra}
        told = {key: value.replace("\x00", "") for key, value in query.items()}  # no database takes a NUL
        return Wanted(
            search=told.get("q", "").strip()[:_LONGEST],
            equal={key: value for key, value in told.items() if key in filters and value},
            sort=name,
            descending=sort.startswith("-"),
            page=_number(query, "page", 1, _DEEPEST),
            size=_number(query, "size", rows, LARGEST),
        )


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise DriftgateError(f"{name} is '{text[:40]}'", f"give a whole number from 1 to {most:,}")
    return int(text)


@dataclass(frozen=True)
class Shown:
    """A table as it is shown: what was asked of it, what was found, and where its links lead."""

    table: Table
    wanted: Wanted
    found: Found
    prefix: str
    query: Mapping[str, str]
    """The whole address, so that a link of one table keeps what others are asked for."""

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, math.ceil(self.found.total / self.wanted.size))

    @property
    def narrowed(self) -> bool:
        """Whether something is filtered or searched."""
        return bool(self.wanted.search or self.wanted.equal)

    def address(self, **changed: str | int) -> str:
        """The query of the address with some of this table's parameters changed; an empty one is left out."""
        values = dict(self.query) | {f"{self.prefix}{name}": str(value) for name, value in changed.items()}
        return "?" + urlencode({name: value for name, value in values.items() if value})

    def sorted_by(self, column: Column) -> str:
        """Where the heading of a column leads: to its order, and from there to the other way round."""
        turned = self.wanted.sort == column.name and not self.wanted.descending
        return self.address(sort=f"-{column.name}" if turned else column.name, page="")

    def options(self, column: Column) -> Sequence[str]:
        """What a filter of a column offers."""
        return column.options or self.found.options.get(column.name, ())

    def others(self) -> Mapping[str, str]:
        """Parameters that a form of this table has to keep."""
        own = {f"{self.prefix}{name}" for name in ("q", "page", *(c.name for c in self.table.columns if c.filter))}
        own |= {f"{self.prefix}{name}" for name in self.table.extra}
        return {name: value for name, value in self.query.items() if name not in own}


def in_memory(rows: Sequence[Row]) -> Source:
    """A source of few rows, which are all there.

    Examples
    --------
    >>> source = in_memory([{"name": "b", "n": 2}, {"name": "a", "n": None}, {"name": "c", "n": 1}])
    >>> [row["name"] for row in source(Wanted(sort="n")).rows]
    ['c', 'b', 'a']
    >>> source(Wanted(search="B")).total, source(Wanted(equal={"name": "c"})).rows
    (1, [{'name': 'c', 'n': 1}])
    """

    def read(wanted: Wanted) -> Found:
        found = [row for row in rows if _fits(row, wanted)]
        if wanted.sort:
            known = [row for row in found if row.get(wanted.sort) is not None]
            known.sort(key=lambda row: _key(row[wanted.sort]), reverse=wanted.descending)
            found = known + [row for row in found if row.get(wanted.sort) is None]
        part = found[wanted.offset : wanted.offset + wanted.size]
        return Found(part, len(found), _options(rows))

    return read


def _fits(row: Row, wanted: Wanted) -> bool:
    if any(str(row.get(name) if row.get(name) is not None else "") != value for name, value in wanted.equal.items()):
        return False
    low = wanted.search.lower()
    return not low or any(low in value.lower() for value in row.values() if isinstance(value, str))


def _key(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool | int | float):
        return 0, value
    return (1, value.timestamp()) if isinstance(value, datetime) else (2, str(value).lower())


def _options(rows: Sequence[Row]) -> dict[str, Sequence[str]]:
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and value and len(value) <= 80:
                values.setdefault(name, set()).add(value)
    return {name: sorted(found) for name, found in values.items() if len(found) <= _OPTIONS}


def from_ledger(
    ledger: Ledger,
    query: Select[Any],
    *,
    searched: Sequence[str] = (),
    finish: Callable[[Sequence[Row]], Sequence[Row]] = lambda rows: rows,
) -> Source:
    """A source of many rows, which the database filters, orders and cuts.

    Parameters
    ----------
    query
        Its labelled columns are the table's.
    searched
        Columns that are searched.
    finish
        Adds to the rows of one page what is shown beside.
    """
    from sqlalchemy import String, case, cast, func, or_, select

    def read(wanted: Wanted) -> Found:
        whole = query.subquery()
        if other := [name for name in wanted.equal if name not in whole.c]:
            raise DriftgateError(f"the table is not filtered by '{other[0]}'", nearest(other[0], whole.c.keys()))
        conditions: list[ColumnElement[bool]] = [
            cast(whole.c[name], String) == value for name, value in wanted.equal.items()
        ]
        if wanted.search:
            conditions.append(or_(*(whole.c[name].icontains(wanted.search, autoescape=True) for name in searched)))
        narrowed = select(whole).where(*conditions)
        if wanted.sort in whole.c:
            column = whole.c[wanted.sort]
            narrowed = narrowed.order_by(
                case((column.is_(None), 1), else_=0), column.desc() if wanted.descending else column
            )
        with ledger.read() as connection:
            total = connection.execute(select(func.count()).select_from(whole).where(*conditions)).scalar_one()
            rows = connection.execute(narrowed.offset(wanted.offset).limit(wanted.size)).mappings().all()
        return Found(finish([dict(row) for row in rows]), int(total))

    return read


def first_page(table: Table, rows: int) -> Table:
    """The same table with a source that gives at most so many rows, for a page that only begins it."""
    return replace(table, source=lambda wanted: table.source(replace(wanted, size=min(wanted.size, rows))))
