"""Texts, each kept once, however many nights say it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select, update

from driftgate.flows.needles import Needles
from driftgate.ledger._insert import insert_many
from driftgate.ledger._schema import texts

_CHUNK = 500


def keep_texts(connection: Connection, said: Iterable[str]) -> dict[str, int]:
    """The number of each of some texts; those that are not there yet are added."""
    by_hash = {_digest(text): text for text in said}
    numbers: dict[str, int] = {}
    hashes = sorted(by_hash)
    for start in range(0, len(hashes), _CHUNK):
        part = hashes[start : start + _CHUNK]
        known = _numbers(connection, part)
        new = [one for one in part if one not in known]
        insert_many(connection, texts, ("hash", "data", "uses"), [(one, _packed(by_hash[one]), 0) for one in new])
        known |= _numbers(connection, new)
        numbers |= {by_hash[one]: number for one, number in known.items()}
    return numbers


def texts_of(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    """Some texts by number."""
    found: dict[int, str] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _CHUNK):
        query = select(texts.c.id, texts.c.data).where(texts.c.id.in_(wanted[start : start + _CHUNK]))
        for number, data in connection.execute(query):
            found[number] = zlib.decompress(data).decode()
    return found


def matching_texts(connection: Connection, needles: Needles) -> set[int]:
    """The numbers of the texts that have one that is looked for."""
    query = select(texts.c.id, texts.c.data).execution_options(yield_per=_CHUNK)
    return {row.id for row in connection.execute(query) if needles.in_text(zlib.decompress(row.data).decode())}


def use_texts(connection: Connection, numbers: Collection[int], pages: int) -> None:
    """Say that so many more pages name each of some texts, or fewer; one that none names any more is removed."""
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _CHUNK):
        here = texts.c.id.in_(wanted[start : start + _CHUNK])
        connection.execute(update(texts).where(here).values(uses=texts.c.uses + pages))
        if pages < 0:
            connection.execute(delete(texts).where(here, texts.c.uses <= 0))


def _numbers(connection: Connection, hashes: Collection[bytes]) -> dict[bytes, int]:
    query = select(texts.c.hash, texts.c.id).where(texts.c.hash.in_(list(hashes)))
    return {bytes(row.hash): row.id for row in connection.execute(query)} if hashes else {}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 9)
