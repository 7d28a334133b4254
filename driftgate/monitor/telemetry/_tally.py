"""Counts of what was received and not kept as a call, by day and reason, in one file beside the calls."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from driftgate.flows.private_files import replace_file
from driftgate.monitor.telemetry._places import places
from driftgate.monitor.telemetry._reasons import Reason

log = logging.getLogger(__name__)

_NAME = "left_out.json"
_OF_FILES = "left_out_of_files.json"
_KEPT_DAYS = 400
_Days = dict[date, Counter[Reason]]


class Tally:
    """Counts as they come, written to the telemetry folder by :meth:`save`.

    Parameters
    ----------
    folder : Path
        The telemetry folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._lock = threading.Lock()
        self._new: _Days = {}

    def add(self, counts: Mapping[Reason, int]) -> None:
        """Count what a request brought beside calls."""
        if counts:
            with self._lock:
                self._new.setdefault(datetime.now(UTC).date(), Counter()).update(counts)

    def add_of_file(self, name: str, counts: Mapping[Reason, int]) -> None:
        """Count what a file brought beside calls, which may have been counted when it was shorter."""
        if not counts:
            return
        with self._lock:
            path = self._path.with_name(_OF_FILES)
            known = _files(path)
            before = known.get(name, {})
            new = Counter({reason: counts[reason] - before.get(reason, 0) for reason in counts})
            known[name] = {reason: max(counts.get(reason, 0), before.get(reason, 0)) for reason in {*counts, *before}}
            self._new.setdefault(datetime.now(UTC).date(), Counter()).update(+new)
            try:
                replace_file(path, json.dumps(known, indent=1, ensure_ascii=False).encode())
            except OSError as problem:
                log.warning("counts of telemetry that was not kept could not be written: %s", problem.strerror)

    def since(self, day: datetime) -> Counter[Reason]:
        """What has been counted since a day, in the file and out of it."""
        with self._lock:
            found = _since(self._path, day.astimezone(UTC).date())
            for at, counts in self._new.items():
                if at >= day.astimezone(UTC).date():
                    found.update(counts)
        return found

    def save(self) -> None:
        """Add what has been counted since the last time to the file; where that fails it is tried again next time."""
        with self._lock:
            if not self._new:
                return
            days = _read(self._path)
            for day, counts in self._new.items():
                days.setdefault(day, Counter()).update(counts)
            first = max(days) - timedelta(days=_KEPT_DAYS)
            told = {
                f"{day}": {reason: n for reason, n in days[day].items() if n} for day in sorted(days) if day > first
            }
            try:
                replace_file(self._path, json.dumps(told, indent=1).encode())
            except OSError as problem:
                log.warning("counts of telemetry that was not kept could not be written: %s", problem.strerror)
            else:
                self._new = {}


def left_out(folder: Path, since: datetime) -> Counter[Reason]:
    """What was received since a day and not kept as a call, by reason.

    Parameters
    ----------
    folder : Path
        The telemetry folder; who writes it, or a part of it, may be up to five minutes ahead of the counts.
    since : datetime
        With a time zone; its whole day counts.
    """
    first = since.astimezone(UTC).date()
    found: Counter[Reason] = Counter()
    for place in places(folder):
        found.update(_since(place / _NAME, first))
    return found


def _since(path: Path, first: date) -> Counter[Reason]:
    found: Counter[Reason] = Counter()
    for day, counts in _read(path).items():
        if day >= first:
            found.update(counts)
    return found


def _read(path: Path) -> _Days:
    try:
        held = json.loads(path.read_bytes())
        return {
            date.fromisoformat(day): Counter({Reason(reason): int(count) for reason, count in counts.items()})
            for day, counts in held.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, OSError):
        log.warning("%s cannot be read; counting begins anew", path)
        return {}


def _files(path: Path) -> dict[str, dict[Reason, int]]:
    try:
        held = json.loads(path.read_bytes())
        return {
            str(name): {Reason(reason): int(count) for reason, count in counts.items()} for name, counts in held.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, OSError):
        log.warning("%s cannot be read; counting begins anew", path)
        return {}
