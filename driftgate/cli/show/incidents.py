"""Incidents and channels on the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from rich.markup import escape

import driftgate
from driftgate.api.facade import Workspace
from driftgate.api.watching import Sight, sights
from driftgate.cli._console import check_writable, console, write_json
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.monitor.incidents import SEVERITIES, Happening, Incident, titled
from driftgate.monitor.looks import EXIT_CODES

_COLOURS: dict[str, str] = {"low": "cyan", "medium": "yellow", "high": "bold red", "critical": "bold red"}
_LASTING = re.compile(r"(\d{1,4})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SEEN = ("seen", "quiet")


def run_incidents(
    folder: Path, every: bool, monitor: str | None, severity: str, limit: int, json_file: Path | None
) -> int:
    """List incidents; 1 where one is open and not silenced, 4 where a monitor or a channel cannot tell, else 0."""
    check_writable(json_file)
    if severity not in SEVERITIES:
        raise DriftgateError(f"there is no severity '{severity}'", nearest(severity, SEVERITIES))
    with driftgate.open(folder) as ws:
        ws.review()
        found = ws.incidents(
            states=() if every else ("open", "acknowledged"),
            monitor=monitor,
            least=severity,
            limit=limit,
        )
        blind = [one for one in sights(ws.files, ws.ledger) if one.blind and monitor in (None, one.monitor)]
        if json_file is not None:
            write_json(json_file, [as_json(one) for one in found])
        for one in found:
            print_brief(one)
        if not found:
            console.print("no incident" if every else "no incident that is not resolved")
        for line in _cannot_tell(blind):
            console.print(line, soft_wrap=True)
        failing = list(_failing(ws))
        for line in failing:
            console.print(line, soft_wrap=True)
    if any(one.state == "open" and not one.silenced() for one in found):
        return 1
    return EXIT_CODES["unmeasurable"] if blind or failing else 0


def run_show(folder: Path, name: str, json_file: Path | None) -> None:
    """Print an incident and its history."""
    check_writable(json_file)
    with driftgate.open(folder) as ws:
        one, happened = ws.incident(name), ws.incident_history(name)
    if json_file is not None:
        write_json(json_file, as_json(one) | {"history": [_event_as_json(event) for event in happened]})
    print_brief(one)
    known = f"; last known good at {_when(one.good_at)}" if one.good_at else ""
    console.print(f"  since {_when(one.since)}{known}; seen {one.signs} times, last at {_when(one.seen_at)}")
    for part in one.parts:
        found = ", ".join(part.signals) or "could not be measured"
        quiet = f"; quiet {part.quiet} times in a row since" if part.quiet else ""
        console.print(f"  {escape(part.subject)}: {escape(found)}{quiet}", soft_wrap=True)
    if one.remedy:
        console.print(f"  next: {escape(one.remedy)}", soft_wrap=True)
    for line in _history(happened):
        console.print(f"  {line}", soft_wrap=True)


def print_brief(one: Incident) -> None:
    """Print an incident in a few lines."""
    where = f"{one.monitor}: " if one.monitor else ""
    state: str = one.state
    if one.state == "acknowledged":
        state += f" by {one.acknowledged_by} at {_when(cast(datetime, one.acknowledged_at))}"
    elif one.state == "resolved":
        state += f" by {one.resolved_by} at {_when(cast(datetime, one.resolved_at))}"
    if one.silenced():
        state += f", silenced until {_when(cast(datetime, one.silenced_until))}"
    colour = _COLOURS[one.severity] if one.state != "resolved" else "green"
    title = escape(f"{where}{titled(one.kind)}")
    console.print(f"{one.id} [{colour}]{one.severity}[/] {title}: {escape(state)}", soft_wrap=True)
    console.print(f"  since {_when(one.since)}: {escape(one.summary)}", soft_wrap=True)


def run_test(folder: Path, channel: str) -> int:
    """Send a test by one channel or each; 1 where one does not take it."""
    with driftgate.open(folder) as ws:
        known = list(ws.files.config.notifications.channels)
        if not known:
            raise DriftgateError("the workspace has no channel", "name one under notifications.channels")
        failed = False
        for name in [channel] if channel else known:
            if name not in known:
                raise DriftgateError(f"the workspace has no channel '{name}'", nearest(name, known))
            try:
                ws.tell_test(name)
                console.print(f"{escape(name)}: the test was taken", soft_wrap=True)
            except DriftgateError as problem:
                failed = True
                console.print(f"{escape(name)}: [bold red]not delivered[/]: {escape(str(problem))}", soft_wrap=True)
        return int(failed)


def run_status(folder: Path) -> int:
    """Say how each channel does; 1 where one fails."""
    with driftgate.open(folder) as ws:
        found = ws.channels()
    for one in found:
        sent = f"took a message last at {_when(one.sent_at)}" if one.sent_at else "has taken none yet"
        waits = f", {one.waiting} waiting" if one.waiting else ""
        lost = f", {one.given_up} given up" if one.given_up else ""
        lost += f", {one.superseded} dropped for a newer one that it took" if one.superseded else ""
        fails = ""
        if one.fails and one.failed_at is not None:
            fails = f"; [bold red]fails[/] since the try at {_when(one.failed_at)}: {escape(one.failure)}"
        elif said := one.trouble(datetime.now(UTC)):
            fails = f"; [bold red]{escape(said)}[/]"
        console.print(f"{escape(one.channel)}: {sent}{waits}{lost}{fails}", soft_wrap=True)
    if not found:
        console.print("the workspace has no channel; name one under notifications.channels")
    return int(any(one.trouble(datetime.now(UTC)) for one in found))


def moment(until: str, lasting: str) -> datetime:
    """The moment that a person names, or how long from now.

    Raises
    ------
    DriftgateError
        Neither or both are given, or one is none.
    """
    if bool(until) == bool(lasting):
        raise DriftgateError("until when is it to be silent?", "say --until 2026-12-01T09:00, or --for 8h")
    if lasting:
        found = _LASTING.fullmatch(lasting.strip().lower())
        if found is None or not int(found[1]):
            raise DriftgateError(f"'{lasting}' is no length of time", "write it as 90m, 8h, 3d or 2w")
        return datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        return datetime.fromisoformat(until).astimezone()
    except (ValueError, OverflowError) as problem:
        raise DriftgateError(f"'{until}' is no moment", "write it as 2026-12-01T09:00") from problem


def as_json(one: Incident) -> dict[str, Any]:
    """An incident as plain values."""
    plain = {name: _plain(value) for name, value in asdict(one).items()}
    return plain | {"title": titled(one.kind), "silenced": one.silenced(), "signals": list(one.signals)}


def _event_as_json(event: Happening) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(event).items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _history(happened: Sequence[Happening]) -> Iterator[str]:
    """What happened, looks that say the same in one line."""
    run: list[Happening] = []
    for event in [*happened, None]:
        if run and (event is None or event.what != run[-1].what or event.what not in _SEEN):
            yield from _lines(run)
            run = []
        if event is not None:
            run.append(event)


def _lines(run: Sequence[Happening]) -> Iterator[str]:
    last = run[-1]
    note = f": {escape(last.note)}" if last.note else ""
    if len(run) > 1:
        yield f"{_when(run[0].at)} to {_when(last.at)} {last.what} {len(run)} times{note}"
    else:
        by = f" by {escape(last.who)}" if last.what not in _SEEN else ""
        until = f" until {_when(datetime.fromisoformat(last.detail['until']))}" if "until" in last.detail else ""
        yield f"{_when(last.at)} {last.what.replace('_', ' ')}{by} ({last.severity}){until}{note}"


def _cannot_tell(blind: Sequence[Sight]) -> Iterator[str]:
    for sight in blind:
        told = sight.newest.conclusion if sight.newest is not None else None
        said = f"{told.result}: {escape(told.why)}" if told is not None else "nothing has looked"
        if sight.due is not None and sight.newest is not None and sight.newest == sight.good:
            said = f"nothing has looked since {_when(sight.newest.at)}, and a look was due at {_when(sight.due)}"
        since = f"; it could tell last at {_when(sight.good.at)}" if sight.good is not None else ""
        yield f"{escape(sight.monitor)} {sight.of} cannot tell: {said}{since}"


def _failing(ws: Workspace) -> Iterator[str]:
    for one in ws.channels():
        if said := one.trouble(datetime.now(UTC)):
            yield f"[bold red]channel {escape(one.channel)}[/] {escape(said)}"


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
