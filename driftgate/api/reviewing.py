"""What makes an incident beside looks: nights that failed or never came, gates, approvals that wait, ends of models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from driftgate.api.champions import champion
from driftgate.api.deployments import ending
from driftgate.api.jobs import Job, newest_by_name
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.gate import GateVerdict
from driftgate.finetune.remediation import Remediation, approval_of, asked_for, events_of, remediations
from driftgate.finetune.remediation import ending as how_it_ends
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, ends_soon
from driftgate.monitor.cron import Crontab
from driftgate.monitor.incidents import Sign, newest_night, observe, settle, severity_of_retirement
from driftgate.monitor.looks import latest_looks

_RETIRING = timedelta(days=60)
"""How long before a deployment ends it is an incident; services give at least as much notice."""
_LATE = timedelta(hours=1)
"""How late a look may be."""
_BACK = timedelta(days=8)
"""How far back it is looked for the time at which something was due last."""
_TOLD = 3


def review(workspace: OpenWorkspace, ledger: Ledger, now: datetime | None = None) -> None:
    """Hold incidents against everything that is known; can be repeated as often as one likes.

    ``driftgate serve`` does it all the time, and so does every command that looks or lists incidents: that nothing ran
    is known only by who comes later.
    """
    moment = now or datetime.now(UTC)
    config = workspace.config.incidents
    observe(ledger, config, moment)
    jobs = {job.name: job for job in newest_by_name(ledger)}
    for prefix, signs, over in (
        ("nightly", [*_nightly(workspace, ledger, jobs.get("nightly"), moment)], "a nightly ran to its end"),
        ("missing", [*_missing(workspace, ledger, jobs, moment)], "there was a look"),
        ("approval:", [*_approvals(ledger)], "nobody is waited for any more"),
        ("stuck:", [*_stuck(ledger)], "it went on, or has ended"),
        ("proposal:", [*_proposals(workspace, ledger)], "it was put in place, or the recipe is another one"),
        ("retirement:", [*_retirements(workspace, ledger, moment)], "the champion is no deployment that ends soon"),
    ):
        settle(ledger, prefix, signs, moment, config, over=over)


def review_verdicts(workspace: OpenWorkspace, ledger: Ledger, verdicts: Sequence[GateVerdict]) -> None:
    """Hold the incidents of gates against verdicts of a nightly.

    A gate that fails or could not be judged is an incident until it passes; one that is inconclusive changes nothing.
    """
    now, config = datetime.now(UTC), workspace.config.incidents
    for verdict in verdicts:
        if verdict.verdict == "inconclusive":
            continue
        cause = f"gate:{verdict.gate}:"
        signs = [] if verdict.verdict == "pass" else [_of_gate(verdict, cause, now)]
        settle(ledger, cause, signs, now, config, over=f"it passed in run {verdict.run}")


def _of_gate(verdict: GateVerdict, cause: str, now: datetime) -> Sign:
    found = [rule for rule in verdict.worst_first if rule.verdict == verdict.verdict]
    told = "; ".join(f"{rule.cell}: {rule.rule}: {rule.told}" for rule in found[:_TOLD])
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    failed = verdict.verdict == "fail"
    words = "failed" if failed else "could not be judged"
    return Sign(
        "",
        cause,
        "gate_failed" if failed else "gate_unmeasurable",
        "high" if failed else "medium",
        "gate",
        f"gate {verdict.gate} {words} on run {verdict.run}: {told}{more}",
        f"driftgate gate {verdict.run}",
        since=now,
        detail={"gate": verdict.gate, "run": verdict.run},
    )


def _nightly(workspace: OpenWorkspace, ledger: Ledger, job: Job | None, now: datetime) -> Iterator[Sign]:
    """What is wrong with the newest nightly: it failed, was killed, or the next one did not come."""
    service, config = workspace.config.service, workspace.config.incidents
    night, late = newest_night(ledger), timedelta(hours=config.night_hours)
    times = [*([night.began_at] if night is not None else []), *([job.due_at] if job is not None else [])]
    begun = max(times, default=None)
    if begun is None:  # nobody ever ran one here
        return
    due = _last_due(service.nightly_cron, service.timezone, begun + late, now - late)
    if due is not None and (workspace.config.nightly.suites or workspace.config.nightly.monitors):
        said = f"no nightly has begun since {_when(begun)}; one was due at {_when(due)}"
        remedy = "see driftgate jobs, or what else runs driftgate nightly; service.nightly_cron says when it is due"
        yield _night("nightly_missing", said, remedy, due)
    elif job is not None and (night is None or job.due_at > night.began_at) and job.result in ("error", "unmeasurable"):
        said = f"the nightly that was due at {_when(job.due_at)} {job.state}"
        kind = "nightly_missing" if job.state == "missed" else "nightly_failed"
        yield _night(kind, f"{said}: {job.reason or f'exit code {job.exit_code}'}", "see driftgate jobs", job.due_at)
    elif night is not None and night.problem:
        yield _night("nightly_failed", f"the nightly of {_when(night.began_at)}: {night.problem}", "", night.began_at)
    elif night is not None and night.ended_at is None and now - night.began_at > late:
        said = f"the nightly that began at {_when(night.began_at)} has not ended; it hangs, or was killed"
        yield _night("nightly_failed", said, "see that it is not running, then begin it again", night.began_at)


def _night(kind: str, summary: str, remedy: str, since: datetime) -> Sign:
    return Sign("", "nightly", kind, "high", "nightly", summary, remedy, since=since)


def _missing(workspace: OpenWorkspace, ledger: Ledger, jobs: dict[str, Job], now: datetime) -> Iterator[Sign]:
    """Monitors at which nobody looks, though ``driftgate serve`` did once."""
    newest: dict[str, datetime] = {}
    for look in latest_looks(ledger):
        newest[look.monitor] = max(look.at, newest.get(look.monitor, look.at))
    for name, monitor in workspace.config.monitors.items():
        job = jobs.get(f"look-{name}")
        if job is None:
            continue
        seen = newest.get(name)
        since = max(filter(None, (seen, job.due_at)), default=job.due_at)
        due = _last_due(monitor.cron, monitor.timezone, since + timedelta(minutes=1), now - _LATE)
        unseen = seen is None or seen < job.due_at
        if due is None and not (unseen and job.result in ("error", "unmeasurable")):
            continue
        last = f"the last look was at {_when(seen)}" if seen is not None else "nothing ever looked"
        why = f"one was due at {_when(due)}" if due else f"the one due at {_when(job.due_at)} {job.state}: {job.reason}"
        yield Sign(
            name,
            "missing",
            "look_missing",
            "high",
            "looks",
            f"nobody looks at monitor {name}: {last}; {why}",
            "see that driftgate serve runs, and driftgate jobs",
            since=due or job.due_at,
            good_at=seen,
        )


def _approvals(ledger: Ledger) -> Iterator[Sign]:
    for one in remediations(ledger, state="open"):
        try:
            what = asked_for(ledger, one)
        except DriftgateError:  # it waits for nobody
            continue
        if approval_of(ledger, one, what) is None:
            yield _of_approval(ledger, one)


def _of_approval(ledger: Ledger, one: Remediation) -> Sign:
    held = [event for event in events_of(ledger, one.id) if event.status == "held"][-1]
    return Sign(
        "",
        f"approval:{one.id}",
        "approval_waiting",
        "medium",
        "approval",
        f"remediation {one.id} of {one.slot} waits for an approval: {held.message}",
        f"driftgate remediation show {one.id}, then driftgate remediation approve {one.id}",
        detail={"remediation": one.id},
    )


def _stuck(ledger: Ledger) -> Iterator[Sign]:
    """Repairs whose last turn failed where users may be served by a candidate, or where they are to end and cannot."""
    for one in remediations(ledger, state="open"):
        events = events_of(ledger, one.id)
        last = events[-1] if events else None
        if last is None or last.status != "failed":
            continue
        ends = how_it_ends(events) is not None
        if ends or any(event.step == "roll_out" and event.status == "noted" for event in events):
            yield Sign(
                "",
                f"stuck:{one.id}",
                "repair_stuck",
                "high",
                "repair",
                f"remediation {one.id} of {one.slot} cannot {'end' if ends else 'go on'}: {last.message}",
                f"driftgate remediation show {one.id}; it is tried again at every turn",
                since=last.at,
                detail={"remediation": one.id},
            )


def _proposals(workspace: OpenWorkspace, ledger: Ledger) -> Iterator[Sign]:
    """Repairs that only a person can put in place."""
    from driftgate.api.repair import standing_proposal

    for slot in workspace.config.champions:
        stands = standing_proposal(workspace, ledger, slot)
        if stands is not None:
            one = stands.remediation
            yield Sign(
                "",
                f"proposal:{one.id}",
                "repair_proposed",
                "medium",
                "approval",
                f"remediation {one.id} of {slot}: {stands.told}",
                f"driftgate remediation show {one.id}; once it is in place, change the recipe accordingly",
                since=one.closed_at,
                detail={"remediation": one.id},
            )


def _retirements(workspace: OpenWorkspace, ledger: Ledger, now: datetime) -> Iterator[Sign]:
    live = {slot: champion(workspace, ledger, slot) for slot in workspace.config.champions}
    days = ending(workspace, ledger, live.values())
    for slot, model in live.items():
        if model in days and _midnight(days[model]) - now <= _RETIRING:
            yield Sign(
                "",
                f"retirement:{slot}:{model}",
                "deployment_retiring",
                severity_of_retirement(now, _midnight(days[model])),
                "deployments",
                f"{slot} is served by {model}: {ends_soon(days[model], now.date())}",
                "find what takes its place: driftgate bench, driftgate compare, driftgate champion promote",
                detail={"slot": slot, "model": model, "ends": days[model].isoformat()},
            )


def _last_due(cron: str, timezone: str, after: datetime, until: datetime) -> datetime | None:
    """When something was due last, after a moment and not after another one."""
    return Crontab.parse(cron).latest(ZoneInfo(timezone), max(after, until - _BACK), until)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
