"""What is wrong, what is not known, and what waits for a person; whatever is not shown to be fine is one of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from driftgate.api.champions import unmeasured
from driftgate.api.deployments import ending
from driftgate.api.jobs import newest_by_name
from driftgate.benchmarks.evaluated import Evaluated, evaluated_in
from driftgate.finetune.remediation import Remediation, events_of, remediations
from driftgate.ledger import (
    STALLED,
    RunRow,
    as_they_stand,
    champion_history,
    ends_soon,
    latest_runs,
    verdicts_of,
)
from driftgate.monitor.blindness import Blindness
from driftgate.monitor.incidents import Incident
from driftgate.service.console._fresh import Freshness
from driftgate.service.console._memo import SETTLED
from driftgate.service.console._page import Console
from driftgate.service.console._runs import cells_named
from driftgate.service.console._watch import Watched

Grade = Literal["wrong", "unknown", "fine"]
_EVALUATORS = 4
"""Evaluators of a cell that are named."""
_LONG = 160
_INCIDENTS = 50
_APPROVAL = "approval_waiting"
_STALLED_MOST = 50
_BACK = 5
"""Runs of a suite that are looked at for one that has ended."""


@dataclass(frozen=True)
class Concern:
    """Something that is not shown to be fine."""

    grade: Grade
    status: str
    subject: str
    """What it is about: a monitor, a suite, a job."""
    told: str
    since: datetime | None
    link: str
    doing: str = ""
    """What is being done about it; empty where nothing is known to be."""
    blindness: Blindness | None = None
    """What a look lacked that could not tell."""


@dataclass(frozen=True)
class Waiting:
    """Something that goes on only when a person says so."""

    kind: Literal["approval", "incident", "review"]
    subject: str
    told: str
    since: datetime | None
    link: str


def grade_of(concerns: Sequence[Concern]) -> Grade:
    """What several come to.

    Examples
    --------
    >>> grade_of([]), grade_of([Concern("unknown", "overdue", "m", "", None, "")])
    ('fine', 'unknown')
    """
    if any(one.grade == "wrong" for one in concerns):
        return "wrong"
    return "unknown" if concerns else "fine"


def of_monitors(console: Console, standing: Sequence[Watched], handled: Sequence[Incident]) -> Iterator[Concern]:
    """What monitors say and no incident says already; that nothing looks is a concern as well."""
    told_of = {(one.monitor, part.subject) for one in handled for part in one.parts}
    if not standing:
        yield Concern("unknown", "unknown", "monitors", "nothing is watched", None, "/monitors")
    open_repairs = {one.slot: one for one in remediations(console.workspace.ledger, state="open")}
    for one in standing:
        told_already = one.standing != "overdue" and (one.monitor, one.of) in told_of
        if one.standing in ("fine", "reference") or told_already:
            continue
        slot = console.workspace.files.config.monitors[one.monitor].champion
        repair = open_repairs.get(slot) if one.standing == "moved" else None
        told = one.why or ("nothing has looked" if one.at is None else "")
        yield Concern(
            "wrong" if one.standing == "moved" else "unknown",
            one.standing,
            f"{one.monitor} · {one.of}",
            told,
            one.at if one.standing == "overdue" else one.since,
            f"/monitors/{quote(one.monitor, safe='')}",
            f"remediation {repair.id} is open" if repair is not None else "",
            one.blindness,
        )


def newest_of_suites(console: Console) -> list[RunRow]:
    """The newest benchmark of every suite that has ended, or, where none has, the newest one under way."""
    ledger = console.workspace.ledger
    named = dict.fromkeys(console.workspace.files.config.suites)
    named |= dict.fromkeys(run.suite for run in latest_runs(ledger, 15, kinds=["benchmark"]))
    found = [latest_runs(ledger, _BACK, suite=name, kinds=["benchmark"]) for name in named]
    # One under way has said nothing yet, and takes nothing back of what the last one said.
    newest = [next((run for run in runs if run.status != "running"), runs[0]) for runs in found if runs]
    return as_they_stand(ledger, newest)


def of_stalled(console: Console) -> Iterator[Concern]:
    """Runs that are said to go on and give nothing any more, where no later one of their suite is complete."""
    ledger = console.workspace.ledger
    for run in as_they_stand(ledger, latest_runs(ledger, _STALLED_MOST, status="running")):
        if run.status == STALLED:
            done = latest_runs(ledger, 1, suite=run.suite, status="complete", kinds=[run.kind])
            if not done or done[0].created_at < run.created_at:
                link = f"/runs/{quote(run.id, safe='')}"
                yield Concern("unknown", STALLED, run.suite, run.reason, run.created_at, link)


def of_runs(console: Console, newest: Sequence[RunRow]) -> Iterator[Concern]:
    """What the newest run of each suite says: how it ended, what gates decided, and evaluators that failed."""
    config = console.workspace.files.config
    if not newest:
        yield Concern("unknown", "missing", "suites", "no suite was run yet", None, "/runs")
    else:
        for name in config.nightly.suites:
            if not any(run.suite == name for run in newest):
                yield Concern("unknown", "missing", name, "it belongs to the night and was never run", None, "/runs")
    for run in newest:
        link = f"/runs/{quote(run.id, safe='')}"
        if run.status not in ("complete", "running", STALLED):
            yield Concern("unknown", run.status, run.suite, run.reason or run.how_to_finish, run.created_at, link)
        newest_verdicts = {row.gate: row for row in reversed(verdicts_of(console.workspace.ledger, run.id))}
        for row in newest_verdicts.values():
            if row.verdict != "pass":
                grade: Grade = "wrong" if row.verdict == "fail" else "unknown"
                gate = f"/gates/{quote(run.id, safe='')}"
                yield Concern(grade, row.verdict, f"{run.suite} · {row.gate}", "", row.created_at, gate)
        if run.status == "complete":
            for name, judge in config.gates.items():
                if judge.suite == run.suite and name not in newest_verdicts:
                    told = "it has not judged the newest run"
                    yield Concern("unknown", "missing", f"{run.suite} · {name}", told, run.finished_at, link)
            yield from _of_evaluators(console, run, link)


def _of_evaluators(console: Console, run: RunRow, link: str) -> Iterator[Concern]:
    ledger = console.workspace.ledger

    def read() -> list[tuple[str, list[Evaluated]]]:
        return [(cell.name, evaluated_in(ledger, cell)) for cell in cells_named(console, run)]

    for name, found in console.memo.get(("evaluated", run.id, run.finished_at), SETTLED, read):
        bad = [one for one in found if one.trouble]
        for one in bad[:_EVALUATORS]:
            told = one.trouble if len(one.trouble) <= _LONG else f"{one.trouble[:_LONG]}…"
            status = "error" if one.failed else "unmeasurable"
            yield Concern("unknown", status, f"{name} · {one.key}", told, run.finished_at, link)
        if len(bad) > _EVALUATORS:
            more = f"and {len(bad) - _EVALUATORS} more evaluators"
            yield Concern("unknown", "error", name, more, run.finished_at, link)


def of_deployments(console: Console) -> Iterator[Concern]:
    """Champions that nobody measures, and those whose deployment ends soon."""
    ledger = console.workspace.ledger
    for slot, model in unmeasured(console.workspace.files, ledger).items():
        told = "it is live, no suite of the night asks it and no monitor watches it"
        yield Concern("unknown", "unknown", f"{slot} · {model}", told, None, "/champions")
    for slot in console.workspace.files.config.champions:
        history = champion_history(ledger, slot)
        files = console.workspace.files
        day = ending(files, ledger, [history[0].model]).get(history[0].model) if history else None
        if day is not None:
            repair = next(iter(remediations(ledger, 1, state="open", slot=slot)), None)
            doing = f"remediation {repair.id} is open" if repair is not None else ""
            yield Concern("unknown", "held", f"{slot} · {history[0].model}", ends_soon(day), None, "/champions", doing)


def of_telemetry(fresh: Freshness) -> Iterator[Concern]:
    """That nothing is kept of what monitors look at."""
    if fresh.wanted and fresh.newest is None:
        told = "monitors look at telemetry, and none is kept"
        yield Concern("unknown", "missing", "telemetry", told, None, "/monitors")


def approvals(console: Console) -> list[tuple[Remediation, str, datetime]]:
    """Open remediations that wait for a person's agreement: why, and since when."""
    found = []
    for one in remediations(console.workspace.ledger, state="open"):
        events = [e for e in events_of(console.workspace.ledger, one.id) if e.status != "noted"]
        if events and events[-1].status == "held" and events[-1].detail.get("awaits"):
            first = next(e for e in events if e.step == events[-1].step and e.status == "held")
            found.append((one, events[-1].message, first.at))
    return found


