"""Forget a user: every call that was made for them goes from the telemetry, with all that was told of it.

A call is told in several rows: its span, log records of it, spans around it. Its user stands in one of them, so the
rows are found by the calls' identities first. These are written down before the first file is changed; who is killed in
between finds them there, and the next compaction goes on.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import replace_file
from driftgate.monitor.telemetry import _parquet, _spool
from driftgate.monitor.telemetry._frame import asked, stored_rows
from driftgate.monitor.telemetry._joined import outer_calls
from driftgate.monitor.telemetry._record import STEPS
from driftgate.monitor.telemetry._users import known_as

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

_NAME = "forgetting.json"
_ID = ["trace_id", "span_id"]
_LINKS = (
    "part",
    "parent_id",
    "dialect",
    "response_hash",
    "latency",
    "output_tokens",
    "request_model",
    "response_model",
)
_READ = (*_ID, "time", "user", *_LINKS)
_PSEUDONYM = re.compile("[0-9a-f]{16}")
_BETWEEN = "\0"
Key = tuple[str, str]
"""Trace and span."""
Pair = tuple[Key, Key]


@dataclass(frozen=True)
class _Begun:
    """What is to go."""

    calls: tuple[str, ...] = ()
    """Each as its trace and its span."""
    users: tuple[str, ...] = ()
    """Their pseudonyms."""


_NOTHING = _Begun()


@dataclass(frozen=True)
class Gone:
    """What of a user was in the telemetry and is not any more, or would not be."""

    names: tuple[str, ...]
    """What may stand for the user in the telemetry: a pseudonym, and what was given for one."""
    days: Mapping[date, int] = field(default_factory=dict)
    """Calls by day (UTC)."""
    rows: int = 0
    """Rows, among them copies, log records and spans around a call."""
    keys: frozenset[Key] = field(default=frozenset(), repr=False)
    """The calls' traces and spans, those of what is told of them and around them too."""

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        """Those of the names that stand for nobody else."""
        return tuple(filter(_PSEUDONYM.fullmatch, self.names))

    @property
    def calls(self) -> int:
        """Calls, each once."""
        return sum(self.days.values())


def found_of(folder: Path, user: str) -> Gone:
    """What the telemetry has of a user, in Parquet and in the spool.

    Parameters
    ----------
    folder : Path
        The telemetry folder; it may be written at the same time.
    user : str
        The id that the application gives, or what stands for it in the column ``user``.

    Raises
    ------
    DriftgateError
        No user is named.
    """
    if not user.strip():
        raise DriftgateError("it is not said which user to forget", "give the id that the application sends")
    names = known_as(folder, user)
    rows, pairs = asked(lambda connection: _near(connection, folder, names))
    gone = _theirs(rows, pairs, names)
    outer = {around for around, within in pairs if within in gone}
    began = {_key(row): row["time"].date() for row in rows if not row["part"]}
    days = Counter(day for key, day in began.items() if key in gone and key not in outer)
    count = sum(_key(row) in gone for row in rows)
    return Gone(names, dict(sorted(days.items())), count, frozenset(gone))


def begin(folder: Path, calls: Collection[Key], pseudonyms: Collection[str]) -> None:
    """Write down which calls of which pseudonyms are to go; :func:`finish` removes them."""
    before = _begun(folder)
    told = {"calls": sorted({*before.calls, *map(_BETWEEN.join, calls)}), "users": sorted({*before.users, *pseudonyms})}
    replace_file(folder / _NAME, json.dumps(told).encode())
    _spool.sync_folder(folder)


def finish(folder: Path) -> None:
    """Remove the calls that are to go from every file.

    The spool is to be in Parquet. Killed in, it does the rest when it is called again.
    """
    begun = _begun(folder)
    if begun == _NOTHING:
        return
    for part in _parquet.every_part(folder) if begun.calls else ():
        _take_out(begun.calls, part)
    theirs = [*(call.partition(_BETWEEN)[2] for call in begun.calls), *begun.users]
    for damaged in sorted((folder / "spool").glob("*.damaged")):  # its whole frames are in Parquet
        data = damaged.read_bytes()
        if any(one.encode() in data for one in theirs):
            damaged.unlink()
    _spool.sync_folder(folder / "spool")
    (folder / _NAME).unlink()
    _spool.sync_folder(folder)


def _begun(folder: Path) -> _Begun:
    try:
        told = json.loads((folder / _NAME).read_bytes())
    except FileNotFoundError:
        return _NOTHING
    return _Begun(tuple(told["calls"]), tuple(told["users"]))


def _take_out(calls: Sequence[str], part: Path) -> None:
    import pyarrow.parquet as pq

    ids = pq.read_table(part, columns=_ID)
    named = pc.binary_join_element_wise(ids.column("trace_id"), ids.column("span_id"), _BETWEEN)
    theirs = pc.is_in(named, value_set=pa.array(calls, pa.string()))
    if pc.any(theirs).as_py():
        _parquet.rewrite(part, _spool.conform(pq.read_table(part)).filter(pc.invert(theirs)))


def _near(connection: Backend, folder: Path, names: Collection[str]) -> tuple[list[dict[str, Any]], list[Pair]]:
    """The rows of a user's calls, and all rows of the traces and of the answers that these are of; and of these the
    spans around a call, each with that call."""
    import ibis

    rows = stored_rows(connection, folder).select(list(_READ))
    mine = connection.to_pyarrow(rows.filter(rows.user.isin(list(names))).select("trace_id", "response_hash"))
    if not mine.num_rows:
        return [], []
    told = ibis.memtable(mine)
    in_trace, answers = rows.trace_id.isin(told.trace_id), told.filter(told.response_hash != "").response_hash
    found = connection.to_pyarrow(rows.filter(in_trace | rows.response_hash.isin(answers)))
    outer = outer_calls(connection, ibis.memtable(found)).to_pylist()
    return found.to_pylist(), [((row["outer_trace_id"], row["outer_span_id"]), _key(row)) for row in outer]


def _theirs(rows: Sequence[Mapping[str, Any]], pairs: Sequence[Pair], names: Collection[str]) -> set[Key]:
    """The calls of a user: those that name them, and those that name nobody and are told within or around these.

    A span around several calls is theirs where all of them are, and so is what agents and tools did in a trace.
    """
    users: dict[Key, str] = {}
    for row in rows:
        users[_key(row)] = row["user"] or users.get(_key(row), "")
    steps = {_key(row) for row in rows if row["part"] in STEPS}
    above = [((row["trace_id"], row["parent_id"]), _key(row)) for row in rows]
    within: dict[Key, set[Key]] = defaultdict(set)
    for around, inner in (*pairs, *((one, other) for one, other in above if one in users and {one, other} & steps)):
        within[around].add(inner)
    gone = {key for key, user in users.items() if user in names}
    while True:
        more = {inner for around in gone for inner in within.get(around, ()) if not users[inner]}
        more |= {around for around, inner in within.items() if not users[around] and inner <= gone}
        others = {trace for trace, span in users.keys() - steps - gone}
        more |= {step for step in steps if not users[step] and step[0] not in others}
        if more <= gone:
            return gone
        gone |= more


def _key(row: Mapping[str, Any]) -> Key:
    return row["trace_id"], row["span_id"]
