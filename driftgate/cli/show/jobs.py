"""Jobs on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

import driftgate
from driftgate.api.jobs import JobKind, Serving, newest_by_name
from driftgate.cli._console import console, stops
from driftgate.monitor.looks import EXIT_CODES

_NOT_SERVED = EXIT_CODES["unmeasurable"]
_EXIT = {"done": 0, "failed": 1, "cancelled": 1, "missed": 1, "waiting": 3, "running": 3}
_COLOURS = {"done": "green", "failed": "red", "missed": "magenta", "running": "cyan"}
_POLL_SECONDS = 1.0


def run_jobs(folder: Path, limit: int, name: str, states: Sequence[str]) -> int:
    """List jobs; the exit code is that of the gravest of what is true now."""
    with driftgate.open(folder) as ws:
        found, kinds, serves = ws.jobs(limit, name=name, states=states), ws.job_kinds(), ws.serving()
        failed = [job for job in newest_by_name(ws.ledger) if job.state in ("failed", "missed")]
        if found:
            table = Table(header_style="bold")
            for column in ("job", "due", "state", "took", "came to", "why"):
                table.add_column(column, overflow="fold")
            for job in found:
                colour = _COLOURS.get(job.state, "")
                state = f"[{colour}]{job.state}[/]" if colour else job.state
                table.add_row(
                    escape(job.id), _when(job.due_at), state, _took(job.seconds), job.result, escape(job.reason)
                )
            console.print(table)
        else:
            console.print("no job")
        for kind in kinds:
            console.print(f"{escape(kind.name)}: {_schedule(kind)}", soft_wrap=True)
        for job in failed:
            console.print(f"{escape(job.name)}: the newest that ended is {job.state}: {escape(job.id)}", soft_wrap=True)
        console.print(_serves(serves), soft_wrap=True)
        if serves is None and kinds:
            return _NOT_SERVED
        return 1 if failed else 0


def run_show(folder: Path, name: str) -> int:
    """Show a job with its history and its output."""
    with driftgate.open(folder) as ws:
        found = ws.job(name)
    job = found.job
    console.print(f"[bold]{escape(job.id)}[/] · {job.state} · {job.result}", soft_wrap=True)
    if job.reason:
        console.print(escape(job.reason), soft_wrap=True)
    code = "" if job.exit_code is None else f", exit code {job.exit_code}"
    console.print(f"due {_when(job.due_at)}; took {_took(job.seconds) or 'nothing'}{code}", soft_wrap=True)
    if job.cancel_by and not job.ended:
        console.print(f"{escape(job.cancel_by)} asked that it be cancelled", soft_wrap=True)
    for event in found.events:
        told = " · ".join(part for part in (event.what, event.who, event.note) if part)
        console.print(f"  {event.at:%Y-%m-%d %H:%M:%S} UTC {escape(told)}", soft_wrap=True)
    if found.output:
        console.print(f"what it printed{f', without {found.left_out:,} characters before' if found.left_out else ''}:")
        console.print(escape(found.output.rstrip("\n")), soft_wrap=True, highlight=False)
    return _EXIT[job.state]


def run_run(folder: Path, name: str, *, wait: bool) -> int:
    """Ask for a job, and wait for its end where that is wanted."""
    with driftgate.open(folder) as ws:
        job, new = ws.run_job(name)
        serves = ws.serving()
        console.print(f"{escape(job.id)}: {'asked for' if new else 'waits already'}", soft_wrap=True)
        if serves is None:
            console.print(f"{_serves(serves)}; it waits until one does", soft_wrap=True)
            if not wait:
                return _NOT_SERVED
        if not wait:
            return 0
        with stops(f"it goes on: driftgate jobs show {job.id}"):
            while not job.ended:
                time.sleep(_POLL_SECONDS)
                job = ws.job(job.id).job
        console.print(f"{job.state}: {job.result} {escape(job.reason)}".rstrip(), soft_wrap=True)
        return _EXIT[job.state]


def run_cancel(folder: Path, name: str) -> int:
    """Cancel a job."""
    with driftgate.open(folder) as ws:
        job = ws.cancel_job(name)
        if job.ended:
            console.print(f"{escape(job.id)} is cancelled", soft_wrap=True)
        else:
            console.print(f"{escape(job.id)} is being stopped by {escape(job.holder)}", soft_wrap=True)
    return 0


def _schedule(kind: JobKind) -> str:
    if kind.schedule is None:
        return "when it is called for"
    missed = "what is missed is made up for once" if kind.schedule.catch_up == "once" else "what is missed is let go"
    due = kind.schedule.next_due(datetime.now(UTC))
    told = "not within five years" if due is None else f"next at {_when(due)}"
    return f"{kind.schedule.cron} ({kind.schedule.timezone}), {told}; {missed}"


def _serves(serves: Serving | None) -> str:
    if serves is None:
        return "[bold magenta]no process serves[/] (driftgate serve)"
    ago = f"last sign of life {max(serves.since_beat.total_seconds(), 0):.0f} s ago"
    if serves.silent:
        ago = f"[bold magenta]{ago}: it may be gone[/]"
    return f"served by {escape(serves.holder)}, {ago}"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _took(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
