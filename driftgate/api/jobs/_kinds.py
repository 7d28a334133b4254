"""The jobs that a workspace has, by name: what each runs, when, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError, cut, nearest
from driftgate.monitor.config import CatchUp
from driftgate.monitor.cron import Crontab

_MEND_HOURS = 72.0
"""A step of a remediation may wait for a training that somebody else's machines do."""
_HOUR = 3600.0
_NEEDS = {
    "mend": "it has no recipe, so that there is nothing to take further; name one under recipes",
    "nightly": "nothing stands under nightly; name suites or monitors there",
}
"""What a job of a name needs."""
_AHEAD = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Schedule:
    """When a job is due."""

    cron: str
    """Five fields as in crontab."""
    timezone: str
    catch_up: CatchUp
    """What becomes of times that passed while nobody served."""

    def next_due(self, now: datetime) -> datetime | None:
        """The next scheduled time, in UTC; None where none comes within five years.

        Examples
        --------
        >>> nightly = Schedule("0 3 * * *", "Asia/Seoul", "once")
        >>> nightly.next_due(datetime.fromisoformat("2026-11-27T12:00Z")).isoformat()
        '2026-11-27T18:00:00+00:00'
        """
        return Crontab.parse(self.cron).next(ZoneInfo(self.timezone), now, now + _AHEAD)


@dataclass(frozen=True)
class JobKind:
    """Something that a workspace has done by ``driftgate serve``."""

    name: str
    command: tuple[str, ...]
    """Arguments of ``driftgate``; it may be killed at any moment, and run again goes on or begins anew."""
    schedule: Schedule | None
    """None: it is done when it is called for."""
    max_seconds: float
    """A job that takes longer is stopped, and has failed."""
    apart_from: frozenset[str] = frozenset()
    """Jobs that it is not done beside; never beside itself."""
    attempts: int = 3
    """How often it is begun at most, where its process died."""


def job_kinds(workspace: OpenWorkspace) -> Mapping[str, JobKind]:
    """The nightly job, a look for each monitor, and ``mend`` where the workspace has recipes."""
    config, service = workspace.config, workspace.config.service
    kinds = [
        JobKind(
            f"look-{name}",
            ("monitor", "check", name),
            Schedule(monitor.cron, monitor.timezone, monitor.catch_up),
            monitor.max_hours * _HOUR,
        )
        for name, monitor in config.monitors.items()
    ]
    if config.nightly.suites or config.nightly.monitors:
        schedule = Schedule(service.nightly_cron, service.timezone, service.nightly_catch_up)
        bound = service.nightly_max_hours * _HOUR
        kinds.append(JobKind("nightly", ("nightly",), schedule, bound, frozenset({"mend"})))
    if config.recipes:
        kinds.append(JobKind("mend", ("remediation", "run"), None, _MEND_HOURS * _HOUR, frozenset({"nightly"})))
    return {kind.name: kind for kind in kinds}


def find_kind(workspace: OpenWorkspace, name: str) -> JobKind:
    """The workspace's job of a name.

    Raises
    ------
    DriftgateError
        It has none of that name.
    """
    kinds = job_kinds(workspace)
    if name not in kinds:
        if not kinds:
            raise DriftgateError("the workspace has no jobs", "name monitors, or suites under nightly")
        if name in _NEEDS:
            raise DriftgateError(f"the workspace has no job '{name}': {_NEEDS[name]}", f"known: {', '.join(kinds)}")
        raise DriftgateError(f"the workspace has no job '{cut(name)}'", nearest(name, kinds))
    return kinds[name]