def waiting_for_approval(console: Console) -> Iterator[Waiting]:
    """Remediations that go on when somebody agrees."""
    for one, told, since in approvals(console):
        link = f"/remediations/{quote(one.id, safe='')}"
        yield Waiting("approval", f"{one.slot}: {one.cause}", told, since, link)


def of_jobs(console: Console) -> Iterator[Concern]:
    """Jobs of which the last that ended did not do its work; what a look came to, its monitor says."""
    for job in newest_by_name(console.workspace.ledger):
        if job.result in ("error", "unmeasurable") and job.state != "done":
            grade: Grade = "wrong" if job.result == "error" else "unknown"
            told = job.reason or (f"exit code {job.exit_code}" if job.exit_code is not None else "")
            yield Concern(grade, job.state, job.name, told, job.ended_at, f"/jobs/{quote(job.id, safe='')}")
        elif job.result == "error":
            told = job.reason or f"exit code {job.exit_code}"
            yield Concern("wrong", "error", job.name, told, job.ended_at, f"/jobs/{quote(job.id, safe='')}")


def of_channels(console: Console) -> Iterator[Concern]:
    """Channels by which nobody is told of what they should be."""
    for one in console.workspace.channels():
        if told := one.trouble(datetime.now(UTC)):
            since = one.oldest_at or one.failed_at
            yield Concern("wrong", "failed", one.channel, told, since, "/incidents#channels")


