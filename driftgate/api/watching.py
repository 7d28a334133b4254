"""Look at a champion's canaries and at its traffic, and keep what was found or why nothing could be."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from driftgate.api import preflight, session
from driftgate.api._waiting import wait_for
from driftgate.api.champions import champion
from driftgate.api.made_suites import canary_suite
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, RunRow, champion_history, find_run, latest_runs
from driftgate.monitor.config import MonitorConfig, TrafficConfig
from driftgate.monitor.cron import Crontab
from driftgate.monitor.looks import LookRow, Subject, find_look, latest_looks
from driftgate.monitor.rereference import Rereference, begin_anew, newest_rereference
from driftgate.monitor.watch import Watched, could_not_look, look_at_canaries, look_at_traffic

log = logging.getLogger(__name__)
_GRACE = timedelta(hours=26)
"""How long after it was due a look may come."""
_FAR = timedelta(days=366)


@dataclass(frozen=True)
class LookResult:
    """A look and the run it was made on."""

    monitor: str
    champion: str
    run: RunRow | None
    """None where the canaries could not even be asked."""
    watched: Watched


@dataclass(frozen=True)
class Sight:
    """What a monitor saw last of its canaries, its traffic or its prompts."""

    monitor: str
    of: Subject
    newest: LookRow | None
    """None: nothing has looked."""
    good: LookRow | None
    """The newest look that could tell whether anything moved."""
    unended: RunRow | None
    """A run of the canaries begun since, of which nobody kept a look: it is under way, or was killed."""
    rereference: Rereference | None = None
    """The last time that a person had the canaries' reference begun anew."""

    due: datetime | None = None
    """When a look was due that nobody has taken in more than a day; None where none is. Who looks at night alone, by a
    clock of their own, has looked within a day."""

    @property
    def blind(self) -> bool:
        """Whether it is not known now how the model does: what was seen a month ago says nothing of today."""
        return self.newest is None or self.newest != self.good or self.due is not None


def sights(workspace: OpenWorkspace, ledger: Ledger) -> list[Sight]:
    """What every monitor of the workspace saw last; that there is no alert says nothing where nobody looked."""
    newest, good = ({(look.monitor, look.of): look for look in latest_looks(ledger, good=g)} for g in (False, True))
    found = []
    for name, monitor in workspace.config.monitors.items():
        run = next(iter(latest_runs(ledger, 1, suite=_suite(name))), None)
        unended = run if run is not None and find_look(ledger, run.id) is None else None
        looks, anew = (newest.get((name, "canaries")), good.get((name, "canaries"))), newest_rereference(ledger, name)
        found.append(Sight(name, "canaries", *looks, unended, anew))
        if monitor.traffic is not None:
            found.append(Sight(name, "traffic", newest.get((name, "traffic")), good.get((name, "traffic")), None))
        if monitor.evaluate is not None:
            found.append(Sight(name, "answers", newest.get((name, "answers")), good.get((name, "answers")), None))
        if monitor.prompt_drift is not None:
            found.append(Sight(name, "prompts", newest.get((name, "prompts")), good.get((name, "prompts")), None))
    now = datetime.now(UTC)
    return [replace(one, due=_missed(one, workspace.config.monitors[one.monitor], now)) for one in found]


def _missed(sight: Sight, monitor: MonitorConfig, now: datetime) -> datetime | None:
    """The last time, more than a day ago, that a look was due and after which there was none."""
    if sight.newest is None or sight.of == "prompts":  # these have days of their own
        return None
    until = now - _GRACE
    due = Crontab.parse(monitor.cron).latest(ZoneInfo(monitor.timezone), until - _FAR, until)
    return due if due is not None and sight.newest.at < due else None


def find_monitor(workspace: OpenWorkspace, name: str) -> MonitorConfig:
    """A monitor by name.

    Raises
    ------
    DriftgateError
        There is none.
    """
    if name not in workspace.config.monitors:
        raise DriftgateError(f"the workspace has no monitor '{name}'", nearest(name, workspace.config.monitors))
    return workspace.config.monitors[name]


