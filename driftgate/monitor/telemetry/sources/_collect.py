"""Bring what every source has come up with into the store, and keep in the ledger how that ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftgate.flows.errors import DriftgateError
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._store import Store
from driftgate.monitor.telemetry._tables import newest_collection, note_collection
from driftgate.monitor.telemetry.sources._source import SOURCES, SourceConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectionResult:
    """What became of one source in a collection."""

    source: str
    """What the source is called."""
    calls: int
    """Model calls that it brought, those the store had already included."""
    problem: str
    """Why it could not be read to its end; empty where it was."""
    note: str = ""
    """What else a person should know of it: texts that could not be read."""


def collect_all(
    sources: Sequence[SourceConfig], store: Store, ledger: Ledger, intake: Intake, now: datetime
) -> list[CollectionResult]:
    """Collect from every source; one that cannot be read keeps no other from being read."""
    found = []
    for source in sources:
        try:
            brought = SOURCES.get(source.source).collect(source, store, ledger, intake, now)
            found.append(CollectionResult(source.name, brought.calls, "", brought.note))
        except (DriftgateError, OSError) as problem:  # a file without rights, a folder that is called like one
            found.append(CollectionResult(source.name, 0, str(problem)))
        except Exception as problem:
            log.debug("%s could not be read", source.name, exc_info=True)
            found.append(CollectionResult(source.name, 0, str(in_words(problem))))
        note_collection(ledger, source.name, now, found[-1].problem)
    return found


def check_collected(ledger: Ledger, sources: Sequence[SourceConfig], now: datetime, at_most: timedelta) -> None:
    """Refuse to take a store for whole that a source was not read into.

    Parameters
    ----------
    at_most : timedelta
        How long ago the newest collection may be.

    Raises
    ------
    DriftgateError
        A source was never read, not for so long, or could not be read.
    """
    for source in sources:
        newest = newest_collection(ledger, source.name)
        if newest is None:
            raise DriftgateError(
                f"the telemetry source {source.name} has never been read", "see what: driftgate monitor collect says"
            )
        at, problem = newest
        if problem:
            raise DriftgateError(f"the telemetry source {source.name} could not be read: {problem}")
        if now - at > at_most:
            raise DriftgateError(
                f"the telemetry source {source.name} was read last at {at:%Y-%m-%d %H:%M} UTC",
                "whoever writes the telemetry folder does not collect any more; restart driftgate serve",
            )