def open_incidents(console: Console) -> list[Incident]:
    """Incidents that are not resolved."""
    return console.workspace.incidents(states=("open", "acknowledged"), limit=_INCIDENTS)


def of_incidents(console: Console, handled: Sequence[Incident]) -> Iterator[Concern]:
    """Incidents that are not resolved: what is wrong, since when, and who has taken it on."""
    repairs = {one.slot: one for one in remediations(console.workspace.ledger, state="open")}
    monitors = console.workspace.files.config.monitors
    for one in handled:
        if one.kind == _APPROVAL:  # it waits for a person, and stands there
            continue
        doing = [f"acknowledged by {one.acknowledged_by}"] if one.acknowledged_by else []
        if one.silenced():
            doing.append(f"silenced until {one.silenced_until:%Y-%m-%d %H:%M}")
        repair = repairs.get(monitors[one.monitor].champion) if one.monitor in monitors and one.signals else None
        if repair is not None:
            doing.append(f"remediation {repair.id} is open")
        blind = any(part.blind for part in one.parts) and not one.signals
        yield Concern(
            "unknown" if blind else "wrong",
            one.state,
            _subject(one),
            one.summary,
            one.since,
            f"/incidents/{quote(one.id, safe='')}",
            "; ".join(doing),
        )


def waiting_incidents(handled: Sequence[Incident]) -> Iterator[Waiting]:
    """Incidents that nobody has taken on."""
    for one in handled:
        if one.state == "open" and one.kind != _APPROVAL:
            yield Waiting("incident", _subject(one), "", one.opened_at, f"/incidents/{quote(one.id, safe='')}")


def _subject(one: Incident) -> str:
    return " · ".join(filter(None, (one.monitor, one.kind.replace("_", " "))))