def take_look(workspace: OpenWorkspace, ledger: Ledger, name: str, display: Display) -> LookResult:
    """Ask the canaries of a monitor of its champion, compare, and keep what was found.

    A model that cannot be asked is a finding as well, and so is a defect on the way: the look is unmeasurable, and
    says why.

    Raises
    ------
    DriftgateError
        There is no such monitor or slot, the monitor is to be mended before anything is asked, or the ledger refuses.
    """
    monitor = find_monitor(workspace, name)
    live = champion(workspace, ledger, monitor.champion)
    in_place = installed(ledger, monitor, live)
    try:
        preflight.prepare_look(workspace, ledger, name)
    except Exception as raised:  # nobody looks at anything, which is kept as what it is
        problem = in_words(raised)
        could_not_look(ledger, name, "canaries", in_place, problem)
        if monitor.traffic is not None:
            could_not_look(ledger, name, "traffic", monitor.traffic.request_model, problem)
        raise
    run: RunRow | None = None
    try:
        planned = session.plan_suite(workspace, ledger, _suite(name), canary_suite(monitor.canaries, live))
        models = session.open_models(workspace, ledger, [live])
        run = session.begin(ledger, planned, "canary")
        wait_for(session.work(ledger, run, planned, models, display))
        for scores in score_run(ledger, run.id):
            if scores.unasked:
                raise DriftgateError(scores.unasked, f"correct the flow '{monitor.canaries.flow}'")
        watched = look_at_canaries(
            ledger,
            name,
            in_place,
            find_run(ledger, run.id),
            reference_looks=monitor.reference_looks,
            grows_to=monitor.reference_grows_to,
            floors=monitor.canary_floors,
            budget=monitor.budget,
            probe=monitor.canaries.probe,
        )
    except Exception as raised:  # also a defect leaves the model unwatched, and is no reason to forget it
        log.debug("the canaries of %s could not be looked at", name, exc_info=True)
        watched = could_not_look(ledger, name, "canaries", in_place, in_words(raised), run.id if run else "")
    return LookResult(name, live, run, watched)


def rereference(workspace: OpenWorkspace, ledger: Ledger, name: str, *, reason: str, who: str) -> Rereference:
    """Let a monitor's next looks be what its canaries are compared with, and record who wanted it and why.

    Raises
    ------
    DriftgateError
        There is no such monitor or slot, or no reason is given.
    """
    monitor = find_monitor(workspace, name)
    live = champion(workspace, ledger, monitor.champion)
    return begin_anew(ledger, name, installed(ledger, monitor, live), who=who, reason=reason)


def installed(ledger: Ledger, monitor: MonitorConfig, live: str) -> str:
    """The champion as it was put in place: a promotion begins a reference, also of a model that was champion before."""
    return f"{live}#{champion_history(ledger, monitor.champion)[0].id}"


def watch_traffic(workspace: OpenWorkspace, ledger: Ledger, name: str, traffic: TrafficConfig) -> Watched:
    """Compare the newest telemetry of a monitor with the days before, and keep what was found.

    Raises
    ------
    DriftgateError
        There is no such monitor, or the ledger refuses.
    """
    monitor = find_monitor(workspace, name)
    evidence = evidence_folder(workspace)
    from driftgate.api.telemetry import bring_up_to_date

    try:
        bring_up_to_date(workspace, ledger)
        return look_at_traffic(
            ledger,
            name,
            workspace.telemetry,
            traffic,
            datetime.now(UTC),
            floors=monitor.floors,
            alpha=monitor.traffic_level,
            evidence=evidence,
        )
    except Exception as raised:
        log.debug("the traffic of %s could not be looked at", name, exc_info=True)
        return could_not_look(ledger, name, "traffic", traffic.request_model, in_words(raised))


def _suite(monitor: str) -> str:
    """What the runs of a monitor's canaries are called."""
    return f"canary-{monitor}"


def evidence_folder(workspace: OpenWorkspace) -> Path:
    """Where the reports of traffic that moved are written."""
    return workspace.reports / "evidence"
